-- One row per sentence that replaced an earlier one.
with modifications as (
    select
        sentences.sentence_id,
        cases.person_id,
        sentences.sentenced_on,
        sentences.modified_reason,
        cases.offence_category
    from {{ ref('stg_sentences') }} as sentences
    -- many sentences to at most one charge, and that to at most one case
    left join {{ ref('int_charges__filed_version_picked') }} as charges on sentences.charge_id = charges.charge_id
    left join {{ ref('int_cases__offence_picked') }} as cases
        on coalesce(sentences.case_id, charges.case_id) = cases.case_id
    where sentences.modified_from is not null
)

select
    modifications.sentence_id,
    modifications.person_id,
    modifications.sentenced_on,
    {{ groups_on('modifications.sentenced_on') }},
    case
        when {{ is_known('modifications.modified_reason') }} then modifications.modified_reason = 'legal_defect'
    end as is_for_legal_defect
from modifications
{{ join_groups('modifications.person_id', 'modifications.offence_category') }}

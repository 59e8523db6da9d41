-- One row per case with a sentence: what was asked for and what was pronounced, over all its charges.
-- Sentences as first pronounced; the case counts on the day of the first of them.
with sentences as (
    select
        coalesce(sentences.case_id, charges.case_id) as sentenced_case_id,
        sentences.*,
        terms.kind,
        terms.term_days
    from {{ ref('stg_sentences') }} as sentences
    -- one sentence to its one term, and to at most one charge
    inner join {{ ref('int_sentences__term_read') }} as terms on sentences.sentence_id = terms.sentence_id
    left join {{ ref('int_charges__filed_version_picked') }} as charges on sentences.charge_id = charges.charge_id
    where sentences.modified_from is null
)

select
    cases.case_id,
    cases.person_id,
    cases.offence_category,
    min(sentences.sentenced_on) as sentenced_on,
    bool_or(
        sentences.da_recommended_days is not null or {{ is_known('sentences.da_recommended_type') }}
    ) as is_recommended,
    -- one charge with custody asked for is enough; charges without a word on it do not speak against
    bool_or(
        case
            when {{ is_known('sentences.da_recommended_type') }}
                then sentences.da_recommended_type in ('prison', 'jail')
        end
    ) as is_custody_recommended,
    sum(sentences.da_cost_stated) as cost_stated,
    -- probation is none unless a suspended term is on file: where few files say, only the others would be known
    {{ any_true("case when sentences.kind <> 'kind_not_recorded' then sentences.kind = 'custody' end") }} as is_custody,
    case
        when not bool_or(sentences.kind = 'custody' and sentences.term_days is null)
            then max(sentences.term_days) filter (where sentences.kind = 'custody')
    end as longest_days,
    max(sentences.probation_months) as probation_months
from sentences
inner join {{ ref('int_cases__offence_picked') }} as cases on sentences.sentenced_case_id = cases.case_id
group by cases.case_id, cases.person_id, cases.offence_category

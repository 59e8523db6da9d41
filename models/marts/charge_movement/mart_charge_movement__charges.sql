-- One row per charge brought to court in a case that has closed.
with charges as (
    select
        outcomes.*,
        cases.person_id,
        cases.closed_on,
        cases.offence_category,
        cases.is_convicted as is_case_convicted,
        cases.is_plea as is_case_pleaded
    from {{ ref('int_charges__state_outcome_found') }} as outcomes
    -- many charges to exactly one case
    inner join {{ ref('int_cases__conviction_compared') }} as cases on outcomes.case_id = cases.case_id
)

select
    charges.charge_id,
    charges.case_id,
    charges.person_id,
    charges.closed_on,
    {{ groups_on('charges.closed_on') }},
    coalesce(charges.is_enhancement, false) as is_enhancement,
    charges.is_convicted,
    charges.is_case_convicted,
    charges.is_case_pleaded,
    charges.is_submitted,
    charges.is_proven
from charges
{{ join_groups('charges.person_id', 'charges.offence_category') }}

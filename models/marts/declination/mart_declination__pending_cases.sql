-- One row per case that was pending when the first policy to decline its top charge took effect.
with cases as (
    select * from {{ ref('int_cases__pending_at_declination_policy') }}
)

select
    cases.case_id,
    cases.person_id,
    cases.policy_from,
    {{ groups_on('cases.policy_from') }},
    case
        when cases.policy_from + 180 > audit_settings.as_of_date then null
        when cases.closed_on is null or cases.closed_on > cases.policy_from + 180 then false
        else cases.is_dismissed_by_office
    end as is_dismissed_within_180_days
from cases
{{ join_groups('cases.person_id', 'cases.offence_category') }}

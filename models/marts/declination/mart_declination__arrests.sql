-- One row per arrest for an offence that a policy to decline covers, now or later.
with policies as (
    select
        offence_key,
        min(effective_from) as policy_from
    from {{ ref('int_offences__policies_matched') }}
    where
        rule_action = 'decline'
        and is_covered
    group by offence_key
),

arrests as (
    select
        arrests.arrest_id,
        arrests.person_id,
        arrests.offence_category,
        cast(arrests.arrest_at as date) as arrested_on,
        policies.policy_from
    from {{ ref('int_arrests__offence_picked') }} as arrests
    -- many arrests to exactly one row of their offence
    inner join policies on arrests.offence_key = policies.offence_key
)

select
    arrests.arrest_id,
    arrests.person_id,
    arrests.arrested_on,
    {{ groups_on('arrests.arrested_on') }},
    case when arrests.arrested_on < arrests.policy_from then 'before_policy' else 'since_policy' end as side_of_policy
from arrests
{{ join_groups('arrests.person_id', 'arrests.offence_category') }}

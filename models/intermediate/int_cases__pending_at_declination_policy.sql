-- One row per case that was pending when the first policy to decline its top charge took effect.
with policies as (
    select
        offence_key,
        policy_id,
        min(effective_from) as effective_from
    from {{ ref('int_offences__policies_matched') }}
    where
        rule_action = 'decline'
        and is_covered
    group by offence_key, policy_id
)

select
    cases.case_id,
    cases.person_id,
    cases.offence_category,
    min(policies.effective_from) as policy_from,
    any_value(outcomes.closed_on) as closed_on,
    any_value(outcomes.is_dismissed_by_office) as is_dismissed_by_office
from {{ ref('int_cases__offence_picked') }} as cases
-- one case to exactly one outcome, and to the few policies: gathered again by case
inner join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
inner join policies
    on
        cases.offence_key = policies.offence_key
        and cases.filed_on < policies.effective_from
        and (outcomes.closed_on is null or outcomes.closed_on >= policies.effective_from)
group by cases.case_id, cases.person_id, cases.offence_category

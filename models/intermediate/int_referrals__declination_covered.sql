-- One row per referral of one person to the office.
-- Whether a written policy to decline covers it: what the office wrote down when it considered the policy; where it
-- wrote nothing, the rules in force on the day of the decision against the offence that the matter leads with. And the
-- day on which somebody approved of not following it.
with policies as (
    select distinct policy_id from {{ ref('stg_policy_rules') }}
    where action = 'decline'
),

considered as (
    select
        coalesce(applications.referral_id, cases.referral_id) as referral_id,
        {{ any_true('applications.covered') }} as is_covered,
        count(applications.covered) > 0 as is_answered,
        min(applications.approved_on) filter (where applications.approved_by_role is not null) as approved_on
    from {{ ref('int_policy_applications__policy_found') }} as applications
    -- many applications to exactly one policy and at most one case
    inner join policies on applications.policy_id = policies.policy_id
    left join {{ ref('int_cases__offence_picked') }} as cases on applications.case_id = cases.case_id
    where coalesce(applications.referral_id, cases.referral_id) is not null
    group by coalesce(applications.referral_id, cases.referral_id)
),

by_rule as (
    select
        referrals.referral_id,
        {{ covered_by_rule() }} as is_covered
    from {{ ref('int_referrals__offence_picked') }} as referrals
    -- one referral to one lead offence, and that to the few policies in force: gathered again by referral
    inner join {{ ref('int_referrals__lead_charge_picked') }} as leads on referrals.referral_id = leads.referral_id
    {{ join_policies('leads.offence_key', 'referrals.decided_on', 'decline') }}
    where referrals.decided_on is not null
    group by referrals.referral_id
)

select
    referrals.referral_id,
    case when considered.is_answered then considered.is_covered else by_rule.is_covered end as is_covered,
    considered.approved_on
from {{ ref('int_referrals__offence_picked') }} as referrals
-- one referral to at most one row each
left join considered on referrals.referral_id = considered.referral_id
left join by_rule on referrals.referral_id = by_rule.referral_id

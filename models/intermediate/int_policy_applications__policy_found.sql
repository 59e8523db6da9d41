-- One row per policy considered in a case or matter.
-- Whose case it was, for what offence, and which version of the policy was in force on the day of the decision. Where a
-- check names both, the referral tells the offence: the office has not chosen that one.
with applications as (
    select * from {{ ref('stg_policy_applications') }}
),

versions as (
    select
        applications.application_id,
        policies.version,
        policies.policy_stage,
        policies.signoff_required,
        row_number() over (partition by applications.application_id order by policies.version desc) as place
    from applications
    inner join {{ ref('stg_policies') }} as policies
        on
            applications.policy_id = policies.policy_id
            and {{ in_force('applications.decided_at', 'policies.effective_from', 'policies.effective_to') }}
)

select
    applications.application_id,
    applications.policy_id,
    applications.case_id,
    applications.referral_id,
    coalesce(referrals.person_id, cases.person_id) as person_id,
    {{ first_known(['referrals.offence_category', 'cases.offence_category']) }} as offence_category,
    applications.decided_at as decided_on,
    applications.covered,
    applications.complied,
    applications.deviation_reason,
    applications.factor,
    applications.fact_source,
    applications.approved_by_role,
    applications.approved_at as approved_on,
    versions.version,
    coalesce(versions.policy_stage, 'not_recorded') as policy_stage,
    versions.signoff_required
from applications
-- many applications to at most one referral, case and version each
left join {{ ref('int_referrals__offence_picked') }} as referrals on applications.referral_id = referrals.referral_id
left join {{ ref('int_cases__offence_picked') }} as cases on applications.case_id = cases.case_id
left join versions
    on
        applications.application_id = versions.application_id
        and versions.place = 1

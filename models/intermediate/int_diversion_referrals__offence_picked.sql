-- One row per referral to one diversion programme.
-- The offence of a diversion: its case's top charge, else what was referred, else what the programme's own file says.
-- And the day it counts on: the first of its dated steps in the order of the programme.
with diversions as (
    select * from {{ ref('stg_diversion_referrals') }}
),

cases as (
    select * from {{ ref('int_cases__offence_picked') }}
),

referrals as (
    select * from {{ ref('int_referrals__offence_picked') }}
)

select
    diversions.diversion_id,
    diversions.person_id,
    diversions.case_id,
    diversions.program_code,
    diversions.program_type,
    diversions.diversion_stage,
    diversions.eligible_on,
    diversions.screened_on,
    diversions.offered_on,
    diversions.accepted_on,
    diversions.enrolled_on,
    diversions.completed_on,
    diversions.requires_plea,
    diversions.requires_admission,
    diversions.admission_in_court,
    diversions.judge_ordered_restraint,
    diversions.fee,
    diversions.ineligible_reason,
    diversions.refusal_reason,
    diversions.language_needed,
    diversions.language_provided,
    diversions.outcome,
    diversions.failure_reason,
    diversions.state_disposition,
    {{ first_known(['cases.offence_category', 'referrals.offence_category', 'diversions.offence_category']) }}
        as offence_category,
    coalesce(
        diversions.referred_on,
        diversions.eligible_on,
        diversions.screened_on,
        diversions.offered_on,
        diversions.accepted_on,
        diversions.enrolled_on,
        diversions.completed_on,
        diversions.terminated_on
    ) as entered_on,
    coalesce(diversions.completed_on, diversions.terminated_on) as ended_on
from diversions
-- many diversions to at most one case and one referral
left join cases on diversions.case_id = cases.case_id
left join referrals on diversions.referral_id = referrals.referral_id

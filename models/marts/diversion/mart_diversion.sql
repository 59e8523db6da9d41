-- One row per referral to one diversion programme.
with diversions as (
    select
        *,
        {{ is_known('ineligible_reason') }} as is_refused,
        -- a later step shows that the earlier ones were taken
        coalesce(enrolled_on, completed_on) is not null as is_enrolled,
        coalesce(accepted_on, enrolled_on, completed_on) is not null as is_accepted,
        coalesce(offered_on, accepted_on, enrolled_on, completed_on) is not null as is_offered,
        coalesce(screened_on, offered_on, accepted_on, enrolled_on, completed_on) is not null as is_screened,
        -- a yes to one question does not answer for a file that leaves the other open
        case
            when requires_plea is not null and requires_admission is not null then requires_plea or requires_admission
        end as is_plea_or_admission_required,
        -- 8 USC 1101(a)(48)(A)(i): a plea of guilty or no contest, or an admission of enough facts in court; either is
        -- enough, and where none was required and none is on file, there was none
        requires_plea or coalesce(admission_in_court, nullif(requires_admission, true)) as is_plea_part_met,
        -- 8 USC 1101(a)(48)(A)(ii): some punishment, penalty or restraint ordered by a judge
        judge_ordered_restraint as is_restraint_part_met
    from {{ ref('int_diversion_referrals__offence_picked') }}
),

appearances as (
    select * from {{ ref('int_diversion_referrals__appearances_counted') }}
),

contacts as (
    select * from {{ ref('int_diversion_referrals__ice_contact_found') }}
)

select
    diversions.diversion_id,
    diversions.person_id,
    diversions.case_id,
    diversions.entered_on,
    {{ groups_on('diversions.entered_on') }},
    diversions.program_type,
    diversions.diversion_stage,
    diversions.eligible_on is not null as is_found_eligible,
    diversions.is_screened,
    diversions.is_offered,
    diversions.is_accepted,
    diversions.is_enrolled,
    diversions.screened_on is not null as has_screening_day,
    diversions.offered_on is not null as has_offer_day,
    diversions.accepted_on is not null as has_acceptance_day,
    diversions.enrolled_on is not null as has_enrolment_day,
    case
        when {{ is_known('diversions.outcome') }} and diversions.outcome <> 'open'
            then diversions.outcome = 'completed'
    end as is_completed,
    case
        when {{ is_known('diversions.state_disposition') }} and diversions.state_disposition <> 'open'
            then diversions.state_disposition = 'dismissed'
    end as is_dismissed,
    diversions.is_plea_or_admission_required,
    case
        when diversions.is_plea_part_met is not null and diversions.is_restraint_part_met is not null
            then diversions.is_plea_part_met and diversions.is_restraint_part_met
    end as is_conviction_by_both_parts,
    case
        when diversions.is_plea_part_met and diversions.is_restraint_part_met then 'both_parts_met'
        when not diversions.is_plea_part_met or not diversions.is_restraint_part_met then 'ruled_out'
        else 'cannot_be_ruled_out'
    end as conviction_by_parts,
    diversions.is_refused,
    diversions.ineligible_reason,
    diversions.offered_on is not null
    and (diversions.is_accepted or {{ is_known('diversions.refusal_reason') }}) as is_offer_answered,
    diversions.refusal_reason in ('plea_required', 'immigration_consequences') as is_refused_for_plea,
    diversions.language_needed is not null
    and lower(diversions.language_needed) not in ('eng', 'en', 'english') as is_language_needed,
    lower(diversions.language_needed) = lower(diversions.language_provided) as is_language_provided,
    diversions.fee > 0 as is_fee_asked,
    diversions.outcome = 'failed' as is_failed,
    case
        when {{ is_known('diversions.failure_reason') }} then diversions.failure_reason = 'nonpayment'
    end as is_failed_for_nonpayment,
    appearances.appearance_count,
    contacts.diversion_id is not null as has_ice_contact
from diversions
-- one diversion to at most one row each
left join appearances on diversions.diversion_id = appearances.diversion_id
left join contacts on diversions.diversion_id = contacts.diversion_id
{{ join_groups('diversions.person_id', 'diversions.offence_category') }}

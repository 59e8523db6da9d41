-- One row per policy considered in a case or matter.
with applications as (
    select
        *,
        -- a policy that does not cover the case can be neither followed nor departed from
        case when covered then complied end as is_followed
    from {{ ref('int_policy_applications__policy_found') }}
)

select
    applications.application_id,
    applications.person_id,
    applications.case_id,
    applications.referral_id,
    applications.policy_id,
    applications.version,
    applications.decided_on,
    {{ groups_on('applications.decided_on') }},
    applications.policy_stage,
    applications.covered as is_covered,
    applications.is_followed,
    applications.is_followed is false as is_exception,
    applications.deviation_reason,
    {{ is_known('applications.deviation_reason') }} as is_reason_recorded,
    applications.signoff_required as is_signoff_required,
    -- an approval that bears no date is none on record
    applications.approved_on is not null as is_approved,
    case
        when applications.approved_on is null then false
        else applications.approved_on <= applications.decided_on
    end as is_approved_before_decision,
    case
        when applications.decided_on is not null then applications.version is not null
    end as is_policy_in_force
from applications
{{ join_groups('applications.person_id', 'applications.offence_category') }}

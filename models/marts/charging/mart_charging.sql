-- One row per referral of one person to the office.
with referrals as (
    select * from {{ ref('int_referrals__offence_picked') }}
),

arrests as (
    select
        arrest_id,
        cast(arrest_at as date) as arrested_on
    from {{ ref('int_arrests__offence_picked') }}
),

alternatives as (
    select * from {{ ref('int_referrals__alternatives_considered') }}
),

detainers as (
    select * from {{ ref('int_referrals__first_detainer_found') }}
),

described as (
    select
        referrals.*,
        referrals.decision in ('filed', 'declined', 'diverted') as is_decided,
        {{ severity_class_rank('referrals.severity') }} as severity_class_rank,
        arrests.arrested_on,
        alternatives.referral_id is not null as is_alternative_considered,
        alternatives.is_refused_for_id,
        detainers.first_detainer_on
    from referrals
    -- many referrals to at most one arrest
    left join arrests on referrals.arrest_id = arrests.arrest_id
    -- one referral to at most one row each
    left join alternatives on referrals.referral_id = alternatives.referral_id
    left join detainers on referrals.referral_id = detainers.referral_id
)

select
    described.referral_id,
    described.person_id,
    described.decided_on,
    {{ groups_on('described.decided_on') }},
    described.decision,
    described.decline_reason,
    described.is_decided,
    case when described.is_decided then described.decision = 'filed' end as is_filed,
    case when described.is_decided then described.decision = 'declined' end as is_declined,
    case
        when described.severity_class_rank is not null then described.severity_class_rank <= 2
    end as is_below_felony,
    described.is_alternative_considered,
    described.is_refused_for_id,
    -- followed for the whole week, or the answer would depend on the day of the export
    case
        when described.arrested_on + 7 <= audit_settings.as_of_date
            then coalesce(described.first_detainer_on <= described.arrested_on + 7, false)
    end as has_detainer_within_7_days,
    case
        when described.arrested_on <= described.decided_on
            then coalesce(described.first_detainer_on < described.decided_on, false)
    end as has_detainer_before_decision
from described
{{ join_groups('described.person_id', 'described.offence_category') }}

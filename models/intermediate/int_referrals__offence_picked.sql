-- One row per referral of one person to the office.
-- The offence as it came to the office: its own category, else that of the gravest charge of the arrest. Never the
-- charge that was filed, which the office itself chose.
with referrals as (
    select * from {{ ref('stg_referrals') }}
),

arrest_charges as (
    select * from {{ ref('int_arrests__top_charge_picked') }}
)

select
    referrals.referral_id,
    referrals.person_id,
    referrals.arrest_id,
    referrals.received_at as received_on,
    referrals.decision,
    referrals.decision_date as decided_on,
    referrals.decline_reason,
    case
        when {{ is_known('referrals.offence_category') }} then referrals.offence_category
        else coalesce(arrest_charges.offence_category, referrals.offence_category)
    end as offence_category,
    case
        when {{ is_known('referrals.severity') }} then referrals.severity
        else coalesce(arrest_charges.severity, referrals.severity)
    end as severity
from referrals
-- many referrals to at most one arrest
left join arrest_charges on referrals.arrest_id = arrest_charges.arrest_id

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
    referrals.prosecutor_unit,
    {{ first_known(['referrals.offence_category', 'arrest_charges.offence_category']) }} as offence_category,
    {{ first_known(['referrals.severity', 'arrest_charges.severity']) }} as severity
from referrals
-- many referrals to at most one arrest
left join arrest_charges on referrals.arrest_id = arrest_charges.arrest_id

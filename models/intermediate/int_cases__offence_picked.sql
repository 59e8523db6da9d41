-- One row per case of one defendant.
-- The offence a case is grouped by: its top charge as filed, else what was referred.
with cases as (
    select * from {{ ref('stg_cases') }}
),

top_charges as (
    select * from {{ ref('int_cases__top_charge_picked') }}
),

referrals as (
    select * from {{ ref('int_referrals__offence_picked') }}
)

select
    cases.case_id,
    cases.person_id,
    cases.referral_id,
    cases.filed_on,
    cases.closed_on,
    top_charges.top_charge_id,
    top_charges.top_charge_version_no,
    top_charges.offence_key,
    {{ first_known(['top_charges.offence_category', 'referrals.offence_category']) }} as offence_category,
    coalesce(top_charges.severity, 'not_recorded') as top_charge_severity
from cases
-- one case to at most one top charge
left join top_charges on cases.case_id = top_charges.case_id
-- many cases to at most one referral
left join referrals on cases.referral_id = referrals.referral_id

-- One row per arrest of one person.
-- The offence of an arrest: its gravest charge, else what the office had referred to it.
with arrests as (
    select * from {{ ref('stg_arrests') }}
),

charges as (
    select * from {{ ref('int_arrests__top_charge_picked') }}
),

referrals as (
    select
        arrest_id,
        -- several referrals of one arrest: the first by key
        min_by(offence_category, referral_id) as offence_category
    from {{ ref('stg_referrals') }}
    where
        arrest_id is not null
        and {{ is_known('offence_category') }}
    group by arrest_id
)

select
    arrests.arrest_id,
    arrests.person_id,
    arrests.arrest_at,
    arrests.arrest_at_precision,
    arrests.custody_action,
    charges.is_below_felony,
    charges.offence_key,
    {{ first_known(['charges.offence_category', 'referrals.offence_category']) }} as offence_category
from arrests
-- one arrest to at most one row each
left join charges on arrests.arrest_id = charges.arrest_id
left join referrals on arrests.arrest_id = referrals.arrest_id

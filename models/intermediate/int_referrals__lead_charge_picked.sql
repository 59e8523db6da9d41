-- One row per referral of one person to the office.
-- The offence that it leads with, as written: the charge referred that the office calls so, else the highest on its own
-- scale, else the gravest, else the first by key; where none is on file, the gravest charge of the arrest. An
-- enhancement is no offence.
with charges as (
    select
        referral_id,
        jurisdiction,
        law_code,
        section,
        severity,
        offence_category
    from {{ ref('stg_charges') }}
    where
        stage = 'referred'
        and referral_id is not null
        and is_enhancement is not true
    qualify row_number() over (
        partition by referral_id
        order by
            coalesce(is_primary, false) desc,
            severity_rank desc nulls last,
            {{ severity_class_rank('severity') }} desc nulls last,
            charge_id asc,
            version_no desc
    ) = 1
),

arrest_charges as (
    select * from {{ ref('int_arrests__top_charge_picked') }}
),

picked as (
    select
        referrals.referral_id,
        coalesce(charges.jurisdiction, arrest_charges.jurisdiction) as jurisdiction,
        coalesce(charges.law_code, arrest_charges.law_code) as law_code,
        coalesce(charges.section, arrest_charges.section) as section,
        {{ first_known(['charges.severity', 'referrals.severity']) }} as severity,
        {{ first_known(['charges.offence_category', 'referrals.offence_category']) }} as offence_category
    from {{ ref('int_referrals__offence_picked') }} as referrals
    -- many referrals to at most one row each
    left join charges on referrals.referral_id = charges.referral_id
    left join arrest_charges
        on
            referrals.arrest_id = arrest_charges.arrest_id
            and charges.referral_id is null
)

select
    *,
    {{ offence_key('jurisdiction', 'law_code', 'section', 'severity', 'offence_category') }} as offence_key
from picked

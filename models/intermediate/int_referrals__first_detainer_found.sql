-- One row per referral whose person had a detainer lodged on or after the day of the arrest.
with referrals as (
    select
        referrals.referral_id,
        referrals.person_id,
        cast(arrests.arrest_at as date) as arrested_on
    from {{ ref('int_referrals__offence_picked') }} as referrals
    -- many referrals to at most one arrest
    inner join {{ ref('stg_arrests') }} as arrests on referrals.arrest_id = arrests.arrest_id
)

select
    referrals.referral_id,
    min(detainers.lodged_on) as first_detainer_on
from referrals
-- many to many by person: gathered again by referral
inner join {{ ref('int_detainers__dated') }} as detainers
    on
        referrals.person_id = detainers.person_id
        and referrals.arrested_on <= detainers.lodged_on
group by referrals.referral_id

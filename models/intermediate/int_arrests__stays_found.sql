-- One row per arrest and stay in custody that came of it.
-- A stay belongs to the arrest of which came the case that it names; one that names no case, to the arrests of the
-- person on the day of booking or the day before. Two arrests of one day share such a stay: nothing tells them apart.
with arrests as (
    select
        arrest_id,
        person_id,
        cast(arrest_at as date) as arrested_on
    from {{ ref('stg_arrests') }}
),

stays as (
    select * from {{ ref('int_custody_stays__offence_picked') }}
),

cases as (
    select
        referrals.arrest_id,
        cases.case_id
    from {{ ref('stg_referrals') }} as referrals
    -- many cases to one referral
    inner join {{ ref('stg_cases') }} as cases on referrals.referral_id = cases.referral_id
    where referrals.arrest_id is not null
)

select
    cases.arrest_id,
    stays.stay_id,
    stays.case_id
from stays
-- many stays to one case
inner join cases on stays.case_id = cases.case_id

union all

select
    arrests.arrest_id,
    stays.stay_id,
    stays.case_id
from stays
-- many to many by person and day
inner join arrests
    on
        stays.person_id = arrests.person_id
        and stays.booked_on between arrests.arrested_on and arrests.arrested_on + 1
where stays.case_id is null

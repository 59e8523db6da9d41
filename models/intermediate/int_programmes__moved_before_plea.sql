-- One row per diversion programme that once came after a plea, and since then before it.
-- It has moved on the day of the first referral at a stage before the plea, of those after the last one behind it.
with referrals as (
    select
        program_code,
        entered_on,
        diversion_stage in ('post_plea', 'deferred_judgment') as is_after_plea
    from {{ ref('int_diversion_referrals__offence_picked') }}
    where
        entered_on is not null
        and diversion_stage in ('pre_arrest', 'pre_charge', 'pre_plea', 'post_plea', 'deferred_judgment')
),

last_after as (
    select
        program_code,
        max(entered_on) as last_after_plea_on
    from referrals
    where is_after_plea
    group by program_code
)

select
    referrals.program_code,
    min(referrals.entered_on) as moved_on
from referrals
-- many referrals to at most one row of their programme
inner join last_after
    on
        referrals.program_code = last_after.program_code
        and referrals.entered_on > last_after.last_after_plea_on
group by referrals.program_code

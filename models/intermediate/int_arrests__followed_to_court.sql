-- One row per arrest that was referred to the office.
-- The first final decision on any of its referrals, and the first appearance in any case that came of it.
with referrals as (
    select * from {{ ref('int_referrals__offence_picked') }}
    where arrest_id is not null
),

cases as (
    select
        cases.referral_id,
        min(first_appearances.first_appearance_at) as first_appearance_at
    from {{ ref('int_cases__offence_picked') }} as cases
    -- one case to at most one first appearance
    left join {{ ref('int_cases__first_appearance_picked') }} as first_appearances
        on cases.case_id = first_appearances.case_id
    where cases.referral_id is not null
    group by cases.referral_id
)

select
    referrals.arrest_id,
    min(referrals.decided_on) filter (
        where referrals.decision in ('filed', 'declined', 'diverted')
    ) as first_decided_on,
    count(*) filter (
        where referrals.decision in ('filed', 'declined', 'diverted') and referrals.decided_on is null
    ) > 0 as has_undated_decision,
    min(cases.first_appearance_at) as first_appearance_at,
    count(cases.referral_id) = 0
    and count(*) filter (where referrals.decision not in ('declined', 'diverted')) = 0 as is_out_of_court
from referrals
-- many referrals to at most one row of cases each
left join cases on referrals.referral_id = cases.referral_id
group by referrals.arrest_id

-- One row per matter that the office declined, or case that was closed.
-- The day it ended, and whether it ended without a conviction: declined, every charge dismissed, or acquitted.
select
    concat('referral ', referral_id) as matter_id,
    person_id,
    decided_on as ended_on,
    offence_category,
    true as is_without_conviction,
    cast(null as boolean) as is_ended_by_removal
from {{ ref('int_referrals__offence_picked') }}
where decision = 'declined'

union all

select
    concat('case ', cases.case_id) as matter_id,
    cases.person_id,
    outcomes.closed_on as ended_on,
    cases.offence_category,
    outcomes.is_without_conviction,
    outcomes.is_ended_by_removal
from {{ ref('int_cases__offence_picked') }} as cases
-- one case to exactly one outcome
inner join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
where outcomes.closed_on is not null

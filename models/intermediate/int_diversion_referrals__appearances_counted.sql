-- One row per diversion of a case that was offered and has ended.
-- How often the defendant was due in court in between.
select
    diversions.diversion_id,
    count(hearings.hearing_id) as appearance_count
from {{ ref('int_diversion_referrals__offence_picked') }} as diversions
-- many to many by case: counted by diversion
left join {{ ref('int_hearings__attendance_decided') }} as hearings
    on
        diversions.case_id = hearings.case_id
        and hearings.is_defendant
        and hearings.hearing_on between diversions.offered_on and diversions.ended_on
where
    diversions.case_id is not null
    and diversions.offered_on <= diversions.ended_on
group by diversions.diversion_id

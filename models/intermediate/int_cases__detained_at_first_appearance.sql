-- One row per case whose defendant was held beyond the day after the first appearance.
-- Fixed at the start, not by what followed: who pleads on the first day and walks out was not waiting in jail.
select distinct cases.case_id
from {{ ref('int_cases__offence_picked') }} as cases
-- one case to exactly one first appearance
inner join {{ ref('int_cases__first_appearance_picked') }} as first_appearances
    on cases.case_id = first_appearances.case_id
-- many to many by person: made distinct again
inner join {{ ref('int_custody_stays__offence_picked') }} as stays
    on
        cases.person_id = stays.person_id
        and stays.booked_on <= cast(first_appearances.first_appearance_at as date)
        and (
            stays.released_on > cast(first_appearances.first_appearance_at as date) + 1
            or (stays.released_on is null and stays.release_type is null)
        )

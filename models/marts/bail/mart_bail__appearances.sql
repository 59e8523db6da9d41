-- One row per scheduled appearance in one case.
with appearances as (
    select
        hearings.*,
        -- of anyone but the defendant no more is known than that they were expected
        case when hearings.is_defendant then cases.person_id end as person_id,
        cases.offence_category
    from {{ ref('int_hearings__attendance_decided') }} as hearings
    -- many appearances to at most one case
    left join {{ ref('int_cases__offence_picked') }} as cases on hearings.case_id = cases.case_id
),

arrests as (
    select distinct
        person_id,
        arrested_on
    from {{ ref('int_courthouse_arrests__dated') }}
),

court_days as (
    select * from {{ ref('int_court_days__around_publicised_arrest') }}
)

select
    appearances.hearing_id,
    appearances.case_id,
    appearances.person_id,
    appearances.hearing_on,
    {{ groups_on('appearances.hearing_on') }},
    appearances.is_defendant,
    appearances.is_failure_to_appear,
    appearances.is_missed_through_ice,
    arrests.person_id is not null as is_arrested_at_courthouse,
    court_days.side as side_of_publicised_arrest
from appearances
-- many appearances to at most one row per person and day
left join arrests
    on
        appearances.person_id = arrests.person_id
        and appearances.hearing_on = arrests.arrested_on
-- many appearances to at most one row per day
left join court_days on appearances.hearing_on = court_days.hearing_on
{{ join_groups('appearances.person_id', 'appearances.offence_category') }}

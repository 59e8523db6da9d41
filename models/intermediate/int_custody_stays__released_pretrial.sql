-- One row per stay that ended in a release while the case was open.
-- What followed until the case closed: appearances missed, and a new arrest. An appearance that leaves the question
-- open leaves it open for the release (NULL).
with releases as (
    select
        stays.stay_id,
        stays.person_id,
        stays.case_id,
        stays.released_on,
        cases.closed_on
    from {{ ref('int_custody_stays__offence_picked') }} as stays
    -- many stays to exactly one case
    inner join {{ ref('int_cases__outcome_reached') }} as cases on stays.case_id = cases.case_id
    where
        stays.release_type in ('bail', 'ror', 'supervised')
        and stays.released_on is not null
        and (cases.closed_on is null or stays.released_on <= cases.closed_on)
),

appearances as (
    select
        releases.stay_id,
        case
            when count(*) = count(hearings.is_failure_to_appear)
                then count(*) filter (where hearings.is_failure_to_appear) > 0
        end as has_failed_to_appear,
        case
            when count(*) = count(hearings.is_missed_through_ice)
                then count(*) filter (where hearings.is_missed_through_ice) > 0
        end as has_missed_through_ice
    from releases
    cross join {{ ref('stg_audit_settings') }} as audit_settings
    -- many to many by case: gathered again by stay
    inner join {{ ref('int_hearings__attendance_decided') }} as hearings
        on
            releases.case_id = hearings.case_id
            and releases.released_on < hearings.hearing_on
            and audit_settings.as_of_date >= hearings.hearing_on
            and (releases.closed_on is null or releases.closed_on >= hearings.hearing_on)
    where hearings.is_defendant
    group by releases.stay_id
),

arrests as (
    select
        releases.stay_id,
        min(cast(arrests.arrest_at as date)) as next_arrest_on
    from releases
    -- many to many by person: gathered again by stay
    inner join {{ ref('stg_arrests') }} as arrests
        on
            releases.person_id = arrests.person_id
            and releases.released_on < cast(arrests.arrest_at as date)
    group by releases.stay_id
)

select
    releases.stay_id,
    releases.released_on,
    releases.closed_on,
    appearances.stay_id is not null as has_appearance_due,
    appearances.has_failed_to_appear,
    appearances.has_missed_through_ice,
    arrests.next_arrest_on
from releases
-- one release to at most one row each
left join appearances on releases.stay_id = appearances.stay_id
left join arrests on releases.stay_id = arrests.stay_id

-- One row per stay during which a detainer was lodged.
-- A detainer belongs to the stay it names; one that names none, to every stay of the person that covers its day.
with detainers as (
    select * from {{ ref('int_detainers__dated') }}
),

matched as (
    select
        stay_id,
        lodged_on,
        lodged_at_minute
    from detainers
    where stay_id is not null

    union all

    select
        stays.stay_id,
        detainers.lodged_on,
        detainers.lodged_at_minute
    from detainers
    -- many to many by person and day: gathered again by stay
    inner join {{ ref('int_custody_stays__offence_picked') }} as stays
        on
            detainers.person_id = stays.person_id
            and detainers.lodged_on >= stays.booked_on
            and (stays.released_on is null or detainers.lodged_on <= stays.released_on)
    where detainers.stay_id is null
)

select
    stay_id,
    min(lodged_on) as first_detainer_on,
    -- the hour is known only where the first day has one
    min_by(lodged_at_minute, lodged_on) filter (where lodged_at_minute is not null) as first_detainer_at_minute
from matched
group by stay_id

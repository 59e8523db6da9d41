-- One row per day with appearances within a month before or after an arrest at the courthouse that became known.
-- A day that lies before one such arrest and after another belongs to neither side.
with court_days as (
    select distinct hearing_on from {{ ref('int_hearings__attendance_decided') }}
),

publicised_days as (
    select distinct arrested_on from {{ ref('int_courthouse_arrests__dated') }}
    where publicised
),

sides as (
    select distinct
        court_days.hearing_on,
        case when court_days.hearing_on < publicised_days.arrested_on then 'before' else 'after' end as side
    from court_days
    inner join publicised_days
        on
            court_days.hearing_on between publicised_days.arrested_on - 30 and publicised_days.arrested_on + 30
            and court_days.hearing_on <> publicised_days.arrested_on
)

select
    hearing_on,
    min(side) as side
from sides
group by hearing_on
having count(*) = 1

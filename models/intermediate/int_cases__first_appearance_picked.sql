-- One row per case with an appearance of the defendant on the calendar.
-- The first appearance: the earliest arraignment or first appearance; where no kind is on file, the earliest day.
select
    case_id,
    coalesce(
        min(hearing_at) filter (where hearing_kind in ('arraignment', 'first_appearance')),
        min(hearing_at) filter (where not {{ is_known('hearing_kind') }})
    ) as first_appearance_at
from {{ ref('stg_hearings') }}
where role not in ('victim', 'witness', 'relative')
group by case_id
having
    count(*) filter (
        where hearing_kind in ('arraignment', 'first_appearance') or not {{ is_known('hearing_kind') }}
    ) > 0

-- One row per year and member of staff, as counted by their own account; nobody is named.
with staff as (
    select
        year as counted_year,
        category,
        {{ numbers_to('staff_count') }} as place
    from {{ ref('stg_hr_aggregates') }}
)

select
    concat_ws('|', staff.counted_year, staff.category, staff.place) as member_id,
    staff.counted_year,
    {{ groups_of_nobody_on('make_date(staff.counted_year, 1, 1)') }},
    staff.category
from staff
{{ join_no_groups() }}

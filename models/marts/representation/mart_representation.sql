-- One row per case that the defender counted; no client is known.
with counted as (
    select
        *,
        {{ first_day_of('quarter') }} as quarter_begins_on
    from {{ ref('stg_defender_aggregates') }}
),

cases as (
    select
        quarter as counted_quarter,
        quarter_begins_on,
        padilla_consults,
        {{ numbers_to('cases') }} as place
    from counted
)

select
    concat_ws('|', cases.counted_quarter, cases.place) as counted_case_id,
    cases.quarter_begins_on,
    {{ groups_of_nobody_on('cases.quarter_begins_on') }},
    cases.place <= cases.padilla_consults as is_advised
from cases
{{ join_no_groups() }}

-- One row per quarter and field that the representation fund asks people to fill in, as counted.
with counted as (
    select
        *,
        {{ first_day_of('quarter') }} as quarter_begins_on
    from {{ ref('stg_fund_aggregates') }}
),

fields as (
    select
        quarter as counted_quarter,
        quarter_begins_on,
        fields_not_minimal,
        {{ numbers_to('fields_collected') }} as place
    from counted
)

select
    concat_ws('|', fields.counted_quarter, fields.place) as field_id,
    fields.quarter_begins_on,
    {{ groups_of_nobody_on('fields.quarter_begins_on') }},
    fields.place <= fields.fields_not_minimal as is_not_minimal
from fields
{{ join_no_groups() }}

-- One row per request for help that the representation fund counted; nobody is known.
with counted as (
    select
        *,
        {{ first_day_of('quarter') }} as quarter_begins_on
    from {{ ref('stg_fund_aggregates') }}
),

requests as (
    select
        quarter as counted_quarter,
        quarter_begins_on,
        served,
        excluded_criminal_history,
        {{ numbers_to('requested') }} as place
    from counted
)

select
    concat_ws('|', requests.counted_quarter, requests.place) as counted_request_id,
    requests.quarter_begins_on,
    {{ groups_of_nobody_on('requests.quarter_begins_on') }},
    requests.place <= requests.served as is_served,
    requests.place <= requests.excluded_criminal_history as is_excluded_for_record
from requests
{{ join_no_groups() }}

-- One row per training and prosecutor of the office on its day, as counted; nobody is named.
with seats as (
    select
        *,
        {{ numbers_to('prosecutor_count') }} as seat
    from {{ ref('stg_trainings') }}
)

select
    concat(seats.training_id, '|', seats.seat) as seat_id,
    seats.training_id,
    seats.held_on,
    {{ groups_of_nobody_on('seats.held_on') }},
    seats.topic,
    seats.seat <= seats.attended_count as is_attended
from seats
{{ join_no_groups() }}

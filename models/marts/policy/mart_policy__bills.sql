-- One row per bill that the office looked at.
with positions as (
    select * from {{ ref('stg_legislative_positions') }}
)

select
    positions.position_id,
    positions.taken_on,
    {{ groups_of_nobody_on('positions.taken_on') }},
    positions.topic,
    positions.position_taken
from positions
{{ join_no_groups() }}

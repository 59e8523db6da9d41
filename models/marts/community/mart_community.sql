-- One row per public event.
with events as (
    select * from {{ ref('stg_community_events') }}
)

select
    events.event_id,
    events.held_on,
    {{ groups_of_nobody_on('events.held_on') }},
    events.event_type,
    not {{ is_written_as("lower(replace(events.languages, ' ', ''))", '(eng|en|english)(;(eng|en|english))*') }}
        as is_in_another_language,
    events.attendance
from events
{{ join_no_groups() }}

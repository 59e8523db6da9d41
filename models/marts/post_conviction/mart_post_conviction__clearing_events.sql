-- One row per event held with the community to clear records.
with events as (
    select * from {{ ref('stg_community_events') }}
    where event_type = 'record_clearing'
)

select
    events.event_id,
    events.held_on,
    {{ groups_of_nobody_on('events.held_on') }},
    events.persons_served,
    events.petitions_filed
from events
{{ join_no_groups() }}

-- One row per diversion before arrest, and per arrest for a kind of offence that such a diversion reaches.
with stops as (
    select * from {{ ref('int_stops__diverted_or_arrested') }}
)

select
    stops.stop_id,
    stops.person_id,
    stops.stopped_on,
    {{ groups_on('stops.stopped_on') }},
    stops.is_diverted
from stops
{{ join_groups('stops.person_id', 'stops.offence_category') }}

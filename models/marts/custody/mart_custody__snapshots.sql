-- One row per person and last day of a quarter on which the person was in custody.
with snapshots as (
    select * from {{ ref('int_persons__held_at_quarter_end') }}
)

select
    snapshots.snapshot_id,
    snapshots.person_id,
    snapshots.held_on,
    {{ groups_on('snapshots.held_on') }},
    snapshots.custody_status,
    snapshots.is_detainer_in_force
from snapshots
{{ join_groups('snapshots.person_id', 'snapshots.offence_category') }}

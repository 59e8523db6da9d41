-- One row per decision at one stage.
with decisions as (
    select * from {{ ref('int_decisions__staged') }}
)

select
    decisions.decision_id,
    decisions.person_id,
    decisions.decided_on,
    {{ groups_on('decisions.decided_on') }},
    decisions.stage,
    decisions.is_complete
from decisions
{{ join_groups('decisions.person_id', 'decisions.offence_category') }}

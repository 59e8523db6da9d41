-- One row per bail decision in one case.
-- Whose decision it was, and for what offence.
select
    bail_events.bail_event_id,
    bail_events.case_id,
    cases.person_id,
    bail_events.bail_event_at,
    bail_events.hearing_kind,
    bail_events.da_request_type,
    bail_events.da_request_amount,
    bail_events.set_type,
    bail_events.set_amount,
    bail_events.immigration_argument,
    cases.offence_category
from {{ ref('stg_bail_events') }} as bail_events
-- many bail decisions to at most one case
left join {{ ref('int_cases__offence_picked') }} as cases on bail_events.case_id = cases.case_id

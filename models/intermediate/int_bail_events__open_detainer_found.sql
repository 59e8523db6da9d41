-- One row per bail decision before which a detainer against the person was on file and still open.
select distinct bail_events.bail_event_id
from {{ ref('stg_bail_events') }} as bail_events
-- many bail decisions to exactly one case
inner join {{ ref('int_cases__offence_picked') }} as cases on bail_events.case_id = cases.case_id
-- many to many by person: made distinct again
inner join {{ ref('int_detainers__dated') }} as detainers
    on
        cases.person_id = detainers.person_id
        and bail_events.bail_event_at > detainers.lodged_at
        and (detainers.ended_at is null or bail_events.bail_event_at <= detainers.ended_at)

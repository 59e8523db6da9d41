-- One row per bail decision in one case.
-- Whether a policy of the office against cash bail covered the top charge of its case on that day. Open (NULL) where
-- the charge does not say all that the rule asks.
select
    bail_events.bail_event_id,
    {{ covered_by_rule() }} as is_covered
from {{ ref('int_bail_events__case_found') }} as bail_events
-- many bail decisions to exactly one case, and that to the few policies in force: gathered again by decision
inner join {{ ref('int_cases__offence_picked') }} as cases on bail_events.case_id = cases.case_id
{{ join_policies('cases.offence_key', 'cast(bail_events.bail_event_at as date)', 'no_cash_bail') }}
where cases.top_charge_id is not null
group by bail_events.bail_event_id

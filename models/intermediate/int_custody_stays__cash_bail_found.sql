-- One row per stay in whose case cash bail was set, or posted, while the person was held.
select
    stays.stay_id,
    min(bail_events.bail_event_at) filter (where bail_events.set_type = 'cash') as cash_bail_set_at,
    min_by(bail_events.set_amount, (bail_events.bail_event_at, bail_events.bail_event_id)) filter (
        where bail_events.set_type = 'cash' and bail_events.set_amount is not null
    ) as cash_bail_amount,
    min(bail_events.posted_at) filter (where cast(bail_events.posted_at as date) >= stays.booked_on) as posted_at
from {{ ref('int_custody_stays__offence_picked') }} as stays
-- many to many by case: gathered again by stay
inner join {{ ref('stg_bail_events') }} as bail_events
    on
        stays.case_id = bail_events.case_id
        and stays.booked_on <= cast(bail_events.bail_event_at as date)
        and (stays.released_on is null or cast(bail_events.bail_event_at as date) <= stays.released_on)
group by stays.stay_id

-- One row per arrest by ICE in or near a courthouse, known to the day.
select
    contact_id,
    person_id,
    cast(contact_at as date) as arrested_on,
    publicised
from {{ ref('int_ice_contacts__person_found') }}
where
    contact_type = 'arrest'
    and location_type in ('courthouse_inside', 'courthouse_near')
    and at_precision <> 'month'

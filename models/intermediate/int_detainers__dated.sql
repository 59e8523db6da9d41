-- One row per detainer against a person that is known at least to the day.
select
    contact_id,
    person_id,
    contact_at as lodged_at,
    cast(contact_at as date) as lodged_on,
    outcome_at as ended_at
from {{ ref('int_ice_contacts__person_found') }}
where
    contact_type = 'detainer'
    and person_id is not null
    and at_precision <> 'month'

-- One row per detainer known at least to the day.
-- Against a person, or on a stay whose person the record does not repeat.
select
    contact_id,
    person_id,
    stay_id,
    contact_at as lodged_at,
    cast(contact_at as date) as lodged_on,
    outcome_at as ended_at
from {{ ref('stg_ice_contacts') }}
where
    contact_type = 'detainer'
    and (person_id is not null or stay_id is not null)
    and at_precision <> 'month'

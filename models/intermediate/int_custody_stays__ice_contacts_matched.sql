-- One row per stay and contact by which ICE reached for the person held.
-- A contact belongs to the stay it names; one that names none, to every stay of the person that covers its day. One
-- known only to the month has no day: it belongs to the stay it names, and to no other.
with contacts as (
    select
        contact_id,
        person_id,
        stay_id,
        contact_type,
        case when at_precision <> 'month' then cast(contact_at as date) end as contact_on,
        {{ to_the_minute('contact_at', 'at_precision') }} as contact_at_minute,
        outcome_at as ended_at
    from {{ ref('stg_ice_contacts') }}
    where {{ is_reached_for('contact_type') }}
)

select
    stay_id,
    contact_id,
    contact_type,
    contact_on,
    contact_at_minute,
    ended_at
from contacts
where stay_id is not null

union all

select
    stays.stay_id,
    contacts.contact_id,
    contacts.contact_type,
    contacts.contact_on,
    contacts.contact_at_minute,
    contacts.ended_at
from contacts
-- many to many by person and day
inner join {{ ref('int_custody_stays__offence_picked') }} as stays
    on
        contacts.person_id = stays.person_id
        and contacts.contact_on >= stays.booked_on
        and (stays.released_on is null or contacts.contact_on <= stays.released_on)
where contacts.stay_id is null

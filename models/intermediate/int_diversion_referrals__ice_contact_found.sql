-- One row per diversion during which ICE reached for the person.
-- From enrolment to its end, or to the export while it lasts.
select distinct diversions.diversion_id
from {{ ref('int_diversion_referrals__offence_picked') }} as diversions
-- many to many by person: made distinct again
inner join {{ ref('int_ice_contacts__person_found') }} as contacts
    on
        diversions.person_id = contacts.person_id
        and diversions.enrolled_on <= cast(contacts.contact_at as date)
        and (diversions.ended_on is null or cast(contacts.contact_at as date) <= diversions.ended_on)
where
    {{ is_reached_for('contacts.contact_type') }}
    and contacts.at_precision <> 'month'

-- One row per closed matter whose person ICE arrested within 30 days of its end.
select distinct matters.matter_id
from {{ ref('int_matters__closed') }} as matters
-- many to many by person: made distinct again
inner join {{ ref('int_ice_contacts__person_found') }} as contacts
    on
        matters.person_id = contacts.person_id
        and cast(contacts.contact_at as date) between matters.ended_on and matters.ended_on + 30
where
    contacts.contact_type = 'arrest'
    and contacts.at_precision <> 'month'

-- One row per contact between ICE and the office, the jail, the court or the person.
-- The person it names, else the person of the stay it names: the log of a jail often has the number of a booking alone.
select
    contacts.contact_id,
    coalesce(contacts.person_id, stays.person_id) as person_id,
    contacts.case_id,
    contacts.stay_id,
    contacts.contact_at,
    contacts.at_precision,
    contacts.contact_type,
    contacts.direction,
    contacts.initiator,
    contacts.channel,
    contacts.probable_cause_basis,
    contacts.judicial_warrant,
    contacts.location_type,
    contacts.outcome,
    contacts.outcome_at,
    contacts.lift_reason,
    contacts.role,
    contacts.criminal_history,
    contacts.policy_compliant,
    contacts.publicised
from {{ ref('stg_ice_contacts') }} as contacts
-- many contacts to at most one stay
left join {{ ref('stg_custody_stays') }} as stays on contacts.stay_id = stays.stay_id

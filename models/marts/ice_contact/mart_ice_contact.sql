-- One row per contact between ICE and the office, the jail, the court or the person.
with contacts as (
    select * from {{ ref('int_ice_contacts__case_found') }}
),

convictions as (
    select * from {{ ref('int_persons__first_conviction_found') }}
)

select
    contacts.contact_id,
    contacts.person_id,
    contacts.contact_on,
    {{ groups_on('contacts.contact_on') }},
    contacts.contact_type,
    contacts.contact_type = 'detainer' as is_detainer,
    contacts.contact_type = 'arrest' as is_arrest,
    contacts.contact_type = 'arrest'
    and contacts.location_type in ('courthouse_inside', 'courthouse_near') as is_courthouse_arrest,
    contacts.case_stage,
    contacts.outcome,
    case
        when {{ is_known('contacts.outcome') }} then contacts.outcome = 'honoured_extra_hold'
    end as is_held_for_ice,
    case
        when {{ is_known('contacts.outcome') }} then contacts.outcome = 'declined'
    end as is_declined,
    case
        when {{ is_known('contacts.outcome') }}
            then contacts.outcome = 'cancelled_by_ice' or contacts.lift_reason = 'usc_claim'
    end as is_cancelled_by_ice,
    contacts.direction = 'outbound' as is_outbound,
    contacts.direction = 'outbound' and contacts.initiator = 'da' as is_by_office,
    contacts.direction = 'outbound' and contacts.initiator = 'da' and contacts.person_id is not null
        as is_by_office_about_person,
    contacts.direction = 'inbound'
    and contacts.contact_type in ('access_request', 'subpoena', 'information_request') as is_request_to_office,
    contacts.direction = 'inbound'
    and contacts.contact_type in (
        'detainer', 'notification_request', 'interview', 'access_request', 'subpoena', 'information_request', 'arrest'
    ) as is_demand,
    contacts.contact_type = 'writ' as is_writ,
    contacts.contact_type = 'transfer' and contacts.initiator = 'state_prison' as is_prison_transfer,
    contacts.channel,
    contacts.role,
    contacts.policy_compliant as is_within_policy,
    case
        when {{ is_known('contacts.judicial_warrant') }} then contacts.judicial_warrant = 'yes'
    end as is_judicial_warrant_shown,
    case
        when {{ is_known('contacts.criminal_history') }} then contacts.criminal_history <> 'conviction'
    end as is_without_conviction_by_ice,
    case
        when contacts.person_id is not null then coalesce(contacts.contact_on < convictions.first_conviction_on, true)
    end as is_without_conviction_here,
    priorities.priority_2014,
    coalesce(citizenship_known.first_citizen_on is not null, false) as is_recorded_citizen
from contacts
-- many contacts to at most one row per person
left join convictions on contacts.person_id = convictions.person_id
-- one contact to at most one row
left join {{ ref('int_ice_contacts__priority_2014_classified') }} as priorities
    on contacts.contact_id = priorities.contact_id
{{ join_groups('contacts.person_id', 'contacts.offence_category') }}

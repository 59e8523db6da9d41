-- One row per stay in custody of one person.
with stays as (
    select
        stays.*,
        stays.released_on is null and stays.release_type is null as is_held,
        contacts.stay_id is not null as has_ice_contact,
        contacts.first_contact_on
    from {{ ref('int_custody_stays__offence_picked') }} as stays
    -- one stay to at most one row
    left join {{ ref('int_custody_stays__first_ice_contact_found') }} as contacts on stays.stay_id = contacts.stay_id
),

timed as (
    select
        stays.*,
        case when stays.is_held then audit_settings.as_of_date else stays.released_on end as last_seen_on,
        -- a contact that the log puts on the stay after its end did not come during it
        coalesce(stays.first_contact_on > stays.released_on, false) as is_contact_after_release,
        -- who was handed over to ICE was reached for by then, whether or not the log of contacts says so
        coalesce(stays.release_type = 'transfer_ice', false) as is_handed_over
    from stays
    cross join {{ ref('stg_audit_settings') }} as audit_settings
)

select
    timed.stay_id,
    timed.person_id,
    timed.case_id,
    timed.booked_on,
    {{ groups_on('timed.booked_on') }},
    {{ days_between('timed.booked_on', 'timed.last_seen_on') }} as days_in_custody,
    case when timed.is_held then 'censored' else 'event' end as days_in_custody_outcome,
    case
        when timed.has_ice_contact and not timed.is_contact_after_release
            then {{ days_between('timed.booked_on', 'timed.first_contact_on') }}
        else {{ days_between('timed.booked_on', 'timed.last_seen_on') }}
    end as days_to_ice_contact,
    case
        when timed.has_ice_contact and not timed.is_contact_after_release then 'event'
        when timed.is_handed_over then 'event'
        when timed.is_held then 'censored'
        else 'released'
    end as days_to_ice_contact_outcome,
    timed.due_reason,
    case
        when timed.release_type <> 'unknown' then timed.release_type = 'transfer_ice'
    end as is_transferred_to_ice
from timed
{{ join_groups('timed.person_id', 'timed.offence_category') }}

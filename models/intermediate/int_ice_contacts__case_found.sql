-- One row per contact between ICE and the office, the jail, the court or the person.
-- The case a contact belongs to: the one it names, else that of the stay it names; never guessed from the person. And
-- how far that case had come on the day.
with contacts as (
    select
        *,
        cast(contact_at as date) as contact_on
    from {{ ref('int_ice_contacts__person_found') }}
),

stays as (
    select * from {{ ref('int_custody_stays__offence_picked') }}
),

cases as (
    select * from {{ ref('int_cases__offence_picked') }}
),

outcomes as (
    select * from {{ ref('int_cases__outcome_reached') }}
),

first_appearances as (
    select * from {{ ref('int_cases__first_appearance_picked') }}
)

select
    contacts.contact_id,
    contacts.person_id,
    contacts.contact_on,
    contacts.contact_type,
    contacts.direction,
    contacts.initiator,
    contacts.channel,
    contacts.judicial_warrant,
    contacts.location_type,
    contacts.outcome,
    contacts.lift_reason,
    contacts.role,
    contacts.criminal_history,
    contacts.policy_compliant,
    {{ first_known(['cases.offence_category', 'stays.offence_category']) }} as offence_category,
    case
        when cases.filed_on is null then 'no_case_on_file'
        when contacts.contact_on < cases.filed_on then 'before_filing'
        when contacts.contact_on >= outcomes.first_conviction_on then 'after_conviction'
        when contacts.contact_on >= outcomes.closed_on then 'after_case_closed'
        when contacts.contact_on < cast(first_appearances.first_appearance_at as date) then 'before_first_appearance'
        else 'case_pending'
    end as case_stage
from contacts
-- many contacts to at most one row each
left join stays on contacts.stay_id = stays.stay_id
left join cases on coalesce(contacts.case_id, stays.case_id) = cases.case_id
left join outcomes on cases.case_id = outcomes.case_id
left join first_appearances on cases.case_id = first_appearances.case_id

-- One row per person and last day of a quarter on which the person was in custody.
-- Of several stays the latest booking says how far the case had come; a detainer on any of them counts. A stay that
-- ended on an unknown day is left out: whether it still lasted cannot be said.
with held as (
    select
        stays.*,
        quarters.ended_on as held_on
    from {{ ref('int_custody_stays__offence_picked') }} as stays
    -- each stay once per quarter that ended during it
    inner join {{ ref('int_quarters__ended') }} as quarters
        on
            stays.booked_on <= quarters.ended_on
            and (stays.released_on > quarters.ended_on or (stays.released_on is null and stays.release_type is null))
),

detainers as (
    select
        held.person_id,
        held.held_on,
        {{ any_true('contacts.contact_on <= held.held_on') }} as is_detainer_in_force
    from held
    -- many to many by stay: gathered again by person and day
    inner join {{ ref('int_custody_stays__ice_contacts_matched') }} as contacts on held.stay_id = contacts.stay_id
    where
        contacts.contact_type = 'detainer'
        and (contacts.ended_at is null or cast(contacts.ended_at as date) > held.held_on)
    group by held.person_id, held.held_on
),

latest as (
    select * from held
    qualify row_number() over (partition by person_id, held_on order by booked_at desc, stay_id desc) = 1
)

select
    concat(latest.person_id, ' ', latest.held_on) as snapshot_id,
    latest.person_id,
    latest.held_on,
    latest.offence_category,
    case
        when outcomes.case_id is null then 'no_case_on_file'
        when outcomes.first_conviction_on <= latest.held_on then 'convicted'
        else 'not_convicted'
    end as custody_status,
    case when detainers.person_id is null then false else detainers.is_detainer_in_force end as is_detainer_in_force
from latest
-- one snapshot to at most one row each
left join {{ ref('int_cases__outcome_reached') }} as outcomes on latest.case_id = outcomes.case_id
left join detainers on latest.person_id = detainers.person_id and latest.held_on = detainers.held_on

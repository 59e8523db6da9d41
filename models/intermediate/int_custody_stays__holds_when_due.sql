-- One row per stay with a time at which release was due.
-- What else held the person then: a detainer that was in force, another hold between that time and the release. A
-- detainer lodged later is left out of the first: who waits longer has more time to get one. Open (NULL) where hours or
-- kinds are not recorded, and nothing else answers.
with due as (
    select * from {{ ref('int_custody_stays__offence_picked') }}
    where due_at is not null
),

detainers as (
    select
        due.stay_id,
        {{ any_true('
            case
                when contacts.ended_at < due.due_at then false
                when contacts.contact_at_minute is not null and due.due_at_minute is not null
                    then contacts.contact_at_minute <= due.due_at_minute
                when contacts.contact_on < due.due_on then true
                when contacts.contact_on > due.due_on then false
            end
        ') }} as is_lodged
    from due
    -- one stay to many contacts: gathered again by stay
    inner join {{ ref('int_custody_stays__ice_contacts_matched') }} as contacts on due.stay_id = contacts.stay_id
    where contacts.contact_type = 'detainer'
    group by due.stay_id
),

holds as (
    select
        due.stay_id,
        {{ any_true("
            case
                when holds.hold_from > due.due_at or holds.hold_to < due.due_at then false
                when " ~ is_known('holds.hold_type') ~ " then holds.hold_type = 'ice_detainer'
            end
        ") }} as is_ice_hold,
        {{ any_true("
            case
                when holds.hold_from > due.released_at or holds.hold_to < due.due_at then false
                when " ~ is_known('holds.hold_type') ~ " then holds.hold_type <> 'ice_detainer'
            end
        ") }} as is_other_hold
    from due
    -- one stay to many holds: gathered again by stay
    inner join {{ ref('stg_custody_holds') }} as holds on due.stay_id = holds.stay_id
    group by due.stay_id
)

select
    due.stay_id,
    -- either file may hold the detainer
    case
        when detainers.is_lodged or holds.is_ice_hold then true
        when detainers.stay_id is not null and detainers.is_lodged is null then null
        when holds.stay_id is not null and holds.is_ice_hold is null then null
        else false
    end as is_detainer_in_force,
    case when holds.stay_id is null then false else holds.is_other_hold end as is_other_hold
from due
-- one stay to at most one row each
left join detainers on due.stay_id = detainers.stay_id
left join holds on due.stay_id = holds.stay_id

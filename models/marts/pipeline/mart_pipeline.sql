-- One row per arrest of one person.
with arrests as (
    select
        followed.*,
        arrests.person_id,
        arrests.offence_category
    from {{ ref('int_arrests__followed_through') }} as followed
    -- one arrest to its one row
    inner join {{ ref('int_arrests__offence_picked') }} as arrests on followed.arrest_id = arrests.arrest_id
)

select
    arrests.arrest_id,
    arrests.person_id,
    arrests.arrested_on,
    {{ groups_on('arrests.arrested_on') }},
    arrests.followed,
    arrests.followed = 'followed' as is_followed,
    -- of those that are counted, so that each person is counted once
    arrests.followed = 'followed'
    and quarter is not null
    and row_number() over (
        partition by arrests.person_id, arrests.followed = 'followed', quarter is not null
        order by arrests.arrested_on, arrests.arrest_id
    ) = 1 as is_first_of_person,
    arrests.is_referred,
    arrests.is_charged,
    arrests.is_convicted,
    arrests.is_sentenced_to_custody,
    case
        when arrests.followed <> 'followed' then null
        when arrests.is_sentenced_to_custody then 'sentenced_to_custody'
        when arrests.is_convicted then 'convicted_without_custody'
        when arrests.is_charged then 'charged_without_conviction'
        else 'not_charged'
    end as furthest_step,
    arrests.is_held,
    arrests.is_released_before_end,
    case
        when arrests.followed <> 'followed' then null
        when arrests.is_released_before_end then 'held_and_released'
        when arrests.is_held then 'held_to_the_end'
        when arrests.is_charged then 'charged_and_not_held'
        else 'not_charged'
    end as jail,
    arrests.is_convicted_by_plea,
    case
        when arrests.followed <> 'followed' then null
        when arrests.is_convicted_by_plea then 'convicted_by_plea'
        when arrests.is_convicted then 'convicted_otherwise'
        else 'not_convicted'
    end as conviction,
    arrests.has_ice_contact
from arrests
{{ join_groups('arrests.person_id', 'arrests.offence_category') }}

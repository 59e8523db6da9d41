-- One row per arrest of one person.
with arrests as (
    select
        followed.*,
        arrests.person_id,
        arrests.offence_category
    from {{ ref('int_arrests__followed_through') }} as followed
    -- one arrest to its one row
    inner join {{ ref('int_arrests__offence_picked') }} as arrests on followed.arrest_id = arrests.arrest_id
),

grouped as (
    select
        arrests.*,
        {{ groups_on('arrests.arrested_on') }}
    from arrests
    {{ join_groups('arrests.person_id', 'arrests.offence_category') }}
)

select
    arrest_id,
    person_id,
    arrested_on,
    quarter,
    uncounted_reason,
    race,
    citizenship,
    citizenship_latest,
    offence_group,
    followed,
    followed = 'followed' as is_followed,
    -- of those that are counted, so that each person is counted once
    followed = 'followed'
    and quarter is not null
    and row_number() over (
        partition by person_id, followed = 'followed', quarter is not null
        order by arrested_on, arrest_id
    ) = 1 as is_first_of_person,
    is_referred,
    is_charged,
    is_convicted,
    is_sentenced_to_custody,
    case
        when followed <> 'followed' then null
        when is_sentenced_to_custody then 'sentenced_to_custody'
        when is_convicted then 'convicted_without_custody'
        when is_charged then 'charged_without_conviction'
        else 'not_charged'
    end as furthest_step,
    is_held,
    is_released_before_end,
    case
        when followed <> 'followed' then null
        when is_released_before_end then 'held_and_released'
        when is_held then 'held_to_the_end'
        when is_charged then 'charged_and_not_held'
        else 'not_charged'
    end as jail,
    is_convicted_by_plea,
    case
        when followed <> 'followed' then null
        when is_convicted_by_plea then 'convicted_by_plea'
        when is_convicted then 'convicted_otherwise'
        else 'not_convicted'
    end as conviction,
    has_ice_contact
from grouped

-- One row per stay whose release was due, or which ended.
with stays as (
    select
        stays.*,
        stays.released_on is null and stays.release_type is null as is_held,
        coalesce(stays.due_on, stays.released_on) as due_or_released_on,
        holds.is_detainer_in_force,
        holds.is_detainer_in_force and not holds.is_other_hold as is_held_for_detainer_alone
    from {{ ref('int_custody_stays__offence_picked') }} as stays
    -- one stay to at most one row
    left join {{ ref('int_custody_stays__holds_when_due') }} as holds on stays.stay_id = holds.stay_id
    where
        stays.due_on is not null
        or stays.released_on is not null
        or stays.release_type is not null
)

select
    stays.stay_id,
    stays.person_id,
    stays.case_id,
    stays.due_or_released_on,
    {{ groups_on('stays.due_or_released_on') }},
    stays.due_on is not null as is_release_due,
    case
        when stays.is_detainer_in_force then 'detainer'
        when not stays.is_detainer_in_force then 'no_detainer_on_file'
    end as detainer_when_due,
    stays.is_held_for_detainer_alone,
    case
        when stays.is_held
            then {{ hours_between('stays.due_at_minute', 'cast(audit_settings.as_of_date as timestamp)') }}
        else {{ hours_between('stays.due_at_minute', 'stays.released_at_minute') }}
    end as hours_past_due,
    case when stays.is_held then 'censored' else 'event' end as hours_past_due_outcome,
    stays.is_held,
    stays.release_mechanism,
    {{ is_known('stays.release_mechanism') }} and stays.release_mechanism <> 'none' and not stays.is_held
        as is_released_by_mechanism,
    case
        when stays.released_on is not null then coalesce(stays.immigration_advice_on <= stays.released_on, false)
    end as has_immigration_advice,
    case
        when stays.release_type <> 'unknown' then stays.release_type = 'transfer_ice'
    end as is_transferred_to_ice
from stays
{{ join_groups('stays.person_id', 'stays.offence_category') }}

-- One row per arrest of one person.
with arrests as (
    select * from {{ ref('int_arrests__offence_picked') }}
),

followed as (
    select
        arrests.*,
        cast(arrests.arrest_at as date) as arrested_on,
        courts.arrest_id is not null as is_referred,
        courts.first_decided_on,
        courts.has_undated_decision,
        courts.first_appearance_at,
        courts.is_out_of_court
    from arrests
    -- one arrest to at most one row
    left join {{ ref('int_arrests__followed_to_court') }} as courts on arrests.arrest_id = courts.arrest_id
),

timed as (
    select
        followed.*,
        {{ to_the_minute('followed.arrest_at', 'followed.arrest_at_precision') }} as arrest_at_minute,
        {{ to_the_minute('followed.first_appearance_at') }} as first_appearance_at_minute
    from followed
),

-- an office that writes down only the days of its hearings would seem to have nothing but people still waiting
clock as (
    select count(first_appearance_at_minute) * 2 >= count(first_appearance_at) as are_hearings_timed
    from timed
)

select
    timed.arrest_id,
    timed.person_id,
    timed.arrested_on,
    {{ groups_on('timed.arrested_on') }},
    timed.custody_action,
    case
        when {{ is_known('timed.custody_action') }} then timed.custody_action in ('booked', 'transported')
    end as is_taken_into_custody,
    timed.is_below_felony,
    timed.is_referred,
    case
        when timed.is_referred and (timed.first_decided_on is not null or not timed.has_undated_decision)
            then {{ days_between('timed.arrested_on', 'coalesce(timed.first_decided_on, audit_settings.as_of_date)') }}
    end as days_to_decision,
    case
        when timed.is_referred then case when timed.first_decided_on is not null then 'event' else 'censored' end
    end as days_to_decision_outcome,
    -- a declined or diverted matter never comes to court; its waiting has no hours
    case
        when timed.is_referred and timed.first_appearance_at is not null
            then {{ hours_between('timed.arrest_at_minute', 'timed.first_appearance_at_minute') }}
        when timed.is_referred and not timed.is_out_of_court and clock.are_hearings_timed
            then {{ hours_between('timed.arrest_at_minute', 'cast(audit_settings.as_of_date as timestamp)') }}
    end as hours_to_first_appearance,
    case
        when timed.is_referred and timed.first_appearance_at is not null then 'event'
        when timed.is_referred and not timed.is_out_of_court then 'censored'
    end as hours_to_first_appearance_outcome
from timed
cross join clock
{{ join_groups('timed.person_id', 'timed.offence_category') }}

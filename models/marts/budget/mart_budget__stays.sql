-- One row per stay in custody of one person.
-- What the time before the end of the case costs, and the time that a detainer alone adds.
with stays as (
    select
        stays.*,
        stays.released_on is null and stays.release_type is null as is_held,
        outcomes.closed_on,
        coalesce(holds.is_detainer_in_force and not holds.is_other_hold, false) as is_held_for_detainer_alone
    from {{ ref('int_custody_stays__offence_picked') }} as stays
    -- many stays to at most one case; one stay to at most one row
    left join {{ ref('int_cases__outcome_reached') }} as outcomes on stays.case_id = outcomes.case_id
    left join {{ ref('int_custody_stays__holds_when_due') }} as holds on stays.stay_id = holds.stay_id
),

timed as (
    select
        stays.*,
        case when stays.is_held then audit_settings.as_of_date else stays.released_on end as last_seen_on,
        case
            when stays.is_held then cast(audit_settings.as_of_date as timestamp)
            else stays.released_at_minute
        end as last_seen_at_minute
    from stays
    cross join {{ ref('stg_audit_settings') }} as audit_settings
),

counted as (
    select
        *,
        case
            -- a stay that names no case may serve a sentence
            when case_id is null and release_type in ('sentence_complete', 'transfer_prison') then null
            -- ended on an unknown day: before the end of the case, or after it
            when last_seen_on is null then null
            -- booked after the end of the case: none of it is before
            when closed_on < booked_on then 0
            else {{ days_between('booked_on', 'least(last_seen_on, closed_on)') }}
        end as pretrial_days,
        {{ hours_between('due_at_minute', 'last_seen_at_minute') }} as hours_past_due
    from timed
)

select
    counted.stay_id,
    counted.person_id,
    counted.case_id,
    counted.booked_on,
    {{ groups_on('counted.booked_on') }},
    counted.pretrial_days,
    {{ whole('counted.pretrial_days * jail_days.amount') }} as pretrial_cost_usd,
    counted.is_held_for_detainer_alone,
    {{ whole('counted.hours_past_due * jail_hours.amount') }} as detainer_cost_usd
from counted
-- many stays to at most one unit cost each
left join {{ ref('int_unit_costs__picked') }} as jail_days
    on
        jail_days.item = 'jail_day'
        and year(counted.booked_on) = jail_days.cost_year
left join {{ ref('int_unit_costs__picked') }} as jail_hours
    on
        jail_hours.item = 'jail_hour'
        and year(counted.booked_on) = jail_hours.cost_year
{{ join_groups('counted.person_id', 'counted.offence_category') }}

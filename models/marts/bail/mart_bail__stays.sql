-- One row per stay in custody of one person.
with stays as (
    select * from {{ ref('int_custody_stays__offence_picked') }}
),

bail as (
    select * from {{ ref('int_custody_stays__cash_bail_found') }}
),

detainers as (
    select * from {{ ref('int_custody_stays__first_detainer_found') }}
),

releases as (
    select * from {{ ref('int_custody_stays__released_pretrial') }}
),

eras as (
    select * from {{ ref('eras') }}
    where kind = 'programme'
),

described as (
    select
        stays.*,
        stays.released_on is null and stays.release_type is null as is_held,
        {{ to_the_minute('bail.cash_bail_set_at') }} as cash_bail_set_at_minute,
        {{ to_the_minute('bail.posted_at') }} as posted_at_minute,
        bail.cash_bail_set_at is not null as is_cash_bail_set,
        bail.cash_bail_amount,
        bail.posted_at is not null as is_bail_posted,
        detainers.stay_id is not null as has_detainer,
        detainers.first_detainer_on,
        detainers.first_detainer_at_minute,
        releases.stay_id is not null as is_released_pretrial,
        releases.closed_on as case_closed_on,
        releases.has_appearance_due,
        releases.has_failed_to_appear,
        releases.has_missed_through_ice,
        releases.next_arrest_on
    from stays
    -- one stay to at most one row each
    left join bail on stays.stay_id = bail.stay_id
    left join detainers on stays.stay_id = detainers.stay_id
    left join releases on stays.stay_id = releases.stay_id
),

timed as (
    select
        described.*,
        -- when last seen: release, or the export; to the minute for a stay whose hours are known at all
        case when described.is_held then audit_settings.as_of_date else described.released_on end as last_seen_on,
        case
            when described.is_held and described.booked_at_minute is not null
                then cast(audit_settings.as_of_date as timestamp)
            else described.released_at_minute
        end as last_seen_at_minute,
        least(described.next_arrest_on, described.case_closed_on, audit_settings.as_of_date) as release_followed_until
    from described
    cross join {{ ref('stg_audit_settings') }} as audit_settings
),

-- where detainers are recorded by day alone, only stays without one would have hours
clock as (
    select count(first_detainer_at_minute) * 2 >= count(first_detainer_on) as are_detainers_timed
    from described
)

select
    timed.stay_id,
    timed.person_id,
    timed.case_id,
    timed.booked_on,
    {{ groups_on('timed.booked_on') }},
    case when timed.is_held then 'held_or_not_recorded' else timed.release_type end as ending,
    {{ days_between('timed.booked_on', 'timed.last_seen_on') }} as days_to_release,
    case
        when timed.is_held then 'censored'
        when timed.release_type in ('bail', 'ror', 'supervised') then 'event'
        when timed.release_type = 'transfer_ice' then 'ice_transfer'
        when timed.release_type in ('sentence_complete', 'dismissed', 'transfer_prison') then 'disposition'
        when timed.release_type in ('transfer_other', 'death') then 'other'
        else 'release_unspecified'
    end as days_to_release_outcome,
    timed.is_cash_bail_set,
    case
        when timed.cash_bail_amount <= 500 then 'up_to_500'
        when timed.cash_bail_amount <= 1000 then 'up_to_1000'
        when timed.cash_bail_amount <= 5000 then 'up_to_5000'
        when timed.cash_bail_amount <= 10000 then 'up_to_10000'
        when timed.cash_bail_amount > 10000 then 'above_10000'
    end as cash_bail_band,
    {{ hours_between('timed.cash_bail_set_at_minute', 'timed.last_seen_at_minute') }} as hours_held_on_cash_bail,
    timed.is_bail_posted,
    {{ hours_between('timed.posted_at_minute', 'timed.last_seen_at_minute') }} as hours_held_after_posting,
    timed.is_held,
    timed.has_detainer,
    case
        when timed.has_detainer
            then {{ hours_between('timed.booked_at_minute', 'timed.first_detainer_at_minute') }}
        when clock.are_detainers_timed
            then {{ hours_between('timed.booked_at_minute', 'timed.last_seen_at_minute') }}
    end as hours_to_detainer,
    case
        when timed.has_detainer then 'event'
        when timed.is_held then 'censored'
        else 'released'
    end as hours_to_detainer_outcome,
    case
        when timed.release_type <> 'unknown' then timed.release_type = 'transfer_ice'
    end as is_transferred_to_ice,
    timed.is_released_pretrial,
    coalesce(timed.has_appearance_due, false) as has_appearance_due,
    timed.has_failed_to_appear,
    timed.has_missed_through_ice,
    case
        when timed.is_released_pretrial and timed.released_on + 90 <= audit_settings.as_of_date
            then coalesce(
                timed.next_arrest_on <= timed.release_followed_until and timed.next_arrest_on <= timed.released_on + 90,
                false
            )
    end as is_rearrested_within_90_days,
    case
        when timed.is_released_pretrial then {{ days_between('timed.released_on', 'timed.release_followed_until') }}
    end as days_to_rearrest,
    case
        when not timed.is_released_pretrial then null
        when timed.next_arrest_on <= timed.release_followed_until then 'event'
        when timed.case_closed_on <= timed.release_followed_until then 'disposition'
        else 'censored'
    end as days_to_rearrest_outcome,
    eras.era_id as era
from timed
cross join clock
-- programmes follow one another: one stay to at most one
left join eras
    on
        timed.booked_on >= eras.from_date
        and (eras.to_date is null or timed.booked_on <= eras.to_date)
{{ join_groups('timed.person_id', 'timed.offence_category') }}

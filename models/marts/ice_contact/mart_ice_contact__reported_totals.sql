-- One row per number of detainers that ICE published for a year, a quarter or a month.
with reported as (
    select
        period,
        total,
        case
            when {{ is_written_as('period', '[0-9]{4}') }} then make_date(cast(period as integer), 1, 1)
            when {{ is_written_as('period', '[0-9]{4}-Q[1-4]') }} then {{ first_day_of('period') }}
            when {{ is_written_as('period', '[0-9]{4}-(0[1-9]|1[0-2])') }}
                then make_date(cast(left(period, 4) as integer), cast(right(period, 2) as integer), 1)
        end as begins_on
    from {{ ref('stg_reporting_totals') }}
    where reported_in = 'ice_detainers'
    qualify count(*) over (partition by period) = 1
),

detainers as (
    select
        case lengths.length
            when 'year' then cast(year(contact_at) as string)
            when 'quarter' then concat(year(contact_at), '-Q', quarter(contact_at))
            when 'month' then left(cast(cast(contact_at as date) as string), 7)
        end as period
    from {{ ref('stg_ice_contacts') }}
    -- each detainer in its year, its quarter and its month
    cross join (values ('year'), ('quarter'), ('month')) as lengths (length)
    where contact_type = 'detainer'
),

on_file as (
    select
        period,
        count(*) as total
    from detainers
    group by period
)

select
    reported.period,
    reported.begins_on,
    {{ groups_of_nobody_on('reported.begins_on') }},
    coalesce(on_file.total, 0) - reported.total as on_file_less_reported
from reported
-- one number to at most one count
left join on_file on reported.period = on_file.period
{{ join_no_groups() }}

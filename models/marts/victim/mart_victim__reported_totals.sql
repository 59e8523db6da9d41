-- One row per number of certifications reported to the legislature.
-- The report of Cal. Penal Code 679.10 is about form I-918 B alone, and counts by calendar year.
with reported as (
    select
        *,
        case when {{ is_written_as('period', '[0-9]{4}') }} then cast(period as integer) end as reported_year,
        case
            when lower(reported_measure) like '%request%' then 'requested'
            when lower(reported_measure) like '%denied%' then 'denied'
            when lower(reported_measure) like '%signed%' then 'signed'
        end as what
    from {{ ref('stg_reporting_totals') }}
    where reported_in = 'legislature_pc_679_10'
),

requests as (
    select * from {{ ref('stg_victim_certifications') }}
    where form = 'i918b'
),

on_file as (
    select
        'requested' as what,
        year(received_at) as on_file_year,
        count(*) as total
    from requests
    group by year(received_at)

    union all

    select
        case when decision = 'certified' then 'signed' else 'denied' end as what,
        year(decided_at) as on_file_year,
        count(*) as total
    from requests
    where decision in ('certified', 'denied')
    group by case when decision = 'certified' then 'signed' else 'denied' end, year(decided_at)
)

select
    concat_ws('|', reported.period, reported.reported_measure) as total_id,
    reported.reported_year,
    {{ groups_of_nobody_on('make_date(reported.reported_year, 12, 31)') }},
    reported.what,
    reported.total as reported_total,
    coalesce(on_file.total, 0) as total_on_file,
    case when reported.what is not null then reported.total = coalesce(on_file.total, 0) end as is_equal
from reported
-- one number to at most one count
left join on_file
    on
        reported.what = on_file.what
        and reported.reported_year = on_file.on_file_year
{{ join_no_groups() }}

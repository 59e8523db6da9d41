-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='victim',
    facts=[
        ref('mart_victim'), ref('mart_victim__hotline'), ref('mart_victim__dismissed_cases'), ref('mart_victim__inquiries'),
        ref('mart_victim__reported_totals')
    ]
) }}

-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='community',
    facts=[
        ref('mart_community'),
        ref('mart_community__recommendations'),
        ref('mart_community__publications'),
        ref('mart_community__reported_quarters'),
        ref('mart_community__corrections'),
        ref('mart_community__staff')
    ]
) }}

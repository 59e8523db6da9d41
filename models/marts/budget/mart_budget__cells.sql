-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='budget',
    facts=[
        ref('mart_budget'),
        ref('mart_budget__sentences'),
        ref('mart_budget__stays'),
        ref('mart_budget__low_level_cases')
    ]
) }}

-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='representation',
    facts=[
        ref('mart_representation'),
        ref('mart_representation__fund_requests'),
        ref('mart_representation__fund_fields'),
        ref('mart_representation__clemency')
    ]
) }}

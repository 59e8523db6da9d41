-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='sentencing',
    facts=[
        ref('mart_sentencing'), ref('mart_sentencing__cases'), ref('mart_sentencing__charges'),
        ref('mart_sentencing__memos'), ref('mart_sentencing__persons')
    ]
) }}

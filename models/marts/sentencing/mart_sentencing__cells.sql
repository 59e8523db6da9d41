-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='sentencing',
    facts=[
        ref('mart_sentencing'), ref('mart_sentencing__cases'), ref('mart_sentencing__charges'),
        ref('mart_sentencing__memos'), ref('mart_sentencing__persons')
    ]
) }}

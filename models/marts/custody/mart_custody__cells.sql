-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='custody',
    facts=[
        ref('mart_custody'), ref('mart_custody__releases'), ref('mart_custody__snapshots'),
        ref('mart_custody__modifications'), ref('mart_charging__arrests')
    ]
) }}

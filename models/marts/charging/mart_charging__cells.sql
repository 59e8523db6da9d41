-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='charging',
    facts=[
        ref('mart_charging'), ref('mart_charging__arrests'), ref('mart_charging__cases'), ref('mart_charging__charges')
    ]
) }}

-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='charging',
    facts=[
        ref('mart_charging'), ref('mart_charging__arrests'), ref('mart_charging__cases'), ref('mart_charging__charges')
    ]
) }}

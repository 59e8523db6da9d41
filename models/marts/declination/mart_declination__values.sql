-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='declination',
    facts=[
        ref('mart_declination'), ref('mart_declination__pending_cases'), ref('mart_declination__applications'),
        ref('mart_declination__arrests'), ref('mart_declination__old_warrants'), ref('mart_declination__rules')
    ]
) }}

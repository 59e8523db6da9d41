-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='bail',
    facts=[
        ref('mart_bail'), ref('mart_bail__stays'), ref('mart_bail__appearances'), ref('mart_bail__first_appearances')
    ]
) }}

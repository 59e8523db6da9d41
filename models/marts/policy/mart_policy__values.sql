-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='policy',
    facts=[
        ref('mart_policy'), ref('mart_policy__in_force'), ref('mart_policy__coverage'), ref('mart_policy__versions'),
        ref('mart_policy__training_seats'), ref('mart_policy__bills'), ref('mart_policy__findings'),
        ref('mart_policy__targets')
    ]
) }}

-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='data_quality',
    facts=[
        ref('mart_data_quality'), ref('mart_data_quality__statements'), ref('mart_data_quality__persons'),
        ref('mart_data_quality__cases'), ref('mart_data_quality__charges'), ref('mart_data_quality__records')
    ]
) }}

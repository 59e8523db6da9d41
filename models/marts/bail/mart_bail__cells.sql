-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='bail',
    facts=[
        ref('mart_bail'), ref('mart_bail__stays'), ref('mart_bail__appearances'), ref('mart_bail__first_appearances')
    ]
) }}

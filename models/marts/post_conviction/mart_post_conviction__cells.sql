-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='post_conviction',
    facts=[
        ref('mart_post_conviction'), ref('mart_post_conviction__reviews'), ref('mart_post_conviction__deferred_entries'),
        ref('mart_post_conviction__clearing_events'), ref('mart_representation__clemency')
    ]
) }}

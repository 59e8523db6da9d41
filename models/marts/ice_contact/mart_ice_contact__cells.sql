-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='ice_contact',
    facts=[
        ref('mart_ice_contact'), ref('mart_ice_contact__closed_matters'), ref('mart_ice_contact__probation'),
        ref('mart_ice_contact__reported_totals'),
        ref('mart_charging__arrests'), ref('mart_bail__stays'), ref('mart_bail__appearances')
    ]
) }}

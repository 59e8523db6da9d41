-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='charge_movement',
    facts=[ref('mart_charge_movement'), ref('mart_charge_movement__charges'), ref('mart_charging__charges')]
) }}

-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='charge_movement',
    facts=[ref('mart_charge_movement'), ref('mart_charge_movement__charges'), ref('mart_charging__charges')]
) }}

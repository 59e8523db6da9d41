-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(
    mart='diversion', facts=[ref('mart_diversion'), ref('mart_diversion__stops'), ref('mart_diversion__programmes')]
) }}

-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(
    mart='diversion', facts=[ref('mart_diversion'), ref('mart_diversion__stops'), ref('mart_diversion__programmes')]
) }}

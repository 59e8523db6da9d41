-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(mart='community') }}

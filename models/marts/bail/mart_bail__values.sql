-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(mart='bail') }}

-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(mart='federal_discretion', facts=[ref('mart_federal_discretion'), ref('mart_ice_contact')]) }}

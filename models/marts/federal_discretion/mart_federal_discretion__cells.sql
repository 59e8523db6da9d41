-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(mart='federal_discretion', facts=[ref('mart_federal_discretion'), ref('mart_ice_contact')]) }}

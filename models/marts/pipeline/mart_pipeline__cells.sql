-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(mart='pipeline', facts=[ref('mart_pipeline'), ref('mart_pipeline__links')]) }}

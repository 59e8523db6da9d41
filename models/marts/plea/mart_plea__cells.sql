-- One row per measure, quarter, race, citizenship, offence group and stratum.
{{ measure_cells(mart='plea', facts=[ref('mart_plea'), ref('mart_plea__cases'), ref('mart_plea__convictions')]) }}

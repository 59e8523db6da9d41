-- One row per measure, quarter, race, citizenship, offence group, stratum, value and outcome.
{{ measure_values(mart='plea', facts=[ref('mart_plea'), ref('mart_plea__cases'), ref('mart_plea__convictions')]) }}

-- One row per rate or mix, race, citizenship and stratum: how far its rows are of the same persons.
{{ measure_clusters(mart='custody') }}

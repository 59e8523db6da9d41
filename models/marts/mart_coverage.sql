-- One row per measure: how many rows its denominator describes, and why some of them are not counted.
{{ measure_coverage(
    facts=[
        ref('mart_charging'), ref('mart_charging__arrests'), ref('mart_charging__cases'), ref('mart_charging__charges')
    ]
) }}

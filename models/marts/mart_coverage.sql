-- One row per measure: how many rows its denominator describes, and why some of them are not counted.
{{ measure_coverage() }}

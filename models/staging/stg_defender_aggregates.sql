-- One row per quarter.
{{ latest_rows('defender_aggregate') }}

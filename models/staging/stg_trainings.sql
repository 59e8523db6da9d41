-- One row per training given.
{{ latest_rows('training') }}

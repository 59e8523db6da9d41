-- One row per sentence on one conviction.
{{ latest_rows('sentence') }}

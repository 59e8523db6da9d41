-- One row per arrest of one person.
{{ latest_rows('arrest') }}

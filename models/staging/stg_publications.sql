-- One row per published output of the audit.
{{ latest_rows('publication') }}

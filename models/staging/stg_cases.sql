-- One row per case of one defendant.
{{ latest_rows('case_') }}

-- One row per finding of an earlier audit.
{{ latest_rows('remediation') }}

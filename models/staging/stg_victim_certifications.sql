-- One row per request for a certification.
{{ latest_rows('victim_certification') }}

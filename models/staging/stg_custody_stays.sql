-- One row per stay in custody of one person.
{{ latest_rows('custody_stay') }}

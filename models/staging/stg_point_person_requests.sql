-- One row per request to the immigration point person.
{{ latest_rows('point_person_request') }}

-- One row per charge of an arrest.
{{ latest_rows('arrest_charge', renamed={'code': 'law_code'}) }}

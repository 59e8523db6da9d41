-- One row per published standard offer.
{{ latest_rows('standard_offer', renamed={'code': 'law_code'}) }}

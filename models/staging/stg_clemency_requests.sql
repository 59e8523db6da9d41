-- One row per request for a letter of support.
{{ latest_rows('clemency_request', renamed={'kind': 'clemency_kind'}) }}

-- One row per version of a charge.
{{ latest_rows('charge', renamed={'code': 'law_code', 'as_of': 'version_on'}) }}

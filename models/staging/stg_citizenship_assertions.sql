-- One row per statement about a person's citizenship by a source on a date.
{{ latest_rows('citizenship_assertion', renamed={'value': 'stated_citizenship', 'source': 'statement_source'}) }}

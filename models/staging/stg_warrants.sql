-- One row per warrant.
{{ latest_rows('warrant', renamed={'reason': 'vacated_reason'}) }}

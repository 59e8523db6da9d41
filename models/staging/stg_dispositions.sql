-- One row per disposition of a charge.
{{ latest_rows('disposition', renamed={'type': 'disposition_type', 'reason': 'disposition_reason'}) }}

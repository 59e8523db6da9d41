-- One row per documented inquiry into a victim's or witness's status.
{{ latest_rows('status_inquiry', renamed={'at': 'inquired_on'}) }}

-- One row per public event.
{{ latest_rows('community_event', renamed={'type': 'event_type'}) }}

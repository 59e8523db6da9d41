-- One row per bail decision in one case.
{{ latest_rows('bail_event', renamed={'at': 'bail_event_at', 'kind': 'hearing_kind'}) }}

-- One row per scheduled appearance in one case.
{{ latest_rows('hearing', renamed={'at': 'hearing_at', 'kind': 'hearing_kind'}) }}

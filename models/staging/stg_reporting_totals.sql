-- One row per total reported elsewhere.
{{ latest_rows('reporting_total', renamed={'source': 'reported_in', 'measure': 'reported_measure'}) }}

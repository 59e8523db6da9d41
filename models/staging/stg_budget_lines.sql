-- One row per budget line per fiscal year.
{{ latest_rows('budget_line', renamed={'line': 'budget_line'}) }}

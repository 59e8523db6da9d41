-- One row per year and category.
{{ latest_rows('hr_aggregate') }}

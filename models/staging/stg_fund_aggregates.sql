-- One row per quarter.
{{ latest_rows('fund_aggregate') }}

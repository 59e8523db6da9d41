-- One row per published unit cost.
{{ latest_rows('unit_cost') }}

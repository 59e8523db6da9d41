-- One row per policy considered in a case or matter.
{{ latest_rows('policy_application') }}

-- One row per policy considered in a case.
{{ latest_rows('policy_application') }}

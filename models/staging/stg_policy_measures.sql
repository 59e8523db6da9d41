-- One row per measure that a policy should move.
{{ latest_rows('policy_measure') }}

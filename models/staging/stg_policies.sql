-- One row per version of a written policy.
{{ latest_rows('policy', renamed={'stage': 'policy_stage', 'model': 'policy_model'}) }}

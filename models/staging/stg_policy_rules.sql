-- One row per rule of a policy.
{{ latest_rows('policy_rule', renamed={'code': 'law_code', 'stage': 'rule_stage'}) }}

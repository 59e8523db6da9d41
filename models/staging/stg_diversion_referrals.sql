-- One row per referral to one diversion programme.
{{ latest_rows('diversion_referral', renamed={'stage': 'diversion_stage'}) }}

-- One row per referral of one person to the office.
{{ latest_rows('referral') }}

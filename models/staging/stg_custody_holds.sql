-- One row per hold on a stay.
{{ latest_rows('custody_hold', renamed={'type': 'hold_type'}) }}

-- One row per bill the office looked at.
{{ latest_rows('legislative_position', renamed={'position': 'position_taken'}) }}

-- One row per bill the office took a position on.
{{ latest_rows('legislative_position', renamed={'position': 'position_taken'}) }}

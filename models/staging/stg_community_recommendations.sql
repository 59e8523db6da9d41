-- One row per recommendation received.
{{ latest_rows('community_recommendation') }}

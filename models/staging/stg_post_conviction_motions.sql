-- One row per post-conviction motion.
{{ latest_rows('post_conviction_motion', renamed={'type': 'motion_type'}) }}

-- One row per file reviewed on the office's own initiative.
{{ latest_rows('conviction_review') }}

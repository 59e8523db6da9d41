-- One row per quarter, language and topic.
{{ latest_rows('hotline_call') }}

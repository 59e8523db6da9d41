-- One row per error reported by the public.
{{ latest_rows('correction') }}

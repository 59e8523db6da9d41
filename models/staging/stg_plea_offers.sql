-- One row per plea offer.
{{ latest_rows('plea_offer') }}

-- One row per person per source per race or ethnicity recorded.
{{ latest_rows('person_race') }}

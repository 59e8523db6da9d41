-- One row per person.
{{ merged_rows('person') }}

-- One row per person sentenced for two or more convictions.
with persons as (
    select * from {{ ref('int_persons__terms_added') }}
)

select
    persons.person_id,
    persons.last_decided_on,
    {{ groups_on('persons.last_decided_on') }},
    persons.conviction_count,
    persons.added_days,
    persons.reaches_five_years
from persons
{{ join_groups('persons.person_id', "'not_recorded'") }}

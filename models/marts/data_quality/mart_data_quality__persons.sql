-- One row per person of whom a decision is on file.
with persons as (
    select * from {{ ref('int_persons__sources_compared') }}
)

select
    persons.person_id,
    persons.first_met_on,
    {{ groups_on('persons.first_met_on') }},
    persons.source_count,
    persons.is_contradicted,
    persons.is_recorded_citizen,
    persons.has_detainer
from persons
{{ join_groups('persons.person_id', 'persons.offence_category') }}

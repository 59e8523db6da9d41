-- One row per statement about a person's citizenship by a source on a date.
with statements as (
    select * from {{ ref('stg_citizenship_assertions') }}
)

select
    statements.assertion_id,
    statements.person_id,
    statements.asserted_at as asserted_on,
    {{ groups_on('statements.asserted_at') }},
    statements.statement_source
from statements
{{ join_groups('statements.person_id', 'cast(null as string)') }}

-- One row per record whose days or amounts can be held against each other, and check.
with records as (
    select * from {{ ref('int_records__days_compared') }}
)

select
    concat(records.checked, ' ', records.record_id) as check_id,
    records.person_id,
    records.checked_on,
    {{ groups_on('records.checked_on') }},
    records.checked,
    records.is_impossible
from records
{{ join_groups('records.person_id', 'records.offence_category') }}

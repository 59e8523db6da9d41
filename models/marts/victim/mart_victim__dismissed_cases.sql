-- One row per case with a dismissed charge.
with dismissed as (
    select
        reasons.*,
        cases.person_id,
        cases.offence_category
    from {{ ref('int_cases__dismissal_reason_found') }} as reasons
    -- one row to at most one case
    left join {{ ref('int_cases__offence_picked') }} as cases on reasons.case_id = cases.case_id
)

select
    dismissed.case_id,
    dismissed.person_id,
    dismissed.last_dismissed_on,
    {{ groups_on('dismissed.last_dismissed_on') }},
    dismissed.is_for_absence
from dismissed
{{ join_groups('dismissed.person_id', 'dismissed.offence_category') }}

-- One row per case of one defendant.
with cases as (
    select
        cases.case_id,
        cases.person_id,
        cases.filed_on,
        cases.offence_category,
        details.defence_type,
        asked.case_id is not null as is_asked,
        asked.is_asked_from_outside,
        asked.is_asked_by_office
    from {{ ref('int_cases__offence_picked') }} as cases
    -- one case to exactly one row, and to at most one
    inner join {{ ref('stg_cases') }} as details on cases.case_id = details.case_id
    left join {{ ref('int_cases__point_person_asked') }} as asked on cases.case_id = asked.case_id
)

select
    cases.case_id,
    cases.person_id,
    cases.filed_on,
    {{ groups_on('cases.filed_on') }},
    cases.defence_type,
    case when cases.is_asked then cases.is_asked_from_outside else false end as is_asked_from_outside,
    case when cases.is_asked then cases.is_asked_by_office else false end as is_asked_by_office
from cases
{{ join_groups('cases.person_id', 'cases.offence_category') }}

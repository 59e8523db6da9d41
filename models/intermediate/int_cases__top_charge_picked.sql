-- One row per case with a charge brought to court.
-- The top charge as filed: the one the office calls so, else the highest on its own scale, else the gravest class, else
-- the first by key. An enhancement is no offence and comes last.
with ranked as (
    select
        *,
        row_number() over (
            partition by case_id
            order by
                coalesce(is_enhancement, false) asc,
                coalesce(is_primary, false) desc,
                severity_rank desc nulls last,
                severity_class_rank desc nulls last,
                charge_id asc
        ) as place
    from {{ ref('int_charges__filed_version_picked') }}
)

select
    case_id,
    charge_id as top_charge_id,
    version_no as top_charge_version_no,
    jurisdiction,
    law_code,
    section,
    offence_category,
    severity,
    severity_rank,
    severity_class_rank,
    {{ offence_key('jurisdiction', 'law_code', 'section', 'severity', 'offence_category') }} as offence_key
from ranked
where place = 1

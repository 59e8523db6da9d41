-- One row per arrest with a charge on file.
-- The gravest class first, then the key: police files name no top charge.
with ranked as (
    select
        arrest_id,
        jurisdiction,
        law_code,
        section,
        offence_category,
        severity,
        case
            when max({{ severity_class_rank('severity') }}) over by_arrest = 3 then false
            when count(*) over by_arrest = count({{ severity_class_rank('severity') }}) over by_arrest then true
        end as is_below_felony,
        row_number() over (
            partition by arrest_id
            order by
                coalesce({{ severity_class_rank('severity') }}, 0) desc,
                {{ is_known('offence_category') }} desc,
                arrest_charge_id asc
        ) as place
    from {{ ref('stg_arrest_charges') }}
    window by_arrest as (partition by arrest_id)
)

select
    arrest_id,
    jurisdiction,
    law_code,
    section,
    offence_category,
    severity,
    is_below_felony,
    {{ offence_key('jurisdiction', 'law_code', 'section', 'severity', 'offence_category') }} as offence_key
from ranked
where place = 1

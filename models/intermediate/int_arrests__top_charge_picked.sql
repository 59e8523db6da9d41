-- One row per arrest with a charge on file.
-- The gravest class first, then the key: police files name no top charge.
with ranked as (
    select
        arrest_id,
        offence_category,
        severity,
        row_number() over (
            partition by arrest_id
            order by
                coalesce({{ severity_class_rank('severity') }}, 0) desc,
                {{ is_known('offence_category') }} desc,
                arrest_charge_id asc
        ) as place
    from {{ ref('stg_arrest_charges') }}
)

select
    arrest_id,
    offence_category,
    severity
from ranked
where place = 1

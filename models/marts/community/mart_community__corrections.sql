-- One row per error reported by the public.
with corrections as (
    select * from {{ ref('stg_corrections') }}
)

select
    corrections.correction_id,
    corrections.reported_on,
    {{ groups_of_nobody_on('corrections.reported_on') }},
    {{ days_between('corrections.reported_on', 'coalesce(corrections.fixed_on, audit_settings.as_of_date)') }}
        as days_to_fix,
    case when corrections.fixed_on is not null then 'event' else 'censored' end as days_to_fix_outcome
from corrections
{{ join_no_groups() }}

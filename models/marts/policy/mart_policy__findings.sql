-- One row per finding of an earlier audit.
with findings as (
    select
        *,
        owner_role is not null and due_on is not null as has_owner_and_due_date
    from {{ ref('stg_remediations') }}
)

select
    findings.finding_id,
    findings.found_on,
    {{ groups_of_nobody_on('findings.found_on') }},
    findings.measure_id,
    findings.has_owner_and_due_date,
    -- not late before the day has passed
    case
        when findings.closed_on <= findings.due_on then true
        when findings.due_on < audit_settings.as_of_date then false
    end as is_closed_on_time,
    {{ days_between('findings.found_on', 'coalesce(findings.closed_on, audit_settings.as_of_date)') }} as days_to_close,
    case when findings.closed_on is not null then 'event' else 'censored' end as days_to_close_outcome
from findings
{{ join_no_groups() }}

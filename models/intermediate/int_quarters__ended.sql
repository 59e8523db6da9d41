-- One row per quarter of the audit's period that had ended by the day of the export.
with quarters as (
    select
        {{ days_apart("date_trunc('quarter', period_from)", 'period_to', 3, 'month') }} as begins_at,
        least(period_to, as_of_date) as last_on
    from {{ ref('stg_audit_settings') }}
),

ended as (
    select
        cast(begins_at + interval 3 month - interval 1 day as date) as ended_on,
        last_on
    from quarters
)

select
    ended_on,
    concat(year(ended_on), '-Q', quarter(ended_on)) as ended_quarter,
    ended_on = max(ended_on) over () as is_last
from ended
where ended_on <= last_on

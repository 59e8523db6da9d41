-- One row per item and year with a published unit cost.
-- A cost that names no source is not published. Of several the office's own jurisdiction goes before any other.
with ranked as (
    select
        costs.item,
        costs.year as cost_year,
        costs.amount,
        row_number() over (
            partition by costs.item, costs.year
            order by (costs.jurisdiction = settings.jurisdiction) desc, costs.jurisdiction asc nulls last
        ) as place
    from {{ ref('stg_unit_costs') }} as costs
    cross join {{ ref('stg_audit_settings') }} as settings
    where costs.source_url is not null
)

select
    item,
    cost_year,
    amount
from ranked
where place = 1

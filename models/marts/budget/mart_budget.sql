-- One row per budget line and fiscal year.
-- A fiscal year counts in the calendar year of its number: when it begins is not on record.
with lines as (
    select * from {{ ref('stg_budget_lines') }}
)

select
    lines.budget_line_id,
    lines.fiscal_year,
    {{ groups_of_nobody_on('make_date(lines.fiscal_year, 1, 1)') }},
    lines.budget_line,
    {{ whole('lines.amount') }} as amount_usd,
    case when lines.participatory then 'participatory' when not lines.participatory then 'otherwise' end as allocation,
    case
        when lines.immigration_condition then 'with_immigration_condition'
        when not lines.immigration_condition then 'without_immigration_condition'
    end as grant_terms,
    lines.purpose
from lines
{{ join_no_groups() }}

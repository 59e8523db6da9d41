-- One row per case whose top charge stood on the office's own list of low-level offences on the day of filing.
with cases as (
    select cases.*
    from {{ ref('int_cases__offence_picked') }} as cases
    -- one case to at most one row
    inner join {{ ref('int_cases__low_level_listed') }} as listed on cases.case_id = listed.case_id
    where listed.is_low_level
)

select
    cases.case_id,
    cases.person_id,
    cases.filed_on,
    {{ groups_on('cases.filed_on') }},
    {{ whole('hours.amount * rates.amount') }} as prosecution_cost_usd
from cases
-- many cases to at most one unit cost each
left join {{ ref('int_unit_costs__picked') }} as hours
    on
        hours.item = 'low_level_case_hours'
        and year(cases.filed_on) = hours.cost_year
left join {{ ref('int_unit_costs__picked') }} as rates
    on
        rates.item = 'prosecution_hour'
        and year(cases.filed_on) = rates.cost_year
{{ join_groups('cases.person_id', 'cases.offence_category') }}

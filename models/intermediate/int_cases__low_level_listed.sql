-- One row per case of one defendant.
-- Whether its top charge stood on the office's own list of low-level offences on the day of filing. Open (NULL) where
-- the charge does not say all that the list asks.
select
    cases.case_id,
    {{ covered_by_rule() }} as is_low_level
from {{ ref('int_cases__offence_picked') }} as cases
-- one case to the few policies in force on its day: gathered again by case
{{ join_policies('cases.offence_key', 'cases.filed_on', 'low_level_list') }}
where cases.top_charge_id is not null
group by cases.case_id

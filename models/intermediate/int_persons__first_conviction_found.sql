-- One row per person convicted in a case of this office.
select
    cases.person_id,
    min(outcomes.first_conviction_on) as first_conviction_on
from {{ ref('int_cases__offence_picked') }} as cases
-- one case to exactly one outcome
inner join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
where outcomes.first_conviction_on is not null
group by cases.person_id

-- One row per case of one defendant.
with cases as (
    select * from {{ ref('int_cases__offence_picked') }}
),

charges as (
    select * from {{ ref('int_cases__filed_charges_counted') }}
)

select
    cases.case_id,
    cases.person_id,
    cases.filed_on,
    {{ groups_on('cases.filed_on') }},
    cases.top_charge_severity,
    low_level.is_low_level,
    coalesce(exposures.exposure_class, 'cannot_determine') as exposure_class,
    coalesce(exposures.has_charge_alone_trigger, false) as has_charge_alone_trigger,
    case
        when outcomes.closed_on is not null then outcomes.is_without_conviction
    end as is_ended_without_conviction,
    charges.charge_count,
    charges.enhancement_count,
    charges.has_felony,
    charges.has_prior_pleaded
from cases
-- one case to at most one row each
left join charges on cases.case_id = charges.case_id
left join {{ ref('int_cases__low_level_listed') }} as low_level on cases.case_id = low_level.case_id
left join {{ ref('int_cases__exposure_at_filing') }} as exposures on cases.case_id = exposures.case_id
left join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
{{ join_groups('cases.person_id', 'cases.offence_category') }}

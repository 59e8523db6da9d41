-- One row per closed case with a charge brought to court.
with cases as (
    select
        compared.*,
        filed.has_felony,
        top_outcomes.is_convicted as is_top_convicted,
        top_outcomes.filed_section as top_filed_section,
        top_outcomes.final_section as top_final_section,
        cast(sign(top_outcomes.final_class_rank - top_outcomes.filed_class_rank) as tinyint) as top_class_change,
        at_filing.exposure_class as exposure_at_filing,
        at_end.consequence_class as exposure_at_end,
        jail.jail_days,
        jail.days_to_serve
    from {{ ref('int_cases__conviction_compared') }} as compared
    -- one case to at most one row each
    inner join {{ ref('int_cases__top_charge_picked') }} as top_charges on compared.case_id = top_charges.case_id
    left join {{ ref('int_charges__state_outcome_found') }} as top_outcomes
        on top_charges.top_charge_id = top_outcomes.charge_id
    left join {{ ref('int_cases__filed_charges_counted') }} as filed on compared.case_id = filed.case_id
    left join {{ ref('int_cases__exposure_at_filing') }} as at_filing on compared.case_id = at_filing.case_id
    left join {{ ref('int_cases__exposure_at_end') }} as at_end on compared.case_id = at_end.case_id
    left join {{ ref('int_cases__jail_before_sentence') }} as jail on compared.case_id = jail.case_id
)

select
    cases.case_id,
    cases.person_id,
    cases.closed_on,
    {{ groups_on('cases.closed_on') }},
    cases.has_felony as is_filed_as_felony,
    cases.is_convicted,
    cases.end_class,
    case
        when cases.end_class not in ('outcome_not_recorded', 'class_not_recorded') then cases.end_class = 'felony'
    end as is_convicted_of_felony,
    case cases.severity_change when -1 then 'lowered' when 0 then 'same' when 1 then 'raised' end as severity_movement,
    -- as it was filed: under the same section and in no lower class
    case
        when not cases.is_top_convicted then false
        when cases.is_top_convicted
            then cases.top_class_change >= 0 and cases.top_filed_section = cases.top_final_section
    end as is_top_charge_convicted,
    coalesce(cases.exposure_at_filing, 'cannot_determine') as exposure_at_filing,
    cases.exposure_at_end,
    coalesce(cases.exposure_at_filing, 'cannot_determine') in ('possible', 'likely') as is_exposed_at_filing,
    case
        when cases.exposure_at_end <> 'cannot_determine' then cases.exposure_at_end in ('possible', 'likely')
    end as is_exposed_at_end,
    -- the price of a safer outcome: no lower a charge, yet less exposed
    case
        when coalesce(cases.exposure_at_filing, 'cannot_determine') = 'cannot_determine' then null
        when cases.exposure_at_end = 'cannot_determine' then null
        when {{ answer_rank('cases.exposure_at_end') }} >= {{ answer_rank('cases.exposure_at_filing') }} then false
        when cases.severity_change is not null then cases.severity_change >= 0
    end as is_pleaded_up,
    cases.jail_days - cases.days_to_serve as jail_days_over_sentence
from cases
{{ join_groups('cases.person_id', 'cases.offence_category') }}

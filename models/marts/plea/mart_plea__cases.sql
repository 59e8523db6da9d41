-- One row per case of one defendant, from filing on.
with outcomes_exposed as (
    -- the gravest of its charges, the ones that may or may not be a conviction too
    select
        case_id,
        {{ answer_ranked('max(' ~ answer_rank('consequence_class') ~ ')') }} as consequence_class
    from {{ ref('int_charges__consequence_classified') }}
    where
        law_known = 'as_known_then'
        and case_id is not null
    group by case_id
),

cases as (
    select
        cases.case_id,
        cases.person_id,
        cases.offence_category,
        cases.filed_on,
        outcomes.first_plea_on,
        outcomes.closed_on,
        outcomes.is_plea_left_open,
        filed.exposure_class as filed_exposure,
        outcomes_exposed.consequence_class,
        standards.effective_from as standard_offer_from,
        top_charges.section is not null as is_section_known
    from {{ ref('int_cases__offence_picked') }} as cases
    -- one case to at most one row each
    left join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
    left join {{ ref('int_cases__filed_exposure_gathered') }} as filed on cases.case_id = filed.case_id
    left join outcomes_exposed on cases.case_id = outcomes_exposed.case_id
    left join {{ ref('int_cases__standard_offer_found') }} as standards on cases.case_id = standards.case_id
    left join {{ ref('int_charges__filed_version_picked') }} as top_charges
        on cases.top_charge_id = top_charges.charge_id
)

select
    cases.case_id,
    cases.person_id,
    cases.filed_on,
    {{ groups_on('cases.filed_on') }},
    cases.filed_exposure in ('possible', 'likely') as is_filed_exposed,
    -- while the case is open, nothing has come of it yet
    case
        when cases.consequence_class in ('possible', 'likely') then true
        when cases.closed_on is not null and cases.consequence_class in ('no_known_ground', 'no_conviction') then false
    end as is_convicted_exposed,
    case
        when cases.is_section_known then coalesce(cases.standard_offer_from <= cases.filed_on, false)
    end as is_standard_offer_published,
    -- a plea without a day was made at some time nobody knows
    case
        when not cases.is_plea_left_open
            then
                {{ days_between(
                    'cases.filed_on', 'coalesce(cases.first_plea_on, cases.closed_on, audit_settings.as_of_date)'
                ) }}
    end as days_to_plea,
    case
        when cases.first_plea_on is not null then 'event'
        when cases.closed_on is not null then 'ended_without_plea'
        else 'censored'
    end as days_to_plea_outcome
from cases
{{ join_groups('cases.person_id', 'cases.offence_category') }}

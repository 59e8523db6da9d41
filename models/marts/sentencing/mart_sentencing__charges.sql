-- One row per disposed charge: what it is in state law and in federal immigration law, as the law was known that day.
-- Nothing of it is a legal finding about a person.
with disposed as (
    select
        classified.charge_id,
        classified.case_id,
        classified.person_id,
        classified.decided_on,
        classified.conviction,
        classified.is_turning_on_one_year,
        classified.is_turning_on_loss,
        classified.is_moral_turpitude,
        classified.at_least_one_year,
        classified.over_six_months,
        classified.max_reaches_one_year,
        classified.max_exceeds_one_year,
        versions.loss_amount,
        {{ first_known(['versions.offence_category', 'cases.offence_category']) }} as offence_category
    from {{ ref('int_charges__consequence_classified') }} as classified
    -- one charge to the version that was disposed
    left join {{ ref('stg_charges') }} as versions
        on classified.charge_id = versions.charge_id and classified.version_no = versions.version_no
    left join {{ ref('int_cases__offence_picked') }} as cases on classified.case_id = cases.case_id
    where classified.law_known = 'as_known_then'
),

second_crimes as (
    -- of a crime involving moral turpitude: whether it is the only one of the person by then
    select
        charge_id,
        answer = 'no_known_ground' as is_only_one
    from {{ ref('int_charges__consequences_by_ground') }}
    where
        ground = 'cimt_deportable_two'
        and law_known = 'as_known_then'
),

described as (
    select
        disposed.*,
        outcomes.disposition_type,
        outcomes.is_conviction as is_conviction_in_state_law,
        terms.is_just_at_one_year,
        terms.days_to_serve,
        disposed.conviction = 'yes' as is_conviction,
        coalesce(disposed.is_moral_turpitude, false) as is_possible_moral_turpitude,
        coalesce(second_crimes.is_only_one, false) as is_only_moral_turpitude
    from disposed
    -- one charge to at most one row each
    left join {{ ref('int_charges__state_outcome_decided') }} as outcomes on disposed.charge_id = outcomes.charge_id
    left join {{ ref('int_charges__longest_term_picked') }} as terms on disposed.charge_id = terms.charge_id
    left join second_crimes on disposed.charge_id = second_crimes.charge_id
)

select
    described.charge_id,
    described.case_id,
    described.person_id,
    described.decided_on,
    {{ groups_on('described.decided_on') }},
    described.is_conviction_in_state_law,
    case
        when described.is_conviction_in_state_law then 'conviction'
        -- guilt left open while conditions are met, with or without a plea or an admission
        when
            described.disposition_type
            in ('continued_without_finding', 'deferred_entry', 'pbj', 'acd', 'diverted_no_plea')
            then 'continued_deferred_or_diverted'
        when described.disposition_type = 'pretrial_probation' then 'pretrial_probation'
        when
            described.disposition_type
            in ('dismissed_da', 'dismissed_court', 'acquitted', 'abated', 'filed_without_finding')
            then 'dismissed_filed_or_acquitted'
        when described.disposition_type in ('civil_responsible', 'civil_not_responsible', 'delinquency')
            then 'civil_or_juvenile'
        else 'other'
    end as outcome,
    -- a conviction in state law is one in federal law, or the reference says why not: the question is about the others
    case
        when described.is_conviction_in_state_law then false
        when not described.is_conviction_in_state_law and described.conviction in ('yes', 'possible') then true
        when not described.is_conviction_in_state_law and described.conviction = 'no' then false
    end as is_possible_federal_conviction_alone,
    -- some ground of the offence turns on a term of one year
    described.is_conviction and coalesce(described.is_turning_on_one_year, false) as is_turning_on_one_year,
    described.at_least_one_year as is_at_least_one_year,
    described.is_just_at_one_year,
    case
        when described.at_least_one_year then described.days_to_serve < 365
        when not described.at_least_one_year then false
    end as is_at_the_year_by_suspended_time,
    described.is_conviction and described.is_possible_moral_turpitude as is_moral_turpitude,
    described.is_conviction
    and described.is_possible_moral_turpitude
    and described.is_only_moral_turpitude
    and not coalesce(described.max_exceeds_one_year, true) as is_petty_by_maximum,
    described.over_six_months as is_over_six_months,
    described.max_reaches_one_year as is_maximum_a_year_or_more,
    case
        when caps.capped_from is null then 'no_cap_of_364_days_on_file'
        when described.decided_on < caps.capped_from then 'before_cap_of_364_days'
        else 'since_cap_of_364_days'
    end as cap,
    described.is_conviction and coalesce(described.is_turning_on_loss, false) as is_turning_on_loss,
    described.loss_amount as loss_usd,
    described.loss_amount > 10000 as is_loss_over_10000,
    case
        when described.loss_amount <= 8000 then 'up_to_8000'
        when described.loss_amount <= 10000 then 'over_8000_to_10000'
        when described.loss_amount <= 12000 then 'over_10000_to_12000'
        when described.loss_amount > 12000 then 'over_12000'
    end as loss_band
from described
{{ join_groups('described.person_id', 'described.offence_category') }}
-- at most one law of the office's own state
left join {{ ref('int_jurisdictions__year_capped') }} as caps on audit_settings.jurisdiction = caps.jurisdiction

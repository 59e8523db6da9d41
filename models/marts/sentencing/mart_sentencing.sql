-- One row per sentence on one conviction, as first pronounced.
with sentences as (
    select
        sentences.sentence_id,
        sentences.charge_id,
        sentences.sentenced_on,
        sentences.sentence_type,
        sentences.probation_months,
        sentences.supervision_reports_to_ice,
        sentences.da_recommended_days,
        terms.term_value,
        terms.term_unit,
        terms.kind,
        -- probation is none unless a suspended term is on file
        case
            when terms.kind = 'custody' then terms.term_days
            when terms.kind in ('no_custody', 'custody_not_recorded') then 0
        end as custody_days,
        cases.case_id,
        cases.person_id,
        cases.offence_category
    from {{ ref('stg_sentences') }} as sentences
    -- one sentence to its one term; many to at most one charge, and that to at most one case
    inner join {{ ref('int_sentences__term_read') }} as terms on sentences.sentence_id = terms.sentence_id
    left join {{ ref('int_charges__filed_version_picked') }} as charges on sentences.charge_id = charges.charge_id
    left join {{ ref('int_cases__offence_picked') }} as cases
        on coalesce(sentences.case_id, charges.case_id) = cases.case_id
    where sentences.modified_from is null
),

placed as (
    select
        *,
        case when kind = 'custody' then {{ term_around_one_year('term_value', 'term_unit') }} end as around_one_year,
        case when kind = 'custody' then {{ term_around_six_months('term_value', 'term_unit') }} end
            as around_six_months,
        case when kind = 'custody' then {{ whole_months_around_one_year('term_value', 'term_unit') }} end
            as whole_months_around_one_year,
        -- a month has 30 or 31 days, a year 365 or 366: what was asked for in days is met by any of them
        case when term_unit = 'months' then term_value * 30 when term_unit = 'years' then term_value * 365 end
            as fewest_days,
        case when term_unit = 'months' then term_value * 31 when term_unit = 'years' then term_value * 366 end
            as most_days
    from sentences
)

select
    placed.sentence_id,
    placed.charge_id,
    placed.case_id,
    placed.person_id,
    placed.sentenced_on,
    {{ groups_on('placed.sentenced_on') }},
    placed.custody_days,
    placed.around_one_year,
    placed.around_six_months,
    placed.whole_months_around_one_year,
    coalesce(
        placed.around_one_year in ('days_364', 'days_365', 'months_12_or_year_1'), false
    ) as is_at_the_year_or_a_day_short,
    placed.around_one_year = 'days_364' as is_a_day_short_of_the_year,
    case
        when caps.capped_from is null then 'no_cap_of_364_days_on_file'
        when placed.sentenced_on < caps.capped_from then 'before_cap_of_364_days'
        else 'since_cap_of_364_days'
    end as cap,
    placed.custody_days - placed.da_recommended_days as days_beyond_recommendation,
    case
        when placed.custody_days is null or placed.da_recommended_days is null then null
        when placed.kind = 'custody' and placed.da_recommended_days between placed.fewest_days and placed.most_days
            then 'as_recommended'
        when placed.custody_days = placed.da_recommended_days then 'as_recommended'
        when placed.custody_days < placed.da_recommended_days then 'below_recommendation'
        else 'above_recommendation'
    end as against_recommendation,
    placed.sentence_type = 'probation' or coalesce(placed.probation_months > 0, false) as is_supervision_ordered,
    placed.supervision_reports_to_ice
from placed
{{ join_groups('placed.person_id', 'placed.offence_category') }}
-- at most one law of the office's own state
left join {{ ref('int_jurisdictions__year_capped') }} as caps on audit_settings.jurisdiction = caps.jurisdiction

-- One row per sentence on one conviction: what the custody that the prosecution recommended costs.
-- Sentences that are served together cost as much as the longest of them. A sentence that replaces another is not
-- recommended anew.
with sentences as (
    select
        sentences.sentence_id,
        coalesce(sentences.case_id, charges.case_id) as case_id,
        sentences.sentenced_on,
        sentences.da_recommended_type,
        sentences.da_recommended_days,
        sentences.da_cost_stated,
        coalesce(sentences.concurrent_group, sentences.sentence_id) as served_together
    from {{ ref('stg_sentences') }} as sentences
    -- many sentences to at most one charge
    left join {{ ref('int_charges__filed_version_picked') }} as charges on sentences.charge_id = charges.charge_id
    where sentences.modified_from is null
),

ranked as (
    select
        sentences.*,
        cases.person_id,
        cases.offence_category,
        -- `jail_day` or `prison_day`: no other kind is custody
        concat(sentences.da_recommended_type, '_day') as item,
        row_number() over (
            partition by coalesce(sentences.case_id, sentences.sentence_id), sentences.served_together
            order by sentences.da_recommended_days desc nulls last, sentences.sentence_id asc
        ) as place
    from sentences
    -- many sentences to at most one case
    left join {{ ref('int_cases__offence_picked') }} as cases on sentences.case_id = cases.case_id
)

select
    ranked.sentence_id,
    ranked.case_id,
    ranked.person_id,
    ranked.sentenced_on,
    {{ groups_on('ranked.sentenced_on') }},
    ranked.da_recommended_type as recommended_type,
    {{ is_known('ranked.da_recommended_type') }} as is_recommendation_recorded,
    ranked.da_recommended_type in ('jail', 'prison') and ranked.place = 1 as is_custody_recommended,
    {{ whole('ranked.da_recommended_days * unit_costs.amount') }} as recommended_cost_usd,
    ranked.da_cost_stated is not null as is_cost_stated
from ranked
-- many sentences to at most one unit cost
left join {{ ref('int_unit_costs__picked') }} as unit_costs
    on
        ranked.item = unit_costs.item
        and year(ranked.sentenced_on) = unit_costs.cost_year
{{ join_groups('ranked.person_id', 'ranked.offence_category') }}

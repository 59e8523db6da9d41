-- One row per disposed charge and state of the law: the worst of its grounds.
-- likely > possible > cannot_determine > no_known_ground > no_conviction. "No known ground" needs an answer to every
-- ground, the ones without a row too. `match_reason` says why an offence has no answer: these are the charges that the
-- reference does not cover.
{{ config(materialized='table') }}

with ranked as (
    select
        charge_id,
        law_known,
        consequence_id,
        depends_on,
        ground,
        is_reviewed,
        {{ answer_rank('answer') }} as answer_rank,
        {{ answer_rank('consequence_class') }} as class_rank,
        max({{ answer_rank('answer') }}) over (partition by charge_id, law_known) as worst_rank
    from {{ ref('int_charges__consequences_by_ground') }}
),

by_charge as (
    select
        charge_id,
        law_known,
        max(answer_rank) as answer_rank,
        max(class_rank) as class_rank,
        min(consequence_id) filter (where answer_rank = worst_rank) as deciding_consequence_id,
        bool_and(is_reviewed) as is_reviewed,
        bool_or(depends_on = 'imposed_one_year') as is_turning_on_one_year,
        bool_or(depends_on = 'loss_over_10000') as is_turning_on_loss
    from ranked
    group by charge_id, law_known
),

moral_turpitude as (
    select
        charge_id,
        law_known,
        answer in ('possible', 'likely') as is_moral_turpitude
    from {{ ref('int_charges__grounds_answered') }}
    where ground = 'cimt'
)

select
    convictions.charge_id,
    convictions.law_known,
    convictions.case_id,
    convictions.person_id,
    convictions.version_no,
    convictions.decided_on,
    convictions.conviction,
    convictions.conviction_class,
    versions.offence_id,
    coalesce(versions.match_reason, 'statute_not_recorded') as match_reason,
    coalesce(by_charge.is_reviewed, false) as is_reviewed,
    by_charge.deciding_consequence_id,
    case
        when convictions.conviction = 'no' then 'no_conviction'
        else coalesce({{ answer_ranked('by_charge.answer_rank') }}, 'cannot_determine')
    end as consequence_answer,
    case
        when convictions.conviction = 'no' then 'no_conviction'
        else coalesce({{ answer_ranked('by_charge.class_rank') }}, 'cannot_determine')
    end as consequence_class,
    by_charge.is_turning_on_one_year,
    by_charge.is_turning_on_loss,
    moral_turpitude.is_moral_turpitude,
    asked.at_least_one_year,
    asked.over_six_months,
    asked.max_reaches_one_year,
    asked.max_exceeds_one_year
from {{ ref('int_charges__conviction_decided') }} as convictions
left join {{ ref('int_charge_versions__offence_matched') }} as versions
    on convictions.charge_id = versions.charge_id and convictions.version_no = versions.version_no
left join {{ ref('int_charges__consequences_asked') }} as asked
    on convictions.charge_id = asked.charge_id and convictions.law_known = asked.law_known
left join by_charge
    on convictions.charge_id = by_charge.charge_id and convictions.law_known = by_charge.law_known
left join moral_turpitude
    on convictions.charge_id = moral_turpitude.charge_id and convictions.law_known = moral_turpitude.law_known

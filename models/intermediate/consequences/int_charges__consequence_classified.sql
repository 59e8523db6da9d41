-- One row per disposed charge and state of the law: the worst of its grounds.
-- `match_reason` says why an offence has no answer: these are the charges that the reference does not cover.
{{ config(materialized='table') }}

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
    coalesce(classified.is_reviewed, false) as is_reviewed,
    classified.deciding_consequence_id,
    case
        when convictions.conviction = 'no' then 'no_conviction'
        else coalesce(classified.consequence_answer, 'cannot_determine')
    end as consequence_answer,
    case
        when convictions.conviction = 'no' then 'no_conviction'
        else coalesce(classified.consequence_class, 'cannot_determine')
    end as consequence_class,
    classified.is_turning_on_one_year,
    classified.is_turning_on_loss,
    asked.is_moral_turpitude,
    questions.at_least_one_year,
    questions.over_six_months,
    questions.max_reaches_one_year,
    questions.max_exceeds_one_year
from {{ ref('int_charges__conviction_decided') }} as convictions
-- one conviction to at most one version
left join {{ ref('int_charge_versions__offence_matched') }} as versions
    on convictions.charge_id = versions.charge_id and convictions.version_no = versions.version_no
-- a charge that asks: its one question, and the one answer to it
left join {{ ref('int_charges__second_crime_found') }} as asked
    on convictions.charge_id = asked.charge_id and convictions.law_known = asked.law_known
left join {{ ref('int_questions__asked') }} as questions on asked.question_id = questions.question_id
left join {{ ref('int_questions__consequence_classified') }} as classified
    on
        asked.question_id = classified.question_id
        and asked.law_known = classified.law_known
        and asked.second_crime = classified.second_crime

-- One row per charge that is or may be a conviction, state of the law, and ground of removal.
-- It runs alike for every defendant: it reads offences, dispositions and sentences, and of the person only whether
-- there were other such convictions.
{{ config(materialized='table') }}

select
    asked.charge_id,
    asked.law_known,
    asked.case_id,
    asked.person_id,
    consequences.ground,
    consequences.consequence_id,
    consequences.depends_on,
    consequences.is_reviewed,
    consequences.answer,
    consequences.consequence_class
from {{ ref('int_charges__second_crime_found') }} as asked
-- each charge once per ground of its question
inner join {{ ref('int_questions__consequences_by_ground') }} as consequences
    on
        asked.question_id = consequences.question_id
        and asked.law_known = consequences.law_known
        and asked.second_crime = consequences.second_crime

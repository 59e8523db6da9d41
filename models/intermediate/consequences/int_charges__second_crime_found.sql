-- One row per charge that is or may be a conviction, and state of the law: the question that it asks of the reference.
-- `second_crime`: of a crime involving moral turpitude, whether the person had been convicted of another by then; two
-- of one case may be a single scheme.
with asked as (
    select
        asked.charge_id,
        asked.law_known,
        asked.case_id,
        asked.person_id,
        asked.conviction_on,
        questions.question_id,
        answered.answer in ('possible', 'likely') as is_moral_turpitude
    from {{ ref('int_charges__consequences_asked') }} as asked
    -- one question (tested), and at most one answer to one of its grounds
    {{ join_question('asked') }}
    left join {{ ref('int_questions__grounds_answered') }} as answered
        on
            questions.question_id = answered.question_id
            and asked.law_known = answered.law_known
            and answered.ground = 'cimt'
)

select
    *,
    case
        when not coalesce(is_moral_turpitude, false) or person_id is null then 'none'
        when min(case_id) over by_then <> max(case_id) over by_then then 'other_case'
        when count(*) over by_then > 1 then 'same_case'
        else 'none'
    end as second_crime
from asked
window by_then as (
    partition by person_id, law_known, is_moral_turpitude
    order by case law_known when 'as_known_then' then conviction_on end nulls last
    range between unbounded preceding and current row
)

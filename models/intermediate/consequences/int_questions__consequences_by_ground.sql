-- One row per question, state of the law, second crime of the person, and ground of removal.
-- `answer` is what the cited law says of the conviction; `consequence_class` is what may be published: a ground from a
-- row that no attorney reviewed is no more than possible.
--
-- When a crime involving moral turpitude is a ground: deportable for one only if a year or more could be imposed;
-- deportable for two whatever the sentence, but two counts of one case may be a single scheme; inadmissible unless it
-- is the only one, could not bring more than a year, and brought six months or less.
with answers as (
    select
        answered.*,
        crimes.second_crime,
        questions.conviction,
        questions.is_conviction_reviewed,
        questions.max_reaches_one_year,
        questions.max_exceeds_one_year,
        questions.over_six_months,
        questions.is_sentence_assumed
    from {{ ref('int_questions__grounds_answered') }} as answered
    inner join {{ ref('int_questions__asked') }} as questions on answered.question_id = questions.question_id
    cross join (values ('other_case'), ('same_case'), ('none')) as crimes (second_crime)
),

resolved as (
    select
        question_id,
        law_known,
        second_crime,
        ground,
        consequence_id,
        depends_on,
        conviction,
        is_reviewed and is_conviction_reviewed as is_reviewed,
        answer
    from answers
    where ground <> 'cimt'
    union all
    select
        question_id,
        law_known,
        second_crime,
        'cimt_deportable_one' as ground,
        consequence_id,
        'max_one_year' as depends_on,
        conviction,
        is_reviewed and is_conviction_reviewed as is_reviewed,
        case
            when answer = 'no_known_ground' or not max_reaches_one_year then 'no_known_ground'
            when max_reaches_one_year then answer
            else 'cannot_determine'
        end as answer
    from answers
    where ground = 'cimt'
    union all
    select
        question_id,
        law_known,
        second_crime,
        'cimt_deportable_two' as ground,
        consequence_id,
        'second_crime' as depends_on,
        conviction,
        is_reviewed and is_conviction_reviewed as is_reviewed,
        case
            when answer = 'no_known_ground' or second_crime = 'none' then 'no_known_ground'
            when second_crime = 'other_case' then answer
            else 'cannot_determine'
        end as answer
    from answers
    where ground = 'cimt'
    union all
    select
        question_id,
        law_known,
        second_crime,
        'cimt_inadmissible' as ground,
        consequence_id,
        'imposed_over_six_months' as depends_on,
        conviction,
        is_reviewed and is_conviction_reviewed as is_reviewed,
        case
            when answer = 'no_known_ground' then 'no_known_ground'
            when second_crime <> 'none' or max_exceeds_one_year then answer
            when over_six_months and is_sentence_assumed then {{ at_most_possible('answer') }}
            when over_six_months then answer
            when not max_exceeds_one_year and not over_six_months then 'no_known_ground'
            else 'cannot_determine'
        end as answer
    from answers
    where ground = 'cimt'
),

weighed as (
    select
        question_id,
        law_known,
        second_crime,
        ground,
        consequence_id,
        depends_on,
        is_reviewed,
        {{ consequence_of('conviction', 'answer') }} as answer
    from resolved
)

select
    *,
    case when is_reviewed then answer else {{ at_most_possible('answer') }} end as consequence_class
from weighed

-- One row per question, state of the law, second crime of the person, and ground of removal.
-- `answer` is what the cited law says of the conviction; `consequence_class` is what may be published: a ground from a
-- row that no attorney reviewed is no more than possible.
--
-- When a crime involving moral turpitude is a ground: deportable for one only if a year or more could be imposed;
-- deportable for two whatever the sentence, but two counts of one case may be a single scheme; inadmissible unless it
-- is the only one, could not bring more than a year, and brought six months or less.
with answers as (
    select
        answered.question_id,
        answered.law_known,
        crimes.second_crime,
        answered.ground,
        answered.consequence_id,
        answered.depends_on,
        answered.answer,
        answered.is_reviewed and questions.is_conviction_reviewed as is_reviewed,
        questions.conviction,
        questions.max_reaches_one_year,
        questions.max_exceeds_one_year,
        questions.over_six_months,
        questions.is_sentence_assumed
    from {{ ref('int_questions__grounds_answered') }} as answered
    inner join {{ ref('int_questions__asked') }} as questions on answered.question_id = questions.question_id
    cross join (values ('other_case'), ('same_case'), ('none')) as crimes (second_crime)
),

-- the three grounds that such a crime may be, and what each turns on
turpitude as (
    select
        grounds.stands_for_it,
        grounds.ground,
        grounds.depends_on
    from (
        values
        ('cimt', 'cimt_deportable_one', 'max_one_year'),
        ('cimt', 'cimt_deportable_two', 'second_crime'),
        ('cimt', 'cimt_inadmissible', 'imposed_over_six_months')
    ) as grounds (stands_for_it, ground, depends_on)
),

resolved as (
    select
        answers.question_id,
        answers.law_known,
        answers.second_crime,
        coalesce(turpitude.ground, answers.ground) as ground,
        answers.consequence_id,
        coalesce(turpitude.depends_on, answers.depends_on) as depends_on,
        answers.conviction,
        answers.is_reviewed,
        case
            when turpitude.ground is null or answers.answer = 'no_known_ground' then answers.answer
            when turpitude.ground = 'cimt_deportable_one' and answers.max_reaches_one_year then answers.answer
            when turpitude.ground = 'cimt_deportable_one' and not answers.max_reaches_one_year then 'no_known_ground'
            when turpitude.ground = 'cimt_deportable_two' and answers.second_crime = 'other_case' then answers.answer
            when turpitude.ground = 'cimt_deportable_two' and answers.second_crime = 'none' then 'no_known_ground'
            when turpitude.ground <> 'cimt_inadmissible' then 'cannot_determine'
            when answers.second_crime <> 'none' or answers.max_exceeds_one_year then answers.answer
            when answers.over_six_months and answers.is_sentence_assumed then {{ at_most_possible('answers.answer') }}
            when answers.over_six_months then answers.answer
            when not answers.max_exceeds_one_year and not answers.over_six_months then 'no_known_ground'
            else 'cannot_determine'
        end as answer
    from answers
    -- three rows for a crime involving moral turpitude, one for any other ground
    left join turpitude on answers.ground = turpitude.stands_for_it
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

-- One row per question, state of the law, and second crime of the person: the worst of the grounds.
-- likely > possible > cannot_determine > no_known_ground > no_conviction. "No known ground" needs an answer to every
-- ground, the ones without a row too.
with ranked as (
    select
        *,
        {{ answer_rank('answer') }} as answer_rank,
        {{ answer_rank('consequence_class') }} as class_rank,
        max({{ answer_rank('answer') }}) over (partition by question_id, law_known, second_crime) as worst_rank
    from {{ ref('int_questions__consequences_by_ground') }}
)

select
    question_id,
    law_known,
    second_crime,
    {{ answer_ranked('max(answer_rank)') }} as consequence_answer,
    {{ answer_ranked('max(class_rank)') }} as consequence_class,
    min(consequence_id) filter (where answer_rank = worst_rank) as deciding_consequence_id,
    bool_and(is_reviewed) as is_reviewed,
    bool_or(depends_on = 'imposed_one_year') as is_turning_on_one_year,
    bool_or(depends_on = 'loss_over_10000') as is_turning_on_loss
from ranked
group by question_id, law_known, second_crime

-- One row per charge that is or may be a conviction, state of the law, and ground of removal.
-- `answer` is what the cited law says of this conviction; `consequence_class` is what may be published: a ground from a
-- row that no attorney reviewed is no more than possible. It runs alike for every defendant: it reads offences,
-- dispositions and sentences, and of the person only how many such convictions there are.
{{ config(materialized='table') }}

with asked as (
    select * from {{ ref('int_charges__consequences_asked') }}
),

moral_turpitude as (
    -- whether the person had another such conviction by then; two of one case may be a single scheme
    select
        asked.charge_id,
        asked.law_known,
        case
            when asked.person_id is null then 'none'
            when min(asked.case_id) over by_then <> max(asked.case_id) over by_then then 'other_case'
            when count(*) over by_then > 1 then 'same_case'
            else 'none'
        end as second_crime
    from asked
    inner join {{ ref('int_charges__grounds_answered') }} as answered
        on asked.charge_id = answered.charge_id and asked.law_known = answered.law_known
    where
        answered.ground = 'cimt'
        and answered.answer in ('possible', 'likely')
    window by_then as (
        partition by asked.person_id, asked.law_known
        order by case asked.law_known when 'as_known_then' then asked.conviction_on end nulls last
        range between unbounded preceding and current row
    )
),

answers as (
    select
        answered.*,
        asked.max_reaches_one_year,
        asked.max_exceeds_one_year,
        asked.over_six_months,
        asked.is_sentence_assumed,
        coalesce(moral_turpitude.second_crime, 'none') as second_crime
    from {{ ref('int_charges__grounds_answered') }} as answered
    inner join asked
        on answered.charge_id = asked.charge_id and answered.law_known = asked.law_known
    left join moral_turpitude
        on answered.charge_id = moral_turpitude.charge_id and answered.law_known = moral_turpitude.law_known
),

resolved as (
    {{ moral_turpitude_resolved('answers', ['charge_id', 'law_known']) }}
),

weighed as (
    select
        resolved.charge_id,
        resolved.law_known,
        asked.case_id,
        asked.person_id,
        resolved.ground,
        resolved.consequence_id,
        resolved.depends_on,
        resolved.is_reviewed and asked.is_conviction_reviewed as is_reviewed,
        {{ consequence_of('asked.conviction', 'resolved.answer') }} as answer
    from resolved
    inner join asked on resolved.charge_id = asked.charge_id and resolved.law_known = asked.law_known
)

select
    *,
    case when is_reviewed then answer else {{ at_most_possible('answer') }} end as consequence_class
from weighed

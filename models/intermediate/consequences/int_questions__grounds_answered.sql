-- One row per question, state of the law, and ground that the reference holds for the offence.
-- How the offence answers, before crimes involving moral turpitude become grounds. The row in force on the day of the
-- law for convictions of that day answers; the circuit's own comes before everybody's. A ground with rows but none in
-- force cannot be determined. What depends on a fact that is not known cannot be determined, unless both ways lead to
-- the same answer. An answer that rests on a sentence not yet passed is at most possible. The grounds without a row
-- stand together as `other_grounds`.
with held as (
    select distinct
        offence_id,
        ground
    from {{ ref('offence_consequences') }}
),

asked as (
    select
        questions.*,
        law.law_known,
        case law.law_known when 'as_known_then' then questions.conviction_period else settings.as_of_date end as law_on
    from {{ ref('int_questions__asked') }} as questions
    cross join (values ('as_known_then'), ('as_known_now')) as law (law_known)
    cross join {{ ref('stg_audit_settings') }} as settings
),

candidates as (
    select
        asked.question_id,
        asked.law_known,
        asked.is_inchoate,
        asked.is_sentence_assumed,
        held.ground,
        grounds.attempt_inherits,
        reference.consequence_id,
        reference.depends_on,
        coalesce(reference.reviewer is not null and reference.reviewed_on is not null, false) as is_reviewed,
        case when reference.answer = 'unsettled' then 'cannot_determine' else reference.answer end as answer,
        coalesce(reference.answer_otherwise, reference.answer) as answer_otherwise,
        case
            when reference.depends_on is null then true
            when reference.depends_on = 'imposed_one_year' then asked.at_least_one_year
            when reference.depends_on = 'loss_over_10000' then asked.is_loss_over_10000
            when reference.depends_on = 'prior_drug_conviction_charged' then asked.prior_pleaded
            when reference.depends_on = 'victim_domestic' then asked.is_victim_domestic
        end as is_met
    from asked
    -- each question once per ground that the reference holds for its offence
    inner join held on asked.offence_id = held.offence_id
    inner join {{ ref('removal_grounds') }} as grounds on held.ground = grounds.ground
    -- at most one row of the circuit and one of everybody: no two rows may answer one question (tested)
    left join {{ ref('offence_consequences') }} as reference
        on
            held.offence_id = reference.offence_id
            and held.ground = reference.ground
            and (reference.circuit is null or asked.circuit = reference.circuit)
            and {{ in_force('asked.conviction_period', 'reference.conviction_from', 'reference.conviction_to') }}
            and {{ in_force('asked.law_on', 'reference.as_of_from', 'reference.as_of_to') }}
    qualify row_number() over (
        partition by asked.question_id, asked.law_known, held.ground
        order by reference.circuit is null, reference.consequence_id
    ) = 1
),

found as (
    select
        *,
        case
            when consequence_id is null then 'cannot_determine'
            when is_met is null and answer <> answer_otherwise then 'cannot_determine'
            when is_met then answer
            else answer_otherwise
        end as answer_found
    from candidates
)

select
    question_id,
    law_known,
    ground,
    consequence_id,
    depends_on,
    is_reviewed,
    case
        when answer_found <> 'no_known_ground' and is_inchoate and not attempt_inherits then 'cannot_determine'
        when is_met and is_sentence_assumed and depends_on = 'imposed_one_year'
            then {{ at_most_possible('answer_found') }}
        else answer_found
    end as answer
from found
union all
select
    asked.question_id,
    asked.law_known,
    'other_grounds' as ground,
    null as consequence_id,
    null as depends_on,
    offences.reviewer is not null and offences.reviewed_on is not null as is_reviewed,
    coalesce(offences.other_grounds, 'cannot_determine') as answer
from asked
inner join {{ ref('offences') }} as offences on asked.offence_id = offences.offence_id

{#- The words in which consequences are answered, and how they combine. Unknown never becomes false. -#}

{#- Both days from which and to which something holds are days on which it holds; an open end is empty. -#}
{% macro in_force(day, first_day, last_day) -%}
    ({{ first_day }} is null or {{ first_day }} <= {{ day }}) and ({{ last_day }} is null or {{ day }} <= {{ last_day }})
{%- endmacro %}

{#- True if any is true, else unknown (NULL) if any is unknown, else false. -#}
{% macro any_true(condition) -%}
    case
        when bool_or({{ condition }}) then true
        when not bool_or(({{ condition }}) is null) then false
    end
{%- endmacro %}

{#- Worst last: an open question is graver than a known "none", a known ground is graver than an open question. -#}
{% macro answer_rank(answer) -%}
    case {{ answer }}
        when 'no_conviction' then 0
        when 'no_known_ground' then 1
        when 'cannot_determine' then 2
        when 'possible' then 3
        when 'likely' then 4
    end
{%- endmacro %}

{% macro answer_ranked(rank) -%}
    case {{ rank }}
        when 0 then 'no_conviction'
        when 1 then 'no_known_ground'
        when 2 then 'cannot_determine'
        when 3 then 'possible'
        when 4 then 'likely'
    end
{%- endmacro %}

{#- No more than possible. -#}
{% macro at_most_possible(answer) -%}
    case when {{ answer }} = 'likely' then 'possible' else {{ answer }} end
{%- endmacro %}

{#- The answer to a ground, given whether there is a conviction: `yes`, `possible`, `no` or `cannot_determine`. -#}
{% macro consequence_of(conviction, answer) -%}
    case
        when {{ conviction }} = 'no' then 'no_conviction'
        when {{ answer }} = 'no_known_ground' then 'no_known_ground'
        when {{ conviction }} = 'cannot_determine' then 'cannot_determine'
        when {{ conviction }} = 'possible' then {{ at_most_possible(answer) }}
        else {{ answer }}
    end
{%- endmacro %}

{#- felony, misdemeanor or violation_infraction; a wobbler counts as it was filed. NULL where unknown. -#}
{% macro severity_class(severity) -%}
    case
        when {{ severity }} in ('felony', 'wobbler_felony') then 'felony'
        when {{ severity }} in ('misdemeanor', 'wobbler_misdemeanor') then 'misdemeanor'
        when {{ severity }} = 'violation_infraction' then 'violation_infraction'
    end
{%- endmacro %}

{#-
    What a maximum says of a charge: an attempt is never punished more than the offence, so only a "no" carries over.
-#}
{% macro maximum_tested(test, is_inchoate) -%}
    case when {{ is_inchoate }} then nullif({{ test }}, true) else {{ test }} end
{%- endmacro %}

{#-
    One row per question and ground: how the reference answers, before crimes involving moral turpitude become grounds.

    `asked` is a relation with the columns `keys`, offence_id, circuit, conviction_on, law_on, is_inchoate,
    at_least_one_year, is_sentence_assumed, loss_amount, prior_pleaded, victim_relationship. The row in force on
    `law_on` for convictions of that day answers; the circuit's own comes before everybody's. A ground with rows but none
    in force cannot be determined. What depends on a fact that is not known cannot be determined, unless both ways lead
    to the same answer. An answer that rests on a sentence not yet passed is at most possible. The grounds without a row
    stand together as `other_grounds`.
-#}
{% macro grounds_answered(asked, keys) %}
{%- set columns -%}
    {%- for key in keys %}asked.{{ key }}, {% endfor %}
{%- endset %}
with candidates as (
    select
        {{ columns }}
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
            when reference.depends_on = 'loss_over_10000' then asked.loss_amount > 10000
            when reference.depends_on = 'prior_drug_conviction_charged' then asked.prior_pleaded
            when reference.depends_on = 'victim_domestic' and {{ is_known('asked.victim_relationship') }}
                then asked.victim_relationship = 'domestic'
        end as is_met
    from {{ asked }} as asked
    -- each question once per ground that the reference holds for its offence
    inner join (select distinct offence_id, ground from {{ ref('offence_consequences') }}) as held
        on asked.offence_id = held.offence_id
    inner join {{ ref('removal_grounds') }} as grounds on held.ground = grounds.ground
    -- at most one row of the circuit and one of everybody: no two rows may answer one question (tested)
    left join {{ ref('offence_consequences') }} as reference
        on
            held.offence_id = reference.offence_id
            and held.ground = reference.ground
            and (reference.circuit is null or asked.circuit = reference.circuit)
            and {{ in_force('asked.conviction_on', 'reference.conviction_from', 'reference.conviction_to') }}
            and {{ in_force('asked.law_on', 'reference.as_of_from', 'reference.as_of_to') }}
    qualify row_number() over (
        partition by {{ columns }} held.ground
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
    {% for key in keys %}{{ key }}, {% endfor %}
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
    {{ columns }}
    'other_grounds' as ground,
    null as consequence_id,
    null as depends_on,
    offences.reviewer is not null and offences.reviewed_on is not null as is_reviewed,
    coalesce(offences.other_grounds, 'cannot_determine') as answer
from {{ asked }} as asked
inner join {{ ref('offences') }} as offences on asked.offence_id = offences.offence_id
{% endmacro %}

{#-
    When a crime involving moral turpitude is a ground. `answers` names a CTE with the rows of `grounds_answered` and
    the columns max_reaches_one_year, max_exceeds_one_year, over_six_months, is_sentence_assumed, and second_crime
    (`other_case`, `same_case`, `none`). Returns `keys`, ground, consequence_id, depends_on, is_reviewed, answer.

    Deportable for one: only if a year or more could be imposed. Deportable for two: whatever the sentence; two counts of
    one case may be a single scheme. Inadmissible: unless it is the only one, could not bring more than a year, and
    brought six months or less.
-#}
{% macro moral_turpitude_resolved(answers, keys) %}
    {%- set columns %}
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
    {%- endset %}
    select
        {{ columns }}
        ground,
        consequence_id,
        depends_on,
        is_reviewed,
        answer
    from {{ answers }}
    where ground <> 'cimt'
    union all
    select
        {{ columns }}
        'cimt_deportable_one' as ground,
        consequence_id,
        'max_one_year' as depends_on,
        is_reviewed,
        case
            when answer = 'no_known_ground' or not max_reaches_one_year then 'no_known_ground'
            when max_reaches_one_year then answer
            else 'cannot_determine'
        end as answer
    from {{ answers }}
    where ground = 'cimt'
    union all
    select
        {{ columns }}
        'cimt_deportable_two' as ground,
        consequence_id,
        'second_crime' as depends_on,
        is_reviewed,
        case
            when answer = 'no_known_ground' or second_crime = 'none' then 'no_known_ground'
            when second_crime = 'other_case' then answer
            else 'cannot_determine'
        end as answer
    from {{ answers }}
    where ground = 'cimt'
    union all
    select
        {{ columns }}
        'cimt_inadmissible' as ground,
        consequence_id,
        'imposed_over_six_months' as depends_on,
        is_reviewed,
        case
            when answer = 'no_known_ground' then 'no_known_ground'
            when second_crime <> 'none' or max_exceeds_one_year then answer
            when over_six_months and is_sentence_assumed then {{ at_most_possible('answer') }}
            when over_six_months then answer
            when not max_exceeds_one_year and not over_six_months then 'no_known_ground'
            else 'cannot_determine'
        end as answer
    from {{ answers }}
    where ground = 'cimt'
{% endmacro %}

{#-
    One row per question: what a conviction as asked would expose to, the worst of its grounds.

    `asked` is a relation with the columns of `grounds_answered` and case_id, person_id, law_known, match_reason,
    over_six_months, max_reaches_one_year, max_exceeds_one_year. A second crime involving moral turpitude is one of
    which the same person had been convicted in another case by that day.
-#}
{% macro exposure_classified(asked, keys) %}
with answered as (
    {{ grounds_answered(asked, keys) }}
),

earlier_crimes as (
    select
        crimes.person_id,
        crimes.case_id,
        crimes.law_known,
        min(crimes.conviction_on) as convicted_on
    from {{ ref('int_charges__consequences_asked') }} as crimes
    inner join {{ ref('int_charges__grounds_answered') }} as crimes_answered
        on crimes.charge_id = crimes_answered.charge_id and crimes.law_known = crimes_answered.law_known
    where
        crimes_answered.ground = 'cimt'
        and crimes_answered.answer in ('possible', 'likely')
        and crimes.person_id is not null
    group by crimes.person_id, crimes.case_id, crimes.law_known
),

second_crimes as (
    select distinct
        {%- for key in keys %}
        asked.{{ key }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ asked }} as asked
    inner join earlier_crimes
        on
            asked.person_id = earlier_crimes.person_id
            and asked.case_id <> earlier_crimes.case_id
            and asked.law_known = earlier_crimes.law_known
            and asked.conviction_on >= earlier_crimes.convicted_on
),

answers as (
    select
        answered.*,
        asked.max_reaches_one_year,
        asked.max_exceeds_one_year,
        asked.over_six_months,
        asked.is_sentence_assumed,
        case when second_crimes.{{ keys[0] }} is null then 'none' else 'other_case' end as second_crime
    from answered
    inner join {{ asked }} as asked
        on {% for key in keys %}answered.{{ key }} = asked.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
    left join second_crimes
        on {% for key in keys %}answered.{{ key }} = second_crimes.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
),

resolved as (
    {{ moral_turpitude_resolved('answers', keys) }}
),

ranked as (
    select
        *,
        {{ answer_rank('answer') }} as answer_rank,
        {{ answer_rank('case when is_reviewed then answer else ' ~ at_most_possible('answer') ~ ' end') }} as class_rank,
        max({{ answer_rank('answer') }}) over (partition by {{ keys | join(', ') }}) as worst_rank
    from resolved
),

by_question as (
    select
        {{ keys | join(',\n        ') }},
        max(answer_rank) as answer_rank,
        max(class_rank) as class_rank,
        min(consequence_id) filter (where answer_rank = worst_rank) as deciding_consequence_id,
        bool_and(is_reviewed) as is_reviewed
    from ranked
    group by {{ keys | join(', ') }}
)

select
    {%- for key in keys %}
    asked.{{ key }},
    {%- endfor %}
    asked.case_id,
    asked.offence_id,
    asked.match_reason,
    asked.conviction_on as asked_on,
    coalesce({{ answer_ranked('by_question.answer_rank') }}, 'cannot_determine') as exposure_answer,
    coalesce({{ answer_ranked('by_question.class_rank') }}, 'cannot_determine') as exposure_class,
    coalesce(by_question.is_reviewed, false) as is_reviewed,
    by_question.deciding_consequence_id,
    asked.is_laken_riley_trigger,
    -- the reference lists an offence without known ground of the same class
    case when asked.offence_id is not null then alternatives.offence_id is not null end as has_neutral_alternative
from {{ asked }} as asked
left join by_question
    on {% for key in keys %}asked.{{ key }} = by_question.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
left join {{ ref('offences') }} as offences on asked.offence_id = offences.offence_id
-- at most one alternative per offence
left join {{ ref('offences') }} as alternatives
    on
        offences.neutral_alternatives = alternatives.offence_id
        and (alternatives.severity = 'wobbler' or alternatives.severity = asked.severity_class)
{% endmacro %}

{#-
    A diversion programme asked for a plea, or for an admission of facts in court; a programme after the plea did, if
    nothing else is said. An admission out of court may or may not be one of sufficient facts (Matter of Mohamed,
    27 I&N Dec. 92 (BIA 2017)): NULL.
-#}
{% macro admits_sufficient_facts() -%}
    coalesce(
        requires_plea or case
            when requires_admission then nullif(coalesce(admission_in_court, false), false)
            else requires_admission
        end,
        nullif(diversion_stage in ('post_plea', 'deferred_judgment'), false)
    )
{%- endmacro %}

{#- A judge ordered some punishment, penalty or restraint. Before the charge there is no judge, if nothing else is said. -#}
{% macro restrained_by_judge() -%}
    coalesce(judge_ordered_restraint, nullif(diversion_stage not in ('pre_arrest', 'pre_charge'), true))
{%- endmacro %}

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
    All that an answer of the reference turns on, `conviction_period` for the day of the conviction. Nothing of it is
    about the person: millions of charges ask some thousands of questions.
-#}
{% macro question_columns() -%}
    {{ return([
        'offence_id',
        'circuit',
        'conviction',
        'is_conviction_reviewed',
        'conviction_period',
        'is_inchoate',
        'is_loss_over_10000',
        'prior_pleaded',
        'is_victim_domestic',
        'at_least_one_year',
        'over_six_months',
        'is_sentence_assumed',
        'max_reaches_one_year',
        'max_exceeds_one_year',
    ]) }}
{%- endmacro %}

{#- Joins to `asked`, a relation with the columns of a question, the one question it asks; none without an offence. -#}
{% macro join_question(asked) -%}
    left join {{ ref('int_questions__asked') }} as questions
        on
            {%- for column in question_columns() %}
            {{ 'and ' if not loop.first }}{{ asked }}.{{ column }} is not distinct from questions.{{ column }}
            {%- endfor %}
{%- endmacro %}

{#- Joins to `asked` the one period of the reference that its conviction_on lies in; none where the day is not known. -#}
{% macro join_conviction_period(asked) -%}
    left join {{ ref('int_law_periods__bounded') }} as periods
        on {{ in_force(asked ~ '.conviction_on', 'periods.first_day', 'periods.last_day') }}
{%- endmacro %}

{#- NULL where the relationship is not known. -#}
{% macro is_domestic(relationship) -%}
    case when {{ is_known(relationship) }} then {{ relationship }} = 'domestic' end
{%- endmacro %}

{#-
    One row per row of `asked` and state of the law: what a conviction as asked would expose to, the worst of its grounds.

    `asked` is a relation with the columns `keys` and of a question, case_id, person_id, conviction_on, match_reason,
    severity_class and is_laken_riley_trigger. A second crime involving moral turpitude is one of which the same person
    had been convicted in another case by that day.
-#}
{% macro exposure_classified(asked, keys) %}
with questioned as (
    select
        {%- for key in keys %}
        asked.{{ key }},
        {%- endfor %}
        law.law_known,
        asked.case_id,
        asked.offence_id,
        asked.match_reason,
        asked.severity_class,
        asked.conviction_on,
        asked.is_laken_riley_trigger,
        questions.question_id,
        case
            when asked.case_id = crimes.first_case_id and crimes.elsewhere_on <= asked.conviction_on then 'other_case'
            when asked.case_id <> crimes.first_case_id and crimes.first_on <= asked.conviction_on then 'other_case'
            else 'none'
        end as second_crime
    from {{ asked }} as asked
    cross join (values ('as_known_then'), ('as_known_now')) as law (law_known)
    -- at most one question, and one row of the person's crimes
    {{ join_question('asked') }}
    left join {{ ref('int_persons__first_crimes_found') }} as crimes
        on asked.person_id = crimes.person_id and law.law_known = crimes.law_known
)

select
    {%- for key in keys %}
    questioned.{{ key }},
    {%- endfor %}
    questioned.law_known,
    questioned.case_id,
    questioned.offence_id,
    questioned.match_reason,
    questioned.conviction_on as asked_on,
    coalesce(classified.consequence_answer, 'cannot_determine') as exposure_answer,
    coalesce(classified.consequence_class, 'cannot_determine') as exposure_class,
    coalesce(classified.is_reviewed, false) as is_reviewed,
    classified.deciding_consequence_id,
    questioned.is_laken_riley_trigger,
    -- the reference lists an offence without known ground of the same class
    case when questioned.offence_id is not null then alternatives.offence_id is not null end as has_neutral_alternative
from questioned
-- one question to at most one answer, and to one offence
left join {{ ref('int_questions__consequence_classified') }} as classified
    on
        questioned.question_id = classified.question_id
        and questioned.law_known = classified.law_known
        and questioned.second_crime = classified.second_crime
left join {{ ref('offences') }} as offences on questioned.offence_id = offences.offence_id
-- at most one alternative per offence
left join {{ ref('offences') }} as alternatives
    on
        offences.neutral_alternatives = alternatives.offence_id
        and (alternatives.severity = 'wobbler' or alternatives.severity = questioned.severity_class)
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

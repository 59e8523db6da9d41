{#-
    The catalogue of measures, data/reference/measures.csv, made into SQL.

    A measure is written once, there: `numerator`, `denominator`, `value`, `outcome` and `stratum` are expressions over
    the columns of its `fact`. A row of the denominator whose numerator (or value) is NULL says nothing and is left out;
    how many such rows there are stands in mart_coverage. A measure without SQL needs a table that is not there yet.
-#}

{#- The groups of every fact; all counts are by these. -#}
{% macro group_columns() -%}
    {{ return(['quarter', 'race', 'citizenship', 'offence_group']) }}
{%- endmacro %}

{#- The measures of some kinds that are counted over the given facts, in the order of their ids. -#}
{% macro catalogue(mart, kinds, facts) %}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- set found = run_query(
            "select * from " ~ ref('measures') ~ " where coalesce(fact, '') <> ''"
            ~ (" and mart = '" ~ mart ~ "'" if mart else "")
            ~ " and coalesce(denominator, numerator, '') <> '' and kind in ('" ~ kinds | join("', '") ~ "') order by measure_id"
        ) -%}
        {%- set known = facts | map(attribute='identifier') | list -%}
        {%- for row in found.rows -%}
            {%- if row['fact'] not in known -%}
                {%- do exceptions.raise_compiler_error(
                    "measures.csv: " ~ row['measure_id'] ~ " is counted over [" ~ row['fact'] ~ "], which macros/facts.sql "
                    ~ "does not list for its mart. Expected one of " ~ known | join(', ')
                ) -%}
            {%- endif -%}
            {%- do rows.append(row.dict()) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do ref('measures') -%}
    {%- endif -%}
    {{ return(rows) }}
{% endmacro %}

{#- A measure's id as part of a column's name. -#}
{% macro as_name(measure) -%}
    {{ measure['measure_id'] | lower | replace('-', '_') }}
{%- endmacro %}

{#- The rows that a measure is about. A count has no denominator: its population is what it counts. -#}
{% macro population(measure) -%}
    ({{ measure['denominator'] or measure['numerator'] }})
{%- endmacro %}

{#- What a row of the population must tell to be counted. -#}
{% macro answer(measure) -%}
    ({{ (measure['numerator'] if measure['kind'] == 'rate' else measure['value']) or 'true' }})
{%- endmacro %}

{#-
    The cells of a mart: measure_id, the groups, stratum, numerator, denominator.

    Each fact is read once: one GROUP BY with a pair of FILTERed counts a measure, at the level of the groups and of
    all strata together (`finest`), from which each measure takes its sums. A measure without strata has the stratum
    ''. In a mix every row of a stratum is both numerator and denominator, so that the denominator of a mix is the sum
    over its strata. A count has no denominator: 0.
-#}
{% macro measure_cells(mart) %}
{%- set facts = facts_of(mart) -%}
{%- set measures = catalogue(mart, ['rate', 'mix', 'count'], facts) -%}
{%- set groups = group_columns() | join(', ') -%}
{%- if not measures -%}
select
    '' as measure_id, '' as quarter, '' as race, '' as citizenship, '' as offence_group, '' as stratum,
    cast(0 as bigint) as numerator, cast(0 as bigint) as denominator
where false
{%- else -%}
with
{%- for fact in facts %}
{%- set counted = measures | selectattr('fact', 'equalto', fact.identifier) | list %}
{%- if counted %}
{%- set strata = counted | map(attribute='stratum') | select | unique | list %}
{{ fact.identifier }}__finest as (
    select
        {{ groups }}
        {%- for stratum in strata %},
        coalesce(cast({{ stratum }} as string), 'not_recorded') as stratum_{{ loop.index }}
        {%- endfor %}
        {%- for measure in counted %},
        {%- if measure['kind'] == 'rate' %}
        count(*) filter (where {{ population(measure) }} and {{ answer(measure) }}) as numerator_{{ as_name(measure) }},
        {%- endif %}
        count(*) filter (where {{ population(measure) }} and {{ answer(measure) }} is not null) as denominator_{{ as_name(measure) }}
        {%- endfor %}
    from {{ fact }}
    where quarter is not null
    group by {% for _ in range(4 + strata | length) %}{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
),
{%- endif %}
{%- endfor %}
{%- for measure in measures %}
{%- set finest = measure['fact'] ~ '__finest' %}
{%- set strata = measures | selectattr('fact', 'equalto', measure['fact']) | map(attribute='stratum') | select
    | unique | list %}
{%- set stratum = 'stratum_' ~ (strata.index(measure['stratum']) + 1) if measure['stratum'] else "''" %}
{%- set name = as_name(measure) %}
{{ name }} as (
    select
        {{ groups }},
        {{ stratum }} as stratum,
        sum({{ 'numerator_' if measure['kind'] == 'rate' else 'denominator_' }}{{ name }}) as numerator,
        {{ '0' if measure['kind'] == 'count' else 'sum(denominator_' ~ name ~ ')' }} as denominator
    from {{ finest }}
    group by {{ groups }}{{ ', ' ~ stratum if measure['stratum'] }}
    having sum(denominator_{{ name }}) > 0
),
{%- endfor %}
unioned as (
    {%- for measure in measures %}
    select '{{ measure['measure_id'] }}' as measure_id, * from {{ as_name(measure) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)
select
    measure_id, {{ groups }}, stratum,
    cast(numerator as bigint) as numerator,
    cast(denominator as bigint) as denominator
from unioned
order by measure_id, {{ groups }}, stratum
{%- endif -%}
{% endmacro %}

{#-
    The values of a mart, as a histogram: measure_id, the groups, stratum, value, outcome, cases. Of a distribution
    or a total every outcome is `event`; of a time to an event it is `event`, `censored`, or the cause that came instead.
-#}
{% macro measure_values(mart) %}
{%- set facts = facts_of(mart) -%}
{%- set measures = catalogue(mart, ['distribution', 'time_to_event', 'total'], facts) -%}
{%- set groups = group_columns() | join(', ') -%}
{%- if not measures -%}
select
    '' as measure_id, '' as quarter, '' as race, '' as citizenship, '' as offence_group, '' as stratum,
    cast(0 as bigint) as value, '' as outcome, cast(0 as bigint) as cases
where false
{%- else -%}
with
{%- for measure in measures %}
{{ as_name(measure) }} as (
    select
        {{ groups }},
        {{ "coalesce(cast(" ~ measure['stratum'] ~ " as string), 'not_recorded')" if measure['stratum'] else "''" }}
            as stratum,
        cast({{ measure['value'] }} as bigint) as value,
        {{ measure['outcome'] or "'event'" }} as outcome,
        count(*) as cases
    from {% for fact in facts if fact.identifier == measure['fact'] %}{{ fact }}{% endfor %}
    where
        quarter is not null
        and {{ population(measure) }}
        and {{ answer(measure) }} is not null
        {{ 'and (' ~ measure['outcome'] ~ ') is not null' if measure['outcome'] }}
    group by 1, 2, 3, 4, 5, 6, 7
),
{%- endfor %}
unioned as (
    {%- for measure in measures %}
    select '{{ measure['measure_id'] }}' as measure_id, * from {{ as_name(measure) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)
select measure_id, {{ groups }}, stratum, value, outcome, cases
from unioned
order by measure_id, {{ groups }}, stratum, value, outcome
{%- endif -%}
{% endmacro %}

{#- Some measures, one row each: where a fact is read once for all of them. -#}
{% macro rows_of(measures) -%}
    (values {% for measure in measures %}('{{ measure['measure_id'] }}'){{ ', ' if not loop.last }}{% endfor %}) as listed (measure_id)
{%- endmacro %}

{#- The column of a listed measure, among those of all of them. -#}
{% macro by_measure(measures, column) -%}
    case listed.measure_id
        {%- for measure in measures %}
        when '{{ measure['measure_id'] }}' then {{ column }}{{ as_name(measure) }}
        {%- endfor %}
    end
{%- endmacro %}

{#-
    How much of each fact each measure counts: measure_id, population, counted, unanswered, undated, before_period,
    after_period. The population is all rows that the denominator's words describe; the others say why they are missing.
-#}
{% macro measure_coverage() %}
{%- set facts = facts_of() -%}
{%- set measures = catalogue(none, ['rate', 'mix', 'count', 'distribution', 'time_to_event', 'total'], facts) -%}
{%- if not measures -%}
select
    '' as measure_id, cast(0 as bigint) as population, cast(0 as bigint) as counted, cast(0 as bigint) as unanswered,
    cast(0 as bigint) as undated, cast(0 as bigint) as before_period, cast(0 as bigint) as after_period
where false
{%- else -%}
with
{%- for fact, counted in measures | groupby('fact') %}
{{ fact }}__counted as (
    select
        quarter is not null as is_in_period,
        uncounted_reason
        {%- for measure in counted %},
        count(*) filter (where {{ population(measure) }}) as population_{{ as_name(measure) }},
        count(*) filter (where {{ population(measure) }} and {{ answer(measure) }} is not null) as answered_{{ as_name(measure) }}
        {%- endfor %}
    from {% for one in facts if one.identifier == fact %}{{ one }}{% endfor %}
    group by 1, 2
),
{%- endfor %}
by_reason as (
    {%- for fact, counted in measures | groupby('fact') %}
    select
        listed.measure_id,
        is_in_period,
        uncounted_reason,
        {{ by_measure(counted, 'population_') }} as population,
        {{ by_measure(counted, 'answered_') }} as answered
    from {{ rows_of(counted) }}
    -- a fact without rows has no reasons
    left join {{ fact }}__counted on true
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)
select
    measure_id,
    cast(coalesce(sum(population), 0) as bigint) as population,
    cast(coalesce(sum(answered) filter (where is_in_period), 0) as bigint) as counted,
    cast(coalesce(sum(population - answered) filter (where is_in_period), 0) as bigint) as unanswered,
    cast(coalesce(sum(population) filter (where uncounted_reason = 'undated'), 0) as bigint) as undated,
    cast(coalesce(sum(population) filter (where uncounted_reason = 'before_period'), 0) as bigint) as before_period,
    cast(coalesce(sum(population) filter (where uncounted_reason = 'after_period'), 0) as bigint) as after_period
from by_reason
group by measure_id
order by measure_id
{%- endif -%}
{% endmacro %}

{#-
    How far the rows of each rate and mix hang together: measure_id, race, citizenship, stratum ('' for all strata), and
    over the persons of that cell: how many there are, and the sums of the squares of their events (k), of their cases (n),
    and of the products. A row about nobody is its own person. A part of a mix speaks of the persons with such an event; all
    its cases are in the stratum ''. `pipeline/stats/clusters.py` says what these are for.
-#}
{% macro measure_clusters(mart) %}
{%- set facts = facts_of(mart) -%}
{%- set measures = catalogue(mart, ['rate', 'mix'], facts) -%}
{%- if not measures -%}
select
    '' as measure_id, '' as race, '' as citizenship, '' as stratum, cast(0 as bigint) as persons,
    cast(0 as bigint) as events_squared, cast(0 as bigint) as events_times_cases, cast(0 as bigint) as cases_squared
where false
{%- else -%}
with
{%- for fact in facts %}
{%- set counted = measures | selectattr('fact', 'equalto', fact.identifier) | list %}
{%- if counted %}
{%- set columns = adapter.get_columns_in_relation(fact) | map(attribute='name') | list %}
{%- set key = "cast(" ~ columns[0] ~ " as string)" %}
{%- for stratum in [''] + (counted | map(attribute='stratum') | select | unique | list) %}
{{ fact.identifier }}__{{ loop.index0 }} as (
    select
        {{ "coalesce(cast(person_id as string), " ~ key ~ ")" if 'person_id' in columns else key }} as person,
        race,
        citizenship,
        {{ "coalesce(cast(" ~ stratum ~ " as string), 'not_recorded')" if stratum else "''" }} as stratum
        {%- for measure in counted if not stratum or measure['stratum'] == stratum %},
        {%- if measure['kind'] == 'rate' %}
        count(*) filter (where {{ population(measure) }} and {{ answer(measure) }}) as k_{{ as_name(measure) }},
        {%- endif %}
        count(*) filter (where {{ population(measure) }} and {{ answer(measure) }} is not null) as n_{{ as_name(measure) }}
        {%- endfor %}
    from {{ fact }}
    where quarter is not null
    group by 1, 2, 3, 4
),
{%- endfor %}
{%- endif %}
{%- endfor %}
persons as (
    {%- for fact, counted in measures | groupby('fact') %}
    {%- for stratum in [''] + (counted | map(attribute='stratum') | select | unique | list) %}
    {%- set here = counted | selectattr('stratum', 'equalto', stratum) | list if stratum else counted %}
    select
        listed.measure_id,
        part.race,
        part.citizenship,
        part.stratum,
        case listed.measure_id
            {%- for measure in here %}
            when '{{ measure['measure_id'] }}' then part.{{ 'k' if measure['kind'] == 'rate' else 'n' }}_{{ as_name(measure) }}
            {%- endfor %}
        end as events,
        case listed.measure_id
            {%- for measure in here %}
            when '{{ measure['measure_id'] }}'
                then {{ 'whole' if stratum and measure['kind'] == 'mix' else 'part' }}.n_{{ as_name(measure) }}
            {%- endfor %}
        end as cases
    from {{ fact }}__{{ loop.index0 }} as part
    cross join {{ rows_of(here) }}
    {%- if stratum and here | selectattr('kind', 'equalto', 'mix') | list %}
    -- each person and cell once
    inner join {{ fact }}__0 as whole
        on part.person = whole.person and part.race = whole.race and part.citizenship = whole.citizenship
    {%- endif %}
    where {{ by_measure(here, 'part.n_') }} > 0
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),
summed as (
    select
        measure_id,
        race,
        citizenship,
        stratum,
        count(*) as persons,
        sum(events * events) as events_squared,
        sum(events * cases) as events_times_cases,
        sum(cases * cases) as cases_squared
    from persons
    group by measure_id, race, citizenship, stratum
)
select
    measure_id,
    race,
    citizenship,
    stratum,
    cast(persons as bigint) as persons,
    cast(events_squared as bigint) as events_squared,
    cast(events_times_cases as bigint) as events_times_cases,
    cast(cases_squared as bigint) as cases_squared
from summed
order by measure_id, race, citizenship, stratum
{%- endif -%}
{% endmacro %}

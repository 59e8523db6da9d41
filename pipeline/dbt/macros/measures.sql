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
                    "measures.csv: " ~ row['measure_id'] ~ " is counted over [" ~ row['fact'] ~ "], which this model "
                    ~ "does not read. Expected one of " ~ known | join(', ')
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
{% macro measure_cells(mart, facts) %}
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
        coalesce(cast({{ stratum }} as varchar), 'not_recorded') as stratum_{{ loop.index }}
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
{% macro measure_values(mart, facts) %}
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
        {{ "coalesce(cast(" ~ measure['stratum'] ~ " as varchar), 'not_recorded')" if measure['stratum'] else "''" }}
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

{#-
    How much of each fact each measure counts: measure_id, population, counted, unanswered, undated, before_period,
    after_period. The population is all rows that the denominator's words describe; the others say why they are missing.
-#}
{% macro measure_coverage(facts) %}
{%- set measures = catalogue(none, ['rate', 'mix', 'count', 'distribution', 'time_to_event', 'total'], facts) -%}
{%- if not measures -%}
select
    '' as measure_id, cast(0 as bigint) as population, cast(0 as bigint) as counted, cast(0 as bigint) as unanswered,
    cast(0 as bigint) as undated, cast(0 as bigint) as before_period, cast(0 as bigint) as after_period
where false
{%- else -%}
with
unioned as (
    {%- for measure in measures %}
    select
        '{{ measure['measure_id'] }}' as measure_id,
        count(*) as population,
        count(*) filter (where quarter is not null and {{ answer(measure) }} is not null) as counted,
        count(*) filter (where quarter is not null and {{ answer(measure) }} is null) as unanswered,
        count(*) filter (where uncounted_reason = 'undated') as undated,
        count(*) filter (where uncounted_reason = 'before_period') as before_period,
        count(*) filter (where uncounted_reason = 'after_period') as after_period
    from {% for fact in facts if fact.identifier == measure['fact'] %}{{ fact }}{% endfor %}
    where {{ population(measure) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
)
select * from unioned
order by measure_id
{%- endif -%}
{% endmacro %}

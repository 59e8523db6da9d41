{#- The checks that the models share. Each returns the rows that break it. -#}

{#- The columns together name a row: never empty, never twice. -#}
{% test key(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}

{#- A model has as many rows as the one it comes from: no join has multiplied or lost a row. -#}
{% test as_many_rows_as(model, parent) %}
with counted as (
    select
        (select count(*) from {{ model }}) as row_count,
        (select count(*) from {{ parent }}) as parent_row_count
)

select * from counted
where row_count <> parent_row_count
{% endtest %}

{#- The groups of a fact hold what they may, and a row is either in a quarter or says why not. -#}
{% test grouped(model) %}
select
    quarter,
    uncounted_reason,
    race,
    citizenship,
    citizenship_latest,
    offence_group
from {{ model }}
where
    (quarter is null) = (uncounted_reason is null)
    or uncounted_reason not in ('undated', 'before_period', 'after_period')
    or race is null
    or race not in (
        'white', 'black', 'hispanic_latino', 'asian', 'aian', 'mena', 'nhpi', 'multiracial', 'other', 'unknown'
    )
    or citizenship is null
    or citizenship not in ('citizen', 'noncitizen', 'unknown')
    or citizenship_latest is null
    or citizenship_latest not in ('citizen', 'noncitizen', 'unknown')
    or offence_group is null
    or offence_group not in ('violent', 'property', 'drug', 'driving', 'public_order', 'other', 'unknown')
{% endtest %}

{#- What is true of every row. -#}
{% test always(model, expression) %}
select * from {{ model }}
where ({{ expression }}) is not true
{% endtest %}

{#-
    What a mix counts at its last step is what the steps multiply to: in every cell the share of all that reached `last`
    is the product of the shares of each of `stages` among those who reached the one before, counted anew in the fact.
-#}
{% test stages_multiply(model, fact, measure, last, stages) %}
{%- set groups = group_columns() | join(', ') -%}
with reached as (
    select
        {{ groups }},
        count(*) as stage_0
        {%- for stage in stages %},
        count(*) filter (where {{ stages[:loop.index] | join(' and ') }}) as stage_{{ loop.index }}
        {%- endfor %}
    from {{ fact }}
    where is_followed and quarter is not null
    group by {{ groups }}
),

multiplied as (
    select
        {{ groups }},
        {%- for stage in stages %}
        coalesce(cast(stage_{{ loop.index }} as double) / nullif(stage_{{ loop.index0 }}, 0), 0)
        {{- ' *' if not loop.last }}
        {%- endfor %} as product
    from reached
),

counted as (
    select
        {{ groups }},
        cast(sum(numerator) filter (where stratum = '{{ last }}') as double) / sum(denominator) as share
    from {{ model }}
    where measure_id = '{{ measure }}'
    group by {{ groups }}
)

select *
from multiplied
full join counted using ({{ groups }})
where abs(product - coalesce(share, 0)) > 1e-12 or product is null
{% endtest %}

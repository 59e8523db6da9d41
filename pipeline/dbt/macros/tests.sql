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

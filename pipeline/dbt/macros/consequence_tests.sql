{#- The grain: no two rows share the values of `columns`. -#}
{% test one_row_per(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

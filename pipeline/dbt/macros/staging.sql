{#- Staging: the contract's columns under their final names, once per key. -#}

{#- A table of models/contract, as dbt knows it. -#}
{% macro contract_table(table) %}
    {%- for node in graph.sources.values() if node.source_name == 'contract' and node.name == table -%}
        {%- do return(node) -%}
    {%- endfor -%}
{% endmacro %}

{#- Where a row stands among all that landed: the greatest holds. -#}
{% macro lineage() -%}
    _batch_id, _source_file, _source_row
{%- endmacro %}

{#-
    The rows of a contract table, one per key.

    A re-sent row replaces the earlier one whole: the latest batch holds, then the last row of the last file. A code
    that the office never mapped is `not_recorded`, as a blank is; other columns stay NULL. Extension columns (`x_`)
    belong to the office alone and stay behind. Lineage comes along, to go back to file and row.

    `renamed` gives another name to columns that are words of SQL, or say too little beside other tables.
-#}
{% macro latest_rows(table, renamed={}) %}
{%- set relation = source('contract', table) -%}
{%- if execute -%}
{%- set node = contract_table(table) -%}
{%- set key, same_key = [], [] -%}
{%- for name in node.config.meta.key -%}
    {%- set name = renamed.get(name, name) -%}
    {%- do key.append(name) -%}
    {%- do same_key.append('landed.' ~ name ~ ' = repeated.' ~ name) -%}
{%- endfor -%}
{%- set key, same_key = key | join(', '), same_key | join(' and ') -%}
with landed as {{ 'not materialized' if target.type == 'duckdb' }} (
    select
        {%- for name, column in node.columns.items() %}
        {% if column.config.meta.kind == 'code' -%}
        coalesce({{ adapter.quote(name) }}, 'not_recorded') as {{ renamed.get(name, name) }},
        {%- else -%}
        {{ adapter.quote(name) }} as {{ renamed.get(name, name) }},
        {%- endif -%}
        {%- endfor %}
        {{ lineage() }}
    from {{ relation }}
),

-- few keys come twice, and only their rows need to be set in order
repeated as (
    select {{ key }} from landed
    group by {{ key }}
    having count(*) > 1
)

select * from landed
anti join repeated on {{ same_key }}

union all

select * from landed
semi join repeated on {{ same_key }}
qualify row_number() over (
    partition by {{ key }}
    order by _batch_id desc, _source_file desc, _source_row desc
) = 1
{%- else -%}
select * from {{ relation }}
{%- endif -%}
{% endmacro %}

{#-
    The rows of a contract table that tells of the same key again and again, merged: each column keeps the last value
    that says something. A later blank, or a later "unknown", does not wipe out what was known.
-#}
{% macro merged_rows(table) %}
{%- set relation = source('contract', table) -%}
{%- if execute -%}
{%- set node = contract_table(table) -%}
{%- set key = node.config.meta.key -%}
select
    {%- for name, column in node.columns.items() %}
    {% if name in key -%}
    {{ name }},
    {%- elif column.config.meta.kind == 'code' -%}
    coalesce(
        max_by({{ name }}, ({{ lineage() }})) filter (where {{ is_known(name) }}),
        max_by({{ name }}, ({{ lineage() }})) filter (where {{ name }} is not null),
        'not_recorded'
    ) as {{ name }},
    {%- else -%}
    max_by({{ name }}, ({{ lineage() }})) filter (where {{ name }} is not null) as {{ name }},
    {%- endif -%}
    {%- endfor %}
    count(*) as landed_row_count
from {{ relation }}
group by {{ key | join(', ') }}
{%- else -%}
select * from {{ relation }}
{%- endif -%}
{% endmacro %}

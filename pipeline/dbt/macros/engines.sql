{#-
    What the two engines, DuckDB and Apache Spark, spell differently; everything else in the models both read alike.

    What both read and answer differently is not written at all: an order in which NULL may come says `nulls last`, a
    struct that is compared holds no NULL, `concat` takes none, no number is rounded by a cast, and where the type that
    an engine gives to a result matters, a cast states it.
-#}

{#- Whole days from one date to another. -#}
{% macro days_from(earlier, later) -%}
    {%- if target.type == 'spark' -%}
    cast(date_diff({{ later }}, {{ earlier }}) as bigint)
    {%- else -%}
    {{ later }} - {{ earlier }}
    {%- endif -%}
{%- endmacro %}

{#- Whole seconds from one timestamp to another. -#}
{% macro seconds_from(earlier, later) -%}
    {%- if target.type == 'spark' -%}
    timestampdiff(second, {{ earlier }}, {{ later }})
    {%- else -%}
    date_diff('second', {{ earlier }}, {{ later }})
    {%- endif -%}
{%- endmacro %}

{#- The day of the week, from Monday, 1, to Sunday, 7. -#}
{% macro day_of_week(day) -%}
    {%- if target.type == 'spark' -%}
    (weekday({{ day }}) + 1)
    {%- else -%}
    isodow({{ day }})
    {%- endif -%}
{%- endmacro %}

{#- The whole text is of the pattern. -#}
{% macro is_written_as(text, pattern) -%}
    {%- if target.type == 'spark' -%}
    regexp_like({{ text }}, '^(?:{{ pattern }})$')
    {%- else -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
    {%- endif -%}
{%- endmacro %}

{#- The text without all that is of the pattern. -#}
{% macro without(text, pattern) -%}
    regexp_replace({{ text }}, '{{ pattern }}', ''{{ ", 'g'" if target.type != 'spark' }})
{%- endmacro %}

{#- What the first group of a pattern found, in what is written instead. -#}
{% macro first_group() -%}
    {{ '$1' if target.type == 'spark' else '\\1' }}
{%- endmacro %}

{#- The whole numbers from 1 to a count, one row each; none where the count is missing or 0. -#}
{% macro numbers_to(count) -%}
    {%- if target.type == 'spark' -%}
    explode(case when {{ count }} >= 1 then sequence(cast(1 as bigint), cast({{ count }} as bigint)) end)
    {%- else -%}
    unnest(generate_series(1, {{ count }}))
    {%- endif -%}
{%- endmacro %}

{#- The days from the first to the last, so many units (`month`, `year`) apart, one row each, as timestamps. -#}
{% macro days_apart(first_day, last_day, count, unit) -%}
    {%- if target.type == 'spark' -%}
    explode(sequence(cast({{ first_day }} as timestamp), cast({{ last_day }} as timestamp), interval {{ count }} {{ unit }}))
    {%- else -%}
    unnest(generate_series({{ first_day }}, {{ last_day }}, interval {{ count }} {{ unit }}))
    {%- endif -%}
{%- endmacro %}

{#- The parts of a text between semicolons, one row each. -#}
{% macro parts_of(text) -%}
    {{ 'explode' if target.type == 'spark' else 'unnest' }}(split({{ text }}, ';'))
{%- endmacro %}

{#- The texts of a group in one, parted by semicolons, in the order of some columns. -#}
{% macro listed(text, order_by) -%}
    {%- if target.type == 'spark' -%}
    listagg({{ text }}, '; ') within group (order by {{ order_by }})
    {%- else -%}
    string_agg({{ text }}, '; ' order by {{ order_by }})
    {%- endif -%}
{%- endmacro %}

{#-
    The groups that every fact is counted by. They come in a pair: `groups_on` among the selected columns, `join_groups`
    behind `from`.
-#}

{#-
    What was known of a person's citizenship on a day: `citizen`, `noncitizen`, or `unknown` where nothing was on file
    yet, or statements contradict each other, or there is no day. Needs `join_groups`.
-#}
{% macro citizenship_known_on(day) -%}
    case
        when citizenship_known.first_citizen_on <= {{ day }} and citizenship_known.first_noncitizen_on <= {{ day }}
            then 'unknown'
        when citizenship_known.first_citizen_on <= {{ day }} then 'citizen'
        when citizenship_known.first_noncitizen_on <= {{ day }} then 'noncitizen'
        else 'unknown'
    end
{%- endmacro %}

{#- When a row counts. A row outside the period has no quarter, and says why. Needs the settings. -#}
{% macro quarter_of(day) -%}
    case
        when {{ day }} between audit_settings.period_from and audit_settings.period_to
            then concat(year({{ day }}), '-Q', quarter({{ day }}))
    end as quarter,
    case
        when {{ day }} is null then 'undated'
        when {{ day }} < audit_settings.period_from then 'before_period'
        when {{ day }} > audit_settings.period_to then 'after_period'
    end as uncounted_reason
{%- endmacro %}

{#- The columns. `day` is the DATE of the decision. -#}
{% macro groups_on(day) -%}
    {{ quarter_of(day) }},
    coalesce(race_rolled_up.race, 'unknown') as race,
    {{ citizenship_known_on(day) }} as citizenship,
    {{ citizenship_known_on('audit_settings.as_of_date') }} as citizenship_latest,
    coalesce(offence_groups.offence_group, 'unknown') as offence_group
{%- endmacro %}

{#- The joins: one row of settings; at most one row per person and per category, so none multiplies a row. -#}
{% macro join_groups(person_id, offence_category) -%}
    cross join {{ ref('stg_audit_settings') }} as audit_settings
    left join {{ ref('int_persons__race_rolled_up') }} as race_rolled_up on {{ person_id }} = race_rolled_up.person_id
    left join {{ ref('int_persons__citizenship_known') }} as citizenship_known
        on {{ person_id }} = citizenship_known.person_id
    left join {{ ref('offence_groups') }} as offence_groups
        on {{ offence_category }} = offence_groups.offence_category
{%- endmacro %}

{#-
    The same pair for rows about nobody, as a policy, a budget line, or a count that somebody handed over: the columns
    stand there, since all counts are by them, and nothing is known.
-#}
{% macro groups_of_nobody_on(day, offence_group="'unknown'") -%}
    {{ quarter_of(day) }},
    'unknown' as race,
    'unknown' as citizenship,
    'unknown' as citizenship_latest,
    {{ offence_group }} as offence_group
{%- endmacro %}

{% macro join_no_groups() -%}
    cross join {{ ref('stg_audit_settings') }} as audit_settings
{%- endmacro %}

{#- Which written rules of the office cover a matter. A rule is a predicate over the offence; nothing of it is about status. -#}

{#- An offence as it is written, in one word: what a rule can ask about it. -#}
{% macro offence_key(jurisdiction, law_code, section, severity, offence_category) -%}
    concat_ws(
        '|', coalesce({{ jurisdiction }}, ''), coalesce({{ law_code }}, ''), coalesce({{ section }}, ''),
        {{ severity }}, {{ offence_category }}
    )
{%- endmacro %}

{#-
    Whether a rule with this action, in force on the day, covers the offence; for a select grouped by the subject and
    joined to `policies_matched` by `join_policies`. Open (NULL) where the record does not say all that a rule asks.
-#}
{% macro covered_by_rule() -%}
    case when count(policies_matched.offence_key) = 0 then false else {{ any_true('policies_matched.is_covered') }} end
{%- endmacro %}

{#- One offence to the few policies in force on the day that cover it or may cover it. -#}
{% macro join_policies(offence_key, day, action) -%}
    left join {{ ref('int_offences__policies_matched') }} as policies_matched
        on
            {{ offence_key }} = policies_matched.offence_key
            and policies_matched.rule_action = '{{ action }}'
            and {{ day }} >= policies_matched.effective_from
            and (policies_matched.effective_to is null or {{ day }} <= policies_matched.effective_to)
{%- endmacro %}

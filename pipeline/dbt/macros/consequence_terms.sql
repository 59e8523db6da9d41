{#- How long a term is, as immigration law reads it: the unit as pronounced decides first, days are counted last. -#}

{#-
    At least one year. 365 days, 12 months and 1 year are all at the line, in a leap year too (Habibi v. Holder,
    673 F.3d 1082 (9th Cir. 2011)); 364 days are not. NULL where the term is not known.
-#}
{% macro term_reaches_one_year(value, unit) -%}
    case {{ unit }}
        when 'life' then true
        when 'years' then {{ value }} >= 1
        when 'months' then {{ value }} >= 12
        when 'days' then {{ value }} >= 365
    end
{%- endmacro %}

{#- More than one year: what a maximum must not be, for the petty offence exception. -#}
{% macro term_exceeds_one_year(value, unit) -%}
    case {{ unit }}
        when 'life' then true
        when 'years' then {{ value }} > 1
        when 'months' then {{ value }} > 12
        when 'days' then {{ value }} > 365
    end
{%- endmacro %}

{#-
    More than six months (8 USC 1182(a)(2)(A)(ii)(II)). Six months as pronounced is not more than six months. Six
    calendar months have 181 to 184 days and six months of thirty days have 180: so 180 days are never more, 185 always
    are, and 181 to 184 depend on a way of counting that the law does not give: NULL.
-#}
{% macro term_exceeds_six_months(value, unit) -%}
    case {{ unit }}
        when 'life' then true
        when 'years' then {{ value }} > 0.5
        when 'months' then {{ value }} > 6
        when 'days'
            then case
                when {{ value }} <= 180 then false
                when {{ value }} >= 185 then true
            end
    end
{%- endmacro %}

{#- What a statutory maximum, or a bound on it, says to one of these tests; NULL where the bound leaves it open. -#}
{% macro bound_tested(bound, test) -%}
    case
        when {{ bound }} = 'exact' then {{ test }}
        when {{ bound }} = 'at_least' then nullif({{ test }}, false)
        when {{ bound }} = 'at_most' then nullif({{ test }}, true)
    end
{%- endmacro %}

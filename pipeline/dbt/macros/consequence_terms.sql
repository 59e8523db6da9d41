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

{#-
    Where a term lies among those around one year, in the unit pronounced; NULL where it lies elsewhere. 364 days stay
    below the line; 365 days, twelve months and one year are at it.
-#}
{% macro term_around_one_year(value, unit) -%}
    case
        when {{ unit }} = 'days' and {{ value }} >= 360 and {{ value }} < 364 then 'days_360_to_363'
        when {{ unit }} = 'days' and {{ value }} >= 364 and {{ value }} < 365 then 'days_364'
        when {{ unit }} = 'days' and {{ value }} >= 365 and {{ value }} < 366 then 'days_365'
        when {{ unit }} = 'months' and {{ value }} = 12 then 'months_12_or_year_1'
        when {{ unit }} = 'years' and {{ value }} = 1 then 'months_12_or_year_1'
        when {{ unit }} = 'days' and {{ value }} >= 366 and {{ value }} <= 370 then 'days_366_to_370'
    end
{%- endmacro %}

{#-
    The same around six months. Six months as pronounced and 180 days are not more than six months; 181 to 184 days
    depend on a way of counting that the law does not give.
-#}
{% macro term_around_six_months(value, unit) -%}
    case
        when {{ unit }} = 'days' and {{ value }} >= 175 and {{ value }} < 180 then 'days_175_to_179'
        when {{ unit }} = 'days' and {{ value }} >= 180 and {{ value }} < 181 then 'days_180'
        when {{ unit }} = 'months' and {{ value }} = 6 then 'months_6'
        when {{ unit }} = 'years' and {{ value }} = 0.5 then 'months_6'
        when {{ unit }} = 'days' and {{ value }} >= 181 and {{ value }} < 185 then 'days_181_to_184'
        when {{ unit }} = 'days' and {{ value }} >= 185 and {{ value }} <= 190 then 'days_185_to_190'
    end
{%- endmacro %}

{#-
    The whole months of a term between nine and fifteen, pronounced as such or as the days that they last; NULL for any
    other term. 360 days are twelve times thirty, but short of a year: none.
-#}
{% macro whole_months_around_one_year(value, unit) -%}
    case
        when {{ unit }} = 'years' and {{ value }} = 1 then 12
        when {{ unit }} = 'months' and {{ value }} in (9, 10, 11, 12, 13, 14, 15) then cast({{ value }} as integer)
        when {{ unit }} <> 'days' then null
        when {{ value }} in (270, 273, 274) then 9
        when {{ value }} in (300, 304, 305) then 10
        when {{ value }} in (330, 334, 335) then 11
        when {{ value }} = 365 then 12
        when {{ value }} in (390, 395, 396) then 13
        when {{ value }} in (420, 425, 426) then 14
        when {{ value }} in (450, 456, 457) then 15
    end
{%- endmacro %}

{#-
    A term in whole days, to put terms in order and to take them apart: a year has 365, a month a twelfth of that. Never
    for a line of the law, which is drawn in the unit pronounced. NULL for life.
-#}
{% macro term_in_days(value, unit) -%}
    case {{ unit }}
        when 'years' then {{ whole(value ~ ' * 365') }}
        when 'months' then {{ whole(value ~ ' * 365 / 12') }}
        when 'days' then {{ whole(value) }}
    end
{%- endmacro %}

{#- The same in twelfths of a day, in which months are whole: to add terms up. NULL for life. -#}
{% macro term_in_twelfths_of_days(value, unit) -%}
    case {{ unit }}
        when 'years' then {{ whole(value ~ ' * 365 * 12') }}
        when 'months' then {{ whole(value ~ ' * 365') }}
        when 'days' then {{ whole(value ~ ' * 12') }}
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

{#- Small expressions that many models need, and that engines spell differently. -#}

{#- The code says something: it is none of the four unknowns of pipeline/contract.py. -#}
{% macro is_known(code) -%}
    {{ code }} not in ('not_recorded', 'recorded_unknown', 'redacted', 'unmapped')
{%- endmacro %}

{#-
    Whether a disposition is a conviction in state law: what the office itself calls it, else what its kind is. NULL where
    it says neither, and of a transfer, a mistrial and what the office calls "other", which are no end.
-#}
{% macro is_state_conviction(is_conviction_state, disposition_type) -%}
    coalesce(
        {{ is_conviction_state }},
        case
            when {{ disposition_type }} in ('plea_guilty', 'plea_nolo', 'verdict_guilty') then true
            when {{ is_known(disposition_type) }}
                and {{ disposition_type }} not in ('transferred', 'mistrial', 'other')
                then false
        end
    )
{%- endmacro %}

{#- Whether a contact is one by which ICE reaches for the person; the others are words between offices. -#}
{% macro is_reached_for(contact_type) -%}
    {{ contact_type }} in ('detainer', 'notification_request', 'interview', 'arrest', 'transfer')
{%- endmacro %}

{#- Whole days from one date or timestamp to another; NULL where either is missing or the second comes first. -#}
{% macro days_between(earlier, later) -%}
    case
        when cast({{ earlier }} as date) <= cast({{ later }} as date)
            then {{ days_from('cast(' ~ earlier ~ ' as date)', 'cast(' ~ later ~ ' as date)') }}
    end
{%- endmacro %}

{#- Whole hours begun and ended between two timestamps; NULL where either is missing or the second comes first. -#}
{% macro hours_between(earlier, later) -%}
    case
        when {{ earlier }} <= {{ later }}
            then cast(floor({{ seconds_from(earlier, later) }} / 3600) as bigint)
    end
{%- endmacro %}

{#-
    The timestamp where it is known to the minute, else NULL. Midnight means that only the day was recorded, unless the
    source says otherwise: nobody is arrested, booked or heard at 00:00:00 as often as exports say.
-#}
{% macro to_the_minute(moment, precision="'not_recorded'") -%}
    case
        when {{ precision }} = 'minute'
            or ({{ precision }} not in ('day', 'month') and {{ moment }} <> date_trunc('day', {{ moment }}))
            then {{ moment }}
    end
{%- endmacro %}

{#- Gravity of a class of offence, 3 to 1; NULL where the class is unknown. A wobbler counts as it was filed. -#}
{% macro severity_class_rank(severity) -%}
    case
        when {{ severity }} in ('felony', 'wobbler_felony') then 3
        when {{ severity }} in ('misdemeanor', 'wobbler_misdemeanor') then 2
        when {{ severity }} = 'violation_infraction' then 1
    end
{%- endmacro %}

{#- The whole part of an amount or a time, downwards: histograms have whole values. -#}
{% macro whole(amount) -%}
    cast(floor({{ amount }}) as bigint)
{%- endmacro %}

{#- The first of several codes that says something; where none does, which unknown the first of them is. -#}
{% macro first_known(codes) -%}
    case
        {%- for code in codes %}
        when {{ is_known(code) }} then {{ code }}
        {%- endfor %}
        else coalesce({{ codes | join(', ') }}, 'not_recorded')
    end
{%- endmacro %}

{#- The first day of a quarter that a table names, as 2024-Q1; NULL where it names none. -#}
{% macro first_day_of(quarter) -%}
    case
        when {{ is_written_as(quarter, '[0-9]{4}-Q[1-4]') }}
            then make_date(
                cast(left({{ quarter }}, 4) as integer), 3 * cast(right({{ quarter }}, 1) as integer) - 2, 1
            )
    end
{%- endmacro %}

{#- The day so many business days (up to five) after a day. Holidays are not known: a holiday in between makes it early. -#}
{% macro business_days_after(day, count) -%}
    case
        when {{ day_of_week(day) }} = 6 then {{ day }} + {{ count + 1 }}
        when {{ day_of_week(day) }} = 7 or {{ day_of_week(day) }} + {{ count }} <= 5 then {{ day }} + {{ count }}
        else {{ day }} + {{ count + 2 }}
    end
{%- endmacro %}

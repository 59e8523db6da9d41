{#- Which offence of the reference a charge is. -#}

{#- A code, section or subdivision without what offices write differently: (a)(1), a1, A 1; 05, 5. -#}
{% macro statute_part(text) -%}
    nullif(
        regexp_replace({{ without('lower(' ~ text ~ ')', '[^a-z0-9.]') }}, '^0+([0-9])', '{{ first_group() }}'), ''
    )
{%- endmacro %}

{#-
    The three parts of a statute in the form that they are compared in. A subdivision may stand behind the section, as in
    243(e)(1) or 459/460(b); none is ''.
-#}
{% macro statute_forms(code, section, subdivision) -%}
    {{ statute_part(code) }} as code_form,
    {{ statute_part("regexp_replace(" ~ section ~ ", '[(/].*$', '')") }} as section_form,
    coalesce(
        {{ statute_part("coalesce(" ~ subdivision ~ ", regexp_extract(" ~ section ~ ", '[(/].*$', 0))") }}, ''
    ) as subdivision_form
{%- endmacro %}

{#-
    Joins `offences` and `circuits` to a CTE with jurisdiction and the columns of `statute_forms`; no row is multiplied.
    The subdivision decides; where the reference answers for a whole section, the section is enough. A section that the
    reference holds only by subdivision is not matched without one: the record does not say which it was.
-#}
{% macro join_offence(charges) -%}
    {%- set same_section %}
        {{ charges }}.jurisdiction = {form}.jurisdiction
        and {{ charges }}.code_form = {form}.code_form
        and {{ charges }}.section_form = {form}.section_form
    {%- endset -%}
    left join {{ ref('int_offences__written_forms') }} as exact
        on {{ same_section | replace('{form}', 'exact') }}
        and {{ charges }}.subdivision_form = exact.subdivision_form
    left join {{ ref('int_offences__written_forms') }} as whole_section
        on {{ same_section | replace('{form}', 'whole_section') }}
        and {{ charges }}.subdivision_form <> ''
        and whole_section.subdivision_form = ''
    left join (
        select distinct
            jurisdiction,
            code_form,
            section_form
        from {{ ref('int_offences__written_forms') }}
    ) as known_sections
        on {{ same_section | replace('{form}', 'known_sections') }}
    left join {{ ref('offences') }} as offences
        on coalesce(exact.offence_id, whole_section.offence_id) = offences.offence_id
    left join {{ ref('circuits') }} as circuits
        on {{ charges }}.jurisdiction = circuits.jurisdiction
{%- endmacro %}

{#- Why a charge is matched or not; needs `join_offence`. -#}
{% macro match_reason(charges) -%}
    case
        when offences.offence_id is not null then 'matched'
        when
            {{ charges }}.jurisdiction is null or {{ charges }}.code_form is null or {{ charges }}.section_form is null
            then 'statute_not_recorded'
        when known_sections.section_form is null then 'not_in_reference'
        when {{ charges }}.subdivision_form = '' then 'subdivision_not_recorded'
        else 'subdivision_not_in_reference'
    end
{%- endmacro %}

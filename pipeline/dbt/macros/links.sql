{#-
    Each record of a kind (`referral_to_arrest`: each referral), and whether the one before it that it names is on file:
    record_id, link, recorded_on, person_id, offence_category, is_linked. With `by_charge` a record that
    names no case has that of its charge, and the person and offence of the case.
-#}
{% macro linked(link, records, on, of, by_charge=false) -%}
    {%- set record, to = link.split('_to_') -%}
    select
        concat('{{ record }}|', records.{{ record }}_id) as record_id,
        '{{ link }}' as link,
        records.{{ on }} as recorded_on,
        {{ 'named' if by_charge else 'records' }}.person_id,
        {{ 'named' if by_charge else 'records' }}.offence_category,
        named.{{ to }}_id is not null as is_linked
    from {{ records }} as records
    {%- if by_charge %}
    -- many records to at most one charge
    left join {{ ref('int_charges__filed_version_picked') }} as charges on records.charge_id = charges.charge_id
    {%- endif %}
    -- many records to at most one that they name
    left join {{ of }} as named
        on {{ 'coalesce(records.case_id, charges.case_id)' if by_charge else 'records.' ~ to ~ '_id' }} = named.{{ to }}_id
{%- endmacro %}

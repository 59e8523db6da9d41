{#- The facts that the measures of each mart are counted over: its own, and those of others. A new one is written down here. -#}
{% macro facts_by_mart() %}
    {{ return({
        'data_quality': [
            'mart_data_quality', 'mart_data_quality__statements', 'mart_data_quality__persons',
            'mart_data_quality__cases', 'mart_data_quality__charges', 'mart_data_quality__records'
        ],
        'charging': [
            'mart_charging', 'mart_charging__arrests', 'mart_charging__cases', 'mart_charging__charges'
        ],
        'bail': [
            'mart_bail', 'mart_bail__stays', 'mart_bail__appearances', 'mart_bail__first_appearances'
        ],
        'charge_movement': [
            'mart_charge_movement', 'mart_charge_movement__charges', 'mart_charging__charges'
        ],
        'declination': [
            'mart_declination', 'mart_declination__pending_cases', 'mart_declination__applications',
            'mart_declination__arrests', 'mart_declination__old_warrants', 'mart_declination__rules'
        ],
        'custody': [
            'mart_custody', 'mart_custody__releases', 'mart_custody__snapshots', 'mart_custody__modifications',
            'mart_charging__arrests'
        ],
        'diversion': [
            'mart_diversion', 'mart_diversion__stops', 'mart_diversion__programmes'
        ],
        'plea': [
            'mart_plea', 'mart_plea__cases', 'mart_plea__convictions'
        ],
        'sentencing': [
            'mart_sentencing', 'mart_sentencing__cases', 'mart_sentencing__charges', 'mart_sentencing__memos',
            'mart_sentencing__persons'
        ],
        'ice_contact': [
            'mart_ice_contact', 'mart_ice_contact__closed_matters', 'mart_ice_contact__probation',
            'mart_ice_contact__reported_totals', 'mart_charging__arrests', 'mart_bail__stays',
            'mart_bail__appearances'
        ],
        'post_conviction': [
            'mart_post_conviction', 'mart_post_conviction__reviews', 'mart_post_conviction__deferred_entries',
            'mart_post_conviction__clearing_events', 'mart_representation__clemency'
        ],
        'victim': [
            'mart_victim', 'mart_victim__hotline', 'mart_victim__dismissed_cases', 'mart_victim__inquiries',
            'mart_victim__reported_totals'
        ],
        'point_person': [
            'mart_point_person', 'mart_point_person__cases'
        ],
        'policy': [
            'mart_policy', 'mart_policy__in_force', 'mart_policy__coverage', 'mart_policy__versions',
            'mart_policy__training_seats', 'mart_policy__bills', 'mart_policy__findings', 'mart_policy__targets'
        ],
        'budget': [
            'mart_budget', 'mart_budget__sentences', 'mart_budget__stays', 'mart_budget__low_level_cases'
        ],
        'community': [
            'mart_community', 'mart_community__recommendations', 'mart_community__publications',
            'mart_community__reported_quarters', 'mart_community__corrections', 'mart_community__staff'
        ],
        'representation': [
            'mart_representation', 'mart_representation__fund_requests', 'mart_representation__fund_fields',
            'mart_representation__clemency'
        ],
        'federal_discretion': [
            'mart_federal_discretion', 'mart_ice_contact'
        ],
        'pipeline': [
            'mart_pipeline', 'mart_pipeline__links'
        ]
    }) }}
{% endmacro %}

{#- The facts of one mart; of all marts, each fact once. -#}
{% macro facts_of(mart=none) %}
    {%- set names = facts_by_mart()[mart] if mart else facts_by_mart().values() | sum(start=[]) | unique -%}
    {%- set facts = [] -%}
    {%- for name in names -%}
        {%- do facts.append(ref(name)) -%}
    {%- endfor -%}
    {{ return(facts) }}
{% endmacro %}

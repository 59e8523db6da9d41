{#- The facts that measures are counted over, all of them. A new one is written down here. -#}
{% macro facts_of_marts() %}
    {{ return([
        ref('mart_data_quality'), ref('mart_data_quality__statements'), ref('mart_data_quality__persons'),
        ref('mart_data_quality__cases'), ref('mart_data_quality__charges'), ref('mart_data_quality__records'),
        ref('mart_charging'), ref('mart_charging__arrests'), ref('mart_charging__cases'), ref('mart_charging__charges'),
        ref('mart_bail'), ref('mart_bail__stays'), ref('mart_bail__appearances'), ref('mart_bail__first_appearances'),
        ref('mart_charge_movement'), ref('mart_charge_movement__charges'),
        ref('mart_declination'), ref('mart_declination__pending_cases'), ref('mart_declination__applications'),
        ref('mart_declination__arrests'), ref('mart_declination__old_warrants'), ref('mart_declination__rules'),
        ref('mart_custody'), ref('mart_custody__releases'), ref('mart_custody__snapshots'),
        ref('mart_custody__modifications'),
        ref('mart_diversion'), ref('mart_diversion__stops'), ref('mart_diversion__programmes'),
        ref('mart_plea'), ref('mart_plea__cases'), ref('mart_plea__convictions'),
        ref('mart_sentencing'), ref('mart_sentencing__cases'), ref('mart_sentencing__charges'),
        ref('mart_sentencing__memos'), ref('mart_sentencing__persons'),
        ref('mart_ice_contact'), ref('mart_ice_contact__closed_matters'), ref('mart_ice_contact__probation'),
        ref('mart_ice_contact__reported_totals'),
        ref('mart_post_conviction'), ref('mart_post_conviction__reviews'),
        ref('mart_post_conviction__deferred_entries'), ref('mart_post_conviction__clearing_events'),
        ref('mart_victim'), ref('mart_victim__hotline'), ref('mart_victim__dismissed_cases'),
        ref('mart_victim__inquiries'), ref('mart_victim__reported_totals'),
        ref('mart_point_person'), ref('mart_point_person__cases'),
        ref('mart_policy'), ref('mart_policy__in_force'), ref('mart_policy__coverage'), ref('mart_policy__versions'),
        ref('mart_policy__training_seats'), ref('mart_policy__bills'), ref('mart_policy__findings'),
        ref('mart_budget'), ref('mart_budget__sentences'), ref('mart_budget__stays'),
        ref('mart_budget__low_level_cases'),
        ref('mart_community'), ref('mart_community__recommendations'), ref('mart_community__publications'),
        ref('mart_community__reported_quarters'), ref('mart_community__corrections'), ref('mart_community__staff'),
        ref('mart_representation'), ref('mart_representation__fund_requests'), ref('mart_representation__fund_fields'),
        ref('mart_representation__clemency'),
        ref('mart_federal_discretion')
    ]) }}
{% endmacro %}

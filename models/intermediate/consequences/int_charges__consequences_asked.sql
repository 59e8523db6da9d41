-- One row per charge that is or may be a conviction of an offence of the reference, and state of the law.
-- All that the answer turns on. Nothing of it is about the person.
{{ config(materialized='table') }}

select
    convictions.charge_id,
    convictions.law_known,
    convictions.case_id,
    convictions.person_id,
    convictions.conviction,
    convictions.is_reviewed as is_conviction_reviewed,
    convictions.decided_on as conviction_on,
    convictions.law_on,
    versions.offence_id,
    versions.circuit,
    versions.is_inchoate,
    versions.loss_amount,
    versions.prior_pleaded,
    versions.victim_relationship,
    terms.at_least_one_year,
    terms.over_six_months,
    false as is_sentence_assumed,
    {{ maximum_tested('maximums.reaches_one_year', 'versions.is_inchoate') }} as max_reaches_one_year,
    {{ maximum_tested('maximums.exceeds_one_year', 'versions.is_inchoate') }} as max_exceeds_one_year
from {{ ref('int_charges__conviction_decided') }} as convictions
inner join {{ ref('int_charge_versions__offence_matched') }} as versions
    on convictions.charge_id = versions.charge_id and convictions.version_no = versions.version_no
left join {{ ref('int_charges__term_tested') }} as terms
    on convictions.charge_id = terms.charge_id and convictions.law_known = terms.law_known
-- one conviction to at most one maximum of its offence, class and day
left join {{ ref('int_offences__maximum_resolved') }} as maximums
    on
        versions.offence_id = maximums.offence_id
        and versions.severity_class = maximums.severity_class
        and {{ in_force('convictions.decided_on', 'maximums.conviction_from', 'maximums.conviction_to') }}
where
    convictions.conviction <> 'no'
    and versions.offence_id is not null

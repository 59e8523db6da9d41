-- One row per charge that is or may be a conviction of an offence of the reference, and state of the law.
-- All that the answer turns on. Nothing of it is about the person.
{{ config(materialized='table') }}

with convictions as (
    select
        *,
        decided_on as conviction_on
    from {{ ref('int_charges__conviction_decided') }}
    where conviction <> 'no'
)

select
    convictions.charge_id,
    convictions.law_known,
    convictions.case_id,
    convictions.person_id,
    convictions.conviction_on,
    versions.offence_id,
    versions.circuit,
    convictions.conviction,
    convictions.is_reviewed as is_conviction_reviewed,
    periods.day_within as conviction_period,
    versions.is_inchoate,
    versions.loss_amount > 10000 as is_loss_over_10000,
    versions.prior_pleaded,
    {{ is_domestic('versions.victim_relationship') }} as is_victim_domestic,
    terms.at_least_one_year,
    terms.over_six_months,
    false as is_sentence_assumed,
    {{ maximum_tested('maximums.reaches_one_year', 'versions.is_inchoate') }} as max_reaches_one_year,
    {{ maximum_tested('maximums.exceeds_one_year', 'versions.is_inchoate') }} as max_exceeds_one_year
from convictions
-- one conviction to at most one version, and to at most one row of its terms
inner join {{ ref('int_charge_versions__offence_matched') }} as versions
    on convictions.charge_id = versions.charge_id and convictions.version_no = versions.version_no
left join {{ ref('int_charges__term_tested') }} as terms
    on convictions.charge_id = terms.charge_id and convictions.law_known = terms.law_known
-- one conviction to at most one period, and to at most one maximum of its offence, class and day
{{ join_conviction_period('convictions') }}
left join {{ ref('int_offences__maximum_resolved') }} as maximums
    on
        versions.offence_id = maximums.offence_id
        and versions.severity_class = maximums.severity_class
        and {{ in_force('convictions.conviction_on', 'maximums.conviction_from', 'maximums.conviction_to') }}
where versions.offence_id is not null

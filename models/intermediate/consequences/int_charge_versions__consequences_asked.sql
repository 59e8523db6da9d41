-- One row per version of a charge that is an offence: all that its exposure turns on.
-- As if convicted on the day of the version, of the gravest sentence that the class of the offence allows.
with asked as (
    select
        versions.*,
        cases.person_id,
        coalesce(versions.version_on, cases.filed_on) as conviction_on
    from {{ ref('int_charge_versions__offence_matched') }} as versions
    left join {{ ref('stg_cases') }} as cases on versions.case_id = cases.case_id
)

select
    asked.charge_id,
    asked.version_no,
    asked.case_id,
    asked.person_id,
    asked.conviction_on,
    asked.match_reason,
    asked.severity_class,
    asked.is_laken_riley_trigger,
    asked.offence_id,
    asked.circuit,
    'yes' as conviction,
    true as is_conviction_reviewed,
    periods.day_within as conviction_period,
    asked.is_inchoate,
    asked.loss_amount > 10000 as is_loss_over_10000,
    asked.prior_pleaded,
    {{ is_domestic('asked.victim_relationship') }} as is_victim_domestic,
    true as is_sentence_assumed,
    {{ maximum_tested('maximums.reaches_one_year', 'asked.is_inchoate') }} as at_least_one_year,
    {{ maximum_tested('maximums.exceeds_six_months', 'asked.is_inchoate') }} as over_six_months,
    {{ maximum_tested('maximums.reaches_one_year', 'asked.is_inchoate') }} as max_reaches_one_year,
    {{ maximum_tested('maximums.exceeds_one_year', 'asked.is_inchoate') }} as max_exceeds_one_year
from asked
-- one version to at most one period, and to at most one maximum of its offence, class and day
{{ join_conviction_period('asked') }}
left join {{ ref('int_offences__maximum_resolved') }} as maximums
    on
        asked.offence_id = maximums.offence_id
        and asked.severity_class = maximums.severity_class
        and {{ in_force('asked.conviction_on', 'maximums.conviction_from', 'maximums.conviction_to') }}

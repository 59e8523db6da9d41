-- One row per version of a charge that is an offence, and state of the law: all that its exposure turns on.
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
    asked.*,
    law.law_known,
    case law.law_known when 'as_known_then' then asked.conviction_on else settings.as_of_date end as law_on,
    true as is_sentence_assumed,
    {{ maximum_tested('maximums.reaches_one_year', 'asked.is_inchoate') }} as at_least_one_year,
    {{ maximum_tested('maximums.exceeds_six_months', 'asked.is_inchoate') }} as over_six_months,
    {{ maximum_tested('maximums.reaches_one_year', 'asked.is_inchoate') }} as max_reaches_one_year,
    {{ maximum_tested('maximums.exceeds_one_year', 'asked.is_inchoate') }} as max_exceeds_one_year
from asked
cross join (values ('as_known_then'), ('as_known_now')) as law (law_known)
cross join {{ ref('stg_audit_settings') }} as settings
-- one version to at most one maximum of its offence, class and day
left join {{ ref('int_offences__maximum_resolved') }} as maximums
    on
        asked.offence_id = maximums.offence_id
        and asked.severity_class = maximums.severity_class
        and {{ in_force('asked.conviction_on', 'maximums.conviction_from', 'maximums.conviction_to') }}

-- One row per offence brought to court.
with charges as (
    select
        charges.charge_id,
        cases.case_id,
        cases.person_id,
        cases.filed_on,
        charges.offence_category,
        exposures.match_reason,
        exposures.is_reviewed,
        exposures.deciding_consequence_id,
        reference.review_after,
        reference.as_of_to
    from {{ ref('int_charges__filed_version_picked') }} as charges
    -- many charges to exactly one case; one version to exactly one answer by the law of its day
    inner join {{ ref('int_cases__offence_picked') }} as cases on charges.case_id = cases.case_id
    inner join {{ ref('int_charge_versions__exposure_classified') }} as exposures
        on
            charges.charge_id = exposures.charge_id
            and charges.version_no = exposures.version_no
            and exposures.law_known = 'as_known_then'
    -- many answers to at most one row of the reference
    left join {{ ref('offence_consequences') }} as reference
        on exposures.deciding_consequence_id = reference.consequence_id
)

select
    charges.charge_id,
    charges.case_id,
    charges.person_id,
    charges.filed_on,
    {{ groups_on('charges.filed_on') }},
    charges.match_reason,
    charges.is_reviewed,
    charges.deciding_consequence_id is not null as is_answered,
    -- by the day of the export the row was to be looked at again, or another had taken its place
    coalesce(charges.review_after < audit_settings.as_of_date, false)
    or coalesce(charges.as_of_to < audit_settings.as_of_date, false) as is_review_overdue
from charges
{{ join_groups('charges.person_id', 'charges.offence_category') }}

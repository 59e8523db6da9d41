-- One row per allegation referred to the office or brought to court.
with allegations as (
    select
        compared.*,
        exposures.exposure_class,
        exposures.has_neutral_alternative,
        units.unit_label
    from {{ ref('int_charges__filing_compared') }} as compared
    -- one filed charge to at most one answer by the law of its day, many to at most one unit
    left join {{ ref('int_charge_versions__exposure_classified') }} as exposures
        on
            compared.filed_charge_id = exposures.charge_id
            and compared.filed_version_no = exposures.version_no
            and exposures.law_known = 'as_known_then'
    left join {{ ref('int_units__labelled') }} as units on compared.prosecutor_unit = units.prosecutor_unit
)

select
    allegations.allegation_id,
    allegations.case_id,
    allegations.referral_id,
    allegations.person_id,
    allegations.decided_on,
    {{ groups_on('allegations.decided_on') }},
    allegations.is_referred,
    allegations.is_filed,
    allegations.movement,
    case
        when allegations.movement <> 'unknown' then allegations.movement = 'filed_as_referred'
    end as is_filed_as_referred,
    allegations.filed_severity in ('wobbler_felony', 'wobbler_misdemeanor') as is_wobbler,
    allegations.filed_severity = 'wobbler_felony' as is_filed_as_felony,
    case
        when allegations.exposure_class <> 'cannot_determine' then allegations.exposure_class in ('possible', 'likely')
    end as is_exposed,
    allegations.has_neutral_alternative,
    allegations.unit_label,
    coalesce(allegations.reasoned_amendment_count > 0, false) as is_amended_with_reason,
    coalesce(allegations.immigration_language_amendment_count > 0, false) as is_immigration_language_struck
from allegations
{{ join_groups('allegations.person_id', 'allegations.offence_category') }}

-- One row per allegation referred to the office or brought to court.
with allegations as (
    select * from {{ ref('int_charges__filing_compared') }}
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
    coalesce(allegations.reasoned_amendment_count > 0, false) as is_amended_with_reason,
    coalesce(allegations.immigration_language_amendment_count > 0, false) as is_immigration_language_struck
from allegations
{{ join_groups('allegations.person_id', 'allegations.offence_category') }}

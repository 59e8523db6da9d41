-- One row per charge brought to court.
-- The version as it was filed; where the export does not hold that one, the earliest that stood in court. A charge that
-- was only arrested for or referred was not brought.
with ranked as (
    select
        *,
        row_number() over (partition by charge_id order by (stage = 'filed') desc, version_no) as place
    from {{ ref('stg_charges') }}
    where
        case_id is not null
        and stage not in ('arrested', 'referred')
)

select
    charge_id,
    case_id,
    version_no,
    jurisdiction,
    law_code,
    section,
    subdivision,
    severity,
    severity_rank,
    {{ severity_class_rank('severity') }} as severity_class_rank,
    offence_category,
    is_primary,
    is_enhancement,
    prior_pleaded
from ranked
where place = 1

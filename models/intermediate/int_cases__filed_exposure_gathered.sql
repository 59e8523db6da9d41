-- One row per case with a charge brought to court: the gravest exposure of its charges as filed, by the law then known.
with versions as (
    select
        filed.case_id,
        {{ answer_rank('exposures.exposure_class') }} as class_rank
    from {{ ref('int_charges__filed_version_picked') }} as filed
    -- one version to its one exposure; an enhancement has none
    inner join {{ ref('int_charge_versions__exposure_classified') }} as exposures
        on filed.charge_id = exposures.charge_id and filed.version_no = exposures.version_no
    where exposures.law_known = 'as_known_then'
)

select
    case_id,
    {{ answer_ranked('max(class_rank)') }} as exposure_class
from versions
group by case_id

-- One row per case with an offence brought to court.
-- What a conviction as filed would expose to, by the law of that day: the worst of its charges. An open question is
-- graver than "no known ground", a possible ground is graver than an open question.
select
    charges.case_id,
    {{ answer_ranked('max(' ~ answer_rank('exposures.exposure_class') ~ ')') }} as exposure_class,
    -- the list of the statute names offences; what is not named in the reference is not decided
    bool_or(exposures.is_laken_riley_trigger is true) as has_charge_alone_trigger
from {{ ref('int_charges__filed_version_picked') }} as charges
-- one version to at most one answer by the law of its day
inner join {{ ref('int_charge_versions__exposure_classified') }} as exposures
    on
        charges.charge_id = exposures.charge_id
        and charges.version_no = exposures.version_no
        and exposures.law_known = 'as_known_then'
group by charges.case_id

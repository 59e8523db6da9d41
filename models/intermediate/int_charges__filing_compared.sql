-- One row per allegation referred to the office or brought to court.
-- What the office made of it: referred against filed, by class and by section of law. `unknown` where class, section or
-- the code of law are missing on one side; no answer (NULL) where no final decision on the matter is on file, or
-- nothing was on file as referred in it: a filed charge alone would always look accepted.
with versions as (
    select
        coalesce(lineage_id, charge_id) as allegation_id,
        charge_id,
        version_no,
        stage,
        referral_id,
        case_id,
        law_code,
        section,
        subdivision,
        severity,
        severity_rank,
        offence_category,
        amend_reason
    from {{ ref('stg_charges') }}
    where stage in ('referred', 'filed', 'amended')
),

referred as (
    select
        allegation_id,
        referral_id,
        case_id,
        law_code,
        section,
        subdivision,
        severity_rank,
        {{ severity_class_rank('severity') }} as severity_class_rank,
        offence_category
    from versions
    where stage = 'referred'
    qualify row_number() over (partition by allegation_id order by version_no desc, charge_id asc) = 1
),

filed as (
    select
        allegation_id,
        charge_id,
        version_no,
        case_id,
        law_code,
        section,
        subdivision,
        severity,
        severity_rank,
        {{ severity_class_rank('severity') }} as severity_class_rank,
        offence_category
    from versions
    where stage = 'filed'
    qualify row_number() over (partition by allegation_id order by version_no, charge_id) = 1
),

amendments as (
    select
        allegation_id,
        count(*) filter (where {{ is_known('amend_reason') }}) as reasoned_count,
        count(*) filter (where amend_reason = 'immigration_language') as immigration_language_count
    from versions
    where stage = 'amended'
    group by allegation_id
),

paired as (
    select
        coalesce(filed.allegation_id, referred.allegation_id) as allegation_id,
        coalesce(filed.case_id, referred.case_id) as case_id,
        referred.referral_id,
        referred.allegation_id is not null as is_referred,
        filed.allegation_id is not null as is_filed,
        filed.charge_id as filed_charge_id,
        filed.version_no as filed_version_no,
        filed.severity as filed_severity,
        coalesce(referred.offence_category, filed.offence_category) as offence_category,
        case
            when referred.severity_rank is not null and filed.severity_rank is not null
                then cast(sign(filed.severity_rank - referred.severity_rank) as tinyint)
            else cast(sign(filed.severity_class_rank - referred.severity_class_rank) as tinyint)
        end as severity_change,
        case
            when referred.section <> filed.section or referred.law_code <> filed.law_code then false
            -- a code that one side leaves out leaves open which law's section it is; so does a section
            when referred.section is null or filed.section is null then null
            when (referred.law_code is null) <> (filed.law_code is null) then null
            -- the police often name no subdivision, which makes the section no other
            else coalesce(referred.subdivision = filed.subdivision, true)
        end as is_same_section
    from filed
    full outer join referred on filed.allegation_id = referred.allegation_id
),

matters as (
    -- a filed allegation carries no referral of its own: its case does
    select
        paired.*,
        coalesce(paired.referral_id, cases.referral_id) as matter_id,
        cases.person_id,
        cases.filed_on,
        cases.offence_category as case_offence_category
    from paired
    -- many allegations to at most one case
    left join {{ ref('int_cases__offence_picked') }} as cases on paired.case_id = cases.case_id
),

matters_with_referred_charges as (
    select distinct matter_id from matters
    where is_referred
)

select
    matters.allegation_id,
    matters.case_id,
    matters.matter_id as referral_id,
    coalesce(matters.person_id, referrals.person_id) as person_id,
    coalesce(referrals.decided_on, matters.filed_on) as decided_on,
    coalesce(referrals.offence_category, matters.case_offence_category, matters.offence_category) as offence_category,
    matters.is_referred,
    matters.is_filed,
    matters.filed_charge_id,
    matters.filed_version_no,
    matters.filed_severity,
    referrals.prosecutor_unit,
    case
        when coalesce(referrals.decision, 'pending') not in ('filed', 'declined', 'diverted') then null
        when matters.is_filed and matters.is_referred
            then case
                when matters.severity_change > 0 then 'raised'
                when matters.severity_change < 0 then 'lowered'
                when matters.severity_change = 0 and matters.is_same_section then 'filed_as_referred'
                when matters.severity_change = 0 and not matters.is_same_section then 'changed_in_class'
                else 'unknown'
            end
        when matters.is_referred then 'dropped'
        when matters_with_referred_charges.matter_id is not null then 'added'
    end as movement,
    amendments.reasoned_count as reasoned_amendment_count,
    amendments.immigration_language_count as immigration_language_amendment_count
from matters
-- many allegations to at most one referral
left join {{ ref('int_referrals__offence_picked') }} as referrals on matters.matter_id = referrals.referral_id
-- many allegations to at most one row of their matter
left join matters_with_referred_charges on matters.matter_id = matters_with_referred_charges.matter_id
-- one allegation to at most one row of amendments
left join amendments on matters.allegation_id = amendments.allegation_id

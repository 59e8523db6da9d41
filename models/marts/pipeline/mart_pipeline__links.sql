-- One row per record that should name the one before it: what it is, and whether that one is on file.
with cases as (
    select
        case_id,
        person_id,
        offence_category
    from {{ ref('int_cases__offence_picked') }}
),

charges as (
    select * from {{ ref('int_charges__filed_version_picked') }}
),

records as (
    select
        concat('referral|', referrals.referral_id) as record_id,
        'referral_to_arrest' as link,
        referrals.received_on as recorded_on,
        referrals.person_id,
        referrals.offence_category,
        arrests.arrest_id is not null as is_linked
    from {{ ref('int_referrals__offence_picked') }} as referrals
    -- many referrals to at most one arrest
    left join {{ ref('stg_arrests') }} as arrests on referrals.arrest_id = arrests.arrest_id

    union all

    select
        concat('case|', cases.case_id) as record_id,
        'case_to_referral' as link,
        cases.filed_on as recorded_on,
        cases.person_id,
        cases.offence_category,
        referrals.referral_id is not null as is_linked
    from {{ ref('int_cases__offence_picked') }} as cases
    -- many cases to at most one referral
    left join {{ ref('stg_referrals') }} as referrals on cases.referral_id = referrals.referral_id

    union all

    select
        concat('stay|', stays.stay_id) as record_id,
        'stay_to_case' as link,
        stays.booked_on as recorded_on,
        stays.person_id,
        stays.offence_category,
        cases.case_id is not null as is_linked
    from {{ ref('int_custody_stays__offence_picked') }} as stays
    -- many stays to at most one case
    left join cases on stays.case_id = cases.case_id

    union all

    select
        concat('disposition|', dispositions.disposition_id) as record_id,
        'disposition_to_case' as link,
        dispositions.disposed_on as recorded_on,
        cases.person_id,
        cases.offence_category,
        cases.case_id is not null as is_linked
    from {{ ref('stg_dispositions') }} as dispositions
    -- many dispositions to at most one charge, and that to at most one case
    left join charges on dispositions.charge_id = charges.charge_id
    left join cases on coalesce(dispositions.case_id, charges.case_id) = cases.case_id

    union all

    select
        concat('sentence|', sentences.sentence_id) as record_id,
        'sentence_to_case' as link,
        sentences.sentenced_on as recorded_on,
        cases.person_id,
        cases.offence_category,
        cases.case_id is not null as is_linked
    from {{ ref('stg_sentences') }} as sentences
    -- many sentences to at most one charge, and that to at most one case
    left join charges on sentences.charge_id = charges.charge_id
    left join cases on coalesce(sentences.case_id, charges.case_id) = cases.case_id
)

select
    records.record_id,
    records.person_id,
    records.recorded_on,
    {{ groups_on('records.recorded_on') }},
    records.link,
    records.is_linked
from records
{{ join_groups('records.person_id', 'records.offence_category') }}

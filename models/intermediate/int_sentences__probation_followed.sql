-- One row per sentence to probation.
-- What the probation department told ICE in the year after it, and whether ICE made an arrest at its office.
with sentences as (
    select
        sentences.sentence_id,
        cases.person_id,
        sentences.sentenced_on,
        cases.offence_category
    from {{ ref('stg_sentences') }} as sentences
    -- many sentences to at most one charge, and that to at most one case
    left join {{ ref('int_charges__filed_version_picked') }} as charges on sentences.charge_id = charges.charge_id
    left join {{ ref('int_cases__offence_picked') }} as cases
        on coalesce(sentences.case_id, charges.case_id) = cases.case_id
    where
        sentences.sentence_type = 'probation'
        or sentences.probation_months > 0
),

contacts as (
    select
        sentences.sentence_id,
        count(*) filter (
            where contacts.initiator = 'probation' and contacts.direction = 'outbound'
        ) > 0 as is_told_to_ice,
        count(*) filter (
            where contacts.contact_type = 'arrest' and contacts.location_type = 'probation_office'
        ) > 0 as is_arrested_at_probation
    from sentences
    -- many to many by person: gathered again by sentence
    inner join {{ ref('int_ice_contacts__person_found') }} as contacts
        on
            sentences.person_id = contacts.person_id
            and cast(contacts.contact_at as date) between sentences.sentenced_on and sentences.sentenced_on + 365
    where contacts.at_precision <> 'month'
    group by sentences.sentence_id
)

select
    sentences.*,
    coalesce(contacts.is_told_to_ice, false) as is_told_to_ice,
    coalesce(contacts.is_arrested_at_probation, false) as is_arrested_at_probation
from sentences
-- one sentence to at most one row
left join contacts on sentences.sentence_id = contacts.sentence_id

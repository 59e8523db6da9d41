-- One row per case with a sentence.
-- Days in jail before the sentence, in the stays that name the case, and days to serve by it. Sentences as first
-- pronounced: those that are served together count once, the others one after the other; where one of several does not
-- say, they may be either, and the answer is open (NULL) unless both ways lead to the same.
with sentences as (
    select
        coalesce(sentences.case_id, charges.case_id) as case_id,
        sentences.sentenced_on,
        sentences.concurrent_group,
        -- a sentence that pronounces no term has no days to serve
        case
            when sentences.executed_days is not null then sentences.executed_days
            when
                sentences.imposed_value is null
                and sentences.sentence_type in ('probation', 'fine', 'community_service')
                then 0
        end as days_to_serve
    from {{ ref('stg_sentences') }} as sentences
    -- many sentences to at most one charge
    left join {{ ref('int_charges__filed_version_picked') }} as charges on sentences.charge_id = charges.charge_id
    where sentences.modified_from is null
),

together as (
    select
        case_id,
        concurrent_group,
        min(sentenced_on) as sentenced_on,
        case when concurrent_group is null then sum(days_to_serve) else max(days_to_serve) end as days_at_most,
        max(days_to_serve) as days_at_least,
        count(*) = count(days_to_serve) as is_known
    from sentences
    where case_id is not null
    group by case_id, concurrent_group
),

terms as (
    select
        case_id,
        min(sentenced_on) as sentenced_on,
        case when bool_and(is_known) then sum(days_at_most) end as days_at_most,
        case
            when not bool_and(is_known) then null
            -- those that do not say may be served with any other
            when bool_or(concurrent_group is null) then max(days_at_least)
            else sum(days_at_least)
        end as days_at_least
    from together
    group by case_id
),

stays as (
    select
        terms.case_id,
        case
            -- a stay that ended on an unknown day may have ended before the sentence or after it
            when stays.released_on is not null or stays.release_type is null
                then {{ days_between('stays.booked_on', 'least(stays.released_on, terms.sentenced_on)') }}
        end as days
    from terms
    -- one case to many stays
    inner join {{ ref('int_custody_stays__offence_picked') }} as stays
        on
            terms.case_id = stays.case_id
            and terms.sentenced_on > stays.booked_on
),

jail as (
    select
        case_id,
        case when count(*) = count(days) then sum(days) end as days
    from stays
    group by case_id
)

select
    terms.case_id,
    terms.sentenced_on,
    case when jail.case_id is null then 0 else jail.days end as jail_days,
    case when terms.days_at_least = terms.days_at_most then terms.days_at_most end as days_to_serve
from terms
-- one case to at most one row
left join jail on terms.case_id = jail.case_id

-- One row per person sentenced for two or more convictions: do the terms come to five years (8 USC 1182(a)(2)(B))?
-- Suspended time counts. Sentences served together count by the longest of them, the others one after another (Matter
-- of Fernandez, 14 I&N Dec. 24 (BIA 1972)). A sentence without a mark may be served with any other: it is tried both
-- ways, and where they differ, or a term is not on file, the answer is open (NULL).
with terms as (
    select
        convictions.person_id,
        convictions.charge_id,
        convictions.decided_on,
        sentences.term_unit = 'life' as is_life,
        -- a month is no whole number of days, and three times twenty months are five years
        case sentences.kind
            when 'custody' then {{ term_in_twelfths_of_days('sentences.term_value', 'sentences.term_unit') }}
            when 'no_custody' then 0
        end as twelfths,
        -- a mark says something within its case alone
        case
            when sentences.concurrent_group is not null
                then concat(convictions.case_id, '|', sentences.concurrent_group)
        end as served_together
    from {{ ref('int_charges__conviction_decided') }} as convictions
    -- one conviction to each of its sentences as first pronounced
    inner join {{ ref('int_sentences__term_read') }} as sentences on convictions.charge_id = sentences.charge_id
    where
        convictions.law_known = 'as_known_then'
        and convictions.conviction = 'yes'
        and convictions.person_id is not null
        and sentences.modified_from is null
),

together as (
    -- a sentence without a mark stands alone, by its charge
    select
        person_id,
        served_together,
        max(twelfths) as twelfths,
        bool_or(coalesce(is_life, false)) as is_life,
        bool_or(twelfths is null and is_life is not true) as has_open_term,
        max(decided_on) as last_decided_on
    from terms
    group by person_id, served_together, case when served_together is null then charge_id end
),

counted as (
    select
        person_id,
        count(distinct charge_id) as conviction_count
    from terms
    group by person_id
),

added as (
    select
        person_id,
        max(last_decided_on) as last_decided_on,
        bool_or(is_life) as is_life,
        bool_or(has_open_term) as has_open_term,
        coalesce(sum(twelfths), 0) as most_twelfths,
        greatest(
            coalesce(sum(twelfths) filter (where served_together is not null), 0),
            coalesce(max(twelfths) filter (where served_together is null), 0)
        ) as fewest_twelfths
    from together
    group by person_id
)

select
    added.person_id,
    added.last_decided_on,
    counted.conviction_count,
    -- one number only where both ways to read the record lead to it
    case
        when not added.is_life and not added.has_open_term and added.fewest_twelfths = added.most_twelfths
            then {{ whole('added.most_twelfths / 12') }}
    end as added_days,
    case
        when added.is_life or added.fewest_twelfths >= 5 * 365 * 12 then true
        when added.most_twelfths < 5 * 365 * 12 and not added.has_open_term then false
    end as reaches_five_years
from added
inner join counted on added.person_id = counted.person_id
where counted.conviction_count >= 2

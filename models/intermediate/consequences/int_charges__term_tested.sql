-- One row per sentenced charge and state of the law: is the term pronounced at or over the lines of the statute?
-- A suspended term counts (8 USC 1101(a)(48)(B)). A test is NULL where the record does not say.
--
-- As known then, the sentences first pronounced count. As known now, a later order takes the place of the sentence it
-- changed if it cured a defect (Matter of Thomas and Thompson, 27 I&N Dec. 674 (A.G. 2019)), corrected a mistake on the
-- face, or was made by 25 October 2019 and so asked for by then (8 CFR 1003.55); changed for rehabilitation or to spare
-- immigration consequences after that day, the first sentence still counts. Where no reason is recorded, both are
-- tried.
{{ config(materialized='table') }}

with tested as (
    select * from {{ ref('int_sentences__term_read') }}
),

judged as (
    -- only custody is a term of imprisonment; a term of an unknown kind is below a line if its length is
    select
        *,
        case kind
            when 'custody' then reaches_one_year
            when 'no_custody' then false
            when 'kind_not_recorded' then nullif(reaches_one_year, true)
        end as at_least_one_year,
        case kind
            when 'custody' then exceeds_six_months
            when 'no_custody' then false
            when 'kind_not_recorded' then nullif(exceeds_six_months, true)
        end as over_six_months
    from tested
),

changes as (
    -- whether a later order has effect; NULL where its reason is not recorded
    select
        sentence_id,
        modified_from,
        case
            when modified_reason in ('legal_defect', 'clerical') or sentenced_on <= date '2019-10-25' then true
            when modified_reason in ('rehabilitation_immigration', 'other') then false
        end as has_effect
    from tested
    where modified_from is not null
),

replaced as (
    select
        modified_from as sentence_id,
        bool_or(coalesce(has_effect, false)) as is_displaced,
        bool_or(has_effect is null) as may_be_displaced
    from changes
    group by modified_from
),

standing as (
    select
        judged.*,
        case
            when not changes.has_effect or replaced.is_displaced then 'displaced'
            when (changes.sentence_id is not null and changes.has_effect is null) or replaced.may_be_displaced
                then 'may_stand'
            else 'stands'
        end as standing
    from judged
    -- one sentence to at most one change that it made
    left join changes on judged.sentence_id = changes.sentence_id
    -- one sentence to at most one row of the changes made to it
    left join replaced on judged.sentence_id = replaced.sentence_id
),

counted as (
    select
        'as_known_then' as law_known,
        charge_id,
        'stands' as standing,
        at_least_one_year,
        over_six_months
    from judged
    where modified_from is null
    union all
    select
        'as_known_now' as law_known,
        charge_id,
        standing,
        at_least_one_year,
        over_six_months
    from standing
    where standing <> 'displaced'
)

select
    charge_id,
    law_known,
    case
        when bool_or(at_least_one_year and standing = 'stands') then true
        when bool_and(at_least_one_year is not distinct from true) then true
        when bool_and(at_least_one_year is not distinct from false) then false
    end as at_least_one_year,
    case
        when bool_or(over_six_months and standing = 'stands') then true
        when bool_and(over_six_months is not distinct from true) then true
        when bool_and(over_six_months is not distinct from false) then false
    end as over_six_months
from counted
group by charge_id, law_known

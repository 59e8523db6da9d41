-- One row per sentence: the term as pronounced, and whether it is custody.
-- 8 USC 1101(a)(48)(B) reads a term as it was ordered, whatever part of it was suspended.
with terms as (
    select
        sentence_id,
        charge_id,
        case_id,
        sentenced_on,
        sentence_type,
        suspended_days,
        executed_days,
        concurrent_group,
        modified_from,
        modified_reason,
        -- the term as pronounced; without one, the days that were suspended and executed
        case
            when imposed_unit = 'life' or imposed_value is not null then imposed_value
            when sentence_type = 'time_served' then time_served_days
            else suspended_days + executed_days
        end as term_value,
        case when imposed_unit = 'life' or imposed_value is not null then imposed_unit else 'days' end as term_unit
    from {{ ref('stg_sentences') }}
)

select
    *,
    {{ term_in_days('term_value', 'term_unit') }} as term_days,
    {{ term_reaches_one_year('term_value', 'term_unit') }} as reaches_one_year,
    {{ term_exceeds_six_months('term_value', 'term_unit') }} as exceeds_six_months,
    case
        when sentence_type in ('prison', 'jail', 'time_served') then 'custody'
        when suspended_days > 0 or executed_days > 0 then 'custody'
        when sentence_type in ('fine', 'community_service') then 'no_custody'
        when sentence_type = 'probation' and suspended_days = 0 then 'no_custody'
        when sentence_type = 'probation' then 'custody_not_recorded'
        else 'kind_not_recorded'
    end as kind
from terms

-- One row per case with a sentence.
with cases as (
    select
        sentenced.*,
        memos.memo
    from {{ ref('int_cases__sentenced') }} as sentenced
    -- one case to at most one memo
    left join {{ ref('int_cases__memo_judged') }} as memos on sentenced.case_id = memos.case_id
)

select
    cases.case_id,
    cases.person_id,
    cases.sentenced_on,
    {{ groups_on('cases.sentenced_on') }},
    cases.is_recommended,
    coalesce(cases.memo, 'no_memo') as memo,
    case
        when cases.memo is null or cases.memo <> 'days_not_recorded'
            then coalesce(cases.memo = 'written_and_signed_in_time', false)
    end as is_memo_in_time,
    cases.is_custody_recommended,
    cases.cost_stated is not null as is_cost_stated,
    {{ whole('cases.cost_stated') }} as cost_stated_usd,
    cases.is_custody,
    cases.longest_days,
    cases.probation_months
from cases
{{ join_groups('cases.person_id', 'cases.offence_category') }}

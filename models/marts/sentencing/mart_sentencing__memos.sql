-- One row per factor named in a sentence justification memo, and per memo that names none.
with written as (
    -- one memo to each of its factors; one that names none to an empty one
    select
        memo_id,
        case_id,
        written_at as written_on,
        {{ parts_of("coalesce(factors, '')") }} as factor
    from {{ ref('stg_justification_memos') }}
),

named as (
    select
        memo_id,
        case_id,
        written_on,
        lower(trim(factor)) as factor
    from written
),

memos as (
    select
        named.memo_id,
        named.case_id,
        named.written_on,
        row_number() over (partition by named.memo_id order by named.factor) as factor_no,
        -- an office's own codes are many; what is not among these is shown together
        case
            when named.factor = '' then 'not_recorded'
            when named.factor in ('severity', 'record', 'victim', 'treatment', 'age', 'family', 'community')
                then named.factor
            else 'other'
        end as factor,
        cases.person_id,
        cases.offence_category
    from named
    left join {{ ref('int_cases__offence_picked') }} as cases on named.case_id = cases.case_id
)

select
    concat(memos.memo_id, ' ', memos.factor_no) as memo_factor_id,
    memos.memo_id,
    memos.case_id,
    memos.person_id,
    memos.written_on,
    {{ groups_on('memos.written_on') }},
    memos.factor
from memos
{{ join_groups('memos.person_id', 'memos.offence_category') }}

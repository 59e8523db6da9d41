-- One row per stay in custody of one person.
-- The offence of a stay: its case's top charge, else what the jail recorded. And how the stay ended: NULL means still
-- held; `unknown` that it ended and nobody wrote down how.
with stays as (
    select * from {{ ref('stg_custody_stays') }}
),

cases as (
    select * from {{ ref('int_cases__offence_picked') }}
)

select
    stays.stay_id,
    stays.person_id,
    stays.case_id,
    stays.booked_at,
    stays.released_at,
    cast(stays.booked_at as date) as booked_on,
    cast(stays.released_at as date) as released_on,
    {{ to_the_minute('stays.booked_at', 'stays.booked_at_precision') }} as booked_at_minute,
    {{ to_the_minute('stays.released_at', 'stays.booked_at_precision') }} as released_at_minute,
    case
        when {{ is_known('stays.release_type') }} then stays.release_type
        when stays.released_at is not null then 'unknown'
    end as release_type,
    stays.release_eligible_at as due_at,
    cast(stays.release_eligible_at as date) as due_on,
    {{ to_the_minute('stays.release_eligible_at', 'stays.booked_at_precision') }} as due_at_minute,
    stays.eligible_reason as due_reason,
    stays.release_mechanism,
    stays.imm_advice_at as immigration_advice_on,
    {{ first_known(['cases.offence_category', 'stays.offence_category']) }} as offence_category
from stays
-- many stays to at most one case
left join cases on stays.case_id = cases.case_id

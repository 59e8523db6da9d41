-- One row per period in which the reference of offences answers alike: no row of it comes into force or ends within.
-- Whatever is asked of a day of a period is answered for all of its days.
with first_days as (
    select conviction_from as first_day from {{ ref('offence_consequences') }}
    union
    select conviction_to + 1 as first_day from {{ ref('offence_consequences') }}
    union
    select as_of_from as first_day from {{ ref('offence_consequences') }}
    union
    select as_of_to + 1 as first_day from {{ ref('offence_consequences') }}
    union
    -- the period before all of them
    select cast(null as date) as first_day
),

bounded as (
    select
        first_day,
        lead(first_day) over (order by first_day nulls first) - 1 as last_day
    from first_days
)

select
    first_day,
    last_day,
    coalesce(first_day, last_day) as day_within
from bounded

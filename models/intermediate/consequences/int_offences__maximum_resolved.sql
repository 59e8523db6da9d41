-- One row per offence, class and period of conviction: what the statutory maximum says to the three tests.
-- The offence's own maximum, else the jurisdiction's for the class. A jurisdiction's is a bound and leaves a test open
-- (NULL) where the offence's own may differ.
with classes as (
    select distinct severity_class from {{ ref('statutory_maximums') }}
),

own as (
    select
        offence_id,
        severity_class,
        maximum_id
    from {{ ref('statutory_maximums') }}
    where offence_id is not null
),

general as (
    select
        offences.offence_id,
        classes.severity_class,
        maximums.maximum_id
    from {{ ref('offences') }} as offences
    cross join classes
    inner join {{ ref('statutory_maximums') }} as maximums
        on
            offences.jurisdiction = maximums.jurisdiction
            and classes.severity_class = maximums.severity_class
            and maximums.offence_id is null
    where
        not exists (
            select 1 from own
            where own.offence_id = offences.offence_id and own.severity_class = classes.severity_class
        )
),

resolved as (
    select * from own
    union all
    select * from general
)

select
    resolved.offence_id,
    resolved.severity_class,
    maximums.conviction_from,
    maximums.conviction_to,
    maximums.maximum_id,
    {{ bound_tested('maximums.bound', term_reaches_one_year('maximums.maximum_value', 'maximums.maximum_unit')) }}
        as reaches_one_year,
    {{ bound_tested('maximums.bound', term_exceeds_one_year('maximums.maximum_value', 'maximums.maximum_unit')) }}
        as exceeds_one_year,
    {{ bound_tested('maximums.bound', term_exceeds_six_months('maximums.maximum_value', 'maximums.maximum_unit')) }}
        as exceeds_six_months
from resolved
inner join {{ ref('statutory_maximums') }} as maximums on resolved.maximum_id = maximums.maximum_id

-- One row per person with a race or ethnicity on file.
-- Hispanic or Latino with any other category counts as Hispanic or Latino; two other categories as multiracial. A
-- missing ethnicity is not a "no", and no name or birthplace fills it.
with recorded as (
    select
        person_id,
        race_code
    from {{ ref('stg_person_races') }}
    where {{ is_known('race_code') }}
)

select
    person_id,
    case
        when count(*) filter (where race_code = 'hispanic_latino') > 0 then 'hispanic_latino'
        when count(distinct race_code) = 1 then min(race_code)
        else 'multiracial'
    end as race
from recorded
group by person_id

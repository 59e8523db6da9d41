-- One row per person who was convicted of a crime involving moral turpitude, and state of the law: when first.
-- `elsewhere_on` is the first day in any other case than the first.
with cases as (
    select
        person_id,
        law_known,
        case_id,
        min(conviction_on) as convicted_on
    from {{ ref('int_charges__second_crime_found') }}
    where
        is_moral_turpitude
        and person_id is not null
        and case_id is not null
    group by person_id, law_known, case_id
),

numbered as (
    select
        *,
        row_number() over (partition by person_id, law_known order by convicted_on nulls last, case_id) as case_no
    from cases
)

select
    person_id,
    law_known,
    max(case_id) filter (where case_no = 1) as first_case_id,
    max(convicted_on) filter (where case_no = 1) as first_on,
    max(convicted_on) filter (where case_no = 2) as elsewhere_on
from numbered
group by person_id, law_known

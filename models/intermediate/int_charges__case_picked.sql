-- One row per charge of a case.
-- Every version of a charge stands in one case; where an export says otherwise, the first by key.
select
    charge_id,
    min(case_id) as case_id
from {{ ref('stg_charges') }}
where case_id is not null
group by charge_id

-- One row per unit of the office that decided on referrals.
-- Under a number by how many it decided: what an office types as its unit may name a person. The eighth and later are
-- shown together.
with units as (
    select
        prosecutor_unit,
        row_number() over (order by count(*) desc, prosecutor_unit asc) as place
    from {{ ref('stg_referrals') }}
    where prosecutor_unit is not null
    group by prosecutor_unit
)

select
    prosecutor_unit,
    case when place < 8 then concat('unit_', place) else 'other_units' end as unit_label
from units

-- One row per diversion programme that once came after a plea, and since then before it.
with programmes as (
    select * from {{ ref('int_programmes__moved_before_plea') }}
)

select
    programmes.program_code,
    programmes.moved_on,
    {{ groups_of_nobody_on('programmes.moved_on') }}
from programmes
{{ join_no_groups() }}

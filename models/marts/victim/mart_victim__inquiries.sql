-- One row per documented inquiry into the immigration status of a victim or witness.
with inquiries as (
    select * from {{ ref('stg_status_inquiries') }}
)

select
    inquiries.inquiry_id,
    inquiries.inquired_on,
    {{ groups_of_nobody_on('inquiries.inquired_on') }},
    inquiries.made_by
from inquiries
{{ join_no_groups() }}

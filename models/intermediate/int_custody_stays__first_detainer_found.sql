-- One row per stay during which a detainer was lodged.
-- When the first was: empty where one of them is known only to the month, and may have been the first.
with detainers as (
    select
        *,
        min(contact_on) over (partition by stay_id) as first_on
    from {{ ref('int_custody_stays__ice_contacts_matched') }}
    where contact_type = 'detainer'
)

select
    stay_id,
    case when count(*) = count(contact_on) then min(contact_on) end as first_detainer_on,
    -- the hour is known only where each detainer of the first day has one
    case
        when
            count(*) = count(contact_on)
            and count(*) filter (where contact_on = first_on and contact_at_minute is null) = 0
            then min(contact_at_minute) filter (where contact_on = first_on)
    end as first_detainer_at_minute
from detainers
group by stay_id

-- One row per stay during which a detainer was lodged.
-- When the first was: empty where one of them is known only to the month, and may have been the first.
select
    stay_id,
    case when count(*) = count(contact_on) then min(contact_on) end as first_detainer_on,
    -- the hour is known only where the first day has one
    case
        when count(*) = count(contact_on)
            then min_by(contact_at_minute, contact_on) filter (where contact_at_minute is not null)
    end as first_detainer_at_minute
from {{ ref('int_custody_stays__ice_contacts_matched') }}
where contact_type = 'detainer'
group by stay_id

-- One row per stay during which ICE reached for the person held.
-- Detainers, requests for notice, interviews, arrests and transfers. The first day is empty where one of them is known
-- only to the month, and may have been the first.
select
    stay_id,
    case when count(*) = count(contact_on) then min(contact_on) end as first_contact_on
from {{ ref('int_custody_stays__ice_contacts_matched') }}
group by stay_id

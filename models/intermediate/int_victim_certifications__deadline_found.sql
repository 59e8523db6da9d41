-- One row per request for a certification.
-- By when the law of the office wanted it decided, on the day it was received. Who is in removal proceedings must be
-- answered sooner; where that is not on record, the day lies between the two. No law, no deadline.
select
    requests.*,
    case
        when requests.in_proceedings is false then requests.received_at + deadlines.days
        when deadlines.in_proceedings_from_next_business_day
            then {{ business_days_after('requests.received_at', 1) }} + deadlines.days_in_proceedings
        else requests.received_at + deadlines.days_in_proceedings
    end as due_at_the_earliest_on,
    case
        when requests.in_proceedings is not true then requests.received_at + deadlines.days
        when deadlines.in_proceedings_from_next_business_day
            then {{ business_days_after('requests.received_at', 1) }} + deadlines.days_in_proceedings
        else requests.received_at + deadlines.days_in_proceedings
    end as due_at_the_latest_on
from {{ ref('stg_victim_certifications') }} as requests
cross join {{ ref('stg_audit_settings') }} as audit_settings
-- the terms of one law follow one another: one request to at most one
left join {{ ref('certification_deadlines') }} as deadlines
    on
        audit_settings.jurisdiction = deadlines.jurisdiction
        and requests.form = deadlines.form
        and {{ in_force('requests.received_at', 'deadlines.from_date', 'deadlines.to_date') }}

-- One row per request to the immigration point person.
with requests as (
    select
        requests.*,
        cases.person_id,
        cases.offence_category,
        {{ business_days_after('requests.received_at', 2) }} as acknowledgement_due_on
    from {{ ref('stg_point_person_requests') }} as requests
    -- many requests to at most one case
    left join {{ ref('int_cases__offence_picked') }} as cases on requests.case_id = cases.case_id
)

select
    requests.request_id,
    requests.case_id,
    requests.person_id,
    requests.received_at as received_on,
    {{ groups_on('requests.received_at') }},
    requests.requester_type,
    requests.stage as request_stage,
    requests.topic,
    case
        when requests.acknowledged_at < requests.received_at then null
        when requests.acknowledged_at <= requests.acknowledgement_due_on then true
        -- not late before the day has passed
        when coalesce(requests.acknowledged_at, audit_settings.as_of_date) > requests.acknowledgement_due_on then false
    end as is_acknowledged_in_time,
    {{ days_between('requests.received_at', 'coalesce(requests.closed_at, audit_settings.as_of_date)') }}
        as days_to_close,
    case when requests.closed_at is not null then 'event' else 'censored' end as days_to_close_outcome,
    requests.closed_at is not null as is_closed,
    requests.outcome,
    requests.escalated as is_escalated,
    requests.upheld as is_upheld,
    requests.documents_demanded as are_documents_demanded
from requests
{{ join_groups('requests.person_id', 'requests.offence_category') }}

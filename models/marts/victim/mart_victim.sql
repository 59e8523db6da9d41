-- One row per request for a certification.
with requests as (
    select
        *,
        decision in ('certified', 'denied') as is_decided,
        -- nothing on file is no answer yet; a blacked out or unreadable answer may be one
        decided_at is null and decision in ('pending', 'not_recorded') as is_open
    from {{ ref('int_victim_certifications__deadline_found') }}
)

select
    requests.request_id,
    requests.received_at as received_on,
    {{ groups_of_nobody_on('requests.received_at', "coalesce(offence_groups.offence_group, 'unknown')") }},
    requests.form,
    requests.is_decided,
    case when requests.is_decided then requests.decision = 'certified' end as is_certified,
    case
        when requests.is_open then {{ days_between('requests.received_at', 'audit_settings.as_of_date') }}
        else {{ days_between('requests.received_at', 'requests.decided_at') }}
    end as days_to_decision,
    case
        when requests.is_open then 'censored'
        when requests.decision = 'withdrawn' then 'withdrawn'
        else 'event'
    end as days_to_decision_outcome,
    case
        when requests.decision = 'withdrawn' then null
        when requests.decided_at <= requests.due_at_the_earliest_on then true
        when requests.decided_at > requests.due_at_the_latest_on then false
        when requests.is_open and audit_settings.as_of_date > requests.due_at_the_latest_on then false
    end as is_decided_in_time,
    requests.decision = 'denied' as is_denied,
    requests.denial_reason,
    requests.written_denial as is_denied_in_writing,
    requests.recert as is_renewal,
    lower(requests.language) = lower(requests.language_served) as is_served_in_language,
    requests.is_defendant_overlap as is_also_defendant
from requests
{{ join_no_groups() }}
left join {{ ref('offence_groups') }} as offence_groups
    on requests.crime_category = offence_groups.offence_category

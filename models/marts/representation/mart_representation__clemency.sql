-- One row per request for a letter in support of a pardon or commutation.
with requests as (
    select * from {{ ref('stg_clemency_requests') }}
)

select
    requests.clemency_id,
    requests.received_at as received_on,
    {{ groups_of_nobody_on('requests.received_at') }},
    requests.clemency_kind,
    -- a refusal is an answer; a request that waits for one is not refused
    case
        when requests.answered_at is not null or requests.letter_given then requests.letter_given
    end as is_letter_given,
    {{ days_between('requests.received_at', 'coalesce(requests.answered_at, audit_settings.as_of_date)') }}
        as days_to_answer,
    case when requests.answered_at is not null then 'event' else 'censored' end as days_to_answer_outcome
from requests
{{ join_no_groups() }}

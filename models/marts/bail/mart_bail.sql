-- One row per bail decision in one case.
with bail_events as (
    select
        *,
        cast(bail_event_at as date) as bail_event_on
    from {{ ref('int_bail_events__case_found') }}
),

detainers as (
    select * from {{ ref('int_bail_events__open_detainer_found') }}
)

select
    bail_events.bail_event_id,
    bail_events.case_id,
    bail_events.person_id,
    bail_events.bail_event_on,
    {{ groups_on('bail_events.bail_event_on') }},
    bail_events.hearing_kind,
    bail_events.da_request_type,
    case
        when {{ is_known('bail_events.da_request_type') }} then bail_events.da_request_type = 'detention'
    end as is_detention_requested,
    case
        when {{ is_known('bail_events.da_request_type') }} then bail_events.da_request_type in ('cash', 'detention')
    end as is_cash_or_detention_requested,
    case when {{ is_known('bail_events.set_type') }} then bail_events.set_type = 'detention' end as is_detention_set,
    bail_events.set_type,
    case when bail_events.da_request_type = 'cash' then {{ whole('bail_events.da_request_amount') }} end
        as requested_usd,
    case when bail_events.set_type = 'cash' then {{ whole('bail_events.set_amount') }} end as set_usd,
    case
        when bail_events.da_request_type = 'cash' and bail_events.set_type = 'cash'
            then {{ whole('bail_events.set_amount - bail_events.da_request_amount') }}
    end as set_minus_requested_usd,
    case
        when bail_events.da_request_type = 'cash' and bail_events.set_type = 'cash'
            then bail_events.set_amount = bail_events.da_request_amount
    end as is_set_as_requested,
    bail_events.immigration_argument,
    {{ is_known('bail_events.immigration_argument') }}
    and bail_events.immigration_argument <> 'not_coded' as is_argument_coded,
    case
        when {{ is_known('bail_events.immigration_argument') }} and bail_events.immigration_argument <> 'not_coded'
            then bail_events.immigration_argument <> 'none'
    end as is_immigration_argued,
    detainers.bail_event_id is not null as is_detainer_open,
    covered.is_covered as is_covered_by_no_cash_policy,
    case
        when {{ is_known('bail_events.da_request_type') }} then bail_events.da_request_type <> 'cash'
    end as is_no_cash_requested
from bail_events
-- one bail decision to at most one row each
left join detainers on bail_events.bail_event_id = detainers.bail_event_id
left join {{ ref('int_bail_events__no_cash_covered') }} as covered on bail_events.bail_event_id = covered.bail_event_id
{{ join_groups('bail_events.person_id', 'bail_events.offence_category') }}

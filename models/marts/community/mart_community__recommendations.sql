-- One row per recommendation received from the community.
with recommendations as (
    select * from {{ ref('stg_community_recommendations') }}
)

select
    recommendations.recommendation_id,
    recommendations.received_at as received_on,
    {{ groups_of_nobody_on('recommendations.received_at') }},
    case
        when recommendations.answered_at <= recommendations.received_at + 90 then true
        -- followed for the whole time, or the answer would depend on the day of the export
        when recommendations.received_at + 90 <= audit_settings.as_of_date then false
    end as is_answered_within_90_days,
    recommendations.answered_at is not null as is_answered,
    recommendations.adopted as is_adopted,
    {{ days_between(
        'recommendations.received_at', 'coalesce(recommendations.answered_at, audit_settings.as_of_date)'
    ) }} as days_to_answer,
    case when recommendations.answered_at is not null then 'event' else 'censored' end as days_to_answer_outcome
from recommendations
{{ join_no_groups() }}

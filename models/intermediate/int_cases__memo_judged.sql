-- One row per case with a memo that justifies a sentence recommendation.
-- Was it written, and signed by a supervisor, by the day of the recommendation? Of several memos the best one counts.
with judged as (
    select
        case_id,
        case
            when written_at <= recommendation_at and approved_at <= recommendation_at then 'written_and_signed_in_time'
            when written_at <= recommendation_at and approved_at > recommendation_at then 'signed_late'
            when written_at > recommendation_at then 'written_late'
            when written_at <= recommendation_at and approved_by_role is null then 'not_signed'
            else 'days_not_recorded'
        end as memo
    from {{ ref('stg_justification_memos') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by case_id
            order by
                case memo
                    when 'written_and_signed_in_time' then 1
                    when 'days_not_recorded' then 2
                    when 'signed_late' then 3
                    when 'not_signed' then 4
                    else 5
                end
        ) as place
    from judged
)

select
    case_id,
    memo
from ranked
where place = 1

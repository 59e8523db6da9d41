-- One row per scheduled appearance in one case.
-- Whether the person came, and if not, whose doing it was. Who is held or was removed by ICE did not fail to appear.
-- Open (NULL) where neither attendance nor a reason is on file.
select
    hearing_id,
    case_id,
    hearing_at,
    cast(hearing_at as date) as hearing_on,
    role,
    role not in ('victim', 'witness', 'relative') as is_defendant,
    case
        when appeared then false
        when {{ is_known('nonappearance_reason') }} then nonappearance_reason = 'fta'
    end as is_failure_to_appear,
    case
        when appeared then false
        when {{ is_known('nonappearance_reason') }} then nonappearance_reason in ('in_ice_custody', 'removed')
    end as is_missed_through_ice
from {{ ref('stg_hearings') }}

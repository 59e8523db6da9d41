-- One row per disposed charge: how it ended in state law.
-- The last disposition holds; of several on one day the last by key. The office's own word goes before the kind. A
-- transfer, a mistrial and what the office calls "other" are no end: they leave open whether there was a conviction.
with ranked as (
    select
        charge_id,
        disposition_type,
        is_conviction_state,
        row_number() over (
            partition by charge_id order by disposed_on desc nulls last, disposition_id desc
        ) as place
    from {{ ref('stg_dispositions') }}
)

select
    charge_id,
    disposition_type,
    {{ is_state_conviction('is_conviction_state', 'disposition_type') }} as is_conviction
from ranked
where place = 1

-- One row per matter that the office declined, or case that was closed.
with matters as (
    select
        closed.*,
        arrests.matter_id is not null as is_arrested_by_ice
    from {{ ref('int_matters__closed') }} as closed
    -- one matter to at most one row
    left join {{ ref('int_matters__ice_arrest_found') }} as arrests on closed.matter_id = arrests.matter_id
)

select
    matters.matter_id,
    matters.person_id,
    matters.ended_on,
    {{ groups_on('matters.ended_on') }},
    matters.is_without_conviction,
    case
        when matters.ended_on + 30 <= audit_settings.as_of_date then matters.is_arrested_by_ice
    end as is_arrested_by_ice_within_30_days,
    matters.is_ended_by_removal
from matters
{{ join_groups('matters.person_id', 'matters.offence_category') }}

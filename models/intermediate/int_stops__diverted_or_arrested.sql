-- One row per diversion before arrest, and per arrest for a kind of offence that such a diversion reaches.
-- An arrest for an offence that no programme takes says nothing about the use of programmes.
with diversions as (
    select
        diversion_id,
        person_id,
        entered_on,
        offence_category
    from {{ ref('int_diversion_referrals__offence_picked') }}
    where
        diversion_stage = 'pre_arrest'
        and {{ is_known('offence_category') }}
),

reached as (
    select distinct offence_category from diversions
)

select
    concat('diversion ', diversion_id) as stop_id,
    person_id,
    entered_on as stopped_on,
    offence_category,
    true as is_diverted
from diversions

union all

select
    concat('arrest ', arrests.arrest_id) as stop_id,
    arrests.person_id,
    cast(arrests.arrest_at as date) as stopped_on,
    arrests.offence_category,
    false as is_diverted
from {{ ref('int_arrests__offence_picked') }} as arrests
-- many arrests to exactly one kind of offence
inner join reached on arrests.offence_category = reached.offence_category
-- an officer who diverts makes no arrest; the programme's own row counts it
where arrests.custody_action <> 'diverted'

-- One row per case of one defendant.
-- How a case ended in state law: when it closed, whether by a plea, a conviction or without one, and whether the person
-- was gone. A conviction is what the office itself calls so, else a plea of guilty or no contest, or a guilty verdict.
-- One without a day, and a disposition that does not say what it is, leave it open whether there was one by some day.
with dispositions as (
    select
        coalesce(dispositions.case_id, charges.case_id) as case_id,
        dispositions.disposed_on,
        dispositions.disposition_type,
        dispositions.disposition_reason,
        coalesce(
            dispositions.is_conviction_state,
            dispositions.disposition_type in ('plea_guilty', 'plea_nolo', 'verdict_guilty')
        ) as is_conviction,
        dispositions.is_conviction_state is null and not {{ is_known('dispositions.disposition_type') }} as is_left_open
    from {{ ref('stg_dispositions') }} as dispositions
    -- many dispositions to at most one charge
    left join {{ ref('int_charges__filed_version_picked') }} as charges on dispositions.charge_id = charges.charge_id
),

gathered as (
    select
        case_id,
        max(disposed_on) as last_disposed_on,
        min(disposed_on) filter (where disposition_type in ('plea_guilty', 'plea_nolo')) as first_plea_on,
        min(disposed_on) filter (where is_conviction) as first_conviction_on,
        count(*) = count(*) filter (
            where not is_conviction and disposition_type in ('dismissed_da', 'dismissed_court', 'acquitted')
        ) as is_without_conviction,
        count(*) = count(*) filter (where disposition_type = 'dismissed_da') as is_dismissed_by_office,
        count(*) filter (where is_left_open or (is_conviction and disposed_on is null)) > 0 as is_conviction_left_open,
        case
            when count(*) filter (where {{ is_known('disposition_reason') }}) > 0
                then count(*) filter (where disposition_reason = 'removed_or_ice_custody') > 0
        end as is_ended_by_removal
    from dispositions
    where case_id is not null
    group by case_id
)

select
    cases.case_id,
    coalesce(cases.closed_on, gathered.last_disposed_on) as closed_on,
    gathered.first_plea_on,
    gathered.first_conviction_on,
    gathered.last_disposed_on,
    gathered.is_without_conviction,
    gathered.is_dismissed_by_office,
    gathered.is_conviction_left_open,
    gathered.is_ended_by_removal
from {{ ref('int_cases__offence_picked') }} as cases
-- one case to at most one row
left join gathered on cases.case_id = gathered.case_id

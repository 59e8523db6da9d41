-- One row per case of one defendant.
-- How a case ended in state law: when it closed, whether by a plea, a conviction or without one, and whether the person
-- was gone. A conviction is what the office itself calls so, else a plea of guilty or no contest, or a guilty verdict.
-- One without a day, and a disposition that does not say what it is, leave open whether there was one by some day.
-- Where no day of closing is on file, a case closed once each of its charges had ended. The last disposition of a
-- charge holds; a transfer, a mistrial and what the office calls "other" are no end.
with charges as (
    select
        charge_id,
        case_id,
        is_enhancement
    from {{ ref('int_charges__filed_version_picked') }}
),

dispositions as (
    select
        coalesce(dispositions.case_id, charges.case_id) as case_id,
        dispositions.charge_id,
        dispositions.disposition_id,
        dispositions.disposed_on,
        dispositions.disposition_type,
        dispositions.disposition_reason,
        {{ is_state_conviction('dispositions.is_conviction_state', 'dispositions.disposition_type') }}
            as is_conviction,
        dispositions.is_conviction_state is null and not {{ is_known('dispositions.disposition_type') }}
            as is_left_open
    from {{ ref('stg_dispositions') }} as dispositions
    -- many dispositions to at most one charge
    left join charges on dispositions.charge_id = charges.charge_id
),

placed as (
    select
        *,
        is_conviction is not null as is_end,
        row_number() over (
            partition by case_id, charge_id order by disposed_on desc nulls last, disposition_id desc
        ) = 1 as is_last
    from dispositions
    where case_id is not null
),

gathered as (
    select
        case_id,
        max(disposed_on) as last_disposed_on,
        max(disposed_on) filter (where is_last and is_end) as last_ended_on,
        min(disposed_on) filter (where disposition_type in ('plea_guilty', 'plea_nolo')) as first_plea_on,
        min(disposed_on) filter (where is_conviction) as first_conviction_on,
        count(*) filter (where disposition_type in ('plea_guilty', 'plea_nolo') and disposed_on is null) > 0
            as has_undated_plea,
        count(*) filter (where is_last and not is_end) = 0 as is_each_disposition_an_end,
        count(*) filter (
            where is_last and is_end
            and (is_conviction or disposition_type not in ('dismissed_da', 'dismissed_court', 'acquitted'))
        ) = 0 as is_without_conviction,
        count(*) filter (where is_last and is_end and (is_conviction or disposition_type <> 'dismissed_da')) = 0
            as is_dismissed_by_office,
        count(*) filter (where is_left_open or (is_conviction and disposed_on is null)) > 0 as is_conviction_left_open,
        case
            when count(*) filter (where {{ is_known('disposition_reason') }}) > 0
                then count(*) filter (where disposition_reason = 'removed_or_ice_custody') > 0
        end as is_ended_by_removal
    from placed
    group by case_id
),

charges_ended as (
    select
        charges.case_id,
        count(*) = count(placed.charge_id) as is_each_ended
    from charges
    -- one charge to at most one last disposition in its case
    left join placed
        on
            charges.charge_id = placed.charge_id
            and charges.case_id = placed.case_id
            and placed.is_last
            and placed.is_end
    where charges.is_enhancement is not true
    group by charges.case_id
),

ended as (
    select
        gathered.*,
        gathered.is_each_disposition_an_end and coalesce(charges_ended.is_each_ended, true) as is_ended
    from gathered
    -- one case to at most one row
    left join charges_ended on gathered.case_id = charges_ended.case_id
)

select
    cases.case_id,
    coalesce(cases.closed_on, case when ended.is_ended then ended.last_ended_on end) as closed_on,
    ended.first_plea_on,
    ended.first_plea_on is null and coalesce(ended.has_undated_plea, false) as is_plea_left_open,
    ended.first_conviction_on,
    ended.last_disposed_on,
    -- one charge that ended otherwise is enough for a no; a yes needs them all
    case when ended.is_ended or not ended.is_without_conviction then ended.is_without_conviction end
        as is_without_conviction,
    case when ended.is_ended or not ended.is_dismissed_by_office then ended.is_dismissed_by_office end
        as is_dismissed_by_office,
    ended.is_conviction_left_open,
    ended.is_ended_by_removal
from {{ ref('int_cases__offence_picked') }} as cases
-- one case to at most one row
left join ended on cases.case_id = ended.case_id

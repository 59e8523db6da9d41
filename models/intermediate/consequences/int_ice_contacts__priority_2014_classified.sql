-- One row per detainer lodged while the priorities of the memorandum of 20 November 2014 were in effect.
-- The highest priority that the office's own record shows on the day of the detainer.
--
-- priority_1: a felony (other than one about immigration status itself), or an aggravated felony. priority_2: a
-- significant misdemeanour (domestic violence, sexual abuse or exploitation, burglary, unlawful firearm, drug
-- distribution, driving under the influence, or 90 days or more to serve, suspended time left out), or three
-- misdemeanours of separate incidents, minor traffic and status offences left out. priority_3: a final order of removal
-- issued since 2014; its date is never in local data, so it is never found. none_on_record: nothing of the kind on
-- file, which is an upper bound on "outside the priorities": gangs, the border, other counties and orders are not on
-- file. undeterminable: something on file may be one of these, or there is no record to look in.
{{ config(materialized='table') }}

with detainers as (
    select
        contacts.contact_id,
        contacts.person_id,
        cast(contacts.contact_at as date) as lodged_on,
        contacts.probable_cause_basis,
        contacts.criminal_history
    from {{ ref('int_ice_contacts__person_found') }} as contacts
    -- one contact to at most one era, the one that is named
    inner join {{ ref('eras') }} as eras
        on
            eras.era_id = 'priorities_2014'
            and {{ in_force('cast(contacts.contact_at as date)', 'eras.from_date', 'eras.to_date') }}
    where contacts.contact_type = 'detainer'
),

custody as (
    -- whether a charge brought 90 days or more to serve; NULL where the record does not say (three months may be 89)
    select
        charge_id,
        {{ any_true('is_ninety_days') }} as is_ninety_days
    from (
        select
            charge_id,
            case
                when executed_days is not null then executed_days >= 90
                when imposed_unit = 'days' then imposed_value - suspended_days >= 90
                when suspended_days = 0 and imposed_unit in ('years', 'life') then true
                when suspended_days = 0 and imposed_unit = 'months' and imposed_value <> 3 then imposed_value > 3
            end as is_ninety_days
        from {{ ref('stg_sentences') }}
        where sentence_type in ('prison', 'jail', 'time_served')
    ) as terms
    group by charge_id
),

aggravated_felonies as (
    select
        by_ground.charge_id,
        bool_or(by_ground.answer = 'likely') as is_likely,
        bool_or(by_ground.answer = 'possible') as is_possible
    from {{ ref('int_charges__consequences_by_ground') }} as by_ground
    -- one answer to one ground
    inner join {{ ref('removal_grounds') }} as grounds on by_ground.ground = grounds.ground
    where
        grounds.family = 'aggravated_felony'
        and by_ground.law_known = 'as_known_then'
    group by by_ground.charge_id
),

convictions as (
    select
        decided.person_id,
        decided.case_id,
        decided.decided_on,
        -- without a day it may have come after the detainer
        decided.conviction = 'yes' and decided.decided_on is not null as is_certain,
        {{ severity_class('charges.severity') }} as class,
        charges.offence_category,
        coalesce(aggravated_felonies.is_likely, false) as is_aggravated_felony,
        coalesce(aggravated_felonies.is_possible, false) as may_be_aggravated_felony,
        case when custody.charge_id is null then false else custody.is_ninety_days end as is_ninety_days
    from {{ ref('int_charges__conviction_decided') }} as decided
    -- one conviction to one version of its charge, and to at most one row each of what it may be and brought
    inner join {{ ref('stg_charges') }} as charges
        on decided.charge_id = charges.charge_id and decided.version_no = charges.version_no
    left join aggravated_felonies on decided.charge_id = aggravated_felonies.charge_id
    left join custody on decided.charge_id = custody.charge_id
    where
        decided.law_known = 'as_known_then'
        and decided.conviction <> 'no'
),

judged as (
    -- what a conviction is, if it is one, and what it may be
    select
        *,
        (class = 'felony' and offence_category <> 'immigration') or is_aggravated_felony as is_first,
        -- an offence about immigration status is no first priority of any class
        (class is null and offence_category <> 'immigration') or may_be_aggravated_felony as may_be_first,
        class = 'misdemeanor' and (
            offence_category in ('domestic_violence', 'sexual', 'burglary', 'drug_sale', 'driving_under_influence')
            or is_ninety_days
        ) as is_second,
        coalesce(class, 'misdemeanor') = 'misdemeanor' and (
            offence_category = 'weapons'
            or not {{ is_known('offence_category') }}
            or is_ninety_days is null
            or (class is null and is_ninety_days)
        ) as may_be_second,
        class = 'misdemeanor' and offence_category not in ('traffic', 'immigration') as is_counted
    from convictions
),

by_detainer as (
    select
        detainers.contact_id,
        count(judged.case_id) as conviction_count,
        bool_or(judged.is_first and judged.is_certain) as is_first,
        bool_or(judged.is_second and judged.is_certain) as is_second,
        count(distinct judged.case_id) filter (where judged.is_counted and judged.is_certain) as counted_cases,
        count(distinct judged.case_id) filter (where coalesce(judged.is_counted, true)) as cases_that_may_count,
        bool_or(
            judged.may_be_first or judged.may_be_second
            or (coalesce(judged.is_first or judged.is_second, true) and not judged.is_certain)
        ) as is_open
    from detainers
    -- one detainer to many convictions
    inner join judged
        on
            detainers.person_id = judged.person_id
            and detainers.lodged_on >= coalesce(judged.decided_on, detainers.lodged_on)
    group by detainers.contact_id
),

supplied as (
    select count(*) > 0 as has_dispositions from {{ source('landing', 'supplied') }}
    where table_name = 'disposition' and column_name = 'type'
)

select
    detainers.contact_id,
    detainers.person_id,
    detainers.lodged_on,
    coalesce(by_detainer.conviction_count, 0) as conviction_count,
    case
        when by_detainer.is_first then 'priority_1'
        when by_detainer.is_second or by_detainer.counted_cases >= 3 then 'priority_2'
        when detainers.person_id is null or not supplied.has_dispositions then 'undeterminable'
        when by_detainer.is_open or by_detainer.cases_that_may_count >= 3 then 'undeterminable'
        when detainers.criminal_history = 'conviction' and by_detainer.contact_id is null then 'undeterminable'
        when detainers.probable_cause_basis = 'final_order' then 'undeterminable'
        else 'none_on_record'
    end as priority_2014
from detainers
cross join supplied
-- one detainer to at most one row of the convictions known on its day
left join by_detainer on detainers.contact_id = by_detainer.contact_id

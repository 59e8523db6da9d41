-- One row per arrest of one person.
-- What came of an arrest within two years, and whether the records lead from each step to the next. Each step is within
-- the one before it, so that their shares multiply. A step that the records leave open is NULL, never false; `followed`
-- names the first such. Two years are more than a court needs for nearly all (NCSC, Model Time Standards, 2011: 98 % of
-- felonies within one); who had fewer, by the day of the export, is too recent to be counted either way.
with arrests as (
    select
        arrest_id,
        cast(arrest_at as date) as arrested_on,
        cast(arrest_at as date) + 730 as followed_until
    from {{ ref('stg_arrests') }}
),

-- a case and all that is known of its end; one without a day has no place within the two years
cases as (
    select
        cases.case_id,
        cases.referral_id,
        cases.filed_on,
        outcomes.closed_on,
        outcomes.first_conviction_on,
        outcomes.first_plea_on,
        outcomes.last_disposed_on,
        outcomes.is_conviction_left_open,
        sentences.sentenced_on,
        sentences.is_custody
    from {{ ref('int_cases__offence_picked') }} as cases
    -- one case to at most one row each
    inner join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
    left join {{ ref('int_cases__sentenced') }} as sentences on cases.case_id = sentences.case_id
),

referred as (
    select
        arrests.arrest_id,
        arrests.followed_until,
        referrals.referral_id,
        referrals.decision,
        cases.*
    from arrests
    -- many referrals to one arrest, many cases to one referral: gathered again by arrest
    inner join {{ ref('stg_referrals') }} as referrals on arrests.arrest_id = referrals.arrest_id
    left join cases on referrals.referral_id = cases.referral_id
),

charged as (
    select
        *,
        case
            when case_id is null and decision = 'filed' then null
            when case_id is null and not {{ is_known('decision') }} then null
            when case_id is null then false
            else filed_on <= followed_until
        end as is_charged
    from referred
),

convicted as (
    select
        *,
        case
            when is_charged is null then null
            when not is_charged then false
            when first_conviction_on <= followed_until then true
            -- ended, and what is on file does not say how
            when is_conviction_left_open then null
            when last_disposed_on is null and closed_on <= followed_until then null
            else false
        end as is_convicted
    from charged
),

sentenced as (
    select
        *,
        coalesce(is_convicted and first_plea_on <= followed_until, false) as is_convicted_by_plea,
        case
            when not is_convicted then false
            when is_convicted and not is_custody then false
            when is_convicted and is_custody then sentenced_on <= followed_until
        end as is_sentenced_to_custody
    from convicted
),

by_arrest as (
    select
        arrest_id,
        {{ any_true('is_charged') }} as is_charged,
        {{ any_true('is_convicted') }} as is_convicted,
        bool_or(is_convicted_by_plea) as is_convicted_by_plea,
        {{ any_true('is_sentenced_to_custody') }} as is_sentenced_to_custody,
        count(*) filter (where case_id is null and decision = 'filed') > 0 as is_case_lost,
        count(*) filter (where case_id is not null and filed_on is null) > 0 as is_filing_undated
    from sentenced
    group by arrest_id
),

-- from the day that a judge has had time to decide on, and while the case was not yet over
open_stays as (
    select
        found.arrest_id,
        stays.release_type,
        stays.released_on,
        stays.booked_on,
        greatest(stays.booked_on, cases.filed_on + 2) as begins_on,
        least(cases.closed_on, arrests.followed_until) as ends_on,
        releases.released_on <= arrests.followed_until as is_released_in_time
    from {{ ref('int_arrests__stays_found') }} as found
    inner join arrests on found.arrest_id = arrests.arrest_id
    inner join {{ ref('int_custody_stays__offence_picked') }} as stays on found.stay_id = stays.stay_id
    -- many stays to exactly one case each, and to at most one release
    inner join cases on found.case_id = cases.case_id
    left join {{ ref('int_custody_stays__released_pretrial') }} as releases on found.stay_id = releases.stay_id
),

held as (
    select
        arrest_id,
        {{ any_true('
            case
                when begins_on > ends_on then false
                when released_on is not null then begins_on <= released_on
                -- it ended on an unknown day, and lasted at least until it had begun
                when release_type is not null and booked_on < begins_on then null
                else true
            end
        ') }} as is_held,
        {{ any_true("
            case
                when release_type in ('bail', 'ror', 'supervised') and released_on is null then null
                else coalesce(is_released_in_time, false)
            end
        ") }} as is_released
    from open_stays
    group by arrest_id
),

reached_by_ice as (
    select
        found.arrest_id,
        contacts.contact_on
    from {{ ref('int_arrests__stays_found') }} as found
    -- many to many by stay: gathered again by arrest
    inner join {{ ref('int_custody_stays__ice_contacts_matched') }} as contacts on found.stay_id = contacts.stay_id

    union all

    select
        referred.arrest_id,
        cast(contacts.contact_at as date) as contact_on
    from referred
    -- many to many by case: gathered again by arrest
    inner join {{ ref('stg_ice_contacts') }} as contacts on referred.case_id = contacts.case_id
    where {{ is_reached_for('contacts.contact_type') }}
),

ice_contacts as (
    select distinct arrests.arrest_id
    from arrests
    inner join reached_by_ice on arrests.arrest_id = reached_by_ice.arrest_id
    -- a contact without a day that names a stay or a case of this arrest is one of its contacts
    where
        reached_by_ice.contact_on is null
        or reached_by_ice.contact_on between arrests.arrested_on and arrests.followed_until
)

select
    arrests.arrest_id,
    arrests.arrested_on,
    case
        when arrests.followed_until > audit_settings.as_of_date then 'too_recent'
        when by_arrest.arrest_id is null then 'followed'
        when by_arrest.is_charged is null and by_arrest.is_case_lost then 'case_not_on_file'
        when by_arrest.is_charged is null and by_arrest.is_filing_undated then 'filing_day_not_on_record'
        when by_arrest.is_charged is null then 'decision_not_on_record'
        when by_arrest.is_convicted is null then 'outcome_not_on_record'
        when by_arrest.is_sentenced_to_custody is null then 'sentence_not_on_record'
        when
            by_arrest.is_charged
            and held.arrest_id is not null
            and (held.is_held is null or (held.is_held and held.is_released is null))
            then 'release_not_on_record'
        else 'followed'
    end as followed,
    by_arrest.arrest_id is not null as is_referred,
    case when by_arrest.arrest_id is null then false else by_arrest.is_charged end as is_charged,
    case when by_arrest.arrest_id is null then false else by_arrest.is_convicted end as is_convicted,
    case when by_arrest.arrest_id is null then false else by_arrest.is_convicted_by_plea end as is_convicted_by_plea,
    case when by_arrest.arrest_id is null then false else by_arrest.is_sentenced_to_custody end
        as is_sentenced_to_custody,
    case
        when by_arrest.arrest_id is null or held.arrest_id is null then false
        else by_arrest.is_charged and held.is_held
    end as is_held,
    case
        when by_arrest.arrest_id is null or held.arrest_id is null then false
        else by_arrest.is_charged and held.is_held and held.is_released
    end as is_released_before_end,
    ice_contacts.arrest_id is not null as has_ice_contact
from arrests
cross join {{ ref('stg_audit_settings') }} as audit_settings
-- one arrest to at most one row each
left join by_arrest on arrests.arrest_id = by_arrest.arrest_id
left join held on arrests.arrest_id = held.arrest_id
left join ice_contacts on arrests.arrest_id = ice_contacts.arrest_id

-- One row per referral of one person to the office.
with arrests as (
    select
        arrest_id,
        cast(arrest_at as date) as arrested_on
    from {{ ref('int_arrests__offence_picked') }}
),

referrals as (
    select
        referrals.*,
        covered.is_covered,
        covered.approved_on,
        arrests.arrested_on,
        detainers.first_detainer_on
    from {{ ref('int_referrals__offence_picked') }} as referrals
    -- one referral to at most one row each
    left join {{ ref('int_referrals__declination_covered') }} as covered
        on referrals.referral_id = covered.referral_id
    left join {{ ref('int_referrals__first_detainer_found') }} as detainers
        on referrals.referral_id = detainers.referral_id
    -- many referrals to at most one arrest
    left join arrests on referrals.arrest_id = arrests.arrest_id
),

filings as (
    select
        referral_id,
        min(filed_on) as filed_on
    from {{ ref('int_cases__offence_picked') }}
    where referral_id is not null
    group by referral_id
)

select
    referrals.referral_id,
    referrals.person_id,
    referrals.decided_on,
    {{ groups_on('referrals.decided_on') }},
    referrals.decision in ('filed', 'declined', 'diverted') as is_decided,
    referrals.is_covered,
    -- diverted is neither: the policy asks for no prosecution, not for another programme
    case when referrals.decision in ('filed', 'declined') then referrals.decision = 'declined' end as is_declined,
    case when referrals.decision in ('filed', 'declined') then referrals.decision = 'filed' end as is_filed,
    case
        when referrals.decision = 'filed'
            then coalesce(referrals.approved_on <= coalesce(filings.filed_on, referrals.decided_on), false)
    end as is_approved_before_filing,
    case
        when referrals.arrested_on + 7 <= audit_settings.as_of_date
            then coalesce(referrals.first_detainer_on <= referrals.arrested_on + 7, false)
    end as has_detainer_within_7_days
from referrals
-- one referral to at most one row
left join filings on referrals.referral_id = filings.referral_id
{{ join_groups('referrals.person_id', 'referrals.offence_category') }}

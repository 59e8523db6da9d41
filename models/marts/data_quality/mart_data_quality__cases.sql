-- One row per case of one defendant.
with cases as (
    select * from {{ ref('int_cases__offence_picked') }}
),

arrested as (
    select distinct referrals.referral_id
    from {{ ref('int_referrals__offence_picked') }} as referrals
    -- many referrals to exactly one arrest
    inner join {{ ref('int_arrests__offence_picked') }} as arrests on referrals.arrest_id = arrests.arrest_id
),

held as (
    select distinct case_id from {{ ref('int_custody_stays__offence_picked') }}
),

heard as (
    select distinct case_id from {{ ref('stg_hearings') }}
)

select
    cases.case_id,
    cases.person_id,
    cases.filed_on,
    {{ groups_on('cases.filed_on') }},
    arrested.referral_id is not null as is_linked_to_arrest,
    held.case_id is not null as is_linked_to_stay,
    heard.case_id is not null as is_linked_to_hearing
from cases
-- one case to at most one row each
left join arrested on cases.referral_id = arrested.referral_id
left join held on cases.case_id = held.case_id
left join heard on cases.case_id = heard.case_id
{{ join_groups('cases.person_id', 'cases.offence_category') }}

-- One row per referral for which an alternative before charging was considered.
-- A citation or a programme before arrest or charge, and whether the lack of a residence or an identity document closed
-- it. Where one refusal has no recorded reason, the answer is open (NULL).
with considered as (
    select
        referral_id,
        case
            when {{ is_known('ineligible_reason') }} then ineligible_reason = 'residence_or_id'
            when coalesce(offered_on, accepted_on, enrolled_on) is not null then false
        end as is_refused_for_id
    from {{ ref('stg_diversion_referrals') }}
    where
        referral_id is not null
        and diversion_stage in ('pre_arrest', 'pre_charge')
)

select
    referral_id,
    case
        when count(*) = count(is_refused_for_id) then count(*) filter (where is_refused_for_id) > 0
    end as is_refused_for_id
from considered
group by referral_id

-- One row per referral to diversion: would the programme, completed, still be a conviction in immigration law?
-- Both halves of 8 USC 1101(a)(48)(A) are needed: a plea or admission of sufficient facts, and some punishment, penalty
-- or restraint ordered by a judge. Known to be missing: no conviction. Known to be there: likely, if the row of the
-- reference for withheld adjudication was reviewed, else possible. Anything else: possible.
with conditions as (
    select
        diversion_id,
        {{ admits_sufficient_facts() }} as is_plea_or_admission,
        {{ restrained_by_judge() }} as is_restrained
    from {{ ref('stg_diversion_referrals') }}
),

reference as (
    select
        disposition_consequence_id,
        reviewer is not null and reviewed_on is not null as is_reviewed
    from {{ ref('disposition_consequences') }}
    where disposition_consequence_id = 'any:deferred_entry'
)

select
    conditions.diversion_id,
    reference.disposition_consequence_id,
    conditions.is_plea_or_admission,
    conditions.is_restrained,
    case
        when conditions.is_plea_or_admission and conditions.is_restrained then 'yes'
        when not (conditions.is_plea_or_admission and conditions.is_restrained) then 'no'
        else 'possible'
    end as conviction,
    case
        when conditions.is_plea_or_admission and conditions.is_restrained and reference.is_reviewed then 'likely'
        when not (conditions.is_plea_or_admission and conditions.is_restrained) then 'no_conviction'
        else 'possible'
    end as conviction_class
from conditions
cross join reference

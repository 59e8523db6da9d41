-- One row per record whose days or amounts can be held against each other, and check.
-- What cannot have happened: a decision before the matter was received, a disposition before the filing, a release
-- before the booking, a sum below zero. A record that lacks one side is not checked.
select
    'decided_before_received' as checked,
    concat('referral ', referral_id) as record_id,
    person_id,
    received_on as checked_on,
    offence_category,
    decided_on < received_on as is_impossible
from {{ ref('int_referrals__offence_picked') }}
where
    received_on is not null
    and decided_on is not null

union all

select
    'disposed_before_filed' as checked,
    concat('disposition ', dispositions.disposition_id) as record_id,
    cases.person_id,
    cases.filed_on as checked_on,
    cases.offence_category,
    dispositions.disposed_on < cases.filed_on as is_impossible
from {{ ref('stg_dispositions') }} as dispositions
-- many dispositions to at most one charge, and that to exactly one case
left join {{ ref('int_charges__filed_version_picked') }} as charges on dispositions.charge_id = charges.charge_id
inner join {{ ref('int_cases__offence_picked') }} as cases
    on coalesce(dispositions.case_id, charges.case_id) = cases.case_id
where
    cases.filed_on is not null
    and dispositions.disposed_on is not null

union all

select
    'released_before_booked' as checked,
    concat('stay ', stay_id) as record_id,
    person_id,
    booked_on as checked_on,
    offence_category,
    released_at < booked_at as is_impossible
from {{ ref('int_custody_stays__offence_picked') }}
where
    booked_at is not null
    and released_at is not null

union all

select
    'amount_below_zero' as checked,
    concat('bail ', bail_event_id) as record_id,
    person_id,
    cast(bail_event_at as date) as checked_on,
    offence_category,
    coalesce(da_request_amount < 0, false) or coalesce(set_amount < 0, false) as is_impossible
from {{ ref('int_bail_events__case_found') }}
where
    da_request_amount is not null
    or set_amount is not null

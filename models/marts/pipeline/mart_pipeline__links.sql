-- One row per record that should name the one before it: what it is, and whether that one is on file.
{%- set cases = ref('int_cases__offence_picked') %}
with records as (
    {{ linked('referral_to_arrest', ref('int_referrals__offence_picked'), on='received_on', of=ref('stg_arrests')) }}
    union all
    {{ linked('case_to_referral', cases, on='filed_on', of=ref('stg_referrals')) }}
    union all
    {{ linked('stay_to_case', ref('int_custody_stays__offence_picked'), on='booked_on', of=cases) }}
    union all
    {{ linked('disposition_to_case', ref('stg_dispositions'), on='disposed_on', of=cases, by_charge=true) }}
    union all
    {{ linked('sentence_to_case', ref('stg_sentences'), on='sentenced_on', of=cases, by_charge=true) }}
)

select
    records.record_id,
    records.person_id,
    records.recorded_on,
    {{ groups_on('records.recorded_on') }},
    records.link,
    records.is_linked
from records
{{ join_groups('records.person_id', 'records.offence_category') }}

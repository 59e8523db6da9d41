-- One row per call to the hotline and per case of fraud opened after one, as counted; no caller is known.
with calls as (
    select
        *,
        {{ first_day_of('quarter') }} as quarter_begins_on
    from {{ ref('stg_hotline_calls') }}
),

entries as (
    select
        quarter_begins_on,
        quarter as counted_quarter,
        language,
        topic,
        referrals,
        'call' as kind_of_entry,
        {{ numbers_to('calls') }} as place
    from calls

    union all

    select
        quarter_begins_on,
        quarter as counted_quarter,
        language,
        topic,
        cast(null as bigint) as referrals,
        'case_opened' as kind_of_entry,
        {{ numbers_to('cases_opened') }} as place
    from calls
)

select
    concat_ws('|', entries.counted_quarter, entries.language, entries.topic, entries.kind_of_entry, entries.place)
        as entry_id,
    entries.quarter_begins_on,
    {{ groups_of_nobody_on('entries.quarter_begins_on') }},
    entries.kind_of_entry,
    entries.topic,
    lower(entries.language) not in ('eng', 'en', 'english') as is_in_another_language,
    entries.place <= entries.referrals as is_referred
from entries
{{ join_no_groups() }}

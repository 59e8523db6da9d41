-- One row per motion to vacate, change or clear a conviction.
with motions as (
    select
        motions.*,
        coalesce(motions.person_id, cases.person_id) as moved_by_person_id,
        cases.offence_category
    from {{ ref('stg_post_conviction_motions') }} as motions
    -- many motions to at most one case
    left join {{ ref('int_cases__offence_picked') }} as cases on motions.case_id = cases.case_id
),

padilla as (
    select event_date as decided_on
    from {{ ref('legal_events') }}
    where event_id = 'padilla_v_kentucky'
)

select
    motions.motion_id,
    motions.case_id,
    motions.moved_by_person_id as person_id,
    motions.filed_at as filed_on,
    {{ groups_on('motions.filed_at') }},
    motions.motion_type,
    case when {{ is_known('motions.initiator') }} then motions.initiator = 'office' end as is_begun_by_office,
    motions.da_position,
    coalesce(motions.da_position in ('stipulated', 'non_opposed', 'opposed', 'no_response'), false)
        as is_position_taken,
    motions.da_position in ('stipulated', 'non_opposed') as is_not_opposed,
    motions.da_position = 'stipulated' as is_stipulated,
    motions.reviewer_body,
    {{ is_known('motions.reviewer_body') }} as is_reviewer_known,
    case when motions.outcome in ('granted', 'denied') then motions.outcome = 'granted' end as is_granted,
    case
        when motions.position_at is not null then {{ days_between('motions.filed_at', 'motions.position_at') }}
        -- the court decided without one
        when motions.da_position = 'no_response' then {{ days_between('motions.filed_at', 'motions.outcome_at') }}
        -- taken, but on an unknown day
        when motions.da_position in ('stipulated', 'non_opposed', 'opposed') then null
        else {{ days_between('motions.filed_at', 'coalesce(motions.outcome_at, audit_settings.as_of_date)') }}
    end as days_to_position,
    case
        when motions.position_at is not null then 'event'
        when motions.outcome_at is not null then 'ended_first'
        else 'censored'
    end as days_to_position_outcome,
    case
        when motions.outcome_at is not null then {{ days_between('motions.filed_at', 'motions.outcome_at') }}
        -- ended, but on an unknown day
        when motions.outcome in ('granted', 'denied', 'withdrawn') then null
        else {{ days_between('motions.filed_at', 'audit_settings.as_of_date') }}
    end as days_to_outcome,
    case
        when motions.outcome_at is null then 'censored'
        when motions.outcome in ('granted', 'denied') then 'event'
        when motions.outcome = 'withdrawn' then 'withdrawn'
        else 'outcome_not_recorded'
    end as days_to_outcome_outcome,
    case
        when motions.conviction_final_date < padilla.decided_on then 'final_before_padilla'
        when motions.conviction_final_date >= padilla.decided_on then 'final_since_padilla'
    end as final_against_padilla,
    case
        when {{ is_known('motions.order_names_legal_defect') }} then motions.order_names_legal_defect = 'yes'
    end as is_legal_defect_named,
    -- 8 CFR 1003.55: what was asked for by this day is not judged by Matter of Thomas and Thompson
    case
        when
            motions.motion_type
            not in ('ca_pc_18_5_b', 'ca_pc_1170_18', 'ca_pc_17_b', 'ny_cpl_440_20', 'ny_cpl_440_46')
            then null
        when coalesce(motions.requested_at, motions.filed_at) <= date '2019-10-25' then 'asked_by_25_october_2019'
        else 'asked_later'
    end as sentence_change_asked,
    motions.motion_type in ('ca_pc_18_5_b', 'ny_cpl_440_20') as is_for_364_days,
    motions.urgency_flag as is_urgent,
    motions.counselled as is_counselled
from motions
cross join padilla
{{ join_groups('motions.moved_by_person_id', 'motions.offence_category') }}

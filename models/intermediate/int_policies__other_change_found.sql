-- One row per version of a policy that took effect within 90 days of another change of law or federal policy.
-- What changes near a policy can be mistaken for its effect: a ruling, a statute, the start of a federal programme.
with changes as (
    select
        event_date as changed_on,
        jurisdiction,
        title
    from {{ ref('legal_events') }}

    union all

    select
        from_date as changed_on,
        'US' as jurisdiction,
        title
    from {{ ref('eras') }}
)

select
    policies.policy_id,
    policies.version,
    {{ listed('changes.title', 'changes.changed_on, changes.title') }} as other_changes
from {{ ref('stg_policies') }} as policies
cross join {{ ref('stg_audit_settings') }} as audit_settings
-- some dozens of each
inner join changes
    on
        changes.changed_on between policies.effective_from - 90 and policies.effective_from + 90
        and changes.jurisdiction in ('US', audit_settings.jurisdiction)
group by policies.policy_id, policies.version

-- One row per version of a policy that took effect and measure that it should move.
-- Whether a full year of quarters lies on both sides within the audit's period, and what else changed nearby.
with policies as (
    select
        *,
        date_trunc('quarter', effective_from) as effective_quarter_on,
        -- the quarter in which it took effect belongs to neither side, unless it did so on its first day
        case
            when date_trunc('quarter', effective_from) = effective_from then effective_from
            else cast(date_trunc('quarter', effective_from) + interval 3 month as date)
        end as first_full_quarter_on
    from {{ ref('stg_policies') }}
    where effective_from is not null
),

other_changes as (
    select * from {{ ref('int_policies__other_change_found') }}
)

select
    concat(policies.policy_id, '|', policies.version, '|', targets.measure_id) as target_id,
    policies.policy_id,
    policies.version,
    policies.title,
    policies.effective_from,
    policies.effective_to,
    {{ groups_of_nobody_on('policies.effective_from') }},
    policies.policy_stage,
    targets.measure_id,
    targets.expected_direction,
    targets.comparison_measure_id,
    policies.effective_quarter_on >= cast(audit_settings.period_from + interval 1 year as date)
    and policies.first_full_quarter_on <= cast(audit_settings.period_to + interval 1 day - interval 1 year as date)
        as has_a_year_on_both_sides,
    other_changes.policy_id is not null as is_near_other_change,
    other_changes.other_changes
from policies
-- one version to each measure that its policy names
inner join {{ ref('stg_policy_measures') }} as targets on policies.policy_id = targets.policy_id
-- one version to at most one row
left join other_changes
    on
        policies.policy_id = other_changes.policy_id
        and policies.version = other_changes.version
{{ join_no_groups() }}

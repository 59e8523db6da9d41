-- One row per version of a written policy.
with policies as (
    select * from {{ ref('stg_policies') }}
),

other_changes as (
    select * from {{ ref('int_policies__other_change_found') }}
)

select
    concat(policies.policy_id, '|', policies.version) as policy_version_id,
    policies.policy_id,
    policies.version,
    policies.effective_from,
    {{ groups_of_nobody_on('policies.effective_from') }},
    policies.policy_stage,
    other_changes.policy_id is not null as is_near_other_change
from policies
-- one version to at most one row
left join other_changes
    on
        policies.policy_id = other_changes.policy_id
        and policies.version = other_changes.version
{{ join_no_groups() }}

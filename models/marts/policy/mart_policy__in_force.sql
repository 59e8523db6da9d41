-- One row per policy and quarter on whose last day it was in force.
with policies as (
    select * from {{ ref('int_policies__in_force') }}
)

select
    concat(policies.policy_id, '|', policies.ended_quarter) as policy_quarter_id,
    policies.policy_id,
    policies.version,
    policies.ended_on,
    {{ groups_of_nobody_on('policies.ended_on') }},
    policies.policy_stage,
    policies.proposal_no,
    policies.adopted_form,
    policies.is_written,
    case when {{ is_known('policies.adopted_form') }} then policies.adopted_form = 'written_public' end as is_public,
    policies.presumptive_or_mandatory,
    policies.policy_model,
    policies.is_signoff_required,
    policies.is_last,
    -- the register holds only the last review, so the age on earlier days is not known
    case when policies.is_last then {{ days_between('policies.reviewed_on', 'policies.ended_on') }} end
        as days_since_review
from policies
{{ join_no_groups() }}

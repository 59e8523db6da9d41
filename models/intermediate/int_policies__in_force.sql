-- One row per policy and quarter on whose last day it was in force.
-- Of two versions that overlap the later one holds.
with ranked as (
    select
        policies.policy_id,
        policies.version,
        policies.policy_stage,
        policies.proposal_no,
        policies.adopted_form,
        case when {{ is_known('policies.adopted_form') }} then policies.adopted_form like 'written%' end as is_written,
        policies.presumptive_or_mandatory,
        policies.policy_model,
        policies.signoff_required as is_signoff_required,
        policies.reviewed_on,
        quarters.ended_on,
        quarters.ended_quarter,
        quarters.is_last,
        row_number() over (
            partition by policies.policy_id, quarters.ended_on
            order by policies.version desc
        ) as place
    from {{ ref('stg_policies') }} as policies
    -- a registry has some dozens of policies, a period some dozens of quarters
    inner join {{ ref('int_quarters__ended') }} as quarters
        on {{ in_force('quarters.ended_on', 'policies.effective_from', 'policies.effective_to') }}
)

select
    policy_id,
    version,
    policy_stage,
    proposal_no,
    adopted_form,
    is_written,
    presumptive_or_mandatory,
    policy_model,
    is_signoff_required,
    reviewed_on,
    ended_on,
    ended_quarter,
    is_last
from ranked
where place = 1

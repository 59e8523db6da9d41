-- One row per policy to decline that was considered in a matter.
with policies as (
    select distinct policy_id from {{ ref('stg_policy_rules') }}
    where action = 'decline'
),

applications as (
    select applications.* from {{ ref('int_policy_applications__policy_found') }} as applications
    -- many applications to exactly one policy
    inner join policies on applications.policy_id = policies.policy_id
)

select
    applications.application_id,
    applications.person_id,
    applications.decided_on,
    {{ groups_on('applications.decided_on') }},
    coalesce(applications.complied, false) and {{ is_known('applications.factor') }} as is_declined_for_factor,
    applications.factor,
    coalesce(applications.complied, false) and {{ is_known('applications.fact_source') }} as is_declined_on_fact,
    case
        when {{ is_known('applications.fact_source') }}
            then applications.fact_source = 'voluntary_defence_disclosure'
    end as is_fact_volunteered
from applications
{{ join_groups('applications.person_id', 'applications.offence_category') }}

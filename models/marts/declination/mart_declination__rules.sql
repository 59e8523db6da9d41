-- One row per rule to decline that was in force at the end of the audit's period.
with settings as (
    select least(period_to, as_of_date) as ends_on from {{ ref('stg_audit_settings') }}
),

policies as (
    select
        policies.policy_id,
        policies.public_url,
        settings.ends_on
    from {{ ref('stg_policies') }} as policies
    inner join settings on {{ in_force('settings.ends_on', 'policies.effective_from', 'policies.effective_to') }}
    qualify row_number() over (partition by policies.policy_id order by policies.version desc) = 1
),

rules as (
    select
        rules.rule_id,
        policies.public_url,
        policies.ends_on
    from {{ ref('stg_policy_rules') }} as rules
    -- many rules to exactly one version of their policy
    inner join policies on rules.policy_id = policies.policy_id
    where rules.action = 'decline'
)

select
    rules.rule_id,
    rules.ends_on,
    {{ groups_of_nobody_on('rules.ends_on') }},
    rules.public_url is not null as is_published
from rules
{{ join_no_groups() }}

-- One row per offence as written, version of a policy, and action, that a rule covers or may cover.
-- A rule asks for what it names and for nothing else. `is_covered` is open (NULL) where the record does not say what
-- the rule asks, or the rule turns on a fact about the person, which is not in the charge. A charge that does not say
-- whose law it is under is under the office's own.
with rules as (
    select
        rules.policy_id,
        rules.action as rule_action,
        coalesce(rules.jurisdiction, settings.jurisdiction) as jurisdiction,
        {{ statute_part('rules.law_code') }} as code_form,
        {{ statute_part('rules.section') }} as section_form,
        case when {{ is_known('rules.severity') }} then rules.severity end as severity,
        case when {{ is_known('rules.offence_category') }} then rules.offence_category end as offence_category,
        rules.group_condition
    from {{ ref('stg_policy_rules') }} as rules
    cross join {{ ref('stg_audit_settings') }} as settings
    where {{ is_known('rules.action') }}
),

offences as (
    select
        written.offence_key,
        coalesce(written.jurisdiction, settings.jurisdiction) as jurisdiction,
        {{ statute_part('written.law_code') }} as code_form,
        {{ statute_part('written.section') }} as section_form,
        {{ statute_part("regexp_replace(written.section, '[(/].*$', '')") }} as whole_section_form,
        case when {{ is_known('written.severity') }} then written.severity end as severity,
        case when {{ is_known('written.offence_category') }} then written.offence_category end as offence_category
    from {{ ref('int_offences__as_written') }} as written
    cross join {{ ref('stg_audit_settings') }} as settings
),

-- some thousands of offences and some dozens of rules
judged as (
    select
        offences.offence_key,
        rules.policy_id,
        rules.rule_action,
        offences.jurisdiction = rules.jurisdiction
        and (rules.code_form is null or offences.code_form = rules.code_form)
        and (
            rules.section_form is null
            or offences.section_form = rules.section_form
            -- a rule for a section covers its subdivisions
            or offences.whole_section_form = rules.section_form
        )
        and (rules.severity is null or offences.severity = rules.severity)
        and (rules.offence_category is null or offences.offence_category = rules.offence_category)
        and (rules.group_condition is null or null) as is_covered
    from offences
    cross join rules
)

select
    judged.offence_key,
    judged.policy_id,
    policies.version,
    judged.rule_action,
    policies.effective_from,
    policies.effective_to,
    {{ any_true('judged.is_covered') }} as is_covered
from judged
-- many rules to the few versions of their policy
inner join {{ ref('stg_policies') }} as policies on judged.policy_id = policies.policy_id
where judged.is_covered is not false
group by all

-- One row per case with a plea of guilty or no contest: what the plea differs in from what was filed.
-- A charge was bargained over if one that was pleaded to is of a lower class, or of another section, than as filed;
-- counts were if another charge of the case was dismissed. Where a class or section is missing, that is open (NULL).
with pleaded as (
    select
        decided.case_id,
        {{ severity_class_rank('versions.severity') }} < filed.severity_class_rank as is_lower_class,
        {{ statute_part("regexp_replace(versions.section, '[(/].*$', '')") }}
        <> {{ statute_part("regexp_replace(filed.section, '[(/].*$', '')") }} as is_other_section
    from {{ ref('int_charges__conviction_decided') }} as decided
    -- one decision to one version, and to at most one as filed
    inner join {{ ref('stg_charges') }} as versions
        on decided.charge_id = versions.charge_id and decided.version_no = versions.version_no
    inner join {{ ref('int_charges__filed_version_picked') }} as filed on decided.charge_id = filed.charge_id
    where
        decided.law_known = 'as_known_then'
        and decided.disposition_type in ('plea_guilty', 'plea_nolo')
        and decided.case_id is not null
),

changed as (
    select
        case_id,
        {{ any_true('is_lower_class or is_other_section') }} as is_charge_bargained
    from pleaded
    group by case_id
),

dismissed as (
    select distinct filed.case_id
    from {{ ref('int_charges__state_outcome_decided') }} as outcomes
    -- one outcome to at most one version as filed
    inner join {{ ref('int_charges__filed_version_picked') }} as filed on outcomes.charge_id = filed.charge_id
    where outcomes.disposition_type in ('dismissed_da', 'dismissed_court')
)

select
    changed.case_id,
    case
        when changed.is_charge_bargained and dismissed.case_id is not null then 'charge_and_counts'
        when changed.is_charge_bargained then 'charge'
        when not changed.is_charge_bargained and dismissed.case_id is not null then 'counts'
        when not changed.is_charge_bargained then 'neither_charge_nor_counts'
    end as bargained_over
from changed
-- one case to at most one row
left join dismissed on changed.case_id = dismissed.case_id

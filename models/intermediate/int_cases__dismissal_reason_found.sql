-- One row per case with a dismissed charge.
-- Whether a victim or witness who could not be had was the reason. Where no charge says so and one is silent, open.
select
    coalesce(dispositions.case_id, charges.case_id) as case_id,
    max(dispositions.disposed_on) as last_dismissed_on,
    {{ any_true(
        "case when dispositions.disposition_reason not in ('not_recorded', 'recorded_unknown', 'redacted', 'unmapped')"
        ~ " then dispositions.disposition_reason in ('victim_unavailable', 'witness_unavailable') end"
    ) }} as is_for_absence
from {{ ref('stg_dispositions') }} as dispositions
-- many dispositions to at most one charge
left join {{ ref('int_charges__filed_version_picked') }} as charges on dispositions.charge_id = charges.charge_id
where
    dispositions.disposition_type in ('dismissed_da', 'dismissed_court')
    and coalesce(dispositions.case_id, charges.case_id) is not null
group by coalesce(dispositions.case_id, charges.case_id)

-- One row per case whose top charge, as filed, stands in a published standard offer, with the day since when it does.
-- The section of the law is enough: an office publishes offers for what it charges, not for every subdivision.
with offers as (
    select
        jurisdiction,
        {{ statute_forms('law_code', 'section', 'null') }},
        effective_from
    from {{ ref('stg_standard_offers') }}
),

charges as (
    select
        top_charges.case_id,
        {{ statute_forms('charges.law_code', 'charges.section', 'null') }}
    from {{ ref('int_cases__top_charge_picked') }} as top_charges
    inner join {{ ref('int_charges__filed_version_picked') }} as charges
        on top_charges.top_charge_id = charges.charge_id
)

select
    charges.case_id,
    min(offers.effective_from) as effective_from
from charges
cross join {{ ref('stg_audit_settings') }} as settings
-- one charge to each offer for its section: the first of them counts
inner join offers
    on
        charges.code_form = offers.code_form
        and charges.section_form = offers.section_form
        and coalesce(offers.jurisdiction, settings.jurisdiction) = settings.jurisdiction
where offers.effective_from is not null
group by charges.case_id

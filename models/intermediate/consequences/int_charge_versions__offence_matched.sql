-- One row per version of a charge that is an offence: which offence of the reference it is, and if none, why not.
{{ config(materialized='table') }}

with versions as (
    select
        charge_id,
        version_no,
        case_id,
        version_on,
        -- a charge that does not say whose law it is under is under the office's own
        coalesce(charges.jurisdiction, settings.jurisdiction) as jurisdiction,
        {{ statute_forms('law_code', 'section', 'subdivision') }},
        {{ severity_class('severity') }} as severity_class,
        -- the charge is recorded as the offence itself unless it is said to be less
        coalesce(is_attempt, false) or coalesce(is_conspiracy, false) as is_inchoate,
        loss_amount,
        prior_pleaded,
        victim_relationship
    from {{ ref('stg_charges') }} as charges
    cross join {{ source('landing', 'audit_settings') }} as settings
    -- an enhancement is no offence
    where not coalesce(is_enhancement, false)
)

select
    versions.charge_id,
    versions.version_no,
    versions.case_id,
    versions.version_on,
    versions.jurisdiction,
    circuits.circuit,
    offences.offence_id,
    {{ match_reason('versions') }} as match_reason,
    -- an offence that can only be of one class is of that class, also where the export does not say
    coalesce(versions.severity_class, nullif(offences.severity, 'wobbler')) as severity_class,
    versions.is_inchoate,
    versions.loss_amount,
    versions.prior_pleaded,
    versions.victim_relationship,
    offences.laken_riley_trigger as is_laken_riley_trigger
from versions
{{ join_offence('versions') }}

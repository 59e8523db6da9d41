-- One row per plea offer.
with offers as (
    select
        offers.*,
        exposures.exposure_class,
        cases.person_id,
        cases.offence_category,
        cases.top_charge_severity,
        standards.effective_from as standard_offer_from
    from {{ ref('stg_plea_offers') }} as offers
    -- one offer to its one exposure, and to at most one case
    left join {{ ref('int_plea_offers__exposure_classified') }} as exposures
        on offers.offer_id = exposures.offer_id and exposures.law_known = 'as_known_then'
    left join {{ ref('int_cases__offence_picked') }} as cases on offers.case_id = cases.case_id
    left join {{ ref('int_cases__standard_offer_found') }} as standards on offers.case_id = standards.case_id
)

select
    offers.offer_id,
    offers.case_id,
    offers.person_id,
    offers.made_at as made_on,
    {{ groups_on('offers.made_at') }},
    offers.made_by = 'da' as is_by_office,
    offers.made_by = 'defence' as is_by_defence,
    coalesce(offers.imm_raised_by_defence, false) as is_raised_by_defence,
    -- an entry made after the offer did not shape it
    case
        when {{ is_known('offers.imm_considered') }}
            then offers.imm_considered = 'yes' and coalesce(offers.imm_considered_at <= offers.made_at, true)
    end as is_consideration_recorded,
    offers.exposure_class,
    offers.exposure_class = 'no_known_ground' as is_shown_neutral,
    case {{ severity_class_rank('offers.top_charge_severity') }}
        when 3 then 'felony'
        when 2 then 'misdemeanor'
        when 1 then 'violation_infraction'
    end as severity_class,
    offers.documents_demanded as is_documents_demanded,
    case
        when offers.answered_at is not null then {{ days_between('offers.made_at', 'offers.answered_at') }}
        -- answered or withdrawn, but on an unknown day
        when offers.outcome in ('accepted', 'rejected', 'countered', 'withdrawn') then null
        when offers.outcome = 'expired' then {{ days_between('offers.made_at', 'offers.expires_on') }}
        else {{ days_between('offers.made_at', 'audit_settings.as_of_date') }}
    end as days_to_answer,
    case
        when offers.answered_at is not null then 'event'
        when offers.outcome = 'expired' then 'expired'
        else 'censored'
    end as days_to_answer_outcome,
    offers.standard_offer_from <= offers.made_at as is_standard_offer_published,
    offers.is_standard_offer,
    offers.refusal_reason,
    {{ is_known('offers.refusal_reason') }} as is_refused_with_reason,
    coalesce(offers.status_as_leverage, false) as is_status_as_leverage,
    case
        when offers.outcome in ('accepted', 'rejected', 'countered') then offers.outcome = 'accepted'
    end as is_accepted_unmodified,
    offers.sentence_days
from offers
{{ join_groups('offers.person_id', 'offers.offence_category') }}

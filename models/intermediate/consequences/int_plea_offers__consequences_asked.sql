-- One row per plea offer and state of the law: all that its exposure turns on.
-- As if convicted on the day of the offer. The sentence is the custody offered; where none is stated, the gravest that
-- the class of the offence allows.
with jurisdictions as (
    -- offers name no jurisdiction: it is that of the charges of the case, where they agree
    select
        case_id,
        min(jurisdiction) as jurisdiction
    from {{ ref('int_charge_versions__offence_matched') }}
    group by case_id
    having min(jurisdiction) = max(jurisdiction)
),

offers as (
    select
        offers.offer_id,
        offers.case_id,
        offers.made_at as conviction_on,
        offers.sentence_days,
        cases.person_id,
        jurisdictions.jurisdiction,
        {{ statute_forms('offers.charge_code', 'offers.charge_section', 'null') }}
    from {{ ref('stg_plea_offers') }} as offers
    left join {{ ref('stg_cases') }} as cases on offers.case_id = cases.case_id
    left join jurisdictions on offers.case_id = jurisdictions.case_id
),

matched as (
    select
        offers.offer_id,
        offers.case_id,
        offers.person_id,
        offers.conviction_on,
        offers.sentence_days,
        circuits.circuit,
        offences.offence_id,
        {{ match_reason('offers') }} as match_reason,
        nullif(offences.severity, 'wobbler') as severity_class,
        offences.laken_riley_trigger as is_laken_riley_trigger,
        -- an offer says neither: nothing is assumed where it counts
        false as is_inchoate,
        cast(null as decimal(18, 2)) as loss_amount,
        cast(null as boolean) as prior_pleaded,
        'not_recorded' as victim_relationship
    from offers
    {{ join_offence('offers') }}
)

select
    matched.*,
    law.law_known,
    case law.law_known when 'as_known_then' then matched.conviction_on else settings.as_of_date end as law_on,
    matched.sentence_days is null as is_sentence_assumed,
    coalesce({{ term_reaches_one_year('matched.sentence_days', "'days'") }}, maximums.reaches_one_year)
        as at_least_one_year,
    case
        when matched.sentence_days is null then maximums.exceeds_six_months
        else {{ term_exceeds_six_months('matched.sentence_days', "'days'") }}
    end as over_six_months,
    maximums.reaches_one_year as max_reaches_one_year,
    maximums.exceeds_one_year as max_exceeds_one_year
from matched
cross join (values ('as_known_then'), ('as_known_now')) as law (law_known)
cross join {{ ref('stg_audit_settings') }} as settings
-- one offer to at most one maximum of its offence, class and day
left join {{ ref('int_offences__maximum_resolved') }} as maximums
    on
        matched.offence_id = maximums.offence_id
        and matched.severity_class = maximums.severity_class
        and {{ in_force('matched.conviction_on', 'maximums.conviction_from', 'maximums.conviction_to') }}

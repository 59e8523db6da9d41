-- One row per plea offer: all that its exposure turns on.
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
        offences.laken_riley_trigger as is_laken_riley_trigger
    from offers
    {{ join_offence('offers') }}
)

select
    matched.offer_id,
    matched.case_id,
    matched.person_id,
    matched.conviction_on,
    matched.match_reason,
    matched.severity_class,
    matched.is_laken_riley_trigger,
    matched.offence_id,
    matched.circuit,
    'yes' as conviction,
    true as is_conviction_reviewed,
    periods.day_within as conviction_period,
    -- an offer says none of these: nothing is assumed where it counts
    false as is_inchoate,
    cast(null as boolean) as is_loss_over_10000,
    cast(null as boolean) as prior_pleaded,
    cast(null as boolean) as is_victim_domestic,
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
-- one offer to at most one period, and to at most one maximum of its offence, class and day
{{ join_conviction_period('matched') }}
left join {{ ref('int_offences__maximum_resolved') }} as maximums
    on
        matched.offence_id = maximums.offence_id
        and matched.severity_class = maximums.severity_class
        and {{ in_force('matched.conviction_on', 'maximums.conviction_from', 'maximums.conviction_to') }}

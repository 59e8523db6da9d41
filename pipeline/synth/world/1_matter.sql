-- One row per matter: an arrest of one person, and all that became of it.
-- Every draw is a hash of (seed, salt, row); every decision of the office keeps its probability as p_<decision>,
-- so that the truth is a sum over this table and holds no Monte Carlo error.
CREATE TABLE matter AS
WITH moments AS NOT MATERIALIZED (
    SELECT
        CAST(m AS BIGINT) AS m,
        DATE '{{ start }}' + CAST(m * {{ days }} // {{ matters }} AS INTEGER) AS day,
        -- A person is active for some three of ten years; every eighth comes back often.
        CAST(floor({{ persons }} * (0.7 * m / {{ matters }} + 0.3 * draw(m, 'person'))) AS BIGINT) AS candidate
    FROM range({{ matters }}) AS numbers (m)
),
people AS NOT MATERIALIZED (
    SELECT
        m,
        day,
        CASE WHEN draw(m, 'returns') < 0.3 THEN candidate - candidate % 8 ELSE candidate END AS person,
        offence_slot(draw(m, 'offence')) AS offence,
        {{ pick('priors', {0: 0.52, 1: 0.20, 2: 0.12, 3: 0.08, 4: 0.05, 6: 0.03}) }} AS priors,
        {{ pick('agency', {'ECPD': 0.46, 'ECSO': 0.31, 'CHP': 0.13, 'TRPD': 0.06, 'UNIPD': 0.04}) }} AS agency,
        {{ pick('district', {'NORTH': 0.27, 'CENTRAL': 0.38, 'SOUTH': 0.22, 'VALLEY': 0.13}) }} AS district,
        {{ pick('court', {'DEPT 1': 0.30, 'DEPT 4': 0.28, 'DEPT 7': 0.24, 'SOUTH BR': 0.18}) }} AS court,
        {{ pick('defence', {'public_defender': 0.58, 'assigned': 0.17, 'private': 0.20, 'pro_se': 0.05}) }} AS defence
    FROM moments
),
offences AS NOT MATERIALIZED (
    SELECT
        *,
        race_of(person) AS race,
        citizenship_of(person) AS citizenship,
        offence_category(offence) AS category,
        CASE
            WHEN offence_severity(offence) <> 'wobbler' THEN offence_severity(offence)
            WHEN draw(m, 'police class') < 0.65 THEN 'wobbler_felony'
            ELSE 'wobbler_misdemeanor'
        END AS referred_severity
    FROM people
),
arrests AS NOT MATERIALIZED (
    SELECT
        *,
        grave_of(referred_severity) AS grave,
        expit(
            CASE grave_of(referred_severity) WHEN 1 THEN 2.2 WHEN 0 THEN -0.2 ELSE -2.6 END
            + 0.25 * least(priors, 3) + {{ effect('booking', 'day') }}
        ) AS p_booking,
        -- Diversion before arrest, from 2017 on, for the smallest matters.
        offence_divertible(offence) AND grave_of(referred_severity) <= 0 AND day >= DATE '2017-01-01'
            AND draw(m, 'lead') < 0.03 AS before_arrest,
        CAST(day AS TIMESTAMP) + to_minutes(CAST(floor(draw(m, 'minute') * 1440) AS BIGINT)) AS arrest_at
    FROM offences
),
bookings AS NOT MATERIALIZED (
    SELECT
        *,
        NOT before_arrest AND draw(m, 'booking') < p_booking AS booked,
        CASE
            WHEN category IN ('drug_possession', 'drug_sale') THEN 'NARCOTICS'
            WHEN category IN ('driving_under_influence', 'traffic') THEN 'TRAFFIC'
            WHEN category IN ('homicide', 'robbery', 'sexual', 'weapons') OR grave = 1 AND category = 'assault'
                THEN 'VIOLENT CRIMES'
            WHEN category = 'domestic_violence' THEN 'FAMILY VIOLENCE'
            WHEN grave = 1 THEN 'PROPERTY'
            ELSE 'GENERAL MISD'
        END AS unit
    FROM arrests
),
received AS NOT MATERIALIZED (
    SELECT
        *,
        day + whole(m, 'received', 0, CASE WHEN booked THEN 1 ELSE 20 END) AS received_on,
        {{ pick('second', {'none': 0.60, 'one': 0.27, 'two': 0.13}) }} AS further_charges,
        expit(-2.0 + {{ effect('charge_added', 'day') }}) AS p_charge_added
    FROM bookings
),
decisions AS NOT MATERIALIZED (
    SELECT
        *,
        received_on + whole(m, 'decided', 0, CASE WHEN booked THEN 1 WHEN draw(m, 'slow') < 0.03 THEN 120 ELSE 30 END)
            AS decided_on
    FROM received
),
screened AS NOT MATERIALIZED (
    SELECT
        *,
        offence_low_level(offence) AND decided_on >= DATE '2019-07-01' AS covered_by_declination,
        offence_divertible(offence) AND priors <= 1 AND referred_severity <> 'felony' AS divertible,
        draw(m, 'before charge') < 0.25 AS before_charge
    FROM decisions
),
declinations AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN before_arrest THEN 0.0
            ELSE expit(-1.9 + 0.5 * CAST(grave < 1 AS INTEGER) - 0.2 * least(priors, 3)
                + CASE WHEN covered_by_declination THEN {{ effect('policy_declination', 'decided_on') }}
                    ELSE {{ effect('declination', 'decided_on') }} END)
        END AS p_declination,
        expit(0.9 + {{ effect('diversion_offer', 'decided_on') }}) AS p_diversion_offer,
        expit(1.5 + {{ effect('deviation_signoff', 'decided_on') }}) AS p_deviation_signoff,
        expit(-0.1 + 0.15 * least(priors, 3) + {{ effect('wobbler_felony', 'decided_on') }}) AS p_wobbler_felony
    FROM screened
),
offered AS NOT MATERIALIZED (
    SELECT
        *,
        draw(m, 'declined') < p_declination AS declined,
        divertible AND draw(m, 'offered') < p_diversion_offer AS offer_made,
        draw(m, 'accepted') < 0.78 AS offer_accepted,
        draw(m, 'returned') < 0.03 AS returned
    FROM declinations
),
decided AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN before_arrest THEN 'diverted'
            WHEN declined THEN 'declined'
            WHEN before_charge AND offer_made AND offer_accepted THEN 'diverted'
            WHEN returned THEN 'returned_for_investigation'
            ELSE 'filed'
        END AS decision,
        CASE
            WHEN before_arrest THEN 0.0
            ELSE (1 - p_declination) * 0.97
                * (1 - CASE WHEN divertible AND before_charge THEN 0.78 * p_diversion_offer ELSE 0 END)
        END AS p_filing,
        CASE
            WHEN NOT declined OR before_arrest THEN NULL
            WHEN covered_by_declination THEN 'policy_declination'
            ELSE {{ pick('reason', {'insufficient_evidence': 0.52, 'interest_of_justice': 0.18, 'victim': 0.16,
                                    'jurisdiction': 0.05, 'immigration_equities': 0.02, 'other': 0.07}) }}
        END AS decline_reason,
        -- The funnel of diversion opens only for matters that were not declined.
        divertible AND NOT declined AND NOT before_arrest AS eligible_for_diversion
    FROM offered
),
filed AS NOT MATERIALIZED (
    SELECT
        *,
        decision = 'filed' AS is_filed,
        CASE WHEN decision = 'filed' THEN decided_on + whole(m, 'filed', 0, 1) END AS filed_on,
        decision = 'filed' AND covered_by_declination AS deviates,
        CASE
            WHEN NOT starts_with(referred_severity, 'wobbler') THEN referred_severity
            WHEN draw(m, 'wobbler') < p_wobbler_felony THEN 'wobbler_felony'
            ELSE 'wobbler_misdemeanor'
        END AS filed_severity,
        CASE WHEN further_charges <> 'none' THEN offence_slot(draw(m, 'offence 2')) END AS offence_2,
        CASE WHEN further_charges = 'two' THEN offence_slot(draw(m, 'offence 3')) END AS offence_3,
        CASE WHEN decision = 'filed' AND draw(m, 'added') < p_charge_added THEN offence_slot(draw(m, 'offence 4')) END AS offence_4
    FROM decided
),
appearances AS NOT MATERIALIZED (
    SELECT
        *,
        grave_of(filed_severity) AS filed_grave,
        is_filed AND grave_of(filed_severity) = 1 AND draw(m, 'enhanced') < 0.08 AS is_enhanced,
        -- Held people are heard within two days, cited people within six weeks.
        CAST(filed_on + whole(m, 'first day', CASE WHEN booked THEN 1 ELSE 14 END, CASE WHEN booked THEN 2 ELSE 45 END)
            AS TIMESTAMP) + to_minutes(CAST(540 + 5 * whole(m, 'first hour', 0, 72) AS BIGINT)) AS first_at,
        is_filed AND booked AND grave_of(filed_severity) >= 0 AS has_bail_hearing
    FROM filed
),
bail_probabilities AS NOT MATERIALIZED (
    SELECT
        *,
        expit(-3.2 + 1.2 * CAST(unit = 'VIOLENT CRIMES' AS INTEGER) + 0.25 * least(priors, 3)
            + {{ effect('detention_request', 'first_at', severity='filed_grave') }}) AS p_detention_request,
        expit(-0.5 + 0.9 * filed_grave + 0.2 * least(priors, 3)
            + {{ effect('cash_request', 'first_at', severity='filed_grave') }}) AS p_cash_otherwise,
        -- What no office should do happens only where it is planted.
        CASE WHEN {{ effect('immigration_argument', 'first_at') }} <> 0 THEN expit(-4.6 + {{ effect('immigration_argument', 'first_at') }}) ELSE 0 END AS p_immigration_argument
    FROM appearances
),
bail_requests AS NOT MATERIALIZED (
    SELECT
        *,
        (1 - p_detention_request) * p_cash_otherwise AS p_cash_request,
        CASE
            WHEN draw(m, 'detention') < p_detention_request THEN 'detention'
            WHEN draw(m, 'cash') < p_cash_otherwise THEN 'cash'
            ELSE {{ pick('lighter', {'ror': 0.42, 'supervised': 0.30, 'noncash': 0.18, 'no_position': 0.10}) }}
        END AS request,
        greatest(500, 500 * round(offence_bail(offence) * (1 + 0.25 * priors)
            * exp(0.35 * logit(draw(m, 'amount'))) / 500)) AS would_ask,
        draw(m, 'argued') < p_immigration_argument AS argued
    FROM bail_probabilities
),
bail_orders AS NOT MATERIALIZED (
    SELECT
        *,
        CASE WHEN request = 'cash' THEN would_ask END AS request_amount,
        CASE
            WHEN draw(m, 'follows') < 0.72 AND request <> 'no_position' THEN request
            WHEN request = 'detention' THEN 'cash'
            ELSE {{ pick('ordered', {'ror': 0.45, 'supervised': 0.30, 'noncash': 0.15, 'cash': 0.10}) }}
        END AS set_type,
        CASE
            WHEN NOT argued THEN 'none'
            ELSE {{ pick('argument', {'status': 0.25, 'detainer': 0.30, 'foreign_ties': 0.25, 'passport_travel': 0.20}) }}
        END AS argument
    FROM bail_requests
),
bail AS NOT MATERIALIZED (
    SELECT
        *,
        CASE WHEN set_type = 'cash' THEN
            greatest(250, would_ask * {{ pick('set', {1.0: 0.52, 0.5: 0.28, 0.75: 0.12, 1.5: 0.08}) }}) END AS set_amount
    FROM bail_orders
),
posted AS NOT MATERIALIZED (
    SELECT
        *,
        CASE WHEN has_bail_hearing AND set_type = 'cash'
                AND draw(m, 'posts') < expit(1.6 - 0.45 * ln(greatest(set_amount, 250) / 1000))
            THEN first_at + to_minutes(CAST(60 * exp(ln(14) + 0.8 * logit(draw(m, 'posted'))) AS BIGINT))
        END AS posted_at
    FROM bail
),
programmes AS NOT MATERIALIZED (
    SELECT
        *,
        has_bail_hearing AND set_type IN ('cash', 'detention') AND posted_at IS NULL AS held,
        CASE
            WHEN before_arrest THEN day
            WHEN NOT eligible_for_diversion THEN NULL
            WHEN before_charge THEN received_on + 1
            WHEN is_filed THEN filed_on + 7
        END AS eligible_on,
        before_arrest OR eligible_for_diversion AND offer_made AND (before_charge OR is_filed) AS is_offered,
        expit(-1.0 + {{ effect('plea_up_front', 'filed_on') }}) AS p_plea_up_front,
        expit(-1.0 + {{ effect('neutral_resolution', 'filed_on') }}) AS p_neutral_resolution
    FROM posted
),
diversions AS NOT MATERIALIZED (
    SELECT
        *,
        is_offered AND (offer_accepted OR before_arrest) AS is_diverted,
        CASE
            WHEN before_arrest THEN 'pre_arrest'
            WHEN before_charge THEN 'pre_charge'
            WHEN draw(m, 'plea first') < p_plea_up_front THEN 'post_plea'
            ELSE 'pre_plea'
        END AS diversion_stage,
        draw(m, 'completes') < 0.70 AS completes,
        whole(m, 'programme', 120, 400) AS programme_days
    FROM programmes
),
clocks AS NOT MATERIALIZED (
    SELECT
        *,
        CASE WHEN is_diverted THEN eligible_on + 20 END AS enrolled_on,
        CASE WHEN is_diverted THEN eligible_on + 20 + CASE WHEN completes THEN programme_days ELSE programme_days // 2 END
        END AS programme_ended_on,
        CAST(ceil(CASE filed_grave WHEN 1 THEN 165 WHEN 0 THEN 80 ELSE 35 END
            * exp(0.45 * logit(draw(m, 'time to disposition'))) * CASE WHEN held THEN 0.45 ELSE 1 END) AS INTEGER)
            AS ordinary_days
    FROM diversions
),
disposed AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN NOT is_filed THEN NULL
            WHEN is_diverted AND completes THEN programme_ended_on
            WHEN is_diverted THEN programme_ended_on + 30
            ELSE greatest(CAST(first_at AS DATE), filed_on + least(ordinary_days, 1500))
        END AS disposed_on,
        CASE
            WHEN NOT is_filed THEN NULL
            WHEN is_diverted AND completes THEN CASE diversion_stage WHEN 'post_plea' THEN 'deferred_entry' ELSE 'diverted_no_plea' END
            WHEN draw(m, 'dismissed') < CASE filed_grave WHEN 1 THEN 0.20 ELSE 0.27 END
                THEN {{ pick('by whom', {'dismissed_da': 0.80, 'dismissed_court': 0.20}) }}
            ELSE {{ pick('ending', {'plea_guilty': 0.755, 'plea_nolo': 0.16, 'verdict_guilty': 0.022, 'acquitted': 0.012,
                                    'acd': 0.036, 'transferred': 0.006, 'abated': 0.004, 'mistrial': 0.005}) }}
        END AS ending
    FROM clocks
),
convictions AS NOT MATERIALIZED (
    SELECT
        *,
        ending IN ('plea_guilty', 'plea_nolo', 'verdict_guilty') AS is_convicted,
        CASE
            WHEN ending NOT IN ('plea_guilty', 'plea_nolo') THEN offence
            WHEN draw(m, 'neutral') < p_neutral_resolution THEN offence_neutral(offence)
            WHEN draw(m, 'reduced') < 0.35 THEN offence_lesser(offence)
            ELSE offence
        END AS convicted_offence
    FROM disposed
),
severities AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN convicted_offence = offence AND NOT (filed_severity = 'wobbler_felony' AND draw(m, '17b') < 0.25) THEN filed_severity
            WHEN offence_severity(convicted_offence) <> 'wobbler' THEN offence_severity(convicted_offence)
            ELSE 'wobbler_misdemeanor'
        END AS convicted_severity
    FROM convictions
),
recommendations AS NOT MATERIALIZED (
    SELECT
        *,
        grave_of(convicted_severity) AS convicted_grave,
        CASE WHEN is_convicted THEN disposed_on + CASE WHEN filed_grave = 1 THEN whole(m, 'sentencing', 14, 45) ELSE 0 END END
            AS sentenced_on,
        expit(CASE grave_of(convicted_severity) WHEN 1 THEN 1.0 WHEN 0 THEN -0.6 ELSE -5 END
            + 0.3 * least(priors, 3) + {{ effect('carceral_recommendation', 'disposed_on') }}) AS p_carceral_recommendation,
        expit({{ effect('one_year_sentence', 'disposed_on') }}) AS p_one_year_sentence
    FROM severities
),
terms AS NOT MATERIALIZED (
    SELECT
        *,
        draw(m, 'carceral') < p_carceral_recommendation AS recommends_custody,
        is_convicted AND convicted_grave >= 0
            AND draw(m, 'line') < CASE convicted_grave WHEN 1 THEN 0.22 ELSE 0.06 END AS on_one_year_line,
        convicted_grave = 1 AND draw(m, 'prison') < 0.30 AS is_prison,
        draw(m, 'agrees') < 0.80 AS court_agrees
    FROM recommendations
),
sentences AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN on_one_year_line THEN 'jail'
            WHEN recommends_custody AND court_agrees THEN CASE WHEN is_prison THEN 'prison' ELSE 'jail' END
            WHEN convicted_grave < 0 THEN 'fine'
            ELSE {{ pick('lighter sentence', {'probation': 0.74, 'fine': 0.12, 'community_service': 0.08, 'time_served': 0.06}) }}
        END AS sentence_type,
        CASE
            WHEN is_prison THEN {{ pick('prison days', {480: 0.22, 730: 0.30, 1095: 0.24, 1460: 0.12, 1825: 0.07, 2920: 0.05}) }}
            WHEN convicted_grave = 1 THEN {{ pick('jail days', {90: 0.20, 120: 0.20, 180: 0.30, 240: 0.12, 270: 0.10, 300: 0.08}) }}
            ELSE {{ pick('short days', {2: 0.12, 5: 0.12, 10: 0.20, 20: 0.14, 30: 0.18, 45: 0.08, 60: 0.06, 90: 0.06, 180: 0.03, 181: 0.01}) }}
        END AS ordinary_term
    FROM terms
),
imposed AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN NOT is_convicted THEN NULL
            WHEN on_one_year_line THEN CASE WHEN draw(m, '365') < p_one_year_sentence THEN 365 ELSE 364 END
            WHEN sentence_type IN ('prison', 'jail') THEN ordinary_term
            WHEN sentence_type = 'time_served' THEN 1 + ordinary_term // 30
            ELSE 0
        END AS imposed_days,
        CASE WHEN NOT is_convicted THEN NULL WHEN recommends_custody OR on_one_year_line
            THEN CASE WHEN on_one_year_line AND NOT is_prison THEN {{ pick('asked', {365: 0.70, 270: 0.15, 540: 0.15}) }} ELSE ordinary_term END
        ELSE 0 END AS recommended_days,
        CASE
            WHEN recommends_custody OR on_one_year_line THEN CASE WHEN is_prison AND NOT on_one_year_line THEN 'prison' ELSE 'jail' END
            ELSE 'probation'
        END AS recommended_type
    FROM sentences
),
executed AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN sentence_type <> 'jail' THEN 0
            WHEN draw(m, 'suspended') < 0.22 THEN imposed_days
            WHEN draw(m, 'suspended') < 0.42 THEN imposed_days // 2
            ELSE 0
        END AS suspended_days
    FROM imposed
),
stays AS NOT MATERIALIZED (
    SELECT
        *,
        imposed_days - suspended_days AS executed_days,
        CASE WHEN booked THEN arrest_at + to_minutes(CAST(whole(m, 'booked', 50, 240) AS BIGINT)) END AS booked_at
    FROM executed
),
due AS NOT MATERIALIZED (
    SELECT
        *,
        -- Why and when release was due. Empty: prison, or no end in sight.
        CASE
            WHEN NOT booked THEN NULL
            WHEN NOT is_filed THEN 'dismissed'
            WHEN NOT has_bail_hearing OR set_type IN ('ror', 'supervised', 'noncash') THEN 'ror_order'
            WHEN posted_at IS NOT NULL THEN 'bail_posted'
            WHEN is_diverted THEN 'ror_order'
            WHEN NOT is_convicted THEN 'dismissed'
            WHEN sentence_type = 'prison' THEN NULL
            ELSE 'sentence_complete'
        END AS due_reason,
        CASE
            WHEN NOT booked THEN NULL
            WHEN NOT is_filed THEN greatest(booked_at + INTERVAL 2 HOUR, CAST(decided_on AS TIMESTAMP) + INTERVAL 17 HOUR)
            WHEN NOT has_bail_hearing OR set_type IN ('ror', 'supervised', 'noncash') THEN first_at + INTERVAL 1 HOUR
            WHEN posted_at IS NOT NULL THEN posted_at
            WHEN is_diverted THEN CAST(enrolled_on AS TIMESTAMP) + INTERVAL 16 HOUR
            WHEN NOT is_convicted THEN CAST(disposed_on AS TIMESTAMP) + INTERVAL 16 HOUR
            WHEN sentence_type = 'prison' THEN NULL
            ELSE greatest(CAST(sentenced_on AS TIMESTAMP), booked_at + to_days(CAST(ceil(0.6 * executed_days) AS INTEGER))) + INTERVAL 15 HOUR
        END AS due_at,
        exp(0.7 + 0.55 * logit(draw(m, 'lag'))) AS lag_hours,
        is_convicted AND NOT (booked AND held) AND sentence_type IN ('jail', 'prison') AND executed_days > 0 AS has_second_stay
    FROM stays
),
detainers AS NOT MATERIALIZED (
    SELECT
        *,
        CAST(sentenced_on + whole(m, 'surrender', 0, 14) AS TIMESTAMP) + INTERVAL 9 HOUR AS booked_2_at,
        -- ICE lodges detainers on noncitizens it can match, and now and then on a citizen: nature, not an effect.
        CASE WHEN NOT booked THEN 0.0 ELSE detainer_chance(citizenship, day) END AS p_detainer,
        exp(ln(9) + 0.75 * logit(draw(m, 'detainer hours'))) AS detainer_hours,
        exp(ln(16) + 0.9 * logit(draw(m, 'detainer hours 2'))) AS detainer_2_hours,
        exp(0.7 + 0.55 * logit(draw(m, 'lag 2'))) AS lag_2_hours
    FROM due
),
lodged AS NOT MATERIALIZED (
    SELECT
        *,
        CASE WHEN sentence_type = 'jail' THEN booked_2_at + to_days(CAST(ceil(0.6 * executed_days) AS INTEGER)) + INTERVAL 6 HOUR END
            AS due_2_at,
        CASE WHEN sentence_type = 'prison' THEN sentenced_on + 12 END AS to_prison_on,
        -- A detainer is lodged only while the person is still in: the longer the stay, the likelier.
        booked AND draw(m, 'detainer') < p_detainer
            AND (due_at IS NULL OR to_minutes(CAST(60 * detainer_hours AS BIGINT)) + booked_at < due_at + to_minutes(CAST(60 * lag_hours AS BIGINT)))
            AS has_detainer
    FROM detainers
),
lodged_again AS NOT MATERIALIZED (
    SELECT
        *,
        CASE WHEN has_detainer THEN booked_at + to_minutes(CAST(60 * detainer_hours AS BIGINT)) END AS detainer_at,
        has_second_stay AND draw(m, 'detainer 2') < detainer_chance(citizenship, sentenced_on)
            AND (due_2_at IS NULL OR booked_2_at + to_minutes(CAST(60 * detainer_2_hours AS BIGINT)) < due_2_at) AS has_detainer_2
    FROM lodged
),
releases AS NOT MATERIALIZED (
    SELECT
        *,
        {{ effect('release_lag', 'day') }} AS lag_shift,
        CASE WHEN has_detainer_2 THEN booked_2_at + to_minutes(CAST(60 * detainer_2_hours AS BIGINT)) END AS detainer_2_at,
        CASE WHEN has_detainer THEN detainer_outcome(draw(m, 'detainer outcome'), day) END AS detainer_outcome,
        CASE WHEN has_detainer_2 THEN detainer_outcome(draw(m, 'detainer 2 outcome'), sentenced_on) END AS detainer_2_outcome
    FROM lodged_again
)
SELECT
    *,
    -- P(lag > 4 h) of a log-logistic lag.
    1 - expit((ln(4) - 0.7 - lag_shift) / 0.55) AS p_release_lag,
    p_detainer * CASE WHEN due_at IS NULL THEN 1 WHEN due_at <= booked_at THEN 0
        ELSE expit((ln(date_diff('second', booked_at, due_at) / 3600.0 + lag_hours) - ln(9)) / 0.75) END AS p_detainer_lodged,
    CASE
        WHEN due_at IS NOT NULL THEN due_at + to_minutes(CAST(60 * lag_hours * exp(lag_shift) AS BIGINT))
        WHEN booked AND to_prison_on IS NOT NULL THEN CAST(to_prison_on AS TIMESTAMP) + INTERVAL 6 HOUR
    END AS released_at,
    CASE
        WHEN due_2_at IS NOT NULL THEN due_2_at + to_minutes(CAST(60 * lag_2_hours AS BIGINT))
        -- who surrenders later than the bus to prison leaves takes the next one
        WHEN has_second_stay THEN greatest(CAST(to_prison_on AS TIMESTAMP) + INTERVAL 30 HOUR, booked_2_at + INTERVAL 21 HOUR)
    END AS released_2_at,
    greatest(0, date_diff('day', booked_at, least(coalesce(due_at, CAST(sentenced_on AS TIMESTAMP)), CAST(sentenced_on AS TIMESTAMP)))) AS jail_days_before_sentence,
    -- One missed appearance, of a case that had a second one, by someone who was free.
    is_filed AND NOT held AND draw(m, 'missed') < 0.13 AS misses_hearing,
    -- What a plea offer shows.
    expit(-0.4 + {{ effect('consideration', 'filed_on') }}) AS p_consideration,
    -- What no office should do happens only where it is planted.
    CASE WHEN {{ effect('documents_demanded', 'filed_on') }} <> 0 THEN expit(-2.4 + {{ effect('documents_demanded', 'filed_on') }}) ELSE 0 END AS p_documents_demanded,
    -- The defence raises immigration for those whom it concerns: its decision, not the office's.
    draw(m, 'raised') < CASE WHEN citizenship = 'noncitizen' THEN 0.45 ELSE 0.01 END AS defence_raises,
    -- What no office should do happens only where it is planted.
    CASE WHEN {{ effect('outbound_ice_contact', 'day') }} <> 0 THEN expit(-7.5 + {{ effect('outbound_ice_contact', 'day') }}) ELSE 0 END AS p_outbound_ice_contact,
    expit(1.2 + {{ effect('memo_signoff', 'disposed_on') }}) AS p_memo_signoff
FROM releases;

-- One row per charge of a matter: 1 the top charge, 2 and 3 further police charges, 4 added by the prosecutor,
-- 5 an enhancement.
CREATE TABLE charge AS
WITH charges AS NOT MATERIALIZED (
    SELECT
        m, seq, 8 * m + seq AS k, day, person, race, citizenship, received_on, decided_on, filed_on, disposed_on, sentenced_on,
        is_filed, ending, is_convicted, convicted_offence, convicted_severity, filed_severity, referred_severity, filed_grave,
        sentence_type, imposed_days, suspended_days, executed_days, recommended_days, recommended_type,
        jail_days_before_sentence, on_one_year_line, priors, has_detainer, detainer_outcome, is_diverted, p_wobbler_felony,
        CASE seq WHEN 1 THEN offence WHEN 2 THEN offence_2 WHEN 3 THEN offence_3 WHEN 4 THEN offence_4
            WHEN 5 THEN CASE WHEN is_enhanced THEN 46 END END AS offence
    FROM (SELECT *, unnest([1, 2, 3, 4, 5]) AS seq FROM matter)
),
filings AS NOT MATERIALIZED (
    SELECT
        *,
        is_filed AND (seq IN (1, 4, 5) OR draw(k, 'filed') < 0.82) AS is_charge_filed,
        CASE
            WHEN seq = 1 THEN referred_severity
            WHEN offence_severity(offence) = 'wobbler' THEN 'wobbler_misdemeanor'
            ELSE offence_severity(offence)
        END AS severity
    FROM charges
    WHERE offence IS NOT NULL
),
endings AS NOT MATERIALIZED (
    SELECT
        *,
        CASE
            WHEN NOT is_charge_filed THEN NULL
            WHEN seq = 1 OR NOT is_convicted THEN ending
            WHEN draw(k, 'convicted too') < 0.22 THEN ending
            ELSE 'dismissed_da'
        END AS charge_ending
    FROM filings
)
SELECT
    *,
    charge_ending IN ('plea_guilty', 'plea_nolo', 'verdict_guilty') AS is_charge_convicted,
    CASE WHEN seq = 1 THEN convicted_offence ELSE offence END AS final_offence,
    CASE WHEN seq = 1 THEN convicted_severity ELSE severity END AS final_severity,
    CASE
        WHEN charge_ending NOT IN ('dismissed_da', 'dismissed_court', 'abated', 'diverted_no_plea') THEN NULL
        WHEN charge_ending = 'diverted_no_plea' THEN 'diversion_completed'
        WHEN is_convicted THEN 'plea_bargain'
        -- Removal shows in the reason alone: it changes no ending, so it hides no gap and makes none.
        WHEN starts_with(coalesce(detainer_outcome, ''), 'transferred') OR detainer_outcome = 'honoured_extra_hold'
            THEN 'removed_or_ice_custody'
        ELSE {{ pick('dismissal reason', {'proof': 0.48, 'interest_of_justice': 0.17, 'victim_unavailable': 0.14,
                                          'witness_unavailable': 0.09, 'policy': 0.05, 'other': 0.07}, id='k') }}
    END AS ending_reason,
    is_charge_filed AND disposed_on > filed_on + 10 AND draw(k, 'amended') < 0.05 AS is_amended,
    filed_on + 9 AS amended_on
FROM endings;

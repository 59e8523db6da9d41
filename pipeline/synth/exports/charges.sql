-- The charge ledger: one wide row per charge, from referral to sentence. Gzip.
SELECT
    k AS _k,
    CASE WHEN is_charge_filed THEN coalesce(decided_on, received_on) ELSE received_on END AS _created,
    'CH' || lpad(CAST(k AS VARCHAR), 9, '0') AS "CHARGE_NO",
    matter_no(m) AS "MATTER_NO",
    CASE WHEN is_charge_filed THEN case_no(m, day) END AS "CASE_NO",
    CASE WHEN seq = 1 THEN 'Y' ELSE 'N' END AS "TOP",
    {{ code('source_charge', "CASE WHEN seq >= 4 THEN 'prosecutor' ELSE 'police' END", 'BROUGHT_BY') }} AS "BROUGHT_BY",
    CASE WHEN seq < 4 THEN {{ show('received_on', '%Y-%m-%d') }} END AS "REF_DT",
    CASE WHEN seq < 4 THEN {{ code('severity', "severity", 'REF_CLASS') }} END AS "REF_CLASS",
    offence_statute(offence) AS "STATUTE",
    offence_text(offence) AS "OFFENSE",
    {{ code('offence', 'offence_category(offence)', 'CAT', missing=0.003) }} AS "CAT",
    {{ cell(show("CASE WHEN is_charge_filed THEN filed_on END", '%Y-%m-%d'), 'FIL_DT', garbled=0.0004) }} AS "FIL_DT",
    CASE WHEN is_charge_filed THEN {{ code('severity', "CASE WHEN seq = 1 THEN filed_severity ELSE severity END", 'FIL_CLASS', missing=0.002) }} END AS "FIL_CLASS",
    {{ show("CASE WHEN is_amended THEN " + known('amended_on') + " END", '%Y-%m-%d') }} AS "AMD_DT",
    CASE WHEN is_amended AND {{ by('amended_on') }} THEN
        {{ code('amendment', pick('amendment', {'proof': 0.40, 'plea': 0.34, 'correction': 0.20, 'immigration_language': 0.06}, id='k'), 'AMD_WHY', missing=0.05) }} END AS "AMD_WHY",
    CASE WHEN draw(k, 'attempt') < 0.015 THEN 'Y' ELSE 'N' END AS "ATT",
    CASE WHEN draw(k, 'conspiracy') < 0.006 THEN 'Y' ELSE 'N' END AS "CONSP",
    CASE WHEN seq = 5 THEN 'Y' ELSE 'N' END AS "ENH",
    CASE WHEN priors > 0 AND draw(k, 'prior') < 0.08 THEN 'Y' ELSE 'N' END AS "PRIOR_PLED",
    CASE WHEN offence_category(offence) = 'fraud' THEN {{ money("round(exp(8.2 + 0.7 * logit(draw(k, 'loss'))), 2)") }} END AS "LOSS",
    {{ cell('offence_substance(offence)', 'SUBST', missing=0.05) }} AS "SUBST",
    {{ code('victim', "CASE offence_category(offence) WHEN 'domestic_violence' THEN 'domestic' WHEN 'sexual' THEN CASE WHEN offence = 11 THEN 'child' ELSE 'other' END
        WHEN 'assault' THEN 'other' WHEN 'robbery' THEN 'other' ELSE 'none' END", 'VICTIM_REL', missing=0.08) }} AS "VICTIM_REL",
    {{ code('disposition', "CASE WHEN is_charge_filed AND " + by('disposed_on') + " THEN charge_ending END", 'DISP', unmapped=0.0008) }} AS "DISP",
    -- A few charges end before they were filed.
    {{ cell(show("CASE WHEN is_charge_filed THEN " + impossible(known('disposed_on'), "filed_on - 40", 'DISP_DT', 0.0008) + " END", '%Y-%m-%d'), 'DISP_DT', missing=0.001, garbled=0.0005) }} AS "DISP_DT",
    {{ code('disposition_reason', "CASE WHEN " + by('disposed_on') + " THEN ending_reason END", 'DISP_WHY', missing=0.08) }} AS "DISP_WHY",
    CASE WHEN is_charge_convicted AND {{ by('disposed_on') }} THEN offence_statute(final_offence) END AS "CONV_STATUTE",
    CASE WHEN is_charge_convicted AND {{ by('disposed_on') }} THEN offence_text(final_offence) END AS "CONV_OFFENSE",
    {{ code('severity', "CASE WHEN is_charge_convicted AND " + by('disposed_on') + " THEN final_severity END", 'CONV_CLASS', missing=0.002) }} AS "CONV_CLASS",
    {{ code('offence', "CASE WHEN is_charge_convicted AND " + by('disposed_on') + " THEN offence_category(final_offence) END", 'CONV_CAT') }} AS "CONV_CAT",
    {{ code('yes_no', "CASE WHEN charge_ending IN ('plea_guilty', 'plea_nolo') AND " + by('disposed_on') + " THEN CASE WHEN draw(m, 'advisal') < 0.86 THEN 'yes' ELSE 'no' END END", 'ADVISAL', missing=0.10) }} AS "ADVISAL",
    {{ code('factual_basis', "CASE WHEN charge_ending IN ('plea_guilty', 'plea_nolo') AND " + by('disposed_on') + " THEN " + pick('factual', {'elements': 0.42, 'police_report': 0.40, 'complaint': 0.18}, id='m') + " END", 'FACT_BASIS', missing=0.08) }} AS "FACT_BASIS",
    {% set pronounced = "is_charge_convicted AND sentenced_on IS NOT NULL AND " + by('sentenced_on') -%}
    {{ show("CASE WHEN is_charge_convicted THEN " + known('sentenced_on') + " END", '%Y-%m-%d') }} AS "SENT_DT",
    {{ code('sentence', "CASE WHEN " + pronounced + " THEN CASE WHEN seq = 1 THEN sentence_type ELSE 'probation' END END", 'SENT_TYPE', missing=0.002) }} AS "SENT_TYPE",
    CASE WHEN {{ pronounced }} AND seq = 1 AND imposed_days > 0 THEN CASE
        WHEN offence = 1 AND final_offence = 1 THEN NULL
        WHEN imposed_days = 365 AND draw(m, 'pronounced') < 0.4 THEN '1'
        WHEN imposed_days = 365 AND draw(m, 'pronounced') < 0.6 THEN '12'
        WHEN imposed_days = 180 AND draw(m, 'pronounced') < 0.5 THEN '6'
        WHEN imposed_days = 480 THEN '16'
        WHEN imposed_days > 365 THEN CAST(imposed_days // 365 AS VARCHAR)
        ELSE CAST(imposed_days AS VARCHAR) END END AS "TERM",
    {{ code('unit', "CASE WHEN " + pronounced + " AND seq = 1 AND imposed_days > 0 THEN CASE
        WHEN offence = 1 AND final_offence = 1 THEN 'life'
        WHEN imposed_days = 365 AND draw(m, 'pronounced') < 0.4 THEN 'years'
        WHEN imposed_days = 365 AND draw(m, 'pronounced') < 0.6 THEN 'months'
        WHEN imposed_days = 180 AND draw(m, 'pronounced') < 0.5 THEN 'months'
        WHEN imposed_days = 480 THEN 'months'
        WHEN imposed_days > 365 THEN 'years'
        ELSE 'days' END END", 'TERM_UNIT') }} AS "TERM_UNIT",
    CASE WHEN {{ pronounced }} AND seq = 1 AND imposed_days > 0 THEN CAST(suspended_days AS VARCHAR) END AS "SUSP_DAYS",
    CASE WHEN {{ pronounced }} AND seq = 1 AND imposed_days > 0 THEN CAST(executed_days AS VARCHAR) END AS "SERVE_DAYS",
    CASE WHEN {{ pronounced }} AND seq = 1 AND imposed_days > 0 THEN CAST(least(executed_days, coalesce(jail_days_before_sentence, 0)) AS VARCHAR) END AS "CREDIT_DAYS",
    CASE WHEN {{ pronounced }} AND (seq > 1 OR sentence_type IN ('probation', 'jail')) THEN CASE WHEN filed_grave = 1 THEN '36' ELSE '12' END END AS "PROB_MO",
    CASE WHEN {{ pronounced }} THEN CASE WHEN draw(m, 'reports') < 0.05 THEN 'Y' ELSE 'N' END END AS "ICE_RPT",
    CASE WHEN {{ pronounced }} AND seq = 1 THEN {{ cell('CAST(recommended_days AS VARCHAR)', 'REC_DAYS', missing=0.05) }} END AS "REC_DAYS",
    {{ code('sentence', "CASE WHEN " + pronounced + " AND seq = 1 THEN recommended_type END", 'REC_TYPE', missing=0.05) }} AS "REC_TYPE",
    CASE WHEN {{ pronounced }} AND seq = 1 AND draw(m, 'cost') < 0.12 THEN {{ money("recommended_days * 187.40") }} END AS "COST_STATED",
    CASE WHEN {{ pronounced }} AND offence_category(offence) IN ('theft', 'fraud', 'other_property') THEN {{ money("round(exp(6.3 + 0.6 * logit(draw(k, 'restitution'))), 2)") }} END AS "RESTITUTION",
    CASE WHEN {{ pronounced }} AND sentence_type = 'fine' THEN {{ money("10 * whole(k, 'fine', 15, 120)") }} END AS "FINE",
    CASE WHEN {{ pronounced }} THEN 'G' || m END AS "CONC",
    -- Some sentences were changed later; the new one stands beside the old.
    {% set modified = pronounced + " AND seq = 1 AND imposed_days = 365 AND draw(m, 'modified') < 0.10" -%}
    CASE WHEN {{ modified }} THEN {{ show(known('sentenced_on + 200'), '%Y-%m-%d') }} END AS "MOD_DT",
    CASE WHEN {{ modified }} AND {{ by('sentenced_on + 200') }} THEN '364' END AS "MOD_DAYS",
    {{ code('modification', "CASE WHEN " + modified + " AND " + by('sentenced_on + 200') + " THEN " + pick('modified for', {'legal_defect': 0.45, 'rehabilitation_immigration': 0.40, 'clerical': 0.15}, id='m') + " END", 'MOD_WHY', missing=0.04) }} AS "MOD_WHY",
    CASE WHEN draw(k, 'remark') < 0.05 THEN 'Zzyxnote: per DDA, deft "states" he fears return' END AS "REMARKS"
    {{ book() }}
FROM charge

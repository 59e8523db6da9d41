-- Everyone found eligible for diversion, offered it or not; and those diverted before an arrest.
{% set ended = by('programme_ended_on') -%}
SELECT
    m AS _k,
    eligible_on AS _created,
    'DV' || lpad(CAST(m AS VARCHAR), 8, '0') AS "DIV_NO",
    person_no(person) AS "PERSON_NO",
    CASE WHEN is_filed THEN case_no(m, day) END AS "CASE_NO",
    matter_no(m) AS "MATTER_NO",
    CASE WHEN before_arrest THEN 'LEAD-1' WHEN category = 'drug_possession' THEN 'DRUG-2' WHEN category IN ('theft', 'other_property', 'fraud') THEN 'THEFT-ED' ELSE 'GEN-CS' END AS "PROGRAM",
    {{ code('programme', "CASE WHEN before_arrest THEN 'lead' WHEN category = 'drug_possession' THEN CASE WHEN draw(m, 'court programme') < 0.5 THEN 'drug_court' ELSE 'education' END
        WHEN category IN ('theft', 'other_property', 'fraud') THEN 'restitution' WHEN draw(m, 'court programme') < 0.15 THEN 'mental_health_court'
        WHEN draw(m, 'court programme') < 0.2 THEN 'veterans' ELSE 'community_service' END", 'PROG_TYPE') }} AS "PROG_TYPE",
    {{ code('diversion_stage', 'diversion_stage', 'STAGE') }} AS "STAGE",
    {{ code('offence', 'category', 'OFFENSE_CAT', missing=0.003) }} AS "OFFENSE_CAT",
    {{ cell(show('eligible_on', '%m/%d/%Y'), 'ELIG', missing=0.001, garbled=0.0004) }} AS "ELIG",
    {{ show('eligible_on', '%m/%d/%Y') }} AS "REFERRED",
    CASE WHEN is_offered THEN {{ show(known('eligible_on + 5'), '%m/%d/%Y') }} END AS "SCREENED",
    CASE WHEN is_offered THEN {{ cell(show(known('eligible_on + 10'), '%m/%d/%Y'), 'OFFERED') }} END AS "OFFERED",
    CASE WHEN is_diverted THEN {{ show(known('eligible_on + 15'), '%m/%d/%Y') }} END AS "ACCEPTED",
    CASE WHEN is_diverted THEN {{ show(known('enrolled_on'), '%m/%d/%Y') }} END AS "ENROLLED",
    CASE WHEN is_diverted AND completes THEN {{ show(known('programme_ended_on'), '%m/%d/%Y') }} END AS "GRADUATED",
    CASE WHEN is_diverted AND NOT completes THEN {{ show(known('programme_ended_on'), '%m/%d/%Y') }} END AS "TERMINATED",
    CASE WHEN diversion_stage = 'post_plea' THEN '1' ELSE '0' END AS "PLEA_1ST",
    CASE WHEN diversion_stage = 'post_plea' OR draw(m, 'admission') < 0.10 THEN '1' ELSE '0' END AS "ADMIT",
    CASE WHEN diversion_stage = 'post_plea' OR diversion_stage = 'pre_plea' AND draw(m, 'admission') < 0.06 THEN '1' ELSE '0' END AS "ADMIT_CT",
    CASE WHEN diversion_stage = 'post_plea' AND draw(m, 'restraint') < 0.9 OR diversion_stage = 'pre_plea' AND draw(m, 'restraint') < 0.2 THEN '1' ELSE '0' END AS "CT_COND",
    CASE WHEN NOT before_arrest AND draw(m, 'fee') < 0.35 THEN {{ money("25 * whole(m, 'fee amount', 2, 14)") }} END AS "FEE",
    {{ code('ineligible', "CASE WHEN NOT is_offered THEN CASE WHEN citizenship = 'noncitizen' AND p_diversion_offer < 0.6 AND draw(m, 'said so') < 0.2
        THEN CASE WHEN has_detainer THEN 'detainer' ELSE 'immigration_status' END
        ELSE " + pick('withheld for', {'seriousness': 0.36, 'prior_record': 0.30, 'residence_or_id': 0.14, 'fee': 0.06, 'language': 0.05, 'other': 0.09}) + " END END", 'DENIED_WHY', missing=0.10) }} AS "DENIED_WHY",
    {{ code('diversion_refusal', "CASE WHEN is_offered AND NOT is_diverted THEN " + pick('refuses for', {'length': 0.40, 'plea_required': 0.22, 'immigration_consequences': 0.05, 'fee': 0.12, 'other': 0.21}) + " END", 'REFUSED_WHY', missing=0.20) }} AS "REFUSED_WHY",
    CASE WHEN is_diverted THEN upper(language_of(person, race, citizenship)) END AS "LANG_NEED",
    CASE WHEN is_diverted THEN CASE WHEN draw(m, 'served') < 0.8 THEN upper(language_of(person, race, citizenship)) ELSE 'ENG' END END AS "LANG_GIVEN",
    {{ code('diversion_outcome', "CASE WHEN is_diverted THEN CASE WHEN NOT coalesce(" + ended + ", FALSE) THEN 'open' WHEN completes THEN 'completed' ELSE 'failed' END END", 'OUTCOME', missing=0.004) }} AS "OUTCOME",
    {{ code('diversion_failure', "CASE WHEN is_diverted AND NOT completes AND " + ended + " THEN " + pick('failed for', {'noncompliance': 0.55, 'new_arrest': 0.22, 'nonpayment': 0.14, 'other': 0.09}) + " END", 'FAIL_WHY', missing=0.05) }} AS "FAIL_WHY",
    {{ code('state_disposition', "CASE WHEN is_diverted THEN CASE WHEN NOT coalesce(" + ended + ", FALSE) THEN 'open' WHEN completes THEN 'dismissed' WHEN is_convicted THEN 'convicted' ELSE 'open' END END", 'CHARGE_NOW', missing=0.01) }} AS "CHARGE_NOW"
    {{ book() }}
FROM matter
WHERE eligible_on IS NOT NULL

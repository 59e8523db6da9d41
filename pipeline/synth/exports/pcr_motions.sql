-- Motions against convictions.
SELECT
    k AS _k,
    filed_on AS _created,
    'PC-' || lpad(CAST(k AS VARCHAR), 9, '0') AS "MOTION",
    CASE WHEN m IS NULL THEN old_case_no(i) ELSE case_no(m, day) END AS "CASE_NO",
    person_no(person) AS "PERSON_NO",
    {{ code('motion', "CASE WHEN filed_on >= DATE '2017-01-01' THEN " + pick('motion type', {'ca_pc_1473_7_a1': 0.62, 'ca_pc_1473_7_a2': 0.06, 'ca_pc_1016_5': 0.12, 'ca_pc_1203_43': 0.10, 'ca_pc_18_5_b': 0.06, 'habeas': 0.04}, id='k')
        + " ELSE " + pick('motion type', {'ca_pc_1016_5': 0.55, 'habeas': 0.20, 'ca_pc_1018': 0.15, 'coram_nobis': 0.10}, id='k') + " END", 'STATUTE') }} AS "STATUTE",
    {{ show('filed_on', '%m/%d/%Y') }} AS "FILED",
    {{ code('motion_by', pick('motion by', {'defence': 0.94, 'office': 0.04, 'court': 0.02}, id='k'), 'BY') }} AS "BY",
    {{ cell(show('conviction_final_on', '%m/%d/%Y'), 'FINAL', missing=0.02) }} AS "FINAL",
    {{ code('motion_basis', pick('motion basis', {'ineffective_assistance_padilla': 0.40, 'prejudicial_error': 0.30, 'advisal_missing': 0.18, 'sentence_law_change': 0.08, 'new_evidence': 0.04}, id='k'), 'BASIS', missing=0.06) }} AS "BASIS",
    {{ code('position', "CASE WHEN " + by('position_on') + " THEN position ELSE 'pending' END", 'DA_POSITION', missing=0.02) }} AS "DA_POSITION",
    CASE WHEN position <> 'no_response' THEN {{ show(known('position_on'), '%m/%d/%Y') }} END AS "POSITION_DT",
    {{ code('reviewer', "CASE WHEN filed_on < DATE '2019-01-01' THEN " + pick('reviewed by', {'line_prosecutor': 0.6, 'same_unit': 0.4}, id='k')
        + " ELSE " + pick('reviewed by', {'line_prosecutor': 0.25, 'same_unit': 0.20, 'conviction_integrity_unit': 0.55}, id='k') + " END", 'REVIEWED_BY', missing=0.04) }} AS "REVIEWED_BY",
    {{ code('motion_outcome', "CASE WHEN " + by('outcome_on') + " THEN outcome ELSE 'pending' END", 'OUTCOME') }} AS "OUTCOME",
    {{ show(known('outcome_on'), '%m/%d/%Y') }} AS "OUTCOME_DT",
    {{ code('yes_no', "CASE WHEN outcome = 'granted' AND " + by('outcome_on') + " THEN CASE WHEN draw(k, 'defect') < 0.72 THEN 'yes' ELSE 'no' END END", 'DEFECT_NAMED', missing=0.15) }} AS "DEFECT_NAMED",
    {{ show('filed_on - 15', '%m/%d/%Y') }} AS "REQUESTED",
    CASE WHEN draw(k, 'counselled') < 0.78 THEN 'Y' ELSE 'N' END AS "COUNSEL",
    CASE WHEN draw(k, 'urgent') < 0.20 THEN 'Y' WHEN draw(k, 'urgent') < 0.6 THEN 'N' END AS "URGENT",
    'Zzyx' || surname(person) AS "MOVANT"
    {{ book() }}
FROM motion

-- What was said about citizenship, by whom and when; with a column of immigration status that must not be taken.
SELECT
    k AS _k,
    asserted_on AS _created,
    'E' || lpad(CAST(k AS VARCHAR), 10, '0') AS "ENTRY_NO",
    person_no(person) AS "PERSON_NO",
    {{ code('citizenship', 'value', 'STMT', redacted=0.002) }} AS "STMT",
    {{ code('learned', 'source', 'LEARNED') }} AS "LEARNED",
    {{ cell(show('asserted_on', '%Y%m%d'), 'ENTERED', garbled=0.0004, required=True) }} AS "ENTERED",
    {{ code('basis', "CASE source WHEN 'voluntary_form' THEN 'form' WHEN 'consular_notification' THEN 'document_seen'
        WHEN 'court_record' THEN 'document_seen' WHEN 'ice_record' THEN 'document_seen' WHEN 'detainer' THEN 'inference' ELSE 'statement' END", 'BASIS', missing=0.10) }} AS "BASIS",
    CASE WHEN value = 'noncitizen' THEN {{ pick('country', {'MEX': 0.52, 'GTM': 0.10, 'SLV': 0.09, 'HND': 0.06, 'PHL': 0.05, 'IND': 0.05, 'CHN': 0.05, 'VNM': 0.04, 'ZZZ': 0.04}, id='person') }} END AS "CTRY",
    {{ code('permission', "CASE source WHEN 'defence_disclosure' THEN 'defence_limited_use' WHEN 'court_record' THEN 'public_record' ELSE 'withheld' END", 'PERM', missing=0.05) }} AS "PERM",
    {{ code('confidence', pick('confidence', {'high': 0.55, 'medium': 0.32, 'low': 0.13}, id='k'), 'CONF', missing=0.30) }} AS "CONF",
    CASE WHEN value = 'noncitizen' AND draw(k, 'status') < 0.2 THEN {{ pick('status text', {'ZzyxLPR': 0.5, 'ZzyxVISA': 0.3, 'ZzyxEWI': 0.2}, id='k') }} END AS "IMM_STATUS"
    {{ book() }}
FROM citizenship_assertion

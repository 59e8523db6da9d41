-- Each time that a written policy covered a decision.
SELECT
    k AS _k,
    decided_on AS _created,
    'PA' || lpad(CAST(k AS VARCHAR), 9, '0') AS "CHECK_NO",
    CASE WHEN is_filed THEN case_no(m, day) END AS "CASE_NO",
    matter_no(m) AS "MATTER_NO",
    policy AS "POLICY",
    'Y' AS "COVERED",
    CASE WHEN complied THEN 'Y' ELSE 'N' END AS "FOLLOWED",
    {{ code('deviation', "CASE WHEN NOT complied THEN " + pick('deviation', {'public_safety': 0.45, 'prior_record': 0.30, 'victim': 0.12, 'other': 0.13}, id='k') + " END", 'WHY', missing=0.10) }} AS "WHY",
    {{ code('factor', "CASE WHEN complied AND draw(k, 'equity') < 0.06 THEN " + pick('factor', {'family': 0.40, 'community': 0.22, 'length_of_residence': 0.16, 'age': 0.12, 'disability': 0.07, 'military_service': 0.03}, id='k') + " END", 'FACTOR') }} AS "FACTOR",
    {{ code('fact_source', "CASE WHEN complied AND draw(k, 'equity') < 0.06 THEN " + pick('fact source', {'voluntary_defence_disclosure': 0.80, 'record': 0.16, 'inquiry': 0.04}, id='k') + " END", 'FACT_FROM') }} AS "FACT_FROM",
    CASE WHEN is_signed THEN 'Supervising DDA' END AS "SIGNED_BY",
    CASE WHEN is_signed THEN {{ show("decided_on - whole(k, 'signed before', 0, 1)", '%m/%d/%Y') }} END AS "SIGNED",
    {{ show('decided_on', '%m/%d/%Y') }} AS "DECIDED"
    {{ book() }}
FROM policy_application

-- What was asked of the immigration point person.
SELECT
    m AS _k,
    received_on AS _created,
    'PP' || lpad(CAST(m AS VARCHAR), 8, '0') AS "REQ",
    CASE WHEN draw(m, 'names case') < 0.95 THEN case_no(m, day) END AS "CASE_NO",
    {{ show('received_on', '%Y/%m/%d') }} AS "RECEIVED",
    {{ show(known('acknowledged_on'), '%Y/%m/%d') }} AS "ACKED",
    {{ code('requester', "CASE WHEN draw(m, 'colleague') < 0.14 THEN 'ada' WHEN draw(m, 'colleague') < 0.20 THEN 'advocate' ELSE CASE defence WHEN 'pro_se' THEN 'self' ELSE defence END END", 'FROM', missing=0.01) }} AS "FROM",
    {{ code('request_stage', pick('request stage', {'plea': 0.56, 'charging': 0.14, 'sentencing': 0.14, 'bail': 0.09, 'post_conviction': 0.07}), 'STAGE', missing=0.02) }} AS "STAGE",
    {{ code('topic', pick('topic', {'offer': 0.44, 'consequences': 0.30, 'charge': 0.15, 'motion': 0.07, 'ice_contact': 0.04}), 'TOPIC', missing=0.02) }} AS "TOPIC",
    CASE WHEN draw(m, 'papers') < 0.15 THEN 'Y' ELSE 'N' END AS "DOCS",
    {{ code('request_outcome', "CASE WHEN " + by('closed_on') + " THEN " + pick('request outcome', {'offer_changed': 0.34, 'charge_changed': 0.10, 'stipulated': 0.06, 'refused': 0.27, 'referred': 0.08, 'advice_only': 0.15}) + " END", 'OUTCOME', missing=0.02) }} AS "OUTCOME",
    {{ show(known('closed_on'), '%Y/%m/%d') }} AS "CLOSED",
    CASE WHEN draw(m, 'escalated') < 0.09 THEN 'Y' ELSE 'N' END AS "ESC",
    CASE WHEN draw(m, 'escalated') < 0.09 AND {{ by('closed_on') }} THEN CASE WHEN draw(m, 'upheld') < 0.45 THEN 'Y' ELSE 'N' END END AS "UPHELD"
    {{ book() }}
FROM point_person_request

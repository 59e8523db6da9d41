-- The log of contacts with ICE, both ways.
SELECT
    k AS _k,
    CAST(contact_at AS DATE) AS _created,
    'I' || lpad(CAST(k AS VARCHAR), 10, '0') AS "LOG_NO",
    person_no(person) AS "PERSON_NO",
    CASE WHEN is_filed THEN case_no(m, day) END AS "CASE_NO",
    CASE WHEN stay IS NOT NULL THEN 'J' || lpad(CAST(4 * m + stay AS VARCHAR), 9, '0') END AS "STAY",
    strftime(contact_at, '%Y-%m-%dT%H:%M') AS "AT",
    {{ code('precision', "'minute'", 'PREC') }} AS "PREC",
    {{ code('contact', 'type', 'TYPE') }} AS "TYPE",
    {{ code('direction', 'direction', 'DIR', missing=0.004) }} AS "DIR",
    {{ code('initiator', 'initiator', 'BY') }} AS "BY",
    {{ code('channel', "CASE WHEN type IN ('detainer') THEN CASE WHEN draw(k, 'channel') < 0.8 THEN 'interoperability' ELSE 'email' END ELSE " + pick('channel kind', {'phone': 0.36, 'email': 0.34, 'in_person': 0.18, 'portal': 0.12}, id='k') + " END", 'CHAN', missing=0.06) }} AS "CHAN",
    {{ code('form', "CASE WHEN type = 'detainer' THEN CASE WHEN contact_at < TIMESTAMP '2017-04-01' THEN 'i247d' ELSE 'i247a' END WHEN type = 'arrest' AND draw(k, 'i200') < 0.6 THEN 'i200' END", 'FORM', missing=0.03) }} AS "FORM",
    {{ code('cause', "CASE WHEN type = 'detainer' THEN " + pick('cause', {'biometrics': 0.62, 'pending_removal': 0.18, 'final_order': 0.12, 'statement': 0.08}, id='k') + " END", 'CAUSE', missing=0.12) }} AS "CAUSE",
    {{ code('yes_no', "CASE WHEN type IN ('detainer', 'arrest', 'access_request', 'information_request', 'subpoena', 'writ') THEN CASE WHEN draw(k, 'judge') < 0.03 THEN 'yes' ELSE 'no' END END", 'JUDGE', missing=0.05) }} AS "JUDGE",
    {{ code('place', 'location', 'WHERE') }} AS "WHERE",
    {{ code('contact_outcome', "CASE WHEN " + by('outcome_at') + " OR outcome_at IS NULL THEN outcome END", 'RESULT', missing=0.05) }} AS "RESULT",
    strftime({{ known('outcome_at') }}, '%Y-%m-%dT%H:%M') AS "RESULT_AT",
    {{ code('lift', "CASE WHEN outcome = 'cancelled_by_ice' THEN " + pick('lifted', {'prosecutorial_discretion': 0.30, 'usc_claim': 0.25, 'case_closed': 0.45}, id='k') + " WHEN outcome = 'declined' AND type = 'detainer' AND draw(k, 'lea') < 0.5 THEN 'declined_by_lea' END", 'LIFTED') }} AS "LIFTED",
    {{ code('party', "CASE WHEN person IS NOT NULL THEN 'defendant' END", 'ROLE') }} AS "ROLE",
    {{ code('history', "CASE WHEN type IN ('detainer', 'arrest', 'transfer') THEN " + pick('history', {'conviction': 0.40, 'pending': 0.40, 'none': 0.20}, id='k') + " END", 'RECORD', missing=0.25) }} AS "RECORD",
    CASE WHEN direction = 'outbound' THEN CASE WHEN initiator = 'da' AND type IN ('information_request', 'notification') THEN 'N' ELSE 'Y' END END AS "POLICY_OK",
    CASE WHEN location IN ('courthouse_inside', 'courthouse_near') THEN CASE WHEN draw(k, 'press') < 0.3 THEN 'Y' ELSE 'N' END END AS "PRESS"
    {{ book() }}
FROM ice_contact

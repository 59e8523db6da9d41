-- One row per contact between ICE and the jail, the court or the office. That contact depends on citizenship is nature;
-- that the office itself makes contact is a decision of the office (`outbound_ice_contact`).
CREATE TABLE ice_contact AS
WITH contacts AS (
    SELECT 16 * m + 1 AS k, m, person, day, is_filed, 1 AS stay, detainer_at AS contact_at, 'detainer' AS type, 'inbound' AS direction, 'ice' AS initiator,
        'jail' AS location, detainer_outcome AS outcome, greatest(detainer_at, coalesce(released_at, detainer_at)) AS outcome_at
    FROM matter WHERE has_detainer
    UNION ALL
    SELECT 16 * m + 2, m, person, day, is_filed, 2, detainer_2_at, 'detainer', 'inbound', 'ice', 'jail', detainer_2_outcome,
        greatest(detainer_2_at, coalesce(released_2_at, detainer_2_at))
    FROM matter WHERE has_detainer_2
    UNION ALL
    SELECT 16 * m + 3, m, person, day, is_filed, 1, released_at, 'transfer', 'inbound', 'ice', 'jail', outcome, released_at
    FROM (SELECT *, detainer_outcome AS outcome FROM matter)
    WHERE has_detainer AND outcome IN ('honoured_extra_hold', 'transferred_no_extra_hold') AND released_at IS NOT NULL
    UNION ALL
    SELECT 16 * m + 4, m, person, day, is_filed, 2, released_2_at, 'transfer', 'inbound', 'ice', 'jail', outcome, released_2_at
    FROM (SELECT *, detainer_2_outcome AS outcome FROM matter)
    WHERE has_detainer_2 AND outcome IN ('honoured_extra_hold', 'transferred_no_extra_hold') AND released_2_at IS NOT NULL
    UNION ALL
    SELECT 16 * m + 5, m, person, day, is_filed, 1, booked_at + INTERVAL 20 HOUR, 'interview', 'inbound', 'ice', 'jail', 'notified_only', NULL
    FROM matter WHERE booked AND citizenship = 'noncitizen' AND draw(m, 'interview') < 0.02
    UNION ALL
    SELECT 16 * m + 6, m, person, day, is_filed, NULL, first_at + INTERVAL 1 HOUR, 'arrest', 'inbound', 'ice',
        CASE WHEN draw(m, 'corridor') < 0.4 THEN 'courthouse_inside' ELSE 'courthouse_near' END, NULL, NULL
    FROM matter WHERE is_filed AND NOT held AND citizenship = 'noncitizen' AND draw(m, 'courthouse') < 0.006
    UNION ALL
    SELECT 16 * m + 7, m, person, day, is_filed, NULL, first_at + INTERVAL 3 HOUR,
        CASE WHEN draw(m, 'tip') < 0.6 THEN 'information_request' ELSE 'notification' END, 'outbound', 'da', 'other', NULL, NULL
    FROM matter WHERE is_filed AND draw(m, 'outbound') < p_outbound_ice_contact
    UNION ALL
    SELECT 16 * m + 8, m, person, day, is_filed, NULL, CAST(sentenced_on + 30 AS TIMESTAMP) + INTERVAL 10 HOUR, 'notification', 'outbound', 'probation',
        'probation_office', 'notified_only', NULL
    FROM matter WHERE sentence_type = 'probation' AND citizenship = 'noncitizen' AND draw(m, 'probation notice') < 0.03
    UNION ALL
    SELECT 16 * m + 9, m, person, day, is_filed, NULL, CAST(disposed_on + 9 AS TIMESTAMP) + INTERVAL 6 HOUR, 'arrest', 'inbound', 'ice',
        CASE WHEN draw(m, 'at home') < 0.6 THEN 'home' ELSE 'street' END, NULL, NULL
    FROM matter WHERE NOT is_convicted AND NOT held AND citizenship = 'noncitizen' AND draw(m, 'after dismissal') < 0.012
)
SELECT * FROM contacts
UNION ALL
-- About files, access or a whole case: nobody's record.
SELECT
    16 * {{ matters }} + i, NULL, NULL, NULL, FALSE, NULL, TIMESTAMP '{{ start }}' + to_minutes(CAST(i * {{ days }} * 1440 // {{ requests }} + 600 AS BIGINT)),
    {{ pick('request', {'access_request': 0.34, 'information_request': 0.24, 'subpoena': 0.12, 'writ': 0.10,
                        'parole_for_prosecution': 0.08, 'deconfliction': 0.12}, id='i') }},
    CASE WHEN draw(i, 'request') >= 0.80 THEN 'outbound' ELSE 'inbound' END,
    CASE WHEN draw(i, 'request') >= 0.80 THEN 'da' ELSE 'ice' END,
    'other', {{ pick('answer', {'declined': 0.62, 'notified_only': 0.38}, id='i') }},
    TIMESTAMP '{{ start }}' + to_minutes(CAST(i * {{ days }} * 1440 // {{ requests }} + 600 AS BIGINT)) + to_days(whole(i, 'answer days', 1, 20))
FROM range({{ requests }}) AS numbers (i);

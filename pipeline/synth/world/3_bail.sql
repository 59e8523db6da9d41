-- One row per bail decision: the first appearance, and for some who stay in, one review.
CREATE TABLE bail AS
WITH hearings AS NOT MATERIALIZED (
    SELECT *, 2 * m + seq AS k, CASE seq WHEN 0 THEN first_at ELSE to_days(14) + first_at END AS heard_at
    FROM (SELECT *, unnest([0, 1]) AS seq FROM matter WHERE has_bail_hearing)
    WHERE seq = 0 OR held AND draw(m, 'review') < 0.25 AND disposed_on > CAST(first_at AS DATE) + 15
),
requests AS NOT MATERIALIZED (
    SELECT
        * EXCLUDE (request, argument),
        CASE
            WHEN seq = 0 THEN request
            WHEN draw(k, 'detention again') < p_detention_request THEN 'detention'
            WHEN draw(k, 'cash again') < p_cash_otherwise THEN 'cash'
            ELSE {{ pick('lighter', {'ror': 0.42, 'supervised': 0.30, 'noncash': 0.18, 'no_position': 0.10}, id='k') }}
        END AS request,
        CASE WHEN seq = 0 THEN argument ELSE 'none' END AS argument
    FROM hearings
)
SELECT
    k, m, seq, race, citizenship, day, heard_at, request, argument, has_detainer, filed_grave, first_at,
    p_cash_request, p_detention_request, p_immigration_argument,
    CASE WHEN request = 'cash' THEN would_ask END AS request_amount,
    -- A review changes nothing that was ordered: those who stay in, stay in.
    set_type, set_amount, CASE WHEN seq = 0 THEN posted_at END AS posted_at,
    {{ pick('defence asks', {'ror': 0.66, 'supervised': 0.20, 'noncash': 0.08, 'cash': 0.06}, id='k') }} AS defence_request,
    500 * whole(k, 'defence amount', 1, 10) AS defence_amount,
    seq = 0 AND filed_grave = 0 AND heard_at >= TIMESTAMP '2021-01-01' AS is_covered,
    -- Nobody wrote down what was argued in a quarter of the hearings.
    draw(k, 'coded') < 0.75 AS is_coded
FROM requests;

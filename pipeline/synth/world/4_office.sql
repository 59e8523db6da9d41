-- The small registers: motions, certifications, the point person, the policies applied.
CREATE TABLE motion AS
WITH motions AS (
    SELECT
        2 * i AS k, NULL AS m, i, NULL AS day, person, race_of(person) AS race, citizenship_of(person) AS citizenship, conviction_final_on, filed_on
    FROM old_conviction
    UNION ALL
    SELECT 2 * m + 1, m, NULL, day, person, race, citizenship, sentenced_on + 60, sentenced_on + 90 + whole(m, 'motion', 0, 900)
    FROM matter
    WHERE is_convicted AND draw(m, 'moves') < CASE citizenship WHEN 'noncitizen' THEN 0.03 ELSE 0.001 END
),
probabilities AS (
    SELECT
        *,
        CASE WHEN conviction_final_on < DATE '2010-03-31' THEN 'before_padilla' ELSE 'after_padilla' END AS conviction
    FROM motions
),
positions AS (
    SELECT
        *,
        expit(-0.9 + {{ effect('motion_opposition', 'filed_on') }}) AS p_motion_opposition,
        CASE
            WHEN draw(k, 'position') < expit(-0.9 + {{ effect('motion_opposition', 'filed_on') }}) THEN 'opposed'
            ELSE {{ pick('agrees', {'stipulated': 0.46, 'non_opposed': 0.40, 'no_response': 0.14}, id='k') }}
        END AS position,
        filed_on + whole(k, 'position days', 10, 120) AS position_on
    FROM probabilities
)
SELECT
    *,
    CASE WHEN draw(k, 'granted') < CASE position WHEN 'opposed' THEN 0.25 WHEN 'no_response' THEN 0.6 ELSE 0.9 END THEN 'granted' ELSE 'denied' END
        AS outcome,
    position_on + whole(k, 'outcome days', 14, 150) AS outcome_on
FROM positions
ORDER BY k;

CREATE TABLE certification AS
SELECT
    *,
    draw(i, 'late') < p_certification_late AS is_late,
    -- past the law of every year, which before 2020 gave ninety days; and in time for who is in removal proceedings, too
    CASE
        WHEN draw(i, 'late') >= p_certification_late THEN received_on + CASE WHEN in_proceedings THEN whole(i, 'certified', 1, 7) ELSE whole(i, 'certified', 4, 28) END
        WHEN draw(i, 'ever') < 0.5 THEN received_on + whole(i, 'certified late', 100, 300)
    END AS decided_on,
    {{ pick('certified', {'certified': 0.80, 'denied': 0.17, 'withdrawn': 0.03}, id='i') }} AS decision,
    {{ pick('crime', {'domestic_violence': 0.40, 'assault': 0.24, 'sexual': 0.14, 'robbery': 0.14, 'other': 0.08}, id='i') }} AS category
FROM (
    SELECT
        CAST(i AS BIGINT) AS i,
        received_on,
        draw(i, 'proceedings') < 0.17 AS in_proceedings,
        expit(-2.9 + {{ effect('certification_late', 'received_on') }}) AS p_certification_late
    FROM (SELECT i, DATE '{{ start }}' + CAST(i * {{ days }} // {{ certifications }} AS INTEGER) AS received_on FROM range({{ certifications }}) AS numbers (i))
);

CREATE TABLE point_person_request AS
SELECT
    *,
    CASE WHEN draw(m, 'slow ack') < p_slow_acknowledgement THEN received_on + whole(m, 'ack days', 8, 30) ELSE received_on + whole(m, 'ack', 0, 1) END
        AS acknowledged_on,
    received_on + CAST(ceil(10 * exp(0.4 * logit(draw(m, 'closed'))) * CASE WHEN draw(m, 'slow ack') < p_slow_acknowledgement THEN 3 ELSE 1 END) AS INTEGER)
        AS closed_on
FROM (
    SELECT m, race, citizenship, day, defence, received_on, expit(-2.0 + {{ effect('slow_acknowledgement', 'received_on') }}) AS p_slow_acknowledgement
    FROM (
        SELECT * EXCLUDE (received_on), CAST(first_at AS DATE) + 5 AS received_on FROM matter
        WHERE is_filed AND draw(m, 'asks') < CASE WHEN defence_raises THEN 0.25 ELSE 0.012 END
    )
)
ORDER BY m;

-- One row per policy considered: 0 declination of a low-level matter, 1 no cash bail for a misdemeanour.
CREATE TABLE policy_application AS
SELECT
    2 * m AS k, m, race, citizenship, day, 'DEC-1' AS policy, decided_on, is_filed, decision = 'declined' AS complied,
    deviates AND draw(m, 'signed') < p_deviation_signoff AS is_signed, p_deviation_signoff, deviates
FROM matter
WHERE covered_by_declination AND NOT before_arrest AND decision IN ('filed', 'declined')
UNION ALL
SELECT
    2 * m + 1, m, race, citizenship, day, 'BAIL-1', CAST(heard_at AS DATE), TRUE, request <> 'cash',
    request = 'cash' AND draw(m, 'bail signed') < 0.7, 0.7, request = 'cash'
FROM bail
WHERE is_covered
ORDER BY k;

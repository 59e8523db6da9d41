-- One row per offer in a case that was not diverted: 0 the office's, 1 the office's second, 2 the defence's.
CREATE TABLE plea_offer AS
WITH offers AS NOT MATERIALIZED (
    SELECT
        *,
        4 * m + seq AS k,
        CAST(first_at AS DATE) + CAST((disposed_on - CAST(first_at AS DATE)) * (0.2 + 0.3 * seq / 2) AS INTEGER) AS made_on
    FROM (SELECT *, unnest([0, 1, 2]) AS seq FROM matter WHERE is_filed AND NOT is_diverted)
    WHERE seq = 0 OR seq = 1 AND draw(m, 'second offer') < 0.25 OR seq = 2 AND draw(m, 'counter') < CASE WHEN defence_raises THEN 0.6 ELSE 0.12 END
)
SELECT
    k, m, seq, race, citizenship, day, filed_on, made_on, defence, offence, p_consideration,
    p_documents_demanded, p_neutral_resolution, filed_grave, ordinary_term,
    CASE WHEN seq = 2 THEN 'defence' ELSE 'da' END AS made_by,
    -- The last offer of the office is the one accepted where the case ended in a plea.
    coalesce(ending IN ('plea_guilty', 'plea_nolo'), FALSE)
        AND seq = CASE WHEN draw(m, 'second offer') < 0.25 THEN 1 ELSE 0 END AS is_accepted,
    defence_raises,
    draw(k, 'considered') < p_consideration AS is_considered,
    draw(k, 'documents') < p_documents_demanded AS demands_documents,
    made_on + whole(k, 'answered', 1, 24) AS answered_on,
    -- A standard offer exists for six offences; it is open to everyone.
    offence IN (15, 22, 23, 30, 31, 45) AND made_on >= DATE '2018-01-01' AND draw(k, 'standard') < 0.62 AS is_standard
FROM offers;

-- One row per scheduled appearance: arraignment, settings, the day of disposition, sentencing; and some witnesses.
CREATE TABLE hearing AS
WITH counts AS NOT MATERIALIZED (
    SELECT
        m, day, person, citizenship, race, offence, first_at, disposed_on, sentenced_on, court, held, misses_hearing, is_convicted,
        detainer_outcome, released_at,
        least({{ pick('settings', {0: 0.20, 1: 0.30, 2: 0.27, 3: 0.15, 4: 0.08}) }},
            greatest(0, date_diff('day', CAST(first_at AS DATE), disposed_on) // 14)) AS settings
    FROM matter
    WHERE is_filed
),
days AS NOT MATERIALIZED (
    SELECT
        *,
        16 * m + seq AS k,
        CASE
            WHEN seq = 0 THEN first_at
            WHEN seq <= settings THEN CAST(CAST(first_at AS DATE)
                + CAST(date_diff('day', CAST(first_at AS DATE), disposed_on) * seq // (settings + 1) AS INTEGER) AS TIMESTAMP) + INTERVAL 510 MINUTE
            WHEN seq = settings + 1 THEN CAST(disposed_on AS TIMESTAMP) + INTERVAL 540 MINUTE
            WHEN seq = settings + 2 THEN CAST(sentenced_on AS TIMESTAMP) + INTERVAL 810 MINUTE
            ELSE CAST(disposed_on AS TIMESTAMP) + INTERVAL 570 MINUTE
        END AS heard_at,
        CASE
            WHEN seq = 0 THEN 'arraignment'
            WHEN seq <= settings THEN 'pretrial'
            WHEN seq = settings + 1 THEN CASE WHEN is_convicted THEN 'plea' ELSE 'pretrial' END
            WHEN seq = settings + 2 THEN 'sentencing'
            ELSE 'trial'
        END AS kind
    FROM (SELECT *, unnest([0, 1, 2, 3, 4, 5, 6, 7]) AS seq FROM counts)
    WHERE seq <= settings
        OR seq = settings + 1 AND disposed_on > CAST(first_at AS DATE)
        OR seq = settings + 2 AND sentenced_on > disposed_on
        -- A victim or a witness called on the last day.
        OR seq = 7 AND draw(m, 'called') < 0.04
)
SELECT
    *,
    CASE WHEN seq = 7 THEN CASE WHEN draw(k, 'who') < 0.6 THEN 'victim' ELSE 'witness' END ELSE 'defendant' END AS role,
    CASE
        WHEN seq = 7 THEN CASE WHEN draw(k, 'came') < 0.28 THEN 'fta' ELSE 'none' END
        -- Nature, not an effect: who was handed over cannot come.
        WHEN seq > 0 AND (detainer_outcome IN ('honoured_extra_hold', 'transferred_no_extra_hold') AND heard_at > released_at)
            THEN 'in_ice_custody'
        WHEN seq > 0 AND misses_hearing AND seq = 1 + CAST(floor(draw(m, 'which') * settings) AS INTEGER)
            THEN CASE WHEN draw(k, 'excuse') < 0.04 THEN 'hospital' ELSE 'fta' END
        ELSE 'none'
    END AS absence
FROM days;

-- Calls to the hotline: counts alone.
SELECT
    k AS _k,
    first_day + 100 AS _created,
    year(first_day) || '-Q' || quarter(first_day) AS "QUARTER",
    ['SPA', 'ENG', 'VIE', 'CMN'][1 + k % 16 // 4] AS "LANG",
    ['fraud', 'certification', 'hate_crime', 'other'][1 + k % 4] AS "TOPIC",
    CAST(whole(k, 'calls', 2, 40) AS VARCHAR) AS "CALLS",
    CAST(whole(k, 'calls', 2, 40) // 3 AS VARCHAR) AS "REFERRED",
    CASE WHEN k % 4 = 0 THEN CAST(whole(k, 'opened', 0, 3) AS VARCHAR) END AS "OPENED"
    {{ book() }}
FROM (SELECT i AS k, CAST(DATE '{{ start }}' + to_months(CAST(3 * (i // 16) AS INTEGER)) AS DATE) AS first_day FROM range(16 * {{ quarters }}) AS numbers (i))
WHERE first_day >= DATE '2019-01-01'

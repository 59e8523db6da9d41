-- Counts handed over by the defender and by the representation fund, a row a quarter; blank before they existed.
SELECT
    q AS _k,
    first_day + 100 AS _created,
    year(first_day) || '-Q' || quarter(first_day) AS "QUARTER",
    CAST(cases AS VARCHAR) AS "DEF_CASES",
    CAST(CAST(round(cases * least(0.8, 0.15 + 0.016 * (year(first_day) - 2015) * 4)) AS INTEGER) AS VARCHAR) AS "DEF_CONSULTS",
    CAST(CASE WHEN has_fund THEN asked END AS VARCHAR) AS "FUND_ASKED",
    CAST(CASE WHEN has_fund THEN CAST(round(asked * 0.71) AS INTEGER) END AS VARCHAR) AS "FUND_SERVED",
    CAST(CASE WHEN has_fund THEN CAST(round(asked * 0.06) AS INTEGER) END AS VARCHAR) AS "FUND_EXCLUDED",
    CASE WHEN has_fund THEN '17' END AS "FUND_FIELDS",
    CASE WHEN has_fund THEN '4' END AS "FUND_FIELDS_EXTRA"
    {{ book() }}
FROM (
    SELECT q, first_day, {{ matters }} * 3 // 4 * 91 // {{ days }} + whole(q, 'defended', -9, 9) AS cases, first_day >= DATE '2019-07-01' AS has_fund, whole(q, 'asked', 40, 95) AS asked
    FROM (SELECT q, CAST(DATE '{{ start }}' + to_months(CAST(3 * q AS INTEGER)) AS DATE) AS first_day FROM range({{ quarters }}) AS numbers (q))
)

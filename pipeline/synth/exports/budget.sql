-- Budget lines and published unit costs in one sheet.
SELECT
    k AS _k,
    make_date(year - 1, 7, 1) AS _created,
    sheet AS "SHEET",
    'B-' || k AS "LINE_NO",
    CAST(year AS VARCHAR) AS "FY",
    line AS "LINE",
    {{ money('amount') }} AS "AMOUNT",
    CAST(fte AS VARCHAR) AS "FTE",
    flag_1 AS "PARTICIPATORY",
    flag_2 AS "IMM_TERMS",
    purpose AS "PURPOSE",
    address AS "PUBLISHED_AT"
    {{ book() }}
FROM (
    SELECT 10 * (year - 2000) + n AS k, year, 'BUDGET' AS sheet,
        ['office_total', 'iiu', 'discretionary', 'discretionary', 'grant', 'grant', 'reinvestment'][n] AS line,
        [42000000, 610000, 900000, 240000, 1150000, 420000, 180000][n] * (1 + 0.03 * (year - 2015)) AS amount,
        [198.0, 4.5, NULL, NULL, 6.0, 2.0, NULL][n] AS fte,
        ['N', 'N', 'N', CASE WHEN year >= 2021 THEN 'Y' ELSE 'N' END, 'N', 'N', 'Y'][n] AS flag_1,
        ['N', 'N', 'N', 'N', 'N', CASE WHEN year IN (2017, 2018, 2019, 2020) THEN 'Y' ELSE 'N' END, 'N'][n] AS flag_2,
        ['staff', 'staff', 'services', 'prevention', 'victims', 'staff', 'representation'][n] AS purpose, NULL AS address
    FROM (SELECT 2015 + CAST(i // 7 AS INTEGER) AS year, 1 + CAST(i % 7 AS INTEGER) AS n FROM range(77) AS numbers (i))
    WHERE n <> 2 OR year >= 2018
    UNION ALL
    SELECT 1000 + 10 * (year - 2000) + n, year, 'UNIT COST', ['jail_day', 'prison_day', 'jail_hour', 'prosecution_hour', 'low_level_case_hours'][n],
        [164.5, 290.0, 6.85, 71.0, 3.5][n] * CASE n WHEN 5 THEN 1 ELSE 1 + 0.028 * (year - 2015) END, NULL, NULL, NULL, NULL,
        'https://county.example/budget/' || year
    FROM (SELECT 2015 + CAST(i // 5 AS INTEGER) AS year, 1 + CAST(i % 5 AS INTEGER) AS n FROM range(55) AS numbers (i))
)
WHERE make_date(year, 12, 31) >= DATE '{{ start }}'

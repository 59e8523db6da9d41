-- Who works here, by their own account; and what was reported elsewhere. The report to the legislature is about form
-- I-918 B alone, and for 2022 it is four requests short.
SELECT
    k AS _k,
    make_date(year + 1, 2, 1) AS _created,
    sheet AS "SHEET",
    CAST(year AS VARCHAR) AS "YEAR",
    item AS "ITEM",
    CAST(n AS VARCHAR) AS "N"
    {{ book() }}
FROM (
    SELECT 10 * (year - 2000) + c AS k, year, 'STAFF' AS sheet, ['Hispanic or Latino', 'White', 'Black', 'Asian', 'Two or more', 'Not stated'][c] AS item,
        [38, 112, 14, 19, 6, 9][c] + whole(10 * year + c, 'staff', -3, 3) AS n
    FROM (SELECT 2015 + CAST(i // 6 AS INTEGER) AS year, 1 + CAST(i % 6 AS INTEGER) AS c FROM range(60) AS numbers (i))
    UNION ALL
    SELECT 1000 + year, year, 'LEGISLATURE', 'certifications requested', count(*) - CASE year WHEN 2022 THEN 4 ELSE 0 END
    FROM (SELECT year(received_on) AS year FROM certification WHERE {{ pick('certificate', {'i918b': 0.90, 'i914b': 0.09, 'i854': 0.01}, id='i') }} = 'i918b') GROUP BY year
    UNION ALL
    SELECT 4000 + year, year, 'LEGISLATURE', 'certifications signed', count(*)
    FROM (SELECT year(decided_on) AS year FROM certification WHERE decision = 'certified' AND decided_on <= DATE '2024-12-31' AND {{ pick('certificate', {'i918b': 0.90, 'i914b': 0.09, 'i854': 0.01}, id='i') }} = 'i918b') GROUP BY year
    UNION ALL
    SELECT 7000 + year, year, 'ICE FILES', 'detainers', CAST(round(count(*) * 1.02) AS INTEGER)
    FROM (SELECT year(contact_at) AS year FROM ice_contact WHERE type = 'detainer' AND contact_at < TIMESTAMP '2025-01-01') GROUP BY year
)
WHERE year >= year(DATE '{{ start }}') AND year <= 2024

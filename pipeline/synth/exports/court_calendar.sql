-- Scheduled appearances, a file a year; the time stands in a column of its own.
SELECT
    k AS _k,
    CAST(heard_at AS DATE) AS _created,
    'K' || lpad(CAST(k AS VARCHAR), 10, '0') AS "CAL_ID",
    case_no(m, day) AS "CASE_NO",
    {{ cell("strftime(heard_at, '%m/%d/%y')", 'CAL_DATE', garbled=0.0003, required=True) }} AS "CAL_DATE",
    strftime(heard_at, '%I:%M %p') AS "CAL_TIME",
    {{ code('hearing', 'kind', 'EVENT', missing=0.002, unmapped=0.0006) }} AS "EVENT",
    court AS "DEPT",
    {{ code('party', 'role', 'PARTY') }} AS "PARTY",
    CASE WHEN absence = 'none' THEN 'X' ELSE '-' END AS "PRESENT",
    {{ code('absence', 'absence', 'RESULT', missing=0.01) }} AS "RESULT"
    {{ book() }}
FROM hearing

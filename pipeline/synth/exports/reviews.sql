-- Files that the office took up of its own accord.
SELECT
    m AS _k,
    reviewed_on AS _created,
    'RV' || lpad(CAST(m AS VARCHAR), 8, '0') AS "REVIEW",
    case_no(m, day) AS "CASE_NO",
    {{ show('reviewed_on', '%m/%d/%Y') }} AS "REVIEWED",
    CASE WHEN draw(m, 'moved') < 0.3 THEN 'Y' ELSE 'N' END AS "MOVED"
    {{ book() }}
FROM (SELECT *, sentenced_on + 300 AS reviewed_on FROM matter WHERE is_convicted AND sentenced_on >= DATE '2018-03-01' AND draw(m, 'taken up') < 0.006)

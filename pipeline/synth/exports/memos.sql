{% set signed_on = "sentenced_on - 4 + whole(m, 'memo days', 0, 4)" %}
-- Memos behind recommendations of custody, since the memo policy.
SELECT
    m AS _k,
    sentenced_on - 5 AS _created,
    'ME' || lpad(CAST(m AS VARCHAR), 8, '0') AS "MEMO",
    case_no(m, day) AS "CASE_NO",
    {{ cell(show('sentenced_on - 5', '%m-%d-%Y'), 'WRITTEN', missing=0.004) }} AS "WRITTEN",
    {{ pick('factors', {'severity;record': 0.45, 'severity;victim': 0.25, 'record': 0.18, 'severity;treatment': 0.12}) }} AS "FACTORS",
    CASE WHEN draw(m, 'memo signed') < p_memo_signoff AND {{ by(signed_on) }} THEN 'Supervising DDA' END AS "SIGNED_BY",
    CASE WHEN draw(m, 'memo signed') < p_memo_signoff THEN {{ show(known(signed_on), '%m-%d-%Y') }} END AS "SIGNED",
    {{ show(known('sentenced_on - 1'), '%m-%d-%Y') }} AS "RECOMMENDED"
    {{ book() }}
FROM matter
WHERE is_convicted AND recommended_days > 0 AND sentenced_on >= DATE '2022-01-01' AND draw(m, 'memo') < 0.62

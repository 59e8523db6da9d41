-- The register of court cases; the old convictions that motions are about stand in it too.
SELECT
    k AS _k,
    filed_on AS _created,
    case_ref AS "CASE_NO",
    person_no(person) AS "PERSON_NO",
    matter_no(m) AS "MATTER_NO",
    'SC' || lpad(CAST(k * 3 + 11 AS VARCHAR), 9, '0') AS "COURT_NO",
    {{ cell(show('filed_on', '%m/%d/%Y'), 'FILED', missing=0.001, garbled=0.0006) }} AS "FILED",
    {{ show(known('disposed_on'), '%m/%d/%Y') }} AS "CLOSED",
    court AS "COURT",
    unit AS "UNIT",
    {{ code('defence', 'defence', 'DEFENSE', missing=0.02, unknown=0.01, unmapped=0.001) }} AS "DEFENSE",
    {{ code('case_status', "CASE WHEN " + by('disposed_on') + " THEN CASE ending WHEN 'abated' THEN 'abated' ELSE 'closed' END ELSE 'open' END", 'STATUS', missing=0.002) }} AS "STATUS",
    'PEOPLE v. Zzyx' || surname(person) AS "CAPTION"
    {{ book() }}
FROM (
    SELECT m AS k, m, case_no(m, day) AS case_ref, person, filed_on, disposed_on, ending, court, unit, defence
    FROM matter
    WHERE is_filed
    UNION ALL
    SELECT {{ matters }} + i, NULL, old_case_no(i), person, conviction_final_on - 200, conviction_final_on, 'plea_guilty', 'DEPT 1', 'ARCHIVE', NULL
    FROM old_conviction
)

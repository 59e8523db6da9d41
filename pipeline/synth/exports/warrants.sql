-- Bench warrants of those who did not come, and what was left from before.
SELECT
    k AS _k,
    issued_on AS _created,
    'W' || lpad(CAST(k AS VARCHAR), 10, '0') AS "WARRANT",
    person_no(person) AS "PERSON_NO",
    {{ show('issued_on', '%m/%d/%Y') }} AS "ISSUED",
    {{ code('offence', 'category', 'OFFENSE', missing=0.02) }} AS "OFFENSE",
    {{ show(known('vacated_on'), '%m/%d/%Y') }} AS "VACATED",
    {{ code('warrant', "CASE WHEN " + by('vacated_on') + " THEN reason END", 'WHY', missing=0.05) }} AS "WHY"
    {{ book() }}
FROM (
    SELECT k, person, CAST(heard_at AS DATE) AS issued_on, offence_category(offence) AS category, 'served' AS reason,
        CASE WHEN draw(k, 'found') < 0.8 THEN CAST(heard_at AS DATE) + whole(k, 'found after', 3, 500) END AS vacated_on
    FROM hearing
    WHERE absence = 'fta' AND role = 'defendant' AND draw(k, 'bench warrant') < 0.7
    UNION ALL
    SELECT 16 * {{ matters }} + i, NULL, DATE '1996-01-01' + CAST(i * 6900 // {{ old_warrants }} AS INTEGER),
        offence_category(offence_slot(draw(i, 'old warrant'))), 'old_low_level',
        CASE WHEN offence_low_level(offence_slot(draw(i, 'old warrant'))) AND draw(i, 'purged') < 0.8 THEN DATE '2020-03-01' + whole(i, 'purge', 0, 300) END
    FROM range({{ old_warrants }}) AS numbers (i)
)

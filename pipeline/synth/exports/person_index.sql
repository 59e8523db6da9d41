-- The index of persons: with names, full birth dates and file numbers that the audit must not take.
SELECT
    person AS _k,
    first_day AS _created,
    person_no(person) AS "PERSON_NO",
    'Zzyx' || surname(person) AS "LAST_NAME",
    forename(person) AS "FIRST_NAME",
    strftime(make_date(birth_year, whole(person, 'birth month', 1, 12), whole(person, 'birthday', 1, 28)), '%d-%b-%Y') AS "DATE_OF_BIRTH",
    {{ cell("CAST(birth_year AS VARCHAR)", 'YOB', missing=0.012) }} AS "YOB",
    {{ code('sex', pick('sex', {'male': 0.76, 'female': 0.232, 'nonbinary_x': 0.008}, id='person'), 'SEX', missing=0.006, unmapped=0.001) }} AS "SEX",
    {{ code('race', corrected("CASE
            WHEN race = 'multiracial' AND draw(person, 'two races') < 0.6 THEN 'white'
            WHEN race = 'hispanic_latino' AND draw(person, 'hispanic as') < 0.62 THEN 'white'
            ELSE race END", "'other'", 'RACE', 0.004), 'RACE', missing=0.02, unknown=0.008, redacted=0.002, unmapped=0.001) }} AS "RACE",
    CASE WHEN race = 'multiracial' AND draw(person, 'two races') < 0.6 THEN {{ pick('second race', {'B': 0.6, 'A': 0.25, 'I': 0.15}, id='person') }} END AS "RACE_2",
    -- A Hispanic person written down as White, with the ethnicity left blank, can no longer be told from a White one.
    CASE
        WHEN race = 'hispanic_latino' AND draw(person, 'hispanic as') < 0.62 THEN
            {{ cell("'Y'", 'HISP', missing=0.03) }}
        WHEN race = 'hispanic_latino' THEN 'Y'
        WHEN draw(person, 'hispanic asked') < 0.12 THEN NULL
        ELSE 'N'
    END AS "HISP",
    {{ code('race_by', pick('race by', {'self': 0.40, 'officer_observed': 0.36, 'jail': 0.16, 'prosecutor': 0.08}, id='person'), 'RACE_BY') }} AS "RACE_BY",
    CASE WHEN language <> 'eng' THEN 'Y' ELSE 'N' END AS "INTERP",
    {{ cell("upper(language)", 'LANG', missing=0.02) }} AS "LANG",
    '9' || lpad(CAST(whole(person, 'zip', 2000, 2240) AS VARCHAR), 4, '0') AS "ZIP",
    {{ code('housing', pick('housing', {'stable': 0.84, 'transient': 0.09, 'unhoused': 0.07}, id='person'), 'HOUSING', missing=0.15, unknown=0.02) }} AS "HOUSING",
    CASE WHEN citizenship = 'noncitizen' AND draw(person, 'file number') < 0.3 THEN 'A' || lpad(CAST(913000000 + person % 86999999 AS VARCHAR), 9, '0') END AS "ALIEN_NO",
    CASE WHEN draw(person, 'note') < 0.2 THEN 'Zzyxnote: lives with sister, "works nights"; ask counsel, see file ' || person END AS "NOTES"
    {{ book() }}
FROM person

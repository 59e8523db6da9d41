-- One row per arrest, up to three charges beside each other.
SELECT
    m AS _k,
    day AS _created,
    arrest_no(m, day) AS "ARREST_NO",
    person_no(person) AS "PERSON_NO",
    {{ cell("CASE WHEN draw(m, 'day only') < 0.03 THEN strftime(arrest_at, '%m/%d/%Y') || ' 00:00' ELSE strftime(arrest_at, '%m/%d/%Y %H:%M') END", 'ARREST_DTTM', garbled=0.0005, required=True) }} AS "ARREST_DTTM",
    {{ code('precision', "CASE WHEN draw(m, 'day only') < 0.03 THEN 'day' ELSE 'minute' END", 'PREC') }} AS "PREC",
    {{ cell('agency', 'AGENCY', missing=0.004) }} AS "AGENCY",
    {{ code('custody_action', "CASE WHEN before_arrest THEN 'diverted' WHEN booked THEN CASE WHEN draw(m, 'transported') < 0.03 THEN 'transported' ELSE 'booked' END ELSE 'cite_release' END", 'ACTION', missing=0.01, unmapped=0.001) }} AS "ACTION",
    CASE WHEN booked THEN 'B' || lpad(CAST(m AS VARCHAR), 9, '0') END AS "BOOKING_NO",
    district AS "DIST",
    offence_statute(offence) AS "CHG1_STATUTE",
    {{ cell('offence_text(offence)', 'CHG1_TEXT', missing=0.002) }} AS "CHG1_TEXT",
    {{ code('severity', 'referred_severity', 'CHG1_CLASS', missing=0.003) }} AS "CHG1_CLASS",
    {{ code('offence', 'category', 'CHG1_CAT', missing=0.003, unmapped=0.001) }} AS "CHG1_CAT",
    offence_statute(offence_2) AS "CHG2_STATUTE",
    offence_text(offence_2) AS "CHG2_TEXT",
    {{ code('severity', "CASE offence_severity(offence_2) WHEN 'wobbler' THEN 'wobbler_misdemeanor' ELSE offence_severity(offence_2) END", 'CHG2_CLASS') }} AS "CHG2_CLASS",
    {{ code('offence', 'offence_category(offence_2)', 'CHG2_CAT') }} AS "CHG2_CAT",
    offence_statute(offence_3) AS "CHG3_STATUTE",
    offence_text(offence_3) AS "CHG3_TEXT",
    {{ code('severity', "CASE offence_severity(offence_3) WHEN 'wobbler' THEN 'wobbler_misdemeanor' ELSE offence_severity(offence_3) END", 'CHG3_CLASS') }} AS "CHG3_CLASS",
    {{ code('offence', 'offence_category(offence_3)', 'CHG3_CAT') }} AS "CHG3_CAT",
    'Zzyx' || surname(person) || ', ' || forename(person) AS "SUSPECT"
    {{ book() }}
FROM matter

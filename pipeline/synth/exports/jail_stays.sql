-- The jail's own system, made elsewhere: day.month.year, a twenty-four hour clock, holds beside each other.
SELECT
    stay.k AS _k,
    CAST(stay.booked_at AS DATE) AS _created,
    'J' || lpad(CAST(stay.k AS VARCHAR), 9, '0') AS "STAY",
    person_no(person) AS "PERSON",
    CASE WHEN is_filed THEN case_no(m, day) END AS "CASE_REF",
    {{ cell("strftime(stay.booked_at, '%d.%m.%Y %H:%M')", 'BOOKED', garbled=0.0004, required=True) }} AS "BOOKED",
    {{ code('offence', 'category', 'OFFENCE', missing=0.004) }} AS "OFFENCE",
    {{ cell("strftime(" + known('stay.due_at') + ", '%d.%m.%Y %H:%M')", 'DUE', missing=0.02) }} AS "DUE",
    {{ code('due', "CASE WHEN " + by('stay.due_at') + " THEN stay.due_reason END", 'DUE_WHY', missing=0.02) }} AS "DUE_WHY",
    -- A few leave before they came.
    {{ cell("strftime(" + impossible(known('stay.released_at'), "stay.booked_at - INTERVAL 3 DAY", 'OUT', 0.0008) + ", '%d.%m.%Y %H:%M')", 'OUT', missing=0.004, garbled=0.0006) }} AS "OUT",
    {{ code('release', "CASE WHEN " + by('stay.released_at') + " THEN stay.release_type END", 'OUT_TYPE', missing=0.004, unmapped=0.001) }} AS "OUT_TYPE",
    {{ code('mechanism', "CASE WHEN " + by('stay.released_at') + " AND stay.due_reason = 'sentence_complete' AND draw(stay.k, 'mechanism') < 0.03 THEN " + pick('mechanism kind', {'sentence_modification': 0.7, 'compassionate': 0.3}, id='stay.k') + " ELSE 'none' END", 'MECH', missing=0.05) }} AS "MECH",
    CASE WHEN stay.due_reason = 'sentence_complete' AND draw(stay.k, 'mechanism') < 0.015 THEN {{ "strftime(" + known('CAST(stay.due_at AS DATE) - 10') + ", '%d.%m.%Y')" }} END AS "IMM_COUNSEL",
    CASE WHEN {{ by('stay.detainer_at') }} THEN 'I247' END AS "HOLD1",
    strftime({{ known('stay.detainer_at') }}, '%d.%m.%Y %H:%M') AS "HOLD1_FROM",
    CASE WHEN stay.detainer_at IS NOT NULL THEN strftime({{ known('stay.released_at') }}, '%d.%m.%Y %H:%M') END AS "HOLD1_TO",
    {{ code('hold', "CASE WHEN draw(stay.k, 'other hold') < 0.05 THEN " + pick('hold kind', {'warrant': 0.46, 'probation': 0.34, 'other_county': 0.15, 'federal': 0.05}, id='stay.k') + " END", 'HOLD2') }} AS "HOLD2",
    CASE WHEN draw(stay.k, 'other hold') < 0.05 THEN strftime(stay.booked_at, '%d.%m.%Y %H:%M') END AS "HOLD2_FROM",
    'Zzyx' || surname(person) || ' ' || forename(person) AS "NAME"
    {{ book() }}
FROM (
    SELECT *, unnest([
        {k: 4 * m + 1, booked_at: booked_at, due_at: due_at, due_reason: due_reason, released_at: released_at, detainer_at: detainer_at,
            release_type: CASE
                WHEN detainer_outcome IN ('honoured_extra_hold', 'transferred_no_extra_hold') THEN 'transfer_ice'
                WHEN due_reason IS NULL THEN 'transfer_prison'
                WHEN due_reason = 'bail_posted' THEN 'bail'
                WHEN due_reason = 'ror_order' THEN CASE WHEN set_type = 'supervised' AND has_bail_hearing THEN 'supervised' ELSE 'ror' END
                ELSE due_reason END},
        {k: 4 * m + 2, booked_at: CASE WHEN has_second_stay THEN booked_2_at END, due_at: due_2_at, due_reason: CASE WHEN due_2_at IS NOT NULL THEN 'sentence_complete' END,
            released_at: released_2_at, detainer_at: detainer_2_at,
            release_type: CASE
                WHEN detainer_2_outcome IN ('honoured_extra_hold', 'transferred_no_extra_hold') THEN 'transfer_ice'
                WHEN due_2_at IS NULL THEN 'transfer_prison' ELSE 'sentence_complete' END}
    ]) AS stay
    FROM matter
)
WHERE stay.booked_at IS NOT NULL

-- Matters brought to the office and what it decided. Pipe-delimited; decided rows come again in the next batch.
SELECT
    m AS _k,
    received_on AS _created,
    matter_no(m) AS "MATTER_NO",
    person_no(person) AS "PERSON_NO",
    arrest_no(m, day) AS "ARREST_NO",
    {{ cell(show('received_on', '%Y-%m-%d'), 'RECD', garbled=0.0004, required=True) }} AS "RECD",
    {{ code('decision', "CASE WHEN " + by('decided_on') + " THEN decision ELSE 'pending' END", 'DECN') }} AS "DECN",
    {{ cell(show(known('decided_on'), '%Y-%m-%d'), 'DECN_DT', missing=0.002, garbled=0.0006) }} AS "DECN_DT",
    {{ code('decline_reason', "CASE WHEN decision = 'declined' AND " + by('decided_on') + " THEN decline_reason END", 'REASON', missing=0.06) }} AS "REASON",
    {{ code('offence', 'category', 'LEAD_OFF', missing=0.003, unmapped=0.001) }} AS "LEAD_OFF",
    {{ code('severity', corrected('referred_severity', "'misdemeanor'", 'LEAD_CLASS', 0.002), 'LEAD_CLASS', missing=0.003) }} AS "LEAD_CLASS",
    {{ cell('CAST(priors AS VARCHAR)', 'PRIORS', missing=0.03) }} AS "PRIORS",
    unit AS "UNIT",
    'DDA' || whole(m, 'attorney', 100, 159) AS "DDA"
    {{ book() }}
FROM matter

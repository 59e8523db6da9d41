-- What the People asked for, what the defence asked for, what the court ordered. Money as the clerks type it.
SELECT
    k AS _k,
    CAST(heard_at AS DATE) AS _created,
    'BL' || lpad(CAST(k AS VARCHAR), 9, '0') AS "BAIL_NO",
    case_no(m, day) AS "CASE_NO",
    CASE WHEN seq = 0 THEN 'K' || lpad(CAST(16 * m AS VARCHAR), 10, '0') END AS "CAL_ID",
    {{ cell("strftime(heard_at, '%m/%d/%Y %I:%M:%S %p')", 'HEARD', garbled=0.0004, required=True) }} AS "HEARD",
    {{ code('bail_hearing', "CASE seq WHEN 0 THEN 'first_appearance' ELSE 'bail_review' END", 'HRG') }} AS "HRG",
    {{ code('bail', 'request', 'PEOPLE_ASK', missing=0.03, unmapped=0.0006) }} AS "PEOPLE_ASK",
    {{ cell(money('request_amount'), 'PEOPLE_AMT', missing=0.02, garbled=0.0008) }} AS "PEOPLE_AMT",
    {{ code('bail', 'defence_request', 'DEF_ASK', missing=0.20) }} AS "DEF_ASK",
    CASE WHEN defence_request = 'cash' THEN {{ money('defence_amount') }} END AS "DEF_AMT",
    {{ code('bail', 'set_type', 'ORDERED', missing=0.006) }} AS "ORDERED",
    {{ money('set_amount') }} AS "ORDERED_AMT",
    {{ show(known('posted_at'), '%m/%d/%Y %I:%M:%S %p') }} AS "POSTED",
    CASE WHEN {{ by('posted_at') }} THEN {{ money('set_amount') }} END AS "POSTED_AMT",
    {{ code('argument', "CASE WHEN is_coded THEN argument ELSE 'not_coded' END", 'ARG', missing=0.02) }} AS "ARG",
    CASE WHEN is_coded THEN {{ code('argument_method', pick('method', {'transcript': 0.30, 'form': 0.45, 'observer': 0.25}, id='k'), 'ARG_HOW', missing=0.04) }} END AS "ARG_HOW",
    CASE WHEN argument <> 'none' AND is_coded THEN 'Zzyxnote: DDA said deft "would flee abroad"' END AS "ARG_QUOTE"
    {{ book() }}
FROM bail

-- Offers, theirs and ours.
{% set answered = by('answered_on') -%}
SELECT
    k AS _k,
    made_on AS _created,
    'OF' || lpad(CAST(k AS VARCHAR), 9, '0') AS "OFFER_NO",
    case_no(m, day) AS "CASE_NO",
    {{ show('made_on', '%d %b %Y') }} AS "MADE",
    {{ code('offer_by', 'made_by', 'BY') }} AS "BY",
    {{ cell('CAST(ordinary_term AS VARCHAR)', 'DAYS', missing=0.12) }} AS "DAYS",
    {{ show('made_on + 30', '%d %b %Y') }} AS "EXPIRES",
    {{ code('yes_no', "CASE WHEN is_considered THEN 'yes' ELSE 'no' END", 'IMM_CONSIDERED', missing=0.05) }} AS "IMM_CONSIDERED",
    CASE WHEN is_considered THEN {{ show('made_on', '%d %b %Y') }} END AS "IMM_CONSIDERED_ON",
    CASE WHEN defence_raises THEN 'Y' ELSE 'N' END AS "IMM_RAISED",
    CASE WHEN demands_documents THEN 'Y' ELSE 'N' END AS "DOCS_REQ",
    CASE WHEN defence_raises AND draw(k, 'leverage') < 0.02 THEN 'Y' ELSE 'N' END AS "LEVERAGE",
    {{ code('offer_outcome', "CASE WHEN " + answered + " THEN CASE WHEN is_accepted THEN 'accepted' WHEN made_by = 'defence' THEN CASE WHEN draw(k, 'taken') < 0.25 THEN 'accepted' ELSE 'rejected' END
        ELSE " + pick('offer ends', {'rejected': 0.48, 'countered': 0.32, 'expired': 0.20}, id='k') + " END END", 'RESULT', missing=0.01) }} AS "RESULT",
    {{ code('offer_refusal', "CASE WHEN " + answered + " AND made_by = 'defence' AND draw(k, 'taken') >= 0.25 THEN " + pick('refused for', {'policy': 0.20, 'seriousness': 0.35, 'record': 0.25, 'victim': 0.08, 'no_alternative': 0.12}, id='k') + " END", 'WHY_NOT', missing=0.15) }} AS "WHY_NOT",
    CASE WHEN is_standard AND made_by = 'da' THEN 'Y' ELSE 'N' END AS "STD",
    CASE WHEN is_standard AND made_by = 'da' THEN 'SO-' || offence END AS "STD_NO",
    offence_statute(CASE WHEN draw(k, 'neutral offer') < p_neutral_resolution OR is_standard THEN offence_neutral(offence) ELSE offence_lesser(offence) END) AS "OFFERED_STATUTE",
    {{ show(known('answered_on'), '%d %b %Y') }} AS "ANSWERED"
    {{ book() }}
FROM plea_offer

-- Requests of victims and witnesses for a certification.
SELECT
    i AS _k,
    received_on AS _created,
    'UV-' || lpad(CAST(i AS VARCHAR), 6, '0') AS "REQUEST",
    'Zzyx' || surname(i) || ', ' || forename(i) AS "REQUESTER",
    {{ code('certificate', pick('certificate', {'i918b': 0.90, 'i914b': 0.09, 'i854': 0.01}, id='i'), 'FORM') }} AS "FORM",
    {{ show('received_on', '%d-%b-%y') }} AS "RECEIVED",
    {{ show(known('decided_on'), '%d-%b-%y') }} AS "DECIDED",
    {{ code('certified', "CASE WHEN " + by('decided_on') + " THEN decision ELSE 'pending' END", 'DECISION') }} AS "DECISION",
    {{ code('denial', "CASE WHEN decision = 'denied' AND " + by('decided_on') + " THEN " + pick('denial', {'not_qualifying_crime': 0.34, 'not_helpful': 0.30, 'not_victim': 0.12, 'incomplete': 0.18, 'policy': 0.06}, id='i') + " END", 'WHY', missing=0.10) }} AS "WHY",
    CASE WHEN decision = 'denied' AND {{ by('decided_on') }} THEN CASE WHEN draw(i, 'in writing') < 0.7 THEN 'Y' ELSE 'N' END END AS "IN_WRITING",
    {{ code('offence', 'category', 'CRIME') }} AS "CRIME",
    {{ pick('certificate language', {'SPA': 0.62, 'ENG': 0.20, 'VIE': 0.08, 'CMN': 0.06, 'ARA': 0.04}, id='i') }} AS "LANG",
    CASE WHEN draw(i, 'language served') < 0.8 THEN {{ pick('certificate language', {'SPA': 0.62, 'ENG': 0.20, 'VIE': 0.08, 'CMN': 0.06, 'ARA': 0.04}, id='i') }} ELSE 'ENG' END AS "LANG_SERVED",
    CASE WHEN draw(i, 'asked about proceedings') < 0.7 THEN CASE WHEN in_proceedings THEN 'Y' ELSE 'N' END END AS "IN_PROC",
    CASE WHEN draw(i, 'again') < 0.11 THEN 'Y' ELSE 'N' END AS "RECERT",
    CASE WHEN draw(i, 'also defendant') < 0.06 THEN 'Y' ELSE 'N' END AS "ALSO_DEF"
    {{ book() }}
FROM certification

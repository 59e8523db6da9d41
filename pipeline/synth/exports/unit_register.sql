-- The unit's own register: eight kinds of entry in one sheet, told apart by REC.
SELECT
    k AS _k,
    day_1 AS _created,
    rec AS "REC",
    rec || '-' || i AS "NO",
    {{ show('day_1', '%m/%d/%Y') }} AS "DAY1",
    {{ show('day_2', '%m/%d/%Y') }} AS "DAY2",
    {{ show(known('day_3'), '%m/%d/%Y') }} AS "DAY3",
    kind AS "KIND",
    what AS "WHAT",
    CAST(n_1 AS VARCHAR) AS "N1",
    CAST(n_2 AS VARCHAR) AS "N2",
    CAST(n_3 AS VARCHAR) AS "N3"
    {{ book() }}
FROM (
    SELECT i AS k, i, 'TRAIN' AS rec, DATE '2017-02-10' + CAST(i * 61 AS INTEGER) AS day_1, NULL::DATE AS day_2, NULL::DATE AS day_3,
        {{ pick('training', {'consequences': 0.5, 'policy': 0.3, 'ice_contact': 0.2}, id='i') }} AS kind, NULL AS what,
        whole(i, 'attended', 12, 58) AS n_1, 60 AS n_2, NULL::INTEGER AS n_3 FROM range(47) AS numbers (i)
    UNION ALL
    SELECT 100 + i, i, 'FIND', DATE '2021-05-01' + CAST(i * 44 AS INTEGER), DATE '2021-05-01' + CAST(i * 44 + 180 AS INTEGER),
        CASE WHEN draw(i, 'mended') < 0.75 THEN DATE '2021-05-01' + CAST(i * 44 AS INTEGER) + whole(i, 'mended after', 60, 320) END,
        ['BAIL-04', 'DIV-04', 'ICE-04', 'DEC-03', 'PLE-05', 'SEN-08', 'VIC-03', 'CUS-02'][1 + i % 8], ['Chief of Bail', 'Chief Deputy', 'IIU Lead'][1 + i % 3], NULL, NULL, NULL
    FROM range(30) AS numbers (i)
    UNION ALL
    SELECT 200 + i, i, 'BILL', DATE '2015-03-15' + CAST(i * 330 AS INTEGER), NULL, NULL,
        ['misdemeanor_364', 'post_conviction', 'ice_cooperation', 'diversion', 'bail', 'post_conviction', 'other', 'ice_cooperation', 'diversion', 'bail', 'other'][1 + i],
        ['support', 'support', 'none', 'support', 'oppose', 'support', 'none', 'oppose', 'support', 'support', 'none'][1 + i], 700 + 31 * i, NULL, NULL
    FROM range(11) AS numbers (i)
    UNION ALL
    SELECT 300 + i, i, 'EVENT', DATE '2016-03-20' + CAST(i * 37 AS INTEGER), NULL, NULL,
        {{ pick('event', {'forum': 0.5, 'town_hall': 0.25, 'record_clearing': 0.25}, id='i') }},
        CASE WHEN draw(i, 'languages') < 0.5 THEN 'eng;spa' WHEN draw(i, 'languages') < 0.7 THEN 'eng;spa;vie' ELSE 'eng' END,
        whole(i, 'attendance', 15, 240),
        CASE WHEN {{ pick('event', {'forum': 0.5, 'town_hall': 0.25, 'record_clearing': 0.25}, id='i') }} = 'record_clearing' THEN whole(i, 'served', 20, 120) END,
        CASE WHEN {{ pick('event', {'forum': 0.5, 'town_hall': 0.25, 'record_clearing': 0.25}, id='i') }} = 'record_clearing' THEN whole(i, 'petitions', 8, 70) END
    FROM range(86) AS numbers (i)
    UNION ALL
    SELECT 400 + i, i, 'ASK', DATE '2018-01-15' + CAST(i * 17 AS INTEGER), NULL,
        CASE WHEN draw(i, 'ask answered') < 0.72 THEN DATE '2018-01-15' + CAST(i * 17 AS INTEGER) + whole(i, 'ask days', 10, 200) END,
        CASE WHEN draw(i, 'ask answered') < 0.72 THEN CASE WHEN draw(i, 'adopted') < 0.35 THEN 'Y' ELSE 'N' END END, NULL, NULL, NULL, NULL
    FROM range(150) AS numbers (i)
    UNION ALL
    SELECT 600 + i, i, 'PUB', make_date(2021 + CAST(i // 2 // 4 AS INTEGER), 3 * CAST(i // 2 % 4 AS INTEGER) + 1, 1) + 120 + whole(i // 2, 'published', 20, 90), NULL, NULL,
        (2021 + i // 2 // 4) || '-Q' || (1 + i // 2 % 4), ['eng', 'spa'][1 + i % 2], NULL, NULL, NULL
    FROM range(32) AS numbers (i)
    UNION ALL
    SELECT 700 + i, i, 'FIX', DATE '2021-09-01' + CAST(i * 70 AS INTEGER), NULL,
        CASE WHEN draw(i, 'fixed') < 0.85 THEN DATE '2021-09-01' + CAST(i * 70 AS INTEGER) + whole(i, 'fixed after', 1, 60) END, NULL, NULL, NULL, NULL, NULL
    FROM range(18) AS numbers (i)
    UNION ALL
    SELECT 800 + i, i, 'INQ', DATE '2015-02-01' + CAST(i * 58 AS INTEGER), NULL, NULL,
        {{ pick('asked by', {'da': 0.4, 'police': 0.35, 'court': 0.1, 'defence': 0.15}, id='i') }}, NULL, NULL, NULL, NULL
    FROM range(62) AS numbers (i)
)
WHERE day_1 >= DATE '{{ start }}'

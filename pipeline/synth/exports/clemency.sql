-- Requests for letters to the governor.
SELECT
    i AS _k,
    received_on AS _created,
    'CL-' || (1000 + i) AS "REQUEST",
    {{ pick('clemency', {'pardon': 0.64, 'commutation': 0.36}, id='i') }} AS "KIND",
    {{ show('received_on', '%m/%d/%Y') }} AS "RECEIVED",
    CASE WHEN {{ by('answered_on') }} THEN CASE WHEN draw(i, 'letter') < 0.4 THEN 'Y' ELSE 'N' END END AS "LETTER",
    {{ show(known('answered_on'), '%m/%d/%Y') }} AS "ANSWERED"
    {{ book() }}
FROM (
    SELECT *, CASE WHEN draw(i, 'clemency answered') < 0.8 THEN received_on + whole(i, 'clemency days', 20, 300) END AS answered_on
    FROM (SELECT i, DATE '{{ start }}' + CAST(i * {{ days }} // {{ clemencies }} AS INTEGER) AS received_on FROM range({{ clemencies }}) AS numbers (i))
)

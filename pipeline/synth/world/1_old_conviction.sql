-- One row per motion against a conviction older than the register of matters.
CREATE TABLE old_conviction AS
SELECT
    CAST(i AS BIGINT) AS i,
    CAST({{ persons }} + i AS BIGINT) AS person,
    DATE '1994-01-01' + whole(i, 'old conviction', 0, 7600) AS conviction_final_on,
    DATE '{{ start }}' + CAST(i * {{ days }} // {{ old_convictions }} AS INTEGER) AS filed_on,
    {{ pick('old offence', {22: 0.25, 25: 0.20, 8: 0.15, 15: 0.15, 13: 0.10, 16: 0.10, 4: 0.05}, id='i') }} AS offence
FROM range({{ old_convictions }}) AS numbers (i);

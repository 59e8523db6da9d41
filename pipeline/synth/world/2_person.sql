-- One row per person: those of the matters, then those of the old convictions of the motions.
CREATE TABLE person AS
SELECT
    person,
    first_day,
    race_of(person) AS race,
    citizenship_of(person) AS citizenship,
    -- Of age on the day of the first matter.
    year(first_day) - 18 - least(52, CAST(floor(-14 * ln(1 - draw(person, 'age'))) AS INTEGER)) AS birth_year,
    language_of(person, race_of(person), citizenship_of(person)) AS language
FROM (
    SELECT person, min(day) AS first_day FROM matter GROUP BY person
    UNION ALL
    SELECT person, conviction_final_on AS first_day FROM old_conviction
)
ORDER BY person;

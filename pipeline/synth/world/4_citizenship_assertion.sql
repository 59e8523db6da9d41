-- One row per statement about a person's citizenship. How it becomes known is nature (`knowledge` of the effects file):
-- `not_at_random`: the booked are asked, the cited mostly are not; detainers and the defence reveal noncitizens late.
-- `at_random`: two persons in three are on file from their first arrest on, whoever they are and whatever befalls them.
CREATE TABLE citizenship_assertion AS
WITH statements AS (
{% if knowledge == 'at_random' %}
    SELECT 16 * m + 1 AS k, person, citizenship, day AS asserted_on, 'booking_self_report' AS source, FALSE AS is_wrong
    FROM matter
{% else %}
    SELECT 16 * m + 1 AS k, person, citizenship, CAST(booked_at AS DATE) AS asserted_on, 'booking_self_report' AS source,
        draw(m, 'misreported') < CASE citizenship WHEN 'citizen' THEN 0.003 ELSE 0.05 END AS is_wrong
    FROM matter WHERE booked AND draw(m, 'asked') < CASE citizenship WHEN 'citizen' THEN 0.74 ELSE 0.46 END
    UNION ALL
    SELECT 16 * m + 3, person, citizenship, CAST(first_at AS DATE), 'court_record', FALSE
    FROM matter WHERE is_filed AND draw(m, 'court record') < 0.10
    UNION ALL
    SELECT 16 * m + 4, person, citizenship, CAST(first_at AS DATE) + 20, 'defence_disclosure', FALSE
    FROM matter WHERE is_filed AND citizenship = 'noncitizen' AND defence_raises AND draw(m, 'disclosed') < 0.7
    UNION ALL
    SELECT 16 * m + 7, person, citizenship, CAST(booked_at AS DATE) + 1, 'consular_notification', FALSE
    FROM matter WHERE booked AND citizenship = 'noncitizen' AND draw(m, 'consulate') < 0.06
    UNION ALL
    SELECT 16 * m + 8, person, citizenship, day + 3, 'voluntary_form', FALSE
    FROM matter WHERE draw(m, 'form') < 0.04
    UNION ALL
    SELECT 16 * m + 9, person, citizenship, CAST(first_at AS DATE), 'ice_record', FALSE
    FROM matter WHERE is_filed AND NOT held AND citizenship = 'noncitizen' AND draw(m, 'courthouse') < 0.006
{% endif %}
    UNION ALL
    -- A detainer says noncitizen of whomever it names, citizens too.
    SELECT 16 * m + 5, person, 'noncitizen', CAST(detainer_at AS DATE), 'detainer', FALSE FROM matter WHERE has_detainer
    UNION ALL
    SELECT 16 * m + 6, person, 'noncitizen', CAST(detainer_2_at AS DATE), 'detainer', FALSE FROM matter WHERE has_detainer_2
    UNION ALL
    -- Birthplace: one citizen in nine was born abroad, and it must never count.
    SELECT 16 * m + 2, person, CASE WHEN draw(person, 'born abroad') < 0.11 THEN 'noncitizen' ELSE citizenship END,
        CAST(booked_at AS DATE), 'booking_birth_country', FALSE
    FROM matter WHERE booked AND draw(m, 'birthplace') < 0.85
)
SELECT
    k, person, citizenship AS truth, asserted_on, source,
    CASE
        WHEN source IN ('booking_self_report', 'voluntary_form') AND draw(k, 'declined to say') < 0.02 THEN 'declined_to_state'
        WHEN is_wrong THEN CASE citizenship WHEN 'citizen' THEN 'noncitizen' ELSE 'us_citizen' END
        WHEN citizenship = 'noncitizen' THEN 'noncitizen'
        WHEN race_of(person) = 'nhpi' AND source <> 'booking_birth_country' AND draw(person, 'national') < 0.3 THEN 'us_national'
        ELSE 'us_citizen'
    END AS value
FROM statements
{% if knowledge == 'at_random' %}
WHERE draw(person, 'on file') < 0.67
{% endif %}
ORDER BY k;

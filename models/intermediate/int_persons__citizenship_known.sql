-- One row per person about whose citizenship something usable was ever stated.
-- First days, so that any decision can be compared by what was on file on its own day. From the day on which both
-- have been stated the person counts as unknown: no source is preferred over another.
select
    person_id,
    min(asserted_on) filter (where citizenship = 'citizen') as first_citizen_on,
    min(asserted_on) filter (where citizenship = 'noncitizen') as first_noncitizen_on,
    count(distinct citizenship) > 1 as is_contradicted
from {{ ref('int_citizenship_assertions__usable') }}
group by person_id

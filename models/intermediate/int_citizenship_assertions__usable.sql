-- One row per statement that may be used to say citizen or noncitizen.
-- A birthplace is not a citizenship, and a statement whose source is unknown may be no more than a birthplace. What
-- was given on condition that it is withheld is not used at all. "Declined to state" says neither.
select
    assertion_id,
    person_id,
    asserted_at as asserted_on,
    case stated_citizenship
        when 'noncitizen' then 'noncitizen'
        when 'us_citizen' then 'citizen'
        when 'us_national' then 'citizen'
    end as citizenship
from {{ ref('stg_citizenship_assertions') }}
where
    stated_citizenship in ('us_citizen', 'us_national', 'noncitizen')
    and statement_source <> 'booking_birth_country'
    and {{ is_known('statement_source') }}
    and permission <> 'withheld'

-- One row per person of whom a decision is on file.
-- The first day on which the office met the person, and what the usable sources say of citizenship among themselves.
with met as (
    select
        person_id,
        min(decided_on) as first_met_on,
        min_by(offence_category, (decided_on is null, decided_on, decision_id)) as offence_category
    from {{ ref('int_decisions__staged') }}
    where person_id is not null
    group by person_id
),

stated as (
    select
        assertions.person_id,
        count(distinct sources.statement_source) as source_count,
        count(distinct assertions.citizenship) > 1 as is_contradicted,
        count(*) filter (where assertions.citizenship = 'citizen') > 0 as is_recorded_citizen
    from {{ ref('int_citizenship_assertions__usable') }} as assertions
    -- one statement to its one source
    inner join {{ ref('stg_citizenship_assertions') }} as sources
        on assertions.assertion_id = sources.assertion_id
    group by assertions.person_id
),

detainers as (
    select distinct person_id from {{ ref('int_ice_contacts__person_found') }}
    where
        contact_type = 'detainer'
        and person_id is not null
)

select
    met.person_id,
    met.first_met_on,
    met.offence_category,
    coalesce(stated.source_count, 0) as source_count,
    coalesce(stated.is_contradicted, false) as is_contradicted,
    coalesce(stated.is_recorded_citizen, false) as is_recorded_citizen,
    detainers.person_id is not null as has_detainer
from met
-- one person to at most one row each
left join stated on met.person_id = stated.person_id
left join detainers on met.person_id = detainers.person_id

-- One row per case whose entry of judgment was deferred on a plea, under Cal. Penal Code 1000 as it stood until 2017.
with deferred as (
    select
        decided.case_id,
        min(decided.decided_on) as deferred_on
    from {{ ref('int_charges__conviction_decided') }} as decided
    where
        decided.law_known = 'as_known_then'
        and decided.disposition_consequence_id = 'us-ca:deferred_entry:until_2017'
        and decided.case_id is not null
    group by decided.case_id
),

withdrawn as (
    select distinct case_id
    from {{ ref('stg_post_conviction_motions') }}
    where
        motion_type = 'ca_pc_1203_43'
        and outcome = 'granted'
),

cases as (
    select
        deferred.*,
        cases.person_id,
        cases.offence_category,
        withdrawn.case_id is not null as is_plea_withdrawn
    from deferred
    inner join {{ ref('int_cases__offence_picked') }} as cases on deferred.case_id = cases.case_id
    -- one case to at most one row
    left join withdrawn on deferred.case_id = withdrawn.case_id
)

select
    cases.case_id,
    cases.person_id,
    cases.deferred_on,
    {{ groups_on('cases.deferred_on') }},
    cases.is_plea_withdrawn
from cases
{{ join_groups('cases.person_id', 'cases.offence_category') }}

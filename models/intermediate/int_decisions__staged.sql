-- One row per decision at one stage: an arrest, a filing, a bail hearing, the first plea of a case, its first sentence.
-- And whether the fields on record that most measures of that stage need: an unknown code is not one.
with cases as (
    select * from {{ ref('int_cases__offence_picked') }}
),

advised as (
    select
        charges.case_id,
        count(*) filter (where {{ is_known('dispositions.advisal') }}) > 0 as is_advisal_known
    from {{ ref('stg_dispositions') }} as dispositions
    -- many dispositions to exactly one charge
    inner join {{ ref('int_charges__filed_version_picked') }} as charges on dispositions.charge_id = charges.charge_id
    where dispositions.disposition_type in ('plea_guilty', 'plea_nolo')
    group by charges.case_id
),

-- sentences as first pronounced; one in prison or jail needs a term
sentenced as (
    select
        coalesce(sentences.case_id, charges.case_id) as case_id,
        min(sentences.sentenced_on) as sentenced_on,
        bool_and(
            {{ is_known('sentences.sentence_type') }}
            and (
                sentences.sentence_type not in ('prison', 'jail')
                or sentences.imposed_unit = 'life'
                or (sentences.imposed_value is not null and {{ is_known('sentences.imposed_unit') }})
            )
        ) as is_term_known
    from {{ ref('stg_sentences') }} as sentences
    -- many sentences to at most one charge
    left join {{ ref('int_charges__filed_version_picked') }} as charges on sentences.charge_id = charges.charge_id
    where sentences.modified_from is null
    group by coalesce(sentences.case_id, charges.case_id)
)

select
    'arrest' as stage,
    concat('arrest ', arrest_id) as decision_id,
    person_id,
    cast(arrest_at as date) as decided_on,
    offence_category,
    {{ is_known('custody_action') }} and {{ is_known('offence_category') }} as is_complete
from {{ ref('int_arrests__offence_picked') }}

union all

select
    'filing' as stage,
    concat('case ', cases.case_id) as decision_id,
    cases.person_id,
    cases.filed_on as decided_on,
    cases.offence_category,
    coalesce(
        {{ is_known('top_charges.severity') }}
        and {{ is_known('top_charges.offence_category') }}
        and top_charges.section is not null,
        false
    ) as is_complete
from cases
-- one case to at most one row
left join {{ ref('int_cases__top_charge_picked') }} as top_charges on cases.case_id = top_charges.case_id

union all

select
    'bail' as stage,
    concat('bail ', bail_event_id) as decision_id,
    person_id,
    cast(bail_event_at as date) as decided_on,
    offence_category,
    {{ is_known('da_request_type') }}
    and {{ is_known('set_type') }}
    and (da_request_type <> 'cash' or da_request_amount is not null)
    and (set_type <> 'cash' or set_amount is not null) as is_complete
from {{ ref('int_bail_events__case_found') }}

union all

select
    'plea' as stage,
    concat('plea ', cases.case_id) as decision_id,
    cases.person_id,
    outcomes.first_plea_on as decided_on,
    cases.offence_category,
    coalesce(advised.is_advisal_known, false) as is_complete
from cases
-- one case to exactly one outcome, and at most one row
inner join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
left join advised on cases.case_id = advised.case_id
where outcomes.first_plea_on is not null

union all

select
    'sentence' as stage,
    concat('sentence ', cases.case_id) as decision_id,
    cases.person_id,
    sentenced.sentenced_on as decided_on,
    cases.offence_category,
    sentenced.is_term_known as is_complete
from cases
-- one case to at most one row
inner join sentenced on cases.case_id = sentenced.case_id

-- One row per closed case with a charge brought to court.
-- The gravest charge convicted against the top charge filed: on the office's own scale where both have a place on it,
-- else by class. A case in which one charge leaves the outcome open, and no other is a conviction, is open (NULL).
with charges as (
    select * from {{ ref('int_charges__state_outcome_found') }}
    where is_enhancement is not true
),

gathered as (
    select
        case_id,
        {{ any_true('is_convicted') }} as is_convicted,
        {{ any_true('is_plea') }} as is_plea,
        count(*) filter (where is_convicted) as conviction_count,
        max(final_severity_rank) filter (where is_convicted) as convicted_severity_rank,
        count(final_severity_rank) filter (where is_convicted) as ranked_count,
        max(final_class_rank) filter (where is_convicted) as convicted_class_rank,
        count(final_class_rank) filter (where is_convicted) as classed_count
    from charges
    group by case_id
),

known as (
    select
        case_id,
        is_convicted,
        is_plea,
        case when ranked_count = conviction_count then convicted_severity_rank end as convicted_severity_rank,
        -- nothing is graver than a felony, whatever the others are
        case
            when classed_count = conviction_count or convicted_class_rank = 3 then convicted_class_rank
        end as convicted_class_rank
    from gathered
)

select
    cases.case_id,
    cases.person_id,
    cases.offence_category,
    outcomes.closed_on,
    known.is_convicted,
    known.is_plea,
    case
        when known.is_convicted is null then 'outcome_not_recorded'
        when not known.is_convicted then 'no_conviction'
        when known.convicted_class_rank = 3 then 'felony'
        when known.convicted_class_rank = 2 then 'misdemeanor'
        when known.convicted_class_rank = 1 then 'violation_infraction'
        else 'class_not_recorded'
    end as end_class,
    case
        when not known.is_convicted then null
        when top_charges.severity_rank is not null and known.convicted_severity_rank is not null
            then cast(sign(known.convicted_severity_rank - top_charges.severity_rank) as tinyint)
        else cast(sign(known.convicted_class_rank - top_charges.severity_class_rank) as tinyint)
    end as severity_change
from {{ ref('int_cases__offence_picked') }} as cases
-- one case to exactly one row each
inner join known on cases.case_id = known.case_id
inner join {{ ref('int_cases__top_charge_picked') }} as top_charges on cases.case_id = top_charges.case_id
inner join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
where outcomes.closed_on is not null

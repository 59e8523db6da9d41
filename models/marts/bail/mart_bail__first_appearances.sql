-- One row per case whose defendant has a first appearance on the calendar.
with first_appearances as (
    select
        cases.case_id,
        cases.person_id,
        cases.offence_category,
        cast(picked.first_appearance_at as date) as first_appearance_on,
        outcomes.first_plea_on,
        outcomes.is_plea_left_open,
        detained.case_id is not null as is_detained
    from {{ ref('int_cases__offence_picked') }} as cases
    -- one case to at most one row each
    inner join {{ ref('int_cases__first_appearance_picked') }} as picked on cases.case_id = picked.case_id
    left join {{ ref('int_cases__outcome_reached') }} as outcomes on cases.case_id = outcomes.case_id
    left join {{ ref('int_cases__detained_at_first_appearance') }} as detained on cases.case_id = detained.case_id
)

select
    first_appearances.case_id,
    first_appearances.person_id,
    first_appearances.first_appearance_on,
    {{ groups_on('first_appearances.first_appearance_on') }},
    case when first_appearances.is_detained then 'detained' else 'not_detained' end as custody,
    case
        when
            first_appearances.first_appearance_on + 7 <= audit_settings.as_of_date
            and coalesce(first_appearances.first_plea_on >= first_appearances.first_appearance_on, true)
            and not first_appearances.is_plea_left_open
            then coalesce(first_appearances.first_plea_on <= first_appearances.first_appearance_on + 7, false)
    end as is_plea_within_7_days,
    case
        when
            first_appearances.first_appearance_on + 30 <= audit_settings.as_of_date
            and coalesce(first_appearances.first_plea_on >= first_appearances.first_appearance_on, true)
            and not first_appearances.is_plea_left_open
            then coalesce(first_appearances.first_plea_on <= first_appearances.first_appearance_on + 30, false)
    end as is_plea_within_30_days
from first_appearances
{{ join_groups('first_appearances.person_id', 'first_appearances.offence_category') }}

-- One row per case with a conviction.
with convictions as (
    select
        convictions.*,
        cases.person_id,
        cases.offence_category,
        compared.bargained_over
    from {{ ref('int_cases__convictions_gathered') }} as convictions
    inner join {{ ref('int_cases__offence_picked') }} as cases on convictions.case_id = cases.case_id
    -- one case to at most one plea
    left join {{ ref('int_cases__plea_compared') }} as compared on convictions.case_id = compared.case_id
)

select
    convictions.case_id,
    convictions.person_id,
    convictions.convicted_on,
    {{ groups_on('convictions.convicted_on') }},
    convictions.consequence_class,
    convictions.consequence_class = 'no_known_ground' as is_shown_neutral,
    convictions.is_by_plea,
    convictions.bargained_over,
    convictions.is_advised,
    convictions.is_limited_to_elements
from convictions
{{ join_groups('convictions.person_id', 'convictions.offence_category') }}

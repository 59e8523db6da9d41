-- One row per quarter on which the audit has published something.
with quarters as (
    select
        quarter as reported_quarter,
        min(published_on) as first_published_on,
        {{ any_true("lower(language) not in ('eng', 'en', 'english')") }} as is_in_another_language
    from {{ ref('stg_publications') }}
    group by quarter
)

select
    quarters.reported_quarter,
    quarters.first_published_on,
    {{ groups_of_nobody_on('quarters.first_published_on') }},
    quarters.is_in_another_language
from quarters
{{ join_no_groups() }}

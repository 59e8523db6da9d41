-- One row per published output of the audit.
with publications as (
    select
        *,
        cast({{ first_day_of('quarter') }} + interval 3 month - interval 1 day as date) as quarter_ended_on
    from {{ ref('stg_publications') }}
)

select
    publications.output_id,
    publications.published_on,
    {{ groups_of_nobody_on('publications.published_on') }},
    publications.quarter as reported_quarter,
    lower(publications.language) not in ('eng', 'en', 'english') as is_in_another_language,
    {{ days_between('publications.quarter_ended_on', 'publications.published_on') }} as days_after_quarter
from publications
{{ join_no_groups() }}

-- One row per file that the office reviewed of its own accord.
with reviews as (
    select
        reviews.*,
        cases.person_id,
        cases.offence_category
    from {{ ref('stg_conviction_reviews') }} as reviews
    -- many reviews to at most one case
    left join {{ ref('int_cases__offence_picked') }} as cases on reviews.case_id = cases.case_id
)

select
    reviews.review_id,
    reviews.case_id,
    reviews.person_id,
    reviews.reviewed_at as reviewed_on,
    {{ groups_on('reviews.reviewed_at') }},
    reviews.relief_moved as is_relief_moved
from reviews
{{ join_groups('reviews.person_id', 'reviews.offence_category') }}

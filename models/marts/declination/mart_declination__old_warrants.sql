-- One row per warrant and calendar year of the period at whose start it was outstanding for five years or more.
with beginnings as (
    select {{ days_apart("date_trunc('year', period_from)", 'period_to', 1, 'year') }} as begins_at
    from {{ ref('stg_audit_settings') }}
),

years as (
    select cast(begins_at as date) as begins_on from beginnings
),

old_warrants as (
    select
        warrants.*,
        years.begins_on,
        cast(years.begins_on + interval 1 year as date) as next_begins_on
    from {{ ref('stg_warrants') }} as warrants
    -- each warrant once per year that began while it was old and outstanding
    inner join years
        on
            warrants.issued_on + interval 5 year <= years.begins_on
            and (warrants.vacated_on is null or warrants.vacated_on >= years.begins_on)
)

select
    concat(old_warrants.warrant_id, ' ', year(old_warrants.begins_on)) as warrant_year_id,
    old_warrants.person_id,
    old_warrants.begins_on,
    {{ groups_on('old_warrants.begins_on') }},
    -- the whole year is over, or the answer would depend on the day of the export
    case
        when old_warrants.next_begins_on > audit_settings.as_of_date + 1 then null
        when old_warrants.vacated_on is null or old_warrants.vacated_on >= old_warrants.next_begins_on then false
        when {{ is_known('old_warrants.vacated_reason') }}
            then old_warrants.vacated_reason not in ('served', 'deceased')
    end as is_cleared_within_year
from old_warrants
{{ join_groups('old_warrants.person_id', 'old_warrants.offence_category') }}

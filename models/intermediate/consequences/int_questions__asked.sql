-- One row per question that charges, their versions or plea offers ask of the reference of offences.
-- Each is answered once, under both states of the law, for all that ask it.
{%- set columns = question_columns() | join(',\n        ') %}

with asked as (
    select
        {{ columns }}
    from {{ ref('int_charges__consequences_asked') }}
    union
    select
        {{ columns }}
    from {{ ref('int_charge_versions__consequences_asked') }}
    where offence_id is not null
    union
    select
        {{ columns }}
    from {{ ref('int_plea_offers__consequences_asked') }}
    where offence_id is not null
)

select
    asked.*,
    cast(row_number() over (order by {{ question_columns() | join(' nulls last, ') }} nulls last) as bigint)
        as question_id
from asked

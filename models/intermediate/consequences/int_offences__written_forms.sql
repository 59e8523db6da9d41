-- One row per way that an offence of the reference is written in a charge.
-- Its own section and subdivision, and each alias `section|subdivision`.
with forms as (
    select
        offence_id,
        jurisdiction,
        code,
        section,
        subdivision
    from {{ ref('offences') }}
    union all
    select
        offence_id,
        jurisdiction,
        code,
        split_part(alias, '|', 1) as section,
        split_part(alias, '|', 2) as subdivision
    from (
        select
            offence_id,
            jurisdiction,
            code,
            {{ parts_of('aliases') }} as alias
        from {{ ref('offences') }}
        where aliases is not null
    )
)

select
    offence_id,
    jurisdiction,
    {{ statute_forms('code', 'section', 'subdivision') }}
from forms

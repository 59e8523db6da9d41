-- One row per charge sentenced to custody.
-- Its longest term as first pronounced, and what of it was to be served. A later order is another decision.
with ranked as (
    select
        *,
        row_number() over (
            partition by charge_id
            order by coalesce(term_unit = 'life', false) desc, term_days desc nulls last, sentence_id asc
        ) as place
    from {{ ref('int_sentences__term_read') }}
    where
        modified_from is null
        and kind = 'custody'
)

select
    charge_id,
    sentence_id,
    -- at the line of one year, or at most five days beyond it
    case
        when term_unit = 'life' then false
        when term_days is not null
            then coalesce(
                {{ term_around_one_year('term_value', 'term_unit') }}
                in ('days_365', 'months_12_or_year_1', 'days_366_to_370'),
                false
            )
    end as is_just_at_one_year,
    coalesce(executed_days, term_days - suspended_days) as days_to_serve
from ranked
where place = 1

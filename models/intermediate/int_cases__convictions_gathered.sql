-- One row per case with a conviction: the gravest consequence of its convictions, and how they were reached.
-- By the law of that day. A charge that leaves a question open leaves it open for the case, unless another answers it.
with convictions as (
    select
        classified.case_id,
        classified.decided_on,
        {{ answer_rank('classified.consequence_class') }} as class_rank,
        decided.disposition_type in ('plea_guilty', 'plea_nolo') as is_plea,
        dispositions.advisal,
        dispositions.factual_basis_type
    from {{ ref('int_charges__consequence_classified') }} as classified
    -- one charge to the disposition that decides
    inner join {{ ref('int_charges__conviction_decided') }} as decided
        on classified.charge_id = decided.charge_id and classified.law_known = decided.law_known
    inner join {{ ref('stg_dispositions') }} as dispositions on decided.disposition_id = dispositions.disposition_id
    where
        classified.law_known = 'as_known_then'
        and classified.conviction = 'yes'
        and classified.case_id is not null
)

select
    case_id,
    min(decided_on) as convicted_on,
    {{ answer_ranked('max(class_rank)') }} as consequence_class,
    bool_or(is_plea) as is_by_plea,
    bool_or(
        case when is_plea and {{ is_known('advisal') }} then advisal = 'yes' end
    ) as is_advised,
    not {{ any_true("is_plea and case when " ~ is_known('factual_basis_type')
        ~ " then factual_basis_type <> 'elements' end") }} as is_limited_to_elements
from convictions
group by case_id

-- One row per closed case with a charge brought to court.
-- What its outcome exposes to, by the law of that day: the worst of its charges. A charge without a disposition on file
-- is an open question.
select
    cases.case_id,
    {{ answer_ranked('max(' ~ answer_rank("coalesce(consequences.consequence_class, 'cannot_determine')") ~ ')') }}
        as consequence_class
from {{ ref('int_cases__conviction_compared') }} as cases
-- one case to its charges, and each to at most one answer by the law of that day: gathered again by case
inner join {{ ref('int_charges__filed_version_picked') }} as charges on cases.case_id = charges.case_id
left join {{ ref('int_charges__consequence_classified') }} as consequences
    on
        charges.charge_id = consequences.charge_id
        and consequences.law_known = 'as_known_then'
where charges.is_enhancement is not true
group by cases.case_id

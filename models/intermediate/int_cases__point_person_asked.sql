-- One row per case about which the point person was asked.
-- By the office's own prosecutors, or from outside: the defence, an advocate, the person. Where nobody wrote down who
-- asked, both are open, unless another request answers.
select
    case_id,
    {{ any_true(
        "case when requester_type not in ('not_recorded', 'recorded_unknown', 'redacted', 'unmapped')"
        ~ " then requester_type <> 'ada' end"
    ) }} as is_asked_from_outside,
    {{ any_true(
        "case when requester_type not in ('not_recorded', 'recorded_unknown', 'redacted', 'unmapped')"
        ~ " then requester_type = 'ada' end"
    ) }} as is_asked_by_office
from {{ ref('stg_point_person_requests') }}
where case_id is not null
group by case_id

-- One row per proposal, or stage of a case, and quarter on whose last day a policy could have stood for it.
with subjects (kind_of_subject, subject) as (
    values
    ('proposal', 'proposal_1'),
    ('proposal', 'proposal_2'),
    ('proposal', 'proposal_3'),
    ('proposal', 'proposal_4'),
    ('proposal', 'proposal_5'),
    ('proposal', 'proposal_6'),
    ('proposal', 'proposal_7'),
    ('proposal', 'proposal_8'),
    ('proposal', 'proposal_9'),
    ('proposal', 'proposal_10'),
    ('proposal', 'proposal_11'),
    ('proposal', 'proposal_12'),
    ('stage', 'referral'),
    ('stage', 'charging'),
    ('stage', 'bail'),
    ('stage', 'diversion'),
    ('stage', 'plea'),
    ('stage', 'sentencing'),
    ('stage', 'post_conviction'),
    ('stage', 'custody'),
    ('stage', 'ice_contact'),
    ('stage', 'victim')
),

policies as (
    select
        ended_on,
        concat('proposal_', proposal_no) as subject,
        is_written
    from {{ ref('int_policies__in_force') }}
    where proposal_no is not null

    union all

    select
        ended_on,
        policy_stage as subject,
        is_written
    from {{ ref('int_policies__in_force') }}
),

covered as (
    select
        ended_on,
        subject,
        {{ any_true('is_written') }} as has_written_policy
    from policies
    group by ended_on, subject
)

select
    concat(subjects.subject, '|', quarters.ended_quarter) as subject_quarter_id,
    quarters.ended_on,
    {{ groups_of_nobody_on('quarters.ended_on') }},
    subjects.kind_of_subject,
    subjects.subject,
    -- no policy at all is a plain no; one whose form nobody wrote down leaves it open
    case when covered.subject is null then false else covered.has_written_policy end as has_written_policy
from subjects
-- two dozen subjects and some dozens of quarters
cross join {{ ref('int_quarters__ended') }} as quarters
-- one subject and quarter to at most one row
left join covered
    on
        subjects.subject = covered.subject
        and quarters.ended_on = covered.ended_on
{{ join_no_groups() }}

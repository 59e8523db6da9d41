-- One row per policy considered in a case or matter.
with applications as (
    select * from {{ ref('int_policy_applications__policy_found') }}
)

select
    applications.application_id,
    applications.person_id,
    applications.decided_on,
    {{ groups_on('applications.decided_on') }},
    applications.factor,
    {{ is_known('applications.factor') }} as is_factor_recorded,
    applications.complied as is_policy_followed
from applications
{{ join_groups('applications.person_id', 'applications.offence_category') }}

-- One row per charge brought to court.
-- How it ended in state law. Of several dispositions a conviction counts, and of versions the one that was disposed,
-- else the last. Open (NULL) where no disposition is on file, or not its kind.
with dispositions as (
    select
        *,
        case when {{ is_known('disposition_type') }} then disposition_type end as known_type,
        coalesce(
            is_conviction_state, known_type in ('plea_guilty', 'plea_nolo', 'verdict_guilty')
        ) as is_conviction
    from {{ ref('stg_dispositions') }}
),

gathered as (
    select
        charge_id,
        {{ any_true('is_conviction') }} as is_convicted,
        {{ any_true("known_type in ('plea_guilty', 'plea_nolo')") }} as is_plea,
        {{ any_true("known_type in ('verdict_guilty', 'acquitted')") }} as is_submitted,
        {{ any_true("known_type = 'verdict_guilty'") }} as is_proven,
        -- the version that was disposed, of a conviction if there is one
        max_by(version_no, (coalesce(is_conviction, false), disposed_on is null, disposed_on, disposition_id)) filter (
            where version_no is not null
        ) as disposed_version_no
    from dispositions
    group by charge_id
),

final_versions as (
    select versions.*
    from {{ ref('stg_charges') }} as versions
    -- many versions to at most one row of their charge
    left join gathered on versions.charge_id = gathered.charge_id
    where versions.stage not in ('arrested', 'referred')
    qualify row_number() over (
        partition by versions.charge_id
        order by coalesce(versions.version_no = gathered.disposed_version_no, false) desc, versions.version_no desc
    ) = 1
)

select
    charges.charge_id,
    charges.case_id,
    charges.is_enhancement,
    charges.section as filed_section,
    charges.severity_class_rank as filed_class_rank,
    gathered.is_convicted,
    gathered.is_plea,
    gathered.is_submitted,
    gathered.is_proven,
    final_versions.section as final_section,
    final_versions.severity_rank as final_severity_rank,
    {{ severity_class_rank('final_versions.severity') }} as final_class_rank
from {{ ref('int_charges__filed_version_picked') }} as charges
-- one charge to at most one row each
left join gathered on charges.charge_id = gathered.charge_id
left join final_versions on charges.charge_id = final_versions.charge_id

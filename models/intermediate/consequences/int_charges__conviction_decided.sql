-- One row per disposed charge and state of the law: is it a conviction in immigration law?
-- 8 USC 1101(a)(48)(A): a formal judgment of guilt; or, adjudication withheld, a finding, plea or admission of
-- sufficient facts, and some punishment, penalty or restraint ordered by a judge. `conviction` says what the law says:
-- yes, possible (a fact it turns on is not recorded), no, cannot_determine. `conviction_class` is what may be
-- published: a yes from a row that no attorney reviewed is no more than possible.
--
-- Of several dispositions the gravest decides, since a later dismissal under a rehabilitative law does not undo a
-- conviction (Matter of Roldan, 22 I&N Dec. 512 (BIA 1999)). A judgment that was followed by a dismissal or acquittal
-- may have been set aside for a legal defect or not (Matter of Pickering, 23 I&N Dec. 621 (BIA 2003)): possible.
{{ config(materialized='table') }}

with disposed as (
    select
        dispositions.disposition_id,
        dispositions.charge_id,
        dispositions.disposed_on as decided_on,
        dispositions.disposition_type,
        dispositions.disposition_reason,
        versions.version_no,
        coalesce(versions.case_id, dispositions.case_id) as case_id,
        versions.jurisdiction,
        versions.severity_class
    from {{ ref('stg_dispositions') }} as dispositions
    -- one disposition to the version it names, else to the last one
    left join {{ ref('int_charge_versions__offence_matched') }} as versions
        on dispositions.charge_id = versions.charge_id
    qualify row_number() over (
        partition by dispositions.disposition_id
        order by coalesce(versions.version_no = dispositions.version_no, false) desc, versions.version_no desc
    ) = 1
),

programmes as (
    -- what a diversion programme of the case asked for
    select
        case_id,
        {{ any_true(admits_sufficient_facts()) }} as is_plea_or_admission,
        {{ any_true(restrained_by_judge()) }} as is_restrained
    from {{ ref('stg_diversion_referrals') }}
    where case_id is not null
    group by case_id
),

sentenced as (
    -- a fine or costs are a penalty too (Matter of Cabrera, 24 I&N Dec. 459 (BIA 2008))
    select distinct charge_id from {{ ref('stg_sentences') }}
    where sentence_type in ('prison', 'jail', 'probation', 'fine', 'community_service', 'time_served')
),

questions as (
    select
        disposed.*,
        law.law_known,
        case law.law_known when 'as_known_then' then disposed.decided_on else settings.as_of_date end as law_on,
        programmes.is_plea_or_admission,
        case when sentenced.charge_id is not null then true else programmes.is_restrained end as is_restrained
    from disposed
    cross join (values ('as_known_then'), ('as_known_now')) as law (law_known)
    cross join {{ ref('stg_audit_settings') }} as settings
    left join programmes on disposed.case_id = programmes.case_id
    left join sentenced on disposed.charge_id = sentenced.charge_id
),

answered as (
    select
        questions.*,
        reference.disposition_consequence_id,
        coalesce(reference.reviewer is not null and reference.reviewed_on is not null, false) as is_reviewed,
        case
            when coalesce(reference.answer, 'unknown') = 'unknown' then 'cannot_determine'
            when reference.answer = 'no' or reference.depends_on is null then reference.answer
            when reference.depends_on = 'plea_or_admission_and_restraint'
                then case
                    when questions.is_plea_or_admission and questions.is_restrained then 'yes'
                    when not (questions.is_plea_or_admission and questions.is_restrained) then 'no'
                    else 'possible'
                end
            -- criminal_proceeding: no export says whether an infraction was tried with the protections of a crime
            else 'possible'
        end as conviction
    from questions
    -- one question to the row that fits most closely
    left join {{ ref('disposition_consequences') }} as reference
        on
            questions.disposition_type = reference.disposition_type
            and (reference.jurisdiction is null or questions.jurisdiction = reference.jurisdiction)
            and (reference.disposition_reason is null or questions.disposition_reason = reference.disposition_reason)
            and (reference.severity_class is null or questions.severity_class = reference.severity_class)
            and {{ in_force('questions.decided_on', 'reference.conviction_from', 'reference.conviction_to') }}
            and {{ in_force('questions.law_on', 'reference.as_of_from', 'reference.as_of_to') }}
    qualify row_number() over (
        partition by questions.disposition_id, questions.law_known
        order by
            reference.jurisdiction is null,
            reference.disposition_reason is null,
            reference.severity_class is null,
            reference.disposition_consequence_id
    ) = 1
),

decided as (
    select
        *,
        case conviction when 'yes' then 3 when 'possible' then 2 when 'cannot_determine' then 1 else 0 end as weight,
        max(case when conviction = 'no' then decided_on end) over (partition by charge_id, law_known) as last_undone_on
    from answered
),

picked as (
    select
        *,
        disposition_type in ('plea_guilty', 'plea_nolo', 'verdict_guilty') and last_undone_on > decided_on as is_undone
    from decided
    qualify row_number() over (
        partition by charge_id, law_known
        order by weight desc, decided_on asc nulls last, disposition_id asc
    ) = 1
)

select
    picked.charge_id,
    picked.law_known,
    picked.case_id,
    cases.person_id,
    picked.version_no,
    picked.disposition_id,
    picked.disposition_type,
    picked.decided_on,
    picked.law_on,
    picked.disposition_consequence_id,
    picked.is_reviewed,
    case when picked.conviction = 'yes' and picked.is_undone then 'possible' else picked.conviction end as conviction,
    case
        when picked.conviction = 'no' then 'no_conviction'
        when picked.conviction = 'yes' and picked.is_reviewed and not coalesce(picked.is_undone, false) then 'likely'
        when picked.conviction in ('yes', 'possible') then 'possible'
        else 'cannot_determine'
    end as conviction_class
from picked
left join {{ ref('stg_cases') }} as cases on picked.case_id = cases.case_id

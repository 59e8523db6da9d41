-- One row per sentence to probation.
with sentences as (
    select * from {{ ref('int_sentences__probation_followed') }}
)

select
    sentences.sentence_id,
    sentences.person_id,
    sentences.sentenced_on,
    {{ groups_on('sentences.sentenced_on') }},
    case
        when sentences.sentenced_on + 365 <= audit_settings.as_of_date then sentences.is_told_to_ice
    end as is_told_to_ice,
    case
        when sentences.sentenced_on + 365 <= audit_settings.as_of_date then sentences.is_arrested_at_probation
    end as is_arrested_at_probation
from sentences
{{ join_groups('sentences.person_id', 'sentences.offence_category') }}

-- One row per case with a charge brought to court.
-- What was brought, counted. Where one charge leaves a question open, so does the case (NULL), whatever the others say:
-- else only the cases that answer "yes" would be known.
select
    case_id,
    count(*) filter (where is_enhancement is not true) as charge_count,
    case
        when count(*) = count(is_enhancement) then count(*) filter (where is_enhancement)
    end as enhancement_count,
    case
        when
            count(*) filter (where is_enhancement is not true) > 0
            and count(*) filter (where is_enhancement is not true and severity_class_rank is null) = 0
            then count(*) filter (where is_enhancement is not true and severity_class_rank = 3) > 0
    end as has_felony,
    case
        when count(*) = count(prior_pleaded) then count(*) filter (where prior_pleaded) > 0
    end as has_prior_pleaded
from {{ ref('int_charges__filed_version_picked') }}
group by case_id

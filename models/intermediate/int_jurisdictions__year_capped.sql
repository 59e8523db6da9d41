-- One row per jurisdiction that caps the term of a misdemeanour at 364 days, with the day from which it does.
select
    jurisdiction,
    min(event_date) as capped_from
from {{ ref('legal_events') }}
where event_id in ('ca_pc_18_5', 'ny_pl_70_15_1a')
group by jurisdiction

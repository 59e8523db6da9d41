-- One row: what this audit was set to.
select
    office,
    jurisdiction,
    as_of_date,
    period_from,
    period_to
from {{ source('landing', 'audit_settings') }}

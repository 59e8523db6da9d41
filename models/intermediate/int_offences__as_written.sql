-- One row per way in which the lead offence of a matter, an arrest or a case is written.
-- Some thousands, whatever the number of cases: rules are matched to these.
select
    offence_key,
    jurisdiction,
    law_code,
    section,
    severity,
    offence_category
from {{ ref('int_referrals__lead_charge_picked') }}

union distinct

select
    offence_key,
    jurisdiction,
    law_code,
    section,
    severity,
    offence_category
from {{ ref('int_arrests__top_charge_picked') }}

union distinct

select
    offence_key,
    jurisdiction,
    law_code,
    section,
    severity,
    offence_category
from {{ ref('int_cases__top_charge_picked') }}

-- One row per charge that is or may be a conviction, state of the law, and ground that the reference holds.
-- How the offence answers, before crimes involving moral turpitude become grounds.
{{ config(materialized='table') }}

{{ grounds_answered(ref('int_charges__consequences_asked'), ['charge_id', 'law_known']) }}

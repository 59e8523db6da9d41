-- One row per plea offer and state of the law: what a conviction as offered would expose to.
-- An offer that names no offence cannot be determined.
{{ config(materialized='table') }}

{{ exposure_classified(ref('int_plea_offers__consequences_asked'), ['offer_id']) }}

-- One row per version of a charge that is an offence, and state of the law: what a conviction would expose to.
-- A ground that turns on a sentence not yet passed is no more than possible. Known then is the law of that day.
{{ config(materialized='table') }}

{{ exposure_classified(ref('int_charge_versions__consequences_asked'), ['charge_id', 'version_no']) }}

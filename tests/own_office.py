"""An office's own measures, from its landed records to the statistics, without the models that they do not need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.audit import read_counts
from pipeline.contract import ROOT, load_contract
from pipeline.estimands import adjusted_table
from pipeline.ingest.land import land
from pipeline.ingest.office import Office, load_office, office_folder
from pipeline.measures import comparison_table, measure_table, with_clustered_p_values, with_saturations
from pipeline.own import Own, count_own_measures
from pipeline.whose import read_whose

#: What of the models an own measure stands on: the settings, and each person's race and citizenship, as staged.
STAND_IN = f"""
create schema staging; create schema intermediate; create schema reference; create schema marts;
create table staging.stg_audit_settings as from landed.audit_settings;
create table intermediate.int_persons__race_rolled_up as
    select person_id, case when bool_or(race_code = 'hispanic_latino') then 'hispanic_latino'
        when count(distinct race_code) = 1 then min(race_code) else 'multiracial' end as race
    from landed.person_race where race_code not in ('not_recorded', 'recorded_unknown', 'redacted', 'unmapped') group by all;
create table intermediate.int_persons__citizenship_known as
    select person_id, min(asserted_at) filter (where value = 'us_citizen') as first_citizen_on,
        min(asserted_at) filter (where value = 'noncitizen') as first_noncitizen_on
    from landed.citizenship_assertion group by all;
create table staging.stg_cases (case_id varchar, referral_id varchar, prosecutor_unit varchar);
create table staging.stg_referrals (referral_id varchar, arrest_id varchar, prosecutor_unit varchar, prosecutor_id varchar);
create table staging.stg_arrests (arrest_id varchar, agency_code varchar);
create table reference.offence_groups as from read_csv('{ROOT}/data/reference/offence_groups.csv');
create table marts.none__values (measure_id varchar, quarter varchar, race varchar, citizenship varchar,
    offence_group varchar, stratum varchar, value bigint, outcome varchar, cases bigint);
create table reference.measures as from read_csv('{ROOT}/data/reference/measures.csv', all_varchar = true) limit 0;
"""


@dataclass(frozen=True, kw_only=True)
class Counted:
    office: Office
    own: Own
    database: Path
    catalogue: pd.DataFrame
    measures: pd.DataFrame
    comparisons: pd.DataFrame
    adjusted: pd.DataFrame


def counted(office: str, raw: Path, work: Path) -> Counted:
    mapping = load_office(office_folder(office), load_contract())
    database = work / "audit.duckdb"
    land(office=mapping, contract=load_contract(), raw=raw, database=database, work=work)
    with duckdb.connect(str(database)) as connection:
        connection.execute(STAND_IN)
    settings = mapping.settings
    own = count_own_measures(office_folder=mapping.folder, database=database, settings=settings)
    counts = read_counts(database)
    measures = measure_table(counts.cells, counts.values, counts.catalogue, mapping.supplied, settings)
    measures = with_saturations(measures, own.saturations)
    comparisons = with_clustered_p_values(comparison_table(measures, settings), counts.catalogue, counts.clusters)
    whose = read_whose(database, counts.catalogue, own.estimands)
    adjusted = adjusted_table(
        counts.cells, counts.catalogue, own.estimands, settings, values=counts.values, whose=whose
    )
    return Counted(
        office=mapping, own=own, database=database, catalogue=counts.catalogue, measures=measures,
        comparisons=comparisons, adjusted=adjusted,
    )  # fmt: skip

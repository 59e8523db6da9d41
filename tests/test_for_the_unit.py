"""Tables for the unit alone: parts of the office with small ones drawn in, Hispanic recorded as White."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipeline.estimands import Whose
from pipeline.for_the_unit.race_sources import race_sources
from pipeline.for_the_unit.unit_rates import unit_rates
from pipeline.stats.units import shrink
from tests.report_example import SETTINGS

CATALOGUE = pd.DataFrame([
    {"measure_id": "M", "mart": "m", "kind": "rate", "fact": "mart_x", "numerator": "happened", "denominator": ""},
])  # fmt: skip
QUARTERS = [f"{SETTINGS.period_from.year}-Q{quarter}" for quarter in (1, 2)]


def cells(**columns: list[object]) -> pd.DataFrame:
    groups = {"measure_id": "M", "quarter": QUARTERS[0], "race": "white", "citizenship": "citizen", "offence_group": "drug", "stratum": ""}  # fmt: skip
    return pd.DataFrame(columns).assign(**{k: v for k, v in groups.items() if k not in columns})


# ---- units, agencies and small groups ---------------------------------------------------------------------------


def of_units(events: list[int], cases: list[int]) -> dict[str, Whose]:
    number = np.arange(len(cases))
    return {
        "M": Whose(
            cells=cells(numerator=[0]), cell=np.zeros_like(number), person=number, unit=number,
            prosecutor=number, agency=np.full_like(number, -1), unit_names=tuple(f"unit {i}" for i in number),
            agency_names=(), events=np.array(events, dtype=float), cases=np.array(cases, dtype=float),
        )
    }  # fmt: skip


def test_each_unit_has_its_raw_rate_beside_the_one_drawn_in() -> None:
    events, cases = [30] * 9 + [2, 0], [100] * 9 + [2, 4]
    found = unit_rates(cells(numerator=[0], denominator=[0]), CATALOGUE, of_units(events, cases), SETTINGS)
    units = found[found["parts"].eq("unit")].set_index("part")
    drawn = shrink(np.array(events)[[0, 1, 10, *range(2, 10)]], np.array(cases)[[0, 1, 10, *range(2, 10)]])
    assert units.loc["unit 9", "rate"] == 1
    assert units.loc["unit 9", "rate_low"] < 0.4
    assert 0.25 < units.loc["unit 9", "drawn_in"] < 0.45
    assert units.loc["unit 0", "drawn_in"] == pytest.approx(0.3, abs=0.01)
    assert units["mean"].iloc[0] == pytest.approx(drawn.mean)
    assert "agency" not in set(found["parts"]), "no agency is on file"


def test_groups_by_race_and_citizenship_are_parts_too_and_few_cases_no_table() -> None:
    table = cells(
        race=["white", "black", "black"], citizenship=["citizen", "citizen", "noncitizen"], numerator=[20, 5, 1],
        denominator=[60, 10, 1],
    )  # fmt: skip
    found = unit_rates(table, CATALOGUE, {}, SETTINGS).set_index("part")
    assert found.index.tolist() == ["black citizen", "black noncitizen", "white citizen"]
    assert found.loc["black noncitizen", "rate"] == 1
    assert found.loc["black noncitizen", "drawn_in"] < 0.7
    assert np.isnan(found["drawn_in_low"]).all(), "three parts are too few to know how far parts differ"
    assert unit_rates(table.assign(denominator=9), CATALOGUE, {}, SETTINGS).empty
    assert unit_rates(table.assign(quarter="1999-Q1"), CATALOGUE, {}, SETTINGS).empty


def test_limits_of_ten_parts_cover_nearly_what_they_say() -> None:
    rng = np.random.default_rng(20240607)
    inside = []
    for _ in range(200):
        truth, size = rng.beta(6, 14, 10), rng.integers(20, 200, 10)
        limits = shrink(rng.binomial(size, truth), size).limits
        inside.append((limits.low <= truth) & (truth <= limits.high))
    assert 0.88 < np.mean(inside) < 0.97


# ---- Hispanic recorded as White --------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """200 people whom the police wrote down as White: 40 also say so themselves, 60 say Hispanic, of 100 nobody else speaks.

    100 more say Hispanic and nobody else speaks of them. The event: 30 of the sure White, 50 of the doubtful, 120 Hispanic.
    """
    path = tmp_path / "audit.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """create schema marts; create schema staging;
            create table staging.stg_person_races as
                select 'P' || i as person_id, 'officer_observed' as race_source, 'white' as race_code from range(200) as t(i)
                union all select 'P' || i, 'self', case when i < 40 then 'white' else 'hispanic_latino' end from range(100) as t(i)
                union all select 'P' || i, 'self', 'hispanic_latino' from range(200, 300) as t(i)
                union all select 'P' || i, 'jail', 'not_recorded' from range(300) as t(i);
            create table marts.mart_x as select 'P' || i as person_id, '2024-Q1' as quarter,
                case when i < 40 or i between 100 and 199 then 'white' else 'hispanic_latino' end as race,
                i < 30 or i between 40 and 99 or i between 100 and 149 or i between 200 and 259 as happened
            from range(300) as t(i)"""
        )
    return path


def test_how_often_white_is_hispanic_elsewhere_is_told_by_source(database: Path) -> None:
    sources = race_sources(database, CATALOGUE)[0].set_index("source")
    police = sources.loc["officer_observed"]
    assert (police["white"], police["described_elsewhere"], police["hispanic_elsewhere"]) == (200, 100, 60)
    assert police["share"] == pytest.approx(0.6)
    assert (sources.loc["self", "white"], sources.loc["self", "hispanic_elsewhere"]) == (40, 0)


def test_a_gap_is_bounded_by_the_doubtful_and_nobody_is_moved_by_name(database: Path) -> None:
    (row,) = race_sources(database, CATALOGUE)[1].itertuples()
    assert (row.hispanic, row.white, row.doubtful) == (160, 140, 100)
    assert row.difference == pytest.approx(120 / 160 - 80 / 140)
    assert row.difference_without_doubtful == pytest.approx(120 / 160 - 30 / 40)
    assert row.share == pytest.approx(0.6906, abs=5e-4), "Wilson's upper limit of 60 in 100"
    # all doubtful with the event Hispanic and none without; then the other way round
    assert row.bound_high == pytest.approx(170 / 210 - 30 / 90)
    assert row.bound_low == pytest.approx(120 / 210 - 80 / 90)
    assert row.bound_low < row.band_low < row.difference < row.band_high < row.bound_high


def test_without_a_second_source_the_band_is_the_worst_case(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from staging.stg_person_races where race_source = 'self' and person_id in (select 'P' || i from range(200) as t(i))")  # fmt: skip
    (row,) = race_sources(database, CATALOGUE)[1].itertuples()
    assert row.share == 1
    assert (row.band_low, row.band_high) == (row.bound_low, row.bound_high)


def test_records_about_records_have_no_such_gap(database: Path) -> None:
    assert race_sources(database, CATALOGUE.assign(mart="data_quality"))[1].empty

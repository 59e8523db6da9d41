"""Whose the rows of adjusted comparisons are: read beside the marts, counted alike, and never more rows than there are."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipeline.estimands import Estimand, Fact, Whose, adjusted_table
from pipeline.whose import read_whose
from tests.report_example import SETTINGS

QUARTERS = f"{SETTINGS.period_from.year}-Q1", f"{SETTINGS.period_from.year + 1}-Q3"
CATALOGUE = pd.DataFrame([
    {"measure_id": "M-1", "mart": "m", "fact": "mart_x", "kind": "rate", "numerator": "happened", "denominator": "", "value": ""},
    {"measure_id": "M-2", "mart": "m", "fact": "mart_x", "kind": "distribution", "numerator": "", "denominator": "happened", "value": "days"},
])  # fmt: skip
ASKED = Estimand(
    name="asked", kind="standardised_gap", contrast="citizenship", given="", risk_set="All.", facts=("mart_x",),
    hold_equal=(
        Fact(name="offence", column="offence_group", fixed_by="police", reason="Before.", facts=()),
        Fact(name="grade", column="grade", fixed_by="police", reason="Before.", facts=()),
    ),
    benchmark="grade",
)  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 rows of 300 persons, each four times; 12 prosecutors in 3 units; agency A has arrested half, B and C a quarter.

    Noncitizens (a third) meet the event in 60 % before agency A and 40 % elsewhere, citizens in 40 %.
    """
    path = tmp_path_factory.mktemp("whose") / "audit.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""create schema marts; create schema staging;
            create table staging.stg_arrests as select 'A' || i as arrest_id,
                case when (i // 36) % 4 < 2 then 'A' when (i // 36) % 4 = 2 then 'B' else 'C' end as agency_code from range(1200) as t(i);
            create table staging.stg_referrals as select 'R' || i as referral_id, 'A' || i as arrest_id,
                'unit ' || (i // 3) % 3 as prosecutor_unit, 'prosecutor ' || (i // 3) % 12 as prosecutor_id from range(1200) as t(i);
            create table staging.stg_cases as
                select 'C' || i as case_id, 'R' || i as referral_id, null as prosecutor_unit from range(1200) as t(i);
            create table marts.mart_x as select i as id, 'C' || i as case_id, 'P' || i % 300 as person_id,
                case when i % 400 = 399 then null when i < 600 then '{QUARTERS[0]}' else '{QUARTERS[1]}' end as quarter,
                'white' as race, case when i % 3 = 0 then 'noncitizen' else 'citizen' end as citizenship,
                case when i % 2 = 0 then 'drug' else 'violent' end as offence_group, i // 7 % 2 as grade, 1 + i % 7 as days,
                (i * 7919) % 100 < case when i % 3 = 0 and (i // 36) % 4 < 2 then 60 else 40 end as happened
            from range(1200) as t(i)"""
        )
    return path


@pytest.fixture(scope="module")
def whose(database: Path) -> dict[str, Whose]:
    return read_whose(database, CATALOGUE, [ASKED])


def cells(database: Path) -> pd.DataFrame:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(
            """select 'M-1' as measure_id, quarter, race, citizenship, offence_group, '' as stratum,
                cast(grade as varchar) as grade, count(*) filter (where happened) as numerator, count(*) as denominator
            from marts.mart_x where quarter is not null group by all order by all"""
        ).fetchdf()


def test_its_counts_are_those_of_the_fact_and_no_row_is_doubled(database: Path, whose: dict[str, Whose]) -> None:
    found = whose["M-1"]
    counted = cells(database)
    assert (found.events.sum(), found.cases.sum()) == (counted["numerator"].sum(), counted["denominator"].sum())
    assert np.unique(found.person).size == 300
    assert np.unique(found.prosecutor).size == 12
    assert found.agency_names == ("A", "B", "C")
    by_cell = np.bincount(found.cell, found.cases)
    assert by_cell.tolist() == counted["denominator"].tolist(), "cells are in the order of their labels"


@pytest.mark.parametrize(
    ("leads", "known"),
    [
        ({"case_id": "C"}, ("unit", "prosecutor", "agency")),
        ({"referral_id": "R"}, ("unit", "prosecutor", "agency")),
        ({"arrest_id": "A"}, ("agency",)),
        ({"case_id": "none ", "referral_id": "none ", "arrest_id": "A"}, ("agency",)),
        ({"case_id": "none ", "referral_id": "R"}, ("unit", "prosecutor", "agency")),
        ({}, ()),
    ],
    ids=lambda value: " and ".join(value) or "nothing",
)
def test_who_decided_is_found_from_whatever_a_row_names(
    tmp_path: Path, database: Path, whose: dict[str, Whose], leads: dict[str, str], known: tuple[str, ...]
) -> None:
    path = tmp_path / "audit.duckdb"
    shutil.copy(database, path)
    named = "".join(f", '{letter}' || id as {column}" for column, letter in leads.items())
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"create or replace table marts.mart_x as select * exclude (case_id){named} from marts.mart_x"
        )
    found = read_whose(path, CATALOGUE, [ASKED])["M-1"]
    assert found.cases.sum() == whose["M-1"].cases.sum(), "no row is lost or doubled"
    for name in ("unit", "prosecutor", "agency"):
        ids = getattr(found, name)
        rows = np.bincount(ids + 1, found.cases)
        expected = getattr(whose["M-1"], name) + 1 if name in known else np.zeros(whose["M-1"].cases.size, dtype=int)
        assert rows.tolist() == np.bincount(expected, whose["M-1"].cases).tolist(), name


def test_its_numbers_take_few_bytes_and_are_widened_before_they_are_multiplied(whose: dict[str, Whose]) -> None:
    found = whose["M-1"]
    assert (found.cases.itemsize, found.person.itemsize, found.prosecutor.itemsize) == (1, 2, 1), "as many as cases"
    wide = found.at(found.cells, list(found.cells), list(QUARTERS))
    assert {wide.events.dtype, wide.cases.dtype, wide.person.dtype} == {np.dtype(float), np.dtype(np.intp)}
    assert wide.cases.sum() == found.cases.sum()


def test_of_an_amount_it_holds_those_above_zero_and_the_sums_of_their_logs(whose: dict[str, Whose]) -> None:
    found = whose["M-2"]
    assert found.cases.sum() == whose["M-1"].events.sum()
    assert found.logs is not None
    days = np.exp(found.logs / found.events)
    assert set(days.round(9)) == {float(day) for day in range(1, 8)}


def test_the_gap_is_that_of_the_cells_and_its_limits_count_persons_and_prosecutors(
    database: Path, whose: dict[str, Whose]
) -> None:
    plain, row = (
        adjusted_table(cells(database), CATALOGUE, (ASKED,), SETTINGS, whose=known).iloc[0] for known in (None, whose)
    )
    assert row["difference"] == plain["difference"]
    assert row["mantel_haenszel"] == plain["mantel_haenszel"]
    assert (plain["counted_by"], row["counted_by"]) == ("case", "person_and_prosecutor"), "three units are too few"
    assert row["persons"] == 100
    assert row["deciders"] == 12
    assert row["difference_low"] < plain["difference_low"]


def test_without_the_one_agency_that_makes_the_gap_there_is_hardly_any(database: Path, whose: dict[str, Whose]) -> None:
    row = adjusted_table(cells(database), CATALOGUE, (ASKED,), SETTINGS, whose=whose).iloc[0]
    assert row["agencies"] == 3
    assert row["without_one_low_agency"] == "A"
    assert row["without_one_low"] == pytest.approx(0, abs=0.06)
    assert row["without_one_high"] > row["difference"] > row["without_one_low"]


def test_an_agency_is_left_out_only_if_enough_cases_of_both_sides_go_and_stay(
    database: Path, whose: dict[str, Whose]
) -> None:
    found = whose["M-1"]
    few = Whose(**{**vars(found), "agency": np.where(np.arange(found.agency.size) < 40, 1, 0)})
    row = adjusted_table(cells(database), CATALOGUE, (ASKED,), SETTINGS, whose={"M-1": few}).iloc[0]
    assert np.isnan(row["without_one_low"]), "the other is all but forty rows"

"""Gaps by citizenship under other knowledge: what was on file in the end, without detainers, over a declared band."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipeline.findings import rules
from pipeline.for_the_unit.knowledge import knowledge_table
from tests.report_example import SETTINGS

CATALOGUE = pd.DataFrame([{"measure_id": "M", "kind": "rate", "fact": "mart_x", "numerator": "happened", "denominator": ""}])  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """100 citizens (20 events), 60 noncitizens (30), of whom 20 (all events) are known by a detainer alone; 40 unknown
    (10 events), of whom 10 (no event) were later known to be noncitizens."""
    path = tmp_path / "audit.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """create schema marts; create schema intermediate; create schema staging;
            create table marts.mart_x as select i as id, 'P' || i as person_id, '2024-Q1' as quarter,
                case when i < 100 then 'citizen' when i < 160 then 'noncitizen' else 'unknown' end as citizenship,
                case when i < 100 then 'citizen' when i < 160 or i >= 190 then 'noncitizen' else 'unknown' end as citizenship_latest,
                i < 20 or i between 100 and 129 or i between 160 and 169 as happened from range(200) as t(i);
            create table staging.stg_citizenship_assertions as select 'A' || i as assertion_id, 'P' || i as person_id,
                case when i between 100 and 119 then 'detainer' else 'court_record' end as statement_source from range(160) as t(i);
            create table intermediate.int_citizenship_assertions__usable as
                select assertion_id, person_id from staging.stg_citizenship_assertions"""
        )
    return path


def test_the_gap_stands_beside_what_other_knowledge_would_make_of_it(database: Path) -> None:
    (row,) = knowledge_table(database, CATALOGUE, SETTINGS).itertuples()
    assert (row.noncitizens, row.citizens, row.unknown) == (60, 100, 40)
    assert row.difference == pytest.approx(30 / 60 - 20 / 100)
    assert row.difference_latest == pytest.approx(30 / 70 - 20 / 100)
    assert row.difference_without_detainers == pytest.approx(10 / 40 - 20 / 100)
    assert row.bound_low < row.band_low < row.difference < row.band_high < row.bound_high
    assert pd.isna(row.break_even_share), "no share of these few unknown closes so wide a gap"


def test_the_band_is_the_declared_share(database: Path) -> None:
    low, high = rules()["unknown_share_of_noncitizens"]
    (row,) = knowledge_table(database, CATALOGUE, SETTINGS).itertuples()
    # lowest: of the unknown, `high` of those without and `low` of those with the event are noncitizens
    least = (30 + low * 10) / (60 + low * 10 + high * 30) - (20 + (1 - low) * 10) / (
        100 + (1 - low) * 10 + (1 - high) * 30
    )
    assert row.band_low == pytest.approx(least)


def test_a_measure_of_rows_without_persons_or_with_few_cases_has_no_row(database: Path) -> None:
    assert knowledge_table(database, CATALOGUE.assign(fact="none"), SETTINGS).empty
    assert knowledge_table(database, CATALOGUE.assign(numerator=""), SETTINGS).empty, "a measure of measures"
    assert knowledge_table(database, CATALOGUE.assign(denominator="id < 110"), SETTINGS).empty

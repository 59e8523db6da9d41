"""Sentences that heap up at a line: found where planted, by group and by law."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipeline.for_the_unit.cliffs import CLIFF_COLUMNS, COUNTS, LINES, cliff_table
from pipeline.stats.bunching import is_whole_months


def terms(**planted: int) -> pd.DataFrame:
    """Terms of two groups under two laws, fewer the longer and more at whole months; and so many more at 364 days."""
    draw = np.random.default_rng(5)
    days = np.arange(30, 600)
    parts = []
    for citizenship in ("citizen", "noncitizen"):
        for cap in ("before_cap_of_364_days", "since_cap_of_364_days"):
            level = np.where(is_whole_months(days), 30, 3) * np.exp(-(days - 30) / 300)
            sentences = draw.poisson(level) + np.where(days == 364, planted.get(f"{citizenship}_{cap[:5]}", 0), 0)
            parts.append(pd.DataFrame({"citizenship": citizenship, "cap": cap, "value": days, "cases": sentences}))
    return pd.concat(parts, ignore_index=True).assign(counted="term_days")


def at(table: pd.DataFrame, days: int, citizenship: str, cap: str) -> pd.Series:
    found = table[(table["at"] == days) & (table["citizenship"] == citizenship) & (table["cap"] == cap)]
    assert len(found) == 1
    return found.iloc[0]


def test_an_excess_is_found_for_the_group_and_under_the_law_where_it_was_planted() -> None:
    table = cliff_table(terms(citizen_since=150))
    there = at(table, 364, "citizen", "since_cap_of_364_days")
    assert there["excess_low"] < 150 < there["excess_high"] and there["excess_low"] > 100
    for citizenship, cap in (("citizen", "before_cap_of_364_days"), ("noncitizen", "since_cap_of_364_days")):
        elsewhere = at(table, 364, citizenship, cap)
        assert elsewhere["excess_low"] < 0 < elsewhere["excess_high"], (citizenship, cap)


def test_every_line_has_every_group_and_margin_and_these_add_up() -> None:
    table = cliff_table(terms(citizen_since=40, noncitizen_befor=20))
    assert list(table) == CLIFF_COLUMNS and len(table) == 3 * 3 * 3 + 2
    whole = at(table, 364, "all", "all")["observed"]
    assert whole == sum(at(table, 364, c, "all")["observed"] for c in ("citizen", "noncitizen"))
    assert whole == terms(citizen_since=40, noncitizen_befor=20).query("value == 364")["cases"].sum()


def test_few_terms_draw_no_curve_and_none_at_all_no_row_but_the_margins() -> None:
    few = terms().assign(cases=0)
    assert cliff_table(few)["expected"].isna().all()
    assert cliff_table(few.head(0))[["citizenship", "cap"]].eq("all").all(axis=None)


@pytest.mark.parametrize(
    ("counted", "line", "safe", "beyond"), [("loss_usd", 10_000, 100, 101), ("added_days", 1_825, 59, 60)]
)
def test_losses_and_added_terms_heap_up_on_the_safe_side_of_their_line(
    counted: str, line: int, safe: int, beyond: int
) -> None:
    value = np.arange(1, 250)
    cases = np.random.default_rng(7).poisson(40 * np.exp(-value / 80))

    def excess(planted: int) -> pd.Series:
        more = cases + np.where(value == planted, 60, 0)
        frame = pd.DataFrame(
            {"counted": counted, "citizenship": "citizen", "cap": "all", "value": value, "cases": more}
        )
        return at(cliff_table(frame), line, "citizen", "all")

    assert excess(safe)["excess_low"] > 20
    assert excess(beyond)["excess_low"] < 0 < excess(beyond)["excess_high"]


def test_each_line_has_its_query_on_the_side_that_the_law_calls_safe() -> None:
    with duckdb.connect() as database:
        database.execute("create schema marts")
        every = "'2024-Q1' as quarter, 'citizen' as citizenship, 'since' as cap"
        database.execute(f"create table marts.mart_sentencing as select {every}, 364 as custody_days")
        database.execute(
            f"""
            create table marts.mart_sentencing__charges as
            select {every}, true as is_turning_on_loss, unnest([9900.01, 10000.00, 10000.01]) as loss_usd
            """
        )
        database.execute(
            f"create table marts.mart_sentencing__persons as select {every}, unnest([1794, 1824, 1825]) as added_days"
        )
        found = database.execute(COUNTS).fetchdf()
    safe = {line.counted: line.value for line in LINES if line.at in (364, 10_000, 1_825)}
    counted = {
        kind: found[(found["counted"] == kind) & (found["value"] == value)]["cases"].sum()
        for kind, value in safe.items()
    }
    assert counted == {"term_days": 1, "loss_usd": 2, "added_days": 1}

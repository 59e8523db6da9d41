"""Sentences that heap up at a line: found where planted, by group and by law."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.cliffs import CLIFF_COLUMNS, LINES, cliff_table
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
            parts.append(pd.DataFrame({"citizenship": citizenship, "cap": cap, "days": days, "sentences": sentences}))
    return pd.concat(parts, ignore_index=True)


def at(table: pd.DataFrame, days: int, citizenship: str, cap: str) -> pd.Series:
    found = table[(table["days"] == days) & (table["citizenship"] == citizenship) & (table["cap"] == cap)]
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
    assert list(table) == CLIFF_COLUMNS and len(table) == len(LINES) * 3 * 3
    whole = at(table, 364, "all", "all")["observed"]
    assert whole == sum(at(table, 364, c, "all")["observed"] for c in ("citizen", "noncitizen"))
    assert whole == terms(citizen_since=40, noncitizen_befor=20).query("days == 364")["sentences"].sum()


def test_few_terms_draw_no_curve_and_none_at_all_no_row_but_the_margins() -> None:
    few = terms().assign(sentences=0)
    assert cliff_table(few)["expected"].isna().all()
    assert cliff_table(few.head(0))[["citizenship", "cap"]].eq("all").all(axis=None)

"""Quarter after quarter of releases: what the tool of `tests/releases.md` finds, on a county that takes seconds."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.disclose import load_registry, publish
from pipeline.disclose.coarsen import finished
from pipeline.disclose.registry import CELL
from tests import releases
from tests.small_county import county, margins
from tests.test_disclose_attacks import quarters

REGISTRY = releases.County(**vars(load_registry()))
BREAKDOWNS = [(), ("citizenship",), ("race",), ("race", "citizenship")]


@pytest.fixture(scope="module")
def measures() -> pd.DataFrame:
    """Two measures and seven quarters, of which the last three make no year."""
    cells = county(6_000, 7, {"M-1": (1.0, 0.5), "M-2": (0.4, 0.3)}, seed=1)
    rows = margins(cells, BREAKDOWNS)
    rows = rows[finished(rows["period"])]
    return rows.assign(mart="charging", ci_method="wilson", unit="share", estimate=0.5, status="ok", reason="").assign(
        **dict.fromkeys(["unknown_citizenship", "ci_low", "ci_high", "bound_low", "bound_high"], float("nan"))
    )


def test_a_release_for_each_quarter_holds_what_was_over_and_the_sum_of_finished_years(measures: pd.DataFrame) -> None:
    made = dict(releases.releases(measures, REGISTRY))
    assert list(made) == [f"2015-Q{n}" for n in (1, 2, 3, 4)] + [f"2016-Q{n}" for n in (1, 2, 3)]
    assert set(made["2015-Q2"]["period"]) == {"2015-Q1", "2015-Q2"}
    rows = made["2016-Q1"]
    assert set(rows["period"]) == {"2015-Q1", "2015-Q2", "2015-Q3", "2015-Q4", "2015", "2016-Q1", "all"}
    counts = rows.set_index(["period", *CELL[2:], "measure_id"])["denominator"]
    pd.testing.assert_series_equal(counts["all"], counts["2015"], check_like=True)


def test_no_release_has_rows_of_a_stratum_in_which_nobody_was_yet(measures: pd.DataFrame) -> None:
    counts = measures[["numerator", "denominator"]]
    later = measures.assign(stratum="later", **counts.where(measures["period"].str[:4].ne("2015"), 0))
    both = pd.concat([measures.assign(stratum="always"), later], ignore_index=True)
    made = dict(releases.releases(both, REGISTRY))
    assert set(made["2015-Q4"]["stratum"]) == {"always"}
    assert set(made["2016-Q1"]["stratum"]) == {"always", "later"}
    assert list(dict(releases.releases(later, REGISTRY))) == ["2016-Q1", "2016-Q2", "2016-Q3"]


def test_of_seven_releases_put_together_no_hidden_count_is_exposed(measures: pd.DataFrame) -> None:
    order = releases.ordered(measures, REGISTRY)
    assert sorted(order) == [["M-1"], ["M-2"]]
    done = [releases.history(measures[measures["measure_id"].isin(members)], REGISTRY) for members in order]
    for family in done:
        assert family["releases"] == 7
        assert family["hidden"] > 20
        assert (family["refused"], family["alone"], family["exposed"]) == ([], [], [])
        assert all(wide >= need for wide, need, _ in family["narrowest"])
    *_, (_, last) = releases.releases(measures, REGISTRY)
    single = releases.cubes(publish(last, releases.NO_COMPARISONS, registry=REGISTRY).tables)
    text = releases.report(done, order, single)
    assert "**2 of 2 families** are done, 2 of 2 measures: 2 with 7 releases. The gate as it is now" in text
    some = releases.report([done[0] | {"gate": "before"}], order, single)
    assert "**1 of 2 families** are done, 1 of 2 measures: 1 with 7 releases." in some
    assert f"released 0 of these families, an earlier one 1. Not done: {order[1][0]}." in some
    assert "| race x citizenship | 2 |" in text


def test_a_table_that_is_withheld_counts_against_its_cube() -> None:
    hidden = pd.DataFrame(
        [
            ("M-1", "", "quarter", 40, 40),
            ("M-1", "race", "year", 60, 48),
            ("M-2", "race", "withheld", 6, 0),
            ("M-3", "race", "all", 6, 6),
        ],
        columns=["measure_id", "breakdown", "finest_period", "cells", "shown"],
    )
    found = releases.cubes(hidden)
    assert found.loc["race"].to_dict() == {"tables": 3, "withheld": 1, "cells": 72, "listed": 66, "shown": 54}
    assert found.loc["", "shown"] == 40


def test_a_count_that_an_earlier_release_forgot_to_hide_is_found(measures: pd.DataFrame) -> None:
    *_, (_, last) = releases.releases(measures[measures["measure_id"].eq("M-2")], REGISTRY)
    record = publish(last, releases.NO_COMPARISONS, registry=REGISTRY).record
    assert not releases.together(last, [record], REGISTRY)["exposed"]
    forgotten = record.index[record["listed"] & ~record["shown"]][0]
    slip = record.assign(shown=record["shown"] | (record.index == forgotten))
    assert releases.together(last, [slip, record], REGISTRY)["exposed"]


def test_what_the_sum_of_told_years_says_is_no_exposure_unless_it_is_about_few() -> None:
    years = {"2022": (50, 100), "2023": (40, 100), "2024": (60, 100)}
    few = {"2022": (1, 100), "2023": (2, 100), "2024": (2, 100)}
    whole = {
        name: counts | {"all": (sum(k for k, _ in counts.values()), 300)}
        for name, counts in [("told", years), ("few", few)]
    }
    rows = pd.concat([quarters(counts).assign(measure_id=name) for name, counts in whole.items()], ignore_index=True)
    record = publish(rows, releases.NO_COMPARISONS).record.assign(listed=True)
    record["shown"] = record["measure_id"].eq("told") & record["period"].ne("all")
    found = releases.together(rows, [record], REGISTRY)
    assert (found["conceded"], found["exposed"]) == (3, [])  # of 300, 150 and 150
    record["shown"] |= record["measure_id"].eq("few") & record["period"].ne("2024")
    found = releases.together(rows, [record], REGISTRY)
    assert [name.split(":")[0] for name in found["exposed"]] == ["few numerator, 2024"]

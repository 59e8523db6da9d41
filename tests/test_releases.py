"""Quarter after quarter of releases: what the tool of `tests/releases.md` finds, on a county that takes seconds."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pipeline.disclose import load_registry, publish
from pipeline.disclose.attack import Witnesses
from pipeline.disclose.coarsen import finished
from pipeline.disclose.history import window_of
from pipeline.disclose.registry import CELL
from pipeline.disclose.system import build_system
from tests import releases
from tests.small_county import county, margins
from tests.test_disclose import long_table

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
    assert list(made) == ["2015-Q4", "2016-Q1", "2016-Q2", "2016-Q3"]
    rows = made["2016-Q1"]
    assert set(rows["period"]) == {"2015-Q1", "2015-Q2", "2015-Q3", "2015-Q4", "2015", "2016-Q1", "all"}
    counts = rows.set_index(["period", *CELL[2:], "measure_id"])["denominator"]
    pd.testing.assert_series_equal(counts["all"], counts["2015"], check_like=True)


def test_of_four_releases_put_together_no_hidden_count_is_exposed(measures: pd.DataFrame) -> None:
    order = releases.ordered(measures, REGISTRY)
    assert sorted(order) == [["M-1"], ["M-2"]]
    done = [releases.history(measures[measures["measure_id"].isin(members)], REGISTRY) for members in order]
    for family in done:
        assert family["releases"] == 4
        assert family["hidden"] > 20
        assert (family["refused"], family["alone"], family["exposed"]) == ([], [], [])
        assert all(wide >= need for wide, need, _ in family["narrowest"])
    text = releases.report(done, 2, 2)
    assert "**2 of 2 families** are done, 2 of 2 measures: 2 with 4 releases." in text
    assert "| race x citizenship | 2 |" in text


def test_a_count_that_an_earlier_release_forgot_to_hide_is_found(measures: pd.DataFrame) -> None:
    *_, (_, last) = releases.releases(measures[measures["measure_id"].eq("M-2")], REGISTRY)
    record = publish(last, releases.NO_COMPARISONS, registry=REGISTRY).record
    assert not releases.together(last, [record], REGISTRY)["exposed"]
    forgotten = record.index[record["listed"] & ~record["shown"]][0]
    slip = record.assign(shown=record["shown"] | (record.index == forgotten))
    assert releases.together(last, [slip, record], REGISTRY)["exposed"]


def test_of_a_table_seen_before_is_kept_what_agrees_with_what_is_published_since() -> None:
    system = build_system(long_table({("white", "citizen"): (200, 400), ("black", "citizen"): (90, 300)}), REGISTRY)
    race, role, citizenship = system.names["race"], system.names["role"], system.names["citizenship"]
    known = (race.eq("all") | role.eq("denominator")).to_numpy()
    sign = np.where(race.eq("white"), 1, -1) * np.where(role.eq("numerator"), 1, -1) * ~known
    first = (race.eq("white") & role.eq("numerator") & citizenship.eq("citizen")).to_numpy()

    def kept(difference: NDArray[np.int64], known: NDArray[np.bool_], fresh: NDArray[np.bool_]) -> list[int]:
        return releases.agreeing(difference[:, None], system, known, fresh).ravel().tolist()

    nothing, none = np.zeros_like(sign).tolist(), np.zeros(len(sign), dtype=bool)
    assert kept(5 * sign, known, none) == (5 * sign).tolist()
    assert kept(5 * sign, known | first, none) == nothing, "a number that is published"
    assert kept(91 * sign, known, none) == kept(-201 * sign, known, none) == nothing, "fewer than none"
    assert kept(5 * first, known, none) == nothing, "a broken line"
    assert kept(5 * first, known, ~known & ~first) == (5 * sign).tolist(), "what is new follows"


def test_what_was_seen_of_one_release_spares_the_next_its_search_and_changes_nothing_else(
    measures: pd.DataFrame,
) -> None:
    made = dict(releases.releases(measures, REGISTRY))
    memory, records = releases.Memory(), list[pd.DataFrame]()
    for end in ("2015-Q4", "2016-Q1"):
        memory, seen = memory.next(window_of(made[end])), len(memory.moves)
        ours, plain = (
            publish(made[end], releases.NO_COMPARISONS, registry=REGISTRY, earlier=records, begin=begin)
            for begin in (partial(releases.Remembered, memory), lambda system, _: Witnesses(system))
        )
        pd.testing.assert_frame_equal(ours.measures, plain.measures)
        assert ours.proof == plain.proof
        records.append(ours.record)
    assert 0 < seen <= len(memory.moves)

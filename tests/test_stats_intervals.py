"""Published limits, to the digits printed; then a slow second implementation; then exact coverage by enumeration."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from pipeline.stats import intervals
from pipeline.stats.intervals import Interval
from tests.second_opinion import coverage, digits, score_difference_limits, score_ratio_limits


def limits(interval: Interval) -> tuple[float, float]:
    return float(interval.low), float(interval.high)


def agree(interval: Interval, low: str, high: str) -> bool:
    return digits(float(interval.low), low) and digits(float(interval.high), high)


# Newcombe 1998a, Statistics in Medicine 17:857-872, table I; equal to epiR 2.0.57 and scipy.
NEWCOMBE_1998A = [
    (81, 263, ".2553", ".3662", ".2527", ".3676"),
    (15, 148, ".0624", ".1605", ".0578", ".1617"),
    (0, 20, "0", ".1611", "0", ".1684"),
    (1, 29, ".0061", ".1718", ".0009", ".1776"),
]


@pytest.mark.parametrize(("k", "n", "w_low", "w_high", "cp_low", "cp_high"), NEWCOMBE_1998A)
def test_one_rate_has_the_limits_of_newcombes_table(
    k: int, n: int, w_low: str, w_high: str, cp_low: str, cp_high: str
) -> None:
    assert agree(intervals.wilson(k, n), w_low, w_high)
    assert agree(intervals.clopper_pearson(k, n), cp_low, cp_high)


# Newcombe 1998b, Statistics in Medicine 17:873-890, table II, method 10.
NEWCOMBE_1998B = [
    (56, 70, 48, 80, ".0524", ".3339"),
    (9, 10, 3, 10, ".1705", ".8090"),
    (6, 7, 2, 7, ".0582", ".8062"),
    (5, 56, 0, 29, "-.0381", ".1926"),
    (0, 10, 0, 20, "-.1611", ".2775"),
    (0, 10, 0, 10, "-.2775", ".2775"),
    (10, 10, 0, 20, ".6791", "1"),
    (10, 10, 0, 10, ".6075", "1"),
]


@pytest.mark.parametrize(("k1", "n1", "k0", "n0", "low", "high"), NEWCOMBE_1998B)
def test_difference_has_the_limits_of_newcombes_table(k1: int, n1: int, k0: int, n0: int, low: str, high: str) -> None:
    assert agree(intervals.newcombe(k1, n1, k0, n0), low, high)


def test_continuity_corrected_difference_agrees_with_cicalc() -> None:
    assert agree(intervals.newcombe(56, 70, 48, 80, continuity=True), ".0428", ".3422")


# Mee and Miettinen-Nurminen: the tests of the R package cicalc, after SAS paper WUSS-2016-127; 7/34 also PropCIs.
SCORE_DIFFERENCES = [
    (56, 70, 48, 80, ".0533", ".3377", ".0528", ".3382"),
    (9, 10, 3, 10, ".1821", ".8370", ".1700", ".8406"),
    (10, 10, 0, 20, ".7225", "1", ".7156", "1"),
    (7, 34, 1, 34, ".0284", ".3439", ".0270416", ".3452912"),
    (4, 8, 4, 8, "-.44", ".44", "-.4515", ".4515"),
    (6, 7, 2, 7, ".0544", ".8478", ".0342", ".8534"),
    (5, 56, 0, 29, "-.0313", ".1926", "-.0326", ".1933"),
]


@pytest.mark.parametrize(("k1", "n1", "k0", "n0", "mee_low", "mee_high", "mn_low", "mn_high"), SCORE_DIFFERENCES)
def test_score_limits_of_a_difference_are_the_published_ones(
    k1: int, n1: int, k0: int, n0: int, mee_low: str, mee_high: str, mn_low: str, mn_high: str
) -> None:
    assert agree(intervals.mee(k1, n1, k0, n0), mee_low, mee_high)
    assert agree(intervals.miettinen_nurminen(k1, n1, k0, n0), mn_low, mn_high)


def test_ratio_of_7_in_34_to_1_in_34_has_the_published_limits() -> None:
    """R packages PropCIs (Koopman) and scipy (Katz, conditional odds ratio)."""
    counts = (7, 34, 1, 34)
    assert agree(intervals.katz(*counts), ".9096055", "53.86951")
    assert agree(intervals.koopman(*counts), "1.220853", "42.575718")
    assert agree(intervals.miettinen_nurminen_ratio(*counts), "1.208568", "43.032972")
    odds, interval = intervals.conditional_odds_ratio(*counts)
    assert digits(odds, "8.329344")
    assert agree(interval, ".973274", "396.994")


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 10, 3, 10), (7, 34, 1, 34), (5, 56, 0, 29), (3, 200, 41, 97)])
def test_score_limits_of_a_difference_agree_with_a_numerical_search(counts: tuple[int, int, int, int]) -> None:
    for inflate, method in ((False, intervals.mee), (True, intervals.miettinen_nurminen)):
        assert limits(method(*counts)) == pytest.approx(score_difference_limits(*counts, inflate=inflate), abs=2e-6)


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 10, 3, 10), (7, 34, 1, 34), (3, 200, 41, 97)])
def test_score_limits_of_a_ratio_agree_with_a_numerical_search(counts: tuple[int, int, int, int]) -> None:
    for inflate, method in ((False, intervals.koopman), (True, intervals.miettinen_nurminen_ratio)):
        assert limits(method(*counts)) == pytest.approx(score_ratio_limits(*counts, inflate=inflate), rel=1e-5)


def test_random_tables_agree_with_statsmodels_where_that_is_right() -> None:
    rng = np.random.default_rng(20240607)
    n1, n0 = rng.integers(5, 200, 60), rng.integers(5, 200, 60)
    k1, k0 = rng.integers(1, n1), rng.integers(1, n0)
    ours_wilson, ours_exact = intervals.wilson(k1, n1), intervals.clopper_pearson(k1, n1)
    ours_newcombe, ours_koopman = intervals.newcombe(k1, n1, k0, n0), intervals.koopman(k1, n1, k0, n0)
    for i in range(60):
        counts = (k1[i], n1[i], k0[i], n0[i])
        assert (ours_wilson.low[i], ours_wilson.high[i]) == pytest.approx(
            proportion_confint(k1[i], n1[i], method="wilson")
        )
        assert (ours_exact.low[i], ours_exact.high[i]) == pytest.approx(proportion_confint(k1[i], n1[i], method="beta"))
        theirs = confint_proportions_2indep(*counts, method="newcomb")
        assert (ours_newcombe.low[i], ours_newcombe.high[i]) == pytest.approx(theirs)
        theirs = confint_proportions_2indep(*counts, compare="ratio", method="score", correction=False)
        assert (ours_koopman.low[i], ours_koopman.high[i]) == pytest.approx(theirs, rel=1e-5)


def test_statsmodels_score_interval_of_a_difference_is_still_wrong() -> None:
    """Once this fails, statsmodels is mended (issue 10269) and our own Miettinen-Nurminen may go."""
    theirs = confint_proportions_2indep(56, 70, 48, 80, compare="diff", method="score", correction=True)
    assert not digits(theirs[1], ".3382")


def test_wilson_and_exact_coverage_at_11_cases_are_the_enumerated_ones() -> None:
    """At 397 rates between .005 and .995. The least is what a reader of a small cell should know."""
    rates = np.linspace(0.005, 0.995, 397)

    def of(method: Callable[..., Interval]) -> tuple[float, float]:
        covered = coverage(lambda k, n: (method(k, n).low, method(k, n).high), 11, rates)
        return float(covered.mean()), float(covered.min())

    wilson_mean, wilson_least = of(intervals.wilson)
    assert digits(wilson_mean, ".9537")
    assert digits(wilson_least, ".8468")
    exact_mean, exact_least = of(intervals.clopper_pearson)
    assert digits(exact_mean, ".9827")
    assert digits(exact_least, ".9576")


def test_limits_hold_the_estimate_and_stay_in_their_range() -> None:
    n1, k1 = np.meshgrid(np.arange(1, 13), np.arange(0, 13))
    inside = k1 <= n1
    k1, n1 = k1[inside], n1[inside]
    for method in (intervals.wilson, intervals.clopper_pearson):
        found = method(k1, n1)
        assert ((found.low >= 0) & (found.low <= k1 / n1) & (k1 / n1 <= found.high) & (found.high <= 1)).all()
    first, second = (a.ravel() for a in np.meshgrid(np.arange(k1.size), np.arange(k1.size)))
    counts = (k1[first], n1[first], k1[second], n1[second])
    gap = intervals.difference(*counts)
    for compare in (intervals.newcombe, intervals.mee, intervals.miettinen_nurminen):
        found = compare(*counts)
        assert ((found.low >= -1) & (found.low <= gap + 1e-9) & (gap <= found.high + 1e-9) & (found.high <= 1)).all()
    found = intervals.koopman(*counts)
    assert (found.low >= 0).all()
    assert (found.high >= found.low).all()


def test_swapping_the_groups_mirrors_every_interval() -> None:
    there, back = (12, 40, 30, 70), (30, 70, 12, 40)
    for compare in (intervals.newcombe, intervals.mee, intervals.miettinen_nurminen):
        low, high = limits(compare(*there))
        assert limits(compare(*back)) == pytest.approx((-high, -low), abs=1e-8)
    for ratio in (intervals.koopman, intervals.miettinen_nurminen_ratio, intervals.katz):
        low, high = limits(ratio(*there))
        assert limits(ratio(*back)) == pytest.approx((1 / high, 1 / low), rel=1e-7)


def test_no_case_gives_no_rate_and_no_limit() -> None:
    assert np.isnan(intervals.proportion(0, 0))
    for found in (
        intervals.wilson(0, 0),
        intervals.clopper_pearson(0, 0),
        intervals.newcombe(0, 0, 3, 10),
        intervals.miettinen_nurminen(3, 10, 0, 0),
        intervals.koopman(0, 0, 3, 10),
    ):
        assert np.isnan(found.low)
        assert np.isnan(found.high)


def test_ratio_without_events_in_the_reference_group_has_no_upper_limit() -> None:
    found = intervals.koopman([5, 0], [40, 40], [0, 5], [40, 40])
    assert np.isinf(found.high[0])
    assert found.low[0] > 1
    assert found.low[1] == 0
    assert found.high[1] < 1
    assert np.isnan(intervals.katz(5, 40, 0, 40).low)


def test_p_value_is_the_n_minus_1_chi_squared_and_matches_the_score_interval() -> None:
    """The p-value is .05 for a table whose Miettinen-Nurminen interval at that level ends at 0."""
    p = float(intervals.score_p_value(15, 40, 30, 45))
    edge = intervals.miettinen_nurminen(15, 40, 30, 45, confidence=1 - p)
    assert float(edge.high) == pytest.approx(0, abs=1e-7)
    assert float(intervals.score_p_value(0, 10, 0, 12)) == 1
    assert np.isnan(intervals.score_p_value(0, 0, 0, 12))


def test_a_hundred_thousand_rows_take_seconds() -> None:
    """Measured near one second each on two shared cores; the allowance is for a busy machine."""
    rng = np.random.default_rng(1)
    n1, n0 = rng.integers(1, 5000, 100_000), rng.integers(1, 5000, 100_000)
    k1, k0 = rng.binomial(n1, 0.3), rng.binomial(n0, 0.2)
    for method in (intervals.newcombe, intervals.miettinen_nurminen, intervals.koopman):
        start = time.perf_counter()
        assert np.isfinite(method(k1, n1, k0, n0).low).all()
        assert time.perf_counter() - start < 10

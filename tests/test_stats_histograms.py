"""Quantiles and time to event from histograms: against lifelines, against plain loops and against every assignment."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.utils import median_survival_times, restricted_mean_survival_time
from numpy.typing import NDArray
from scipy.stats import binom

from pipeline.stats import histograms
from tests.second_opinion import every_assignment


def histogram(times: NDArray[np.int64], kept: NDArray[np.bool_], grid: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.array([((times == t) & kept).sum() for t in grid], dtype=float)


def single_cause(
    times: NDArray[np.int64], event: NDArray[np.bool_], grid: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return histogram(times, event, grid)[None], histogram(times, ~event, grid)


def test_median_and_ninetieth_percentile_are_values_that_occur() -> None:
    values, counts = [1, 5, 9], [[1, 1, 0], [3, 2, 5], [0, 0, 0]]
    assert histograms.quantile(values, counts, 0.5)[:2].tolist() == [1, 5]
    assert histograms.quantile(values, counts, 0.9)[:2].tolist() == [5, 9]
    assert np.isnan(histograms.quantile(values, counts, 0.5)[2])


def test_quantiles_agree_with_numpys_inverted_cdf() -> None:
    rng = np.random.default_rng(2)
    for size in (1, 2, 10, 37, 200):
        draws = rng.poisson(8, size)
        grid = np.unique(draws)
        counts = histogram(draws, np.full(size, True), grid)
        for share in (0.1, 0.5, 0.9):
            assert histograms.quantile(grid, counts, share) == np.quantile(draws, share, method="inverted_cdf")


@pytest.mark.parametrize(("cases", "low", "high"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (50, 18, 33), (100, 40, 61)])
def test_median_interval_uses_the_tabulated_order_statistics(cases: int, low: int, high: int) -> None:
    """Conover 1999, Practical Nonparametric Statistics, table of the sign test: 95 % limits of a median."""
    found = histograms.quantile_interval(np.arange(1, cases + 1), np.ones(cases), 0.5)
    assert [float(found.low), float(found.high)] == [low, high]


def test_five_cases_allow_no_median_interval() -> None:
    found = histograms.quantile_interval(np.arange(5), np.ones(5), 0.5)
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_quantile_intervals_cover_at_least_what_they_say() -> None:
    """Exact: the chance that the order statistics straddle the quantile is a sum of binomial terms."""
    for cases, share in itertools.product((12, 40, 90), (0.5, 0.9)):
        found = histograms.quantile_interval(np.arange(1, cases + 1), np.ones(cases), share)
        low = 0 if np.isnan(found.low) else int(found.low)
        high = cases + 1 if np.isnan(found.high) else int(found.high)
        assert binom.cdf(high - 1, cases, share) - binom.cdf(low - 1, cases, share) >= 0.95


def test_quantile_bounds_are_the_extremes_over_every_assignment() -> None:
    rng = np.random.default_rng(5)
    grid = np.arange(8)
    for _ in range(30):
        known, unknown = rng.integers(0, 8, 5), rng.integers(0, 8, 6)
        everything = [
            sorted([*known, *joined])[math.ceil(0.5 * (len(known) + len(joined))) - 1]
            for joined, _ in every_assignment(unknown)
        ]
        counts, other = (np.bincount(draws, minlength=8) for draws in (known, unknown))
        found = histograms.quantile_bounds(grid, counts, other, 0.5)
        assert (found.low, found.high) == (min(everything), max(everything))


def test_kaplan_meier_agrees_with_lifelines_to_ten_digits() -> None:
    rng = np.random.default_rng(3)
    times, event = rng.integers(1, 40, 200), rng.random(200) < 0.7
    grid = np.unique(times)
    curve = histograms.kaplan_meier(grid, histogram(times, event, grid), histogram(times, ~event, grid))
    theirs = KaplanMeierFitter().fit(times, event)
    assert curve.survival == pytest.approx(theirs.survival_function_.loc[grid].to_numpy()[:, 0], abs=1e-10)
    band = theirs.confidence_interval_.loc[grid].to_numpy()
    assert curve.limits.low == pytest.approx(band[:, 0], abs=1e-10)
    assert curve.limits.high == pytest.approx(band[:, 1], abs=1e-10)
    median, limits = histograms.median_time(histograms.aalen_johansen(grid, *single_cause(times, event, grid)))
    assert median == theirs.median_survival_time_
    assert [limits.low[0], limits.high[0]] == median_survival_times(theirs.confidence_interval_).to_numpy()[0].tolist()
    assert histograms.restricted_mean(curve, 30)[0] == pytest.approx(
        restricted_mean_survival_time(theirs, 30), abs=1e-10
    )


def test_aalen_johansen_agrees_with_lifelines_to_ten_digits() -> None:
    """Without ties, which lifelines would jitter."""
    rng = np.random.default_rng(4)
    times, cause = rng.permutation(np.arange(1, 201)), rng.integers(0, 3, 200)
    grid = np.arange(1, 201)
    events = np.stack([histogram(times, cause == k, grid) for k in (1, 2)])
    found = histograms.aalen_johansen(grid, events, histogram(times, cause == 0, grid))
    for k in (1, 2):
        theirs = AalenJohansenFitter(calculate_variance=True).fit(times, cause, event_of_interest=k)
        assert found.incidence[k - 1] == pytest.approx(theirs.cumulative_density_.iloc[1:, 0].to_numpy(), abs=1e-10)
        assert found.variance[k - 1] == pytest.approx(np.ravel(theirs.variance_)[1:], abs=1e-10)


def test_aalen_johansen_with_ties_is_the_product_of_transition_matrices() -> None:
    """The definition itself, by multiplying (I + dA) time by time."""
    rng = np.random.default_rng(6)
    events, censored = rng.integers(0, 4, (2, 15)).astype(float), rng.integers(0, 3, 15).astype(float)
    grid = np.arange(15)
    found = histograms.aalen_johansen(grid, events, censored).incidence
    remaining, state = (events.sum() + censored.sum()), np.array([1.0, 0.0, 0.0])
    for t in grid:
        step = np.eye(3)
        step[0] += np.array([-events[:, t].sum(), events[0, t], events[1, t]]) / remaining
        state = state @ step
        assert found[:, t] == pytest.approx(state[1:], abs=1e-12)
        remaining -= events[:, t].sum() + censored[t]


def test_one_cause_alone_has_the_incidence_limits_of_kaplan_meier() -> None:
    grid, events, censored = np.arange(1, 6), np.array([4.0, 3, 0, 5, 2]), np.array([0.0, 2, 6, 1, 9])
    share, limits = histograms.incidence_by(grid, events[None], censored, 4)
    curve = histograms.kaplan_meier(grid, events, censored)
    assert share[0] == pytest.approx(1 - curve.survival[3])
    assert limits.low[0] == pytest.approx(1 - curve.limits.high[3])
    assert limits.high[0] == pytest.approx(1 - curve.limits.low[3])


def test_share_met_is_unknown_beyond_the_last_day_anybody_was_watched() -> None:
    grid, events, censored = [1, 2], [[[2.0, 0.0]]], [[3.0, 4.0]]
    assert histograms.incidence_by(grid, events, censored, 2)[0] == pytest.approx(2 / 9)
    assert np.isnan(histograms.incidence_by(grid, events, censored, 3)[0])


def test_share_met_is_one_once_everybody_has_met_the_event() -> None:
    share, limits = histograms.incidence_by([1, 2], [[30.0, 10.0]], [0.0, 0.0], 90)
    assert share[0] == pytest.approx(1)
    assert 0.9 < limits.low[0] < 1 == limits.high[0]


def test_no_event_so_far_is_not_certainty() -> None:
    """Wilson's limit for 0 of the 20 still watched."""
    share, limits = histograms.incidence_by([5, 9], [[0.0, 0.0]], [0.0, 20.0], 7)
    assert share[0] == 0
    assert limits.high[0] == pytest.approx(0.1611, abs=5e-5)


def test_restricted_mean_without_censoring_is_the_mean_of_the_shorter_of_time_and_horizon() -> None:
    times = np.array([2, 3, 3, 8, 11, 40])
    grid = np.unique(times)
    curve = histograms.kaplan_meier(grid, histogram(times, times > 0, grid), np.zeros(grid.size))
    mean, limits = histograms.restricted_mean(curve, 10)
    cut = np.minimum(times, 10)
    assert mean == pytest.approx(cut.mean())
    # Greenwood's variance is then the plain variance of the mean, with n in the divisor.
    assert limits.high - mean == pytest.approx(1.959964 * np.sqrt(cut.var() / 6), abs=1e-6)


def test_restricted_mean_is_unknown_where_nobody_was_watched_to_the_horizon() -> None:
    curve = histograms.kaplan_meier([2, 5], [3.0, 0.0], [0.0, 4.0])
    assert np.isnan(histograms.restricted_mean(curve, 10)[0])
    assert histograms.restricted_mean(curve, 5)[0] == pytest.approx((3 * 2 + 4 * 5) / 7)


def test_open_spells_are_not_dropped_from_the_median() -> None:
    """Ten wait 5 days, ten are still waiting after 30: the median of the completed spells alone would be 5."""
    curve = histograms.aalen_johansen([5, 30], [[10.0, 0.0]], [0.0, 11.0])
    assert np.isnan(histograms.median_time(curve)[0])


def test_the_median_of_one_cause_does_not_count_those_met_by_another() -> None:
    """Of ten, four are released on day 2 and four taken by ICE on day 3: half of all are never seen released."""
    curve = histograms.aalen_johansen([2, 3, 9], [[4.0, 0.0, 1.0], [0.0, 4.0, 0.0]], [0.0, 0.0, 1.0])
    median = histograms.median_time(curve)[0]
    assert median[0] == 9
    assert np.isnan(median[1])


def small_sample(rng: np.random.Generator, size: int, causes: int) -> list[tuple[int, int]]:
    return [(int(rng.integers(1, 7)), int(rng.integers(0, causes + 1))) for _ in range(size)]


def as_counts(sample: list[tuple[int, int]], causes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    events, censored = np.zeros((causes, 6)), np.zeros(6)
    for t, cause in sample:
        if cause:
            events[cause - 1, t - 1] += 1
        else:
            censored[t - 1] += 1
    return events, censored


@pytest.mark.parametrize(("causes", "exact"), [(1, True), (2, False)])
def test_incidence_bounds_hold_every_assignment_and_are_attained_for_a_single_event(causes: int, exact: bool) -> None:
    rng = np.random.default_rng(7)
    grid = np.arange(1, 7)
    for _ in range(25):
        known, unknown = small_sample(rng, 5, causes), small_sample(rng, 6, causes)
        found = histograms.incidence_bounds(
            grid, *as_counts(known, causes), *as_counts(unknown, causes), np.asarray(4.0)
        )
        reached = np.array([
            histograms.aalen_johansen(grid, *as_counts([*known, *joined], causes)).incidence[:, 3]
            for picks in itertools.product([0, 1], repeat=6)
            for joined in [[p for p, keep in zip(unknown, picks, strict=True) if keep]]
        ])  # fmt: skip
        assert (found.low <= reached.min(axis=0) + 1e-12).all()
        assert (found.high >= reached.max(axis=0) - 1e-12).all()
        if exact:
            assert found.low == pytest.approx(reached.min(axis=0))
            assert found.high == pytest.approx(reached.max(axis=0))


def test_median_time_bounds_are_the_extremes_over_every_assignment() -> None:
    rng = np.random.default_rng(8)
    grid = np.arange(1, 7)
    for _ in range(25):
        known, unknown = small_sample(rng, 5, 1), small_sample(rng, 6, 1)
        (events, censored), (other_events, other_censored) = as_counts(known, 1), as_counts(unknown, 1)
        found = histograms.median_time_bounds(grid, events, censored, other_events, other_censored)
        medians = []
        for picks in itertools.product([0, 1], repeat=6):
            joined = [p for p, keep in zip(unknown, picks, strict=True) if keep]
            e, c = as_counts([*known, *joined], 1)
            median = histograms.median_time(histograms.aalen_johansen(grid, e, c))[0][0]
            medians.append(float(np.nan_to_num(median, nan=99)))
        ends = [float(np.nan_to_num(end, nan=99)) for end in (found.low, found.high)]
        assert ends == [min(medians), max(medians)]

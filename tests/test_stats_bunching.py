"""Bunching: an excess that was planted is found, none is found where none was, and the limits hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.stats.bunching import excess_at, is_whole_months

DAYS = np.arange(180, 551)


def expected_counts(*, level: float, round_level: float) -> NDArray[np.float64]:
    """Fewer long terms than short ones, and many more at whole months."""
    curve = level * np.exp(-(DAYS - 180) / 150)
    return np.where(is_whole_months(DAYS), round_level * curve, curve)


def test_months_are_whole_in_thirties_and_on_the_calendar() -> None:
    assert is_whole_months([180, 182, 183, 365, 360, 364, 366, 181, 0]).tolist() == [
        *(True, True, True, True, True),
        *(False, False, False, False),
    ]


@pytest.mark.parametrize(("at", "planted"), [(364, 120), (365, 300), (364, 0), (365, 0)])
def test_a_planted_excess_is_found_and_held_by_its_limits(at: int, planted: int) -> None:
    expected = expected_counts(level=4, round_level=25)
    draw = np.random.default_rng(20240607)
    found, held = [], []
    for _ in range(200):
        counts = draw.poisson(expected).astype(float)
        counts[at - 180] += draw.poisson(planted)
        result = excess_at(DAYS, counts, at)
        found.append(result.excess)
        held.append(result.limits.low <= planted <= result.limits.high)
    assert np.mean(found) == pytest.approx(planted, abs=4 * np.std(found) / np.sqrt(200) + 0.5)
    assert np.mean(held) >= 0.92


def test_what_lies_in_the_window_does_not_move_the_curve() -> None:
    counts = np.random.default_rng(1).poisson(expected_counts(level=4, round_level=25)).astype(float)
    heaped = np.where((DAYS >= 360) & (DAYS <= 370), counts + 1000, counts)
    assert excess_at(DAYS, counts, 364).expected == excess_at(DAYS, heaped, 364).expected


def test_values_that_the_histogram_leaves_out_have_no_cases() -> None:
    counts = np.random.default_rng(1).poisson(expected_counts(level=0.4, round_level=25)).astype(float)
    kept = counts > 0
    whole, sparse = excess_at(DAYS, counts, 365), excess_at(DAYS[kept], counts[kept], 365)
    assert (whole.observed, whole.expected, whole.excess) == (sparse.observed, sparse.expected, sparse.excess)


def test_more_scatter_gives_wider_limits() -> None:
    draw = np.random.default_rng(7)
    expected = expected_counts(level=4, round_level=25)
    poisson, scattered = draw.poisson(expected), draw.negative_binomial(3, 3 / (3 + expected))
    narrow, wide = (excess_at(DAYS, counts, 364).limits for counts in (poisson, scattered))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_too_few_cases_draw_no_curve() -> None:
    result = excess_at([365, 200], [40, 9], 365)
    assert result.observed == 40
    assert np.isnan(result.expected)
    assert np.isnan(result.excess)
    assert np.isnan(result.limits.low)
    assert np.isnan(result.limits.high)

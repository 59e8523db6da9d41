"""Bounds over unknown citizenship: against every possible assignment, and against the published world."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats import bounds
from tests.second_opinion import every_assignment

# Known: 3 of 8 noncitizens and 4 of 20 citizens have the event; unknown: 2 with it and 3 without.
GROUP, REFERENCE, UNKNOWN = (3, 8), (4, 20), (2, 5)


def shared_out() -> list[tuple[float, float, float]]:
    """Rate of the group, of the reference and the gap for each of the 32 ways to share out the five unknown."""
    found = []
    for group, reference in every_assignment([1, 1, 0, 0, 0]):
        p1 = (GROUP[0] + sum(group)) / (GROUP[1] + len(group))
        p0 = (REFERENCE[0] + sum(reference)) / (REFERENCE[1] + len(reference))
        found.append((p1, p0, p1 - p0))
    return found


def test_rate_bounds_are_the_extremes_over_every_assignment() -> None:
    rates = [p1 for p1, _, _ in shared_out()]
    found = bounds.rate_bounds(*GROUP, *UNKNOWN)
    assert (float(found.low), float(found.high)) == pytest.approx((min(rates), max(rates)), abs=1e-12)


def test_gap_bounds_are_the_extremes_over_every_assignment() -> None:
    gaps = [gap for _, _, gap in shared_out()]
    found = bounds.gap_bounds(*GROUP, *REFERENCE, *UNKNOWN)
    assert (float(found.low), float(found.high)) == pytest.approx((min(gaps), max(gaps)), abs=1e-12)


def test_gap_bounds_are_the_formula_of_the_published_world() -> None:
    """lo = a1/(n1+m0) - (a0+m1)/(n0+m1); hi = (a1+m1)/(n1+m1) - a0/(n0+m0), m1 with and m0 without the event."""
    a1, n1, a0, n0, m1, m0 = 40, 100, 150, 500, 30, 45
    found = bounds.gap_bounds(a1, n1, a0, n0, m1, m1 + m0)
    assert float(found.low) == pytest.approx(a1 / (n1 + m0) - (a0 + m1) / (n0 + m1), abs=1e-15)
    assert float(found.high) == pytest.approx((a1 + m1) / (n1 + m1) - a0 / (n0 + m0), abs=1e-15)


def test_nobody_unknown_leaves_the_estimate_itself() -> None:
    found = bounds.gap_bounds(3, 8, 4, 20, 0, 0)
    assert float(found.low) == float(found.high) == pytest.approx(3 / 8 - 4 / 20)


def test_a_declared_share_gives_a_band_inside_the_worst_case_that_holds_every_share_within_it() -> None:
    worst = bounds.gap_bounds(*GROUP, *REFERENCE, *UNKNOWN)
    band = bounds.gap_bounds(*GROUP, *REFERENCE, *UNKNOWN, share=(0.2, 0.6))
    of_events, of_others = np.meshgrid(np.linspace(0.2, 0.6, 9), np.linspace(0.2, 0.6, 9))
    inside = bounds.gap_given_shares(*GROUP, *REFERENCE, *UNKNOWN, share_of_events=of_events, share_of_others=of_others)
    assert worst.low < band.low == pytest.approx(inside.min())
    assert worst.high > band.high == pytest.approx(inside.max())


def test_at_the_break_even_share_the_gap_is_nothing() -> None:
    counts = (40, 100, 150, 500, 20, 105)
    share = bounds.break_even_share(*counts)
    assert 0 < share < 1
    gap = bounds.gap_given_shares(*counts, share_of_events=share, share_of_others=share)
    assert float(gap) == pytest.approx(0, abs=1e-9)
    assert np.isnan(bounds.break_even_share(90, 100, 10, 500, 1, 2))


def test_a_group_without_known_members_is_bounded_by_the_unknown_alone() -> None:
    all_events = bounds.rate_bounds(0, 0, 4, 4)
    mixed = bounds.rate_bounds(0, 0, 2, 4)
    assert (float(all_events.low), float(all_events.high)) == (1, 1)
    assert (float(mixed.low), float(mixed.high)) == (0, 1)
    assert np.isnan(bounds.rate_bounds(0, 0, 0, 0).low)

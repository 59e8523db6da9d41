"""What unknown citizenship could do to a rate and to a gap: bounds that hold whatever the truth is (Manski 1990).

An unknown person is either in the group or in the reference group, and is the same person in both. The corner that is
worst for the group (those with the event outside, those without it inside) is also the one that is best for the
reference group, so the bounds of a gap are the bounds of the two rates set against each other.

Throughout: `events` of `cases` are those known to be in the group, `unknown_events` of `unknown_cases` those whose
group is unknown. A share is of the unknown persons, and says how many of them belong to the group.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from pipeline.stats.intervals import Floats, Interval, ratio_of


def rate_bounds(
    events: ArrayLike,
    cases: ArrayLike,
    unknown_events: ArrayLike,
    unknown_cases: ArrayLike,
    *,
    share: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """The lowest and the highest rate that the group can have; (0, 1) as `share` gives the worst case.

    Lowest: `share[1]` of the unknown without the event belong to the group and `share[0]` of those with it; highest
    the other way round. NaN where the group can have no member at all.
    """
    k, n, e, u = (np.asarray(c, dtype=float) for c in (events, cases, unknown_events, unknown_cases))
    few, many = share
    at = [_rate(k, n, e, u, few, many), _rate(k, n, e, u, many, few)]
    # A group that one corner leaves empty has no rate there: only those of the other corner can be its members.
    return Interval(
        low=np.where(np.isnan(at[0]), at[1], at[0]),
        high=np.where(np.isnan(at[1]), at[0], at[1]),
    )


def gap_given_shares(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    unknown_events: ArrayLike,
    unknown_cases: ArrayLike,
    *,
    share_of_events: ArrayLike,
    share_of_others: ArrayLike,
) -> Floats:
    """The gap (group minus reference) if these shares of the unknown, with and without the event, are in the group."""
    k1, n1, k0, n0, e, u = (
        np.asarray(c, dtype=float)
        for c in (
            events,
            cases,
            reference_events,
            reference_cases,
            unknown_events,
            unknown_cases,
        )
    )
    of_events, of_others = (
        np.asarray(share_of_events, dtype=float),
        np.asarray(share_of_others, dtype=float),
    )
    return _rate(k1, n1, e, u, of_events, of_others) - _rate(k0, n0, e, u, 1 - of_events, 1 - of_others)


def gap_bounds(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    unknown_events: ArrayLike,
    unknown_cases: ArrayLike,
    *,
    share: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """The smallest and the largest gap if the share of the unknown who belong to the group lies within `share`.

    (0, 1) is the worst case: nothing is assumed. A narrower share is an assumption, to be printed with its source.
    """
    group = rate_bounds(events, cases, unknown_events, unknown_cases, share=share)
    mirrored = (1 - share[1], 1 - share[0])
    reference = rate_bounds(reference_events, reference_cases, unknown_events, unknown_cases, share=mirrored)
    return Interval(low=group.low - reference.high, high=group.high - reference.low)


def break_even_share(
    events: int, cases: int, reference_events: int, reference_cases: int, unknown_events: int, unknown_cases: int
) -> float:
    """The share of the unknown, with and without the event alike, who must belong to the group for there to be no gap.

    NaN where no share between 0 and 1 brings the two rates together.
    """
    counts = (events, cases, reference_events, reference_cases, unknown_events, unknown_cases)

    def gap(share: float) -> float:
        return float(gap_given_shares(*counts, share_of_events=share, share_of_others=share))

    return float(brentq(gap, 0.0, 1.0)) if gap(0.0) * gap(1.0) <= 0 else float("nan")


def _rate(
    events: Floats,
    cases: Floats,
    unknown_events: Floats,
    unknown_cases: Floats,
    share_of_events: ArrayLike,
    share_of_others: ArrayLike,
) -> Floats:
    added = np.asarray(share_of_events) * unknown_events
    return ratio_of(
        events + added,
        cases + added + np.asarray(share_of_others) * (unknown_cases - unknown_events),
    )

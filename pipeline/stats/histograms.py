"""Medians, quantiles and time to event from histograms: how many cases have each value.

A histogram holds all that these need, so no case-level file has to leave the database. `values` or `times` is a
rising array of T different values, shared by all histograms; counts have shape (..., T), one histogram a row.
Durations are never averaged over completed spells alone: an open spell counts as long as it was watched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from pipeline.stats.intervals import Floats, Interval, wilson, z_value


def quantile(values: ArrayLike, counts: ArrayLike, share: float) -> Floats:
    """The smallest value that at least `share` of the cases do not exceed (always a value that occurs).

    NaN where there is no case. With an even number of cases the median is therefore the lower middle one.
    """
    grid, histogram = np.asarray(values, dtype=float), np.asarray(counts, dtype=float)
    return _value_at_rank(grid, histogram, _rank(histogram.sum(axis=-1), share))


def quantile_interval(values: ArrayLike, counts: ArrayLike, share: float, *, confidence: float = 0.95) -> Interval:
    """The order-statistic interval of a quantile: exact, without any assumption on the shape (Conover 1999).

    Covers at least `confidence`. NaN where too few cases allow a limit: a median needs six for 95 %.
    """
    grid, histogram = np.asarray(values, dtype=float), np.asarray(counts, dtype=float)
    cases = histogram.sum(axis=-1)
    tail = (1 - confidence) / 2
    low = binom.ppf(tail, cases, share)
    high = binom.ppf(1 - tail, cases, share) + 1
    return Interval(
        low=_value_at_rank(grid, histogram, low),
        high=_value_at_rank(grid, histogram, high),
    )


def quantile_bounds(values: ArrayLike, counts: ArrayLike, unknown: ArrayLike, share: float) -> Interval:
    """The lowest and highest quantile that the group can have if any of the `unknown` cases may belong to it.

    The quantile is at or below x for some choice exactly if it is when all unknown cases up to x join and no other;
    so the lowest is the first x for which that holds. The highest is the mirror image.
    """
    grid, group, other = (np.asarray(a, dtype=float) for a in (values, counts, unknown))
    group, other = np.broadcast_arrays(group, other)
    up_to, unknown_up_to = group.cumsum(axis=-1), other.cumsum(axis=-1)
    cases = up_to[..., -1:]
    joined = cases + unknown_up_to
    reached = (up_to + unknown_up_to >= _rank(joined, share)) & (joined > 0)
    low = np.where(reached.any(axis=-1), grid[reached.argmax(axis=-1)], np.nan)
    unknown_from = unknown_up_to[..., -1:] - unknown_up_to + other
    joined = cases + unknown_from
    passed = (up_to - group < _rank(joined, share)) & (joined > 0)
    last = grid.size - 1 - passed[..., ::-1].argmax(axis=-1)
    return Interval(low=low, high=np.where(passed.any(axis=-1), grid[last], np.nan))


@dataclass(frozen=True, kw_only=True)
class Survival:
    """A Kaplan-Meier curve for each histogram: the share still waiting just after each time, shape (..., T)."""

    times: Floats
    survival: Floats
    limits: Interval
    at_risk: Floats


@dataclass(frozen=True, kw_only=True)
class Incidence:
    """Aalen-Johansen: the share that has met each cause by each time, shape (..., causes, T), variance and limits."""

    times: Floats
    incidence: Floats
    variance: Floats
    limits: Interval


def kaplan_meier(
    times: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Survival:
    """Kaplan-Meier with log-log limits (Greenwood variance); a case censored at a time is at risk at that time.

    Where nothing has happened yet the curve has no variance, and where everybody has left no logarithm: there the
    limits are Wilson's for the number at risk, or for all cases.
    """
    grid, d, c = (np.asarray(a, dtype=float) for a in (times, events, censored))
    d, c = np.broadcast_arrays(d, c)
    at_risk = _at_risk(d + c)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.where(at_risk > 0, 1 - d / at_risk, 1.0).cumprod(axis=-1)
        greenwood = np.where(at_risk > d, d / (at_risk * (at_risk - d)), 0.0).cumsum(axis=-1)
        exponent = np.exp(z_value(confidence) * np.sqrt(greenwood) / np.log(survival))
        low, high = survival ** (1 / exponent), survival**exponent
    started = wilson(at_risk, at_risk, confidence=confidence)
    total = np.broadcast_to(at_risk[..., :1], at_risk.shape)
    ended = wilson(np.zeros_like(total), total, confidence=confidence)
    low = np.where(survival == 1, started.low, np.where(survival == 0, 0.0, low))
    high = np.where(survival == 1, 1.0, np.where(survival == 0, ended.high, high))
    shown, low, high = (np.where(total == 0, np.nan, a) for a in (survival, low, high))
    return Survival(
        times=grid,
        survival=shown,
        limits=Interval(low=low, high=high),
        at_risk=at_risk,
    )


def median_time(curve: Incidence) -> tuple[Floats, Interval]:
    """The first time by which half have met each cause, and its interval (Brookmeyer and Crowley 1982).

    NaN where the share, or its limit, never reaches one half: most were still waiting when last seen, or met another
    cause. With a single cause it is the Kaplan-Meier median.
    """

    def first_half(share: Floats) -> Floats:
        # A share that has just reached one half by arithmetic may stand a rounding error below it.
        reached = share >= 0.5 - 1e-12
        return np.where(reached.any(axis=-1), curve.times[reached.argmax(axis=-1)], np.nan)

    return first_half(curve.incidence), Interval(low=first_half(curve.limits.high), high=first_half(curve.limits.low))


def restricted_mean(curve: Survival, horizon: float, *, confidence: float = 0.95) -> tuple[Floats, Interval]:
    """The mean time waited, counting nobody beyond the horizon: the area under the curve, with Greenwood's variance.

    NaN where the last case was lost to view before the horizon while somebody was still waiting.
    """
    inside = curve.times < horizon
    times, survival, at_risk = (
        curve.times[inside],
        curve.survival[..., inside],
        curve.at_risk[..., inside],
    )
    before = np.concatenate([np.ones_like(curve.survival[..., :1]), survival], axis=-1)
    widths = np.diff(np.concatenate([[0.0], times, [horizon]]))
    pieces = before * widths
    area = pieces.sum(axis=-1)
    # The area still to come after each time, and the events at it as a share of those at risk.
    ahead = area[..., None] - pieces.cumsum(axis=-1)[..., :-1]
    earlier = before[..., :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(earlier > 0, 1 - survival / earlier, 0.0)
        terms = np.where(
            (hazard > 0) & (hazard < 1),
            ahead**2 * hazard / (at_risk * (1 - hazard)),
            0.0,
        )
    spread = z_value(confidence) * np.sqrt(terms.sum(axis=-1))
    at_horizon = curve.at_risk[..., ~inside].max(axis=-1, initial=0.0)
    watched = (at_horizon > 0) | (before[..., -1] == 0)
    known = np.where(watched, area, np.nan)
    return known, Interval(low=np.maximum(known - spread, 0), high=np.minimum(known + spread, horizon))


def aalen_johansen(times: ArrayLike, events: ArrayLike, censored: ArrayLike, *, confidence: float = 0.95) -> Incidence:
    """The cumulative incidence of each of several causes that compete; `events` has shape (..., causes, T).

    One minus Kaplan-Meier would count a person taken by one cause as still able to meet the other. The variance is
    the delta-method one of Marubini and Valsecchi 1995, which for a single cause is Greenwood's; limits are log-log.
    Where no case has yet met the cause, or all have, they are Wilson's for those met or still watched.
    """
    grid, d, c = (np.asarray(a, dtype=float) for a in (times, events, censored))
    at_risk, before, total = _running_incidence(d, c)
    every = d.sum(axis=-2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.where(at_risk > every, every / (at_risk * (at_risk - every)), 0.0)
        b = np.where(at_risk > 0, before**2 * d * (at_risk - d) / at_risk**3, 0.0)
        e = np.where(at_risk > 0, before * d / at_risk**2, 0.0)
    # Sum over earlier times of (F - F_i)^2 a_i + b_i - 2 (F - F_i) e_i, expanded so that running sums suffice.
    variance = (
        total**2 * a.cumsum(axis=-1)
        - 2 * total * ((total * a).cumsum(axis=-1) + e.cumsum(axis=-1))
        + (total**2 * a + b + 2 * total * e).cumsum(axis=-1)
    )
    # The expansion leaves a rounding error where the variance is nothing.
    variance = np.where(variance > 1e-15, variance, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = 1 - total
        exponent = np.exp(z_value(confidence) * np.sqrt(variance) / (rest * np.log(rest)))
        low, high = 1 - rest**exponent, 1 - rest ** (1 / exponent)
    seen = every.cumsum(axis=-1) + at_risk - every
    flat = (total <= 0) | (total >= 1 - 1e-12) | (variance == 0)
    watched = np.broadcast_to(seen, total.shape)[flat]
    edge = wilson(np.round(total[flat] * watched), watched, confidence=confidence)
    low[flat], high[flat] = edge.low, edge.high
    nobody = at_risk[..., :1] == 0
    incidence, variance, low, high = (np.where(nobody, np.nan, v) for v in (total, variance, low, high))
    return Incidence(times=grid, incidence=incidence, variance=variance, limits=Interval(low=low, high=high))


def incidence_by(
    times: ArrayLike, events: ArrayLike, censored: ArrayLike, horizon: float, *, confidence: float = 0.95
) -> tuple[Floats, Interval]:
    """The share that has met each cause by `horizon`, shape (..., causes), with log-log limits.

    NaN where nobody was watched that long and some were still waiting: the records end before the horizon.
    """
    grid, d, c = (np.asarray(a, dtype=float) for a in (times, events, censored))
    if horizon < grid[0]:
        # Nothing has happened yet; a time at which nothing does puts everybody at risk there.
        grid = np.concatenate([[horizon], grid])
        d, c = (np.concatenate([np.zeros_like(a[..., :1]), a], axis=-1) for a in (d, c))
    last = int(np.searchsorted(grid, horizon, side="right")) - 1
    curves = aalen_johansen(grid[: last + 2], *_up_to(last, d, c), confidence=confidence)
    watched = (d.sum(axis=-2) + c)[..., grid >= horizon].sum(axis=-1)
    share = curves.incidence[..., last]
    known = ((watched > 0) | np.isclose(share.sum(axis=-1), 1.0))[..., None]
    low, high = curves.limits.low[..., last], curves.limits.high[..., last]
    return (
        np.where(known, share, np.nan),
        Interval(low=np.where(known, low, np.nan), high=np.where(known, high, np.nan)),
    )


def incidence_bounds(
    times: ArrayLike,
    events: ArrayLike,
    censored: ArrayLike,
    unknown_events: ArrayLike,
    unknown_censored: ArrayLike,
    horizon: ArrayLike,
) -> Interval:
    """The lowest and highest share met by `horizon` if any of the unknown may belong to the group, (..., causes).

    Whoever joins with the event in time raises the estimate and whoever joins otherwise lowers it, whoever else has
    joined; so the ends are corners. Among competing causes the effect of an unknown person lost to view early has no
    fixed sign: there the person is taken as met by the cause (highest) or as watched to the end (lowest), which can
    only widen the bounds. `horizon` may differ from histogram to histogram.
    """
    grid, d, c, ud, uc = (
        np.asarray(a, dtype=float) for a in (times, events, censored, unknown_events, unknown_censored)
    )
    in_time = grid <= np.asarray(horizon, dtype=float)[..., None]
    low, high = (
        np.stack([_extreme(d, c, ud, uc, in_time, cause, highest=up) for cause in range(d.shape[-2])], axis=-1)
        for up in (False, True)
    )
    return Interval(low=low, high=high)


def median_time_bounds(
    times: ArrayLike, events: ArrayLike, censored: ArrayLike, unknown_events: ArrayLike, unknown_censored: ArrayLike
) -> Interval:
    """The lowest and highest median of the first cause if any of the unknown may belong to the group; NaN if never.

    The bounds of the share met rise with time, so the times at which they cross one half are found by halving.
    """
    grid = np.asarray(times, dtype=float)
    d, c, ud, uc = (np.asarray(a, dtype=float) for a in (events, censored, unknown_events, unknown_censored))
    ends = []
    for highest in (True, False):
        below = np.full(c.shape[:-1], -1)
        above = np.full(c.shape[:-1], grid.size)
        while (above - below > 1).any():
            middle = np.clip((below + above) // 2, 0, grid.size - 1)
            in_time = grid <= grid[middle][..., None]
            share = _extreme(d, c, ud, uc, in_time, 0, highest=highest)
            reached = share >= 0.5 - 1e-12
            open_ = above - below > 1
            above = np.where(open_ & reached, middle, above)
            below = np.where(open_ & ~reached, middle, below)
        ends.append(np.where(above < grid.size, grid[np.minimum(above, grid.size - 1)], np.nan))
    return Interval(low=ends[0], high=ends[1])


def _extreme(
    d: Floats, c: Floats, ud: Floats, uc: Floats, in_time: NDArray[np.bool_], cause: int, *, highest: bool
) -> Floats:
    """One end of `incidence_bounds` for one cause."""
    last = int(np.count_nonzero(in_time.any(axis=tuple(range(in_time.ndim - 1))))) - 1
    (d, c), (ud, uc), in_time = _up_to(last, d, c), _up_to(last, ud, uc), in_time[..., : last + 2]
    met = np.zeros_like(ud)
    met[..., cause, :] = np.where(in_time, ud[..., cause, :], 0)
    lost = np.where(in_time, uc, 0) if d.shape[-2] > 1 else np.zeros_like(uc)
    if highest:
        met[..., cause, :] += lost
        events, censored = d + met, c
    else:
        events, censored = d + ud - met, c + uc - lost
        censored[..., -1] += lost.sum(axis=-1)
    share = (_running_incidence(events, censored)[2][..., cause, :] * in_time).max(axis=-1)
    somebody = events.sum(axis=(-1, -2)) + censored.sum(axis=-1) > 0
    return np.where(somebody, share, np.nan)


def _rank(cases: Floats, share: float) -> Floats:
    """The place in line of a quantile: the smallest whole number that is at least share of the cases."""
    return np.maximum(np.ceil(share * cases - 1e-9), 1)


def _value_at_rank(grid: Floats, histogram: Floats, rank: Floats) -> Floats:
    reached = histogram.cumsum(axis=-1) >= rank[..., None]
    found: Floats = np.where(
        (rank >= 1) & reached.any(axis=-1),
        grid[reached.argmax(axis=-1)] if grid.size else np.nan,
        np.nan,
    )
    return found


def _up_to(last: int, events: Floats, censored: Floats) -> tuple[Floats, Floats]:
    """The counts up to and with the place `last`, and in one place more all who left later: until then they are at risk."""
    if last + 1 >= events.shape[-1]:
        return events, censored
    later = (events.sum(axis=-2) + censored)[..., last + 1 :].sum(axis=-1, keepdims=True)
    nobody = np.zeros_like(events[..., :1])
    return (
        np.concatenate([events[..., : last + 1], nobody], axis=-1),
        np.concatenate([censored[..., : last + 1], later], axis=-1),
    )


def _at_risk(leaving: Floats) -> Floats:
    """How many have neither met the event nor been lost before each time."""
    remaining: Floats = leaving[..., ::-1].cumsum(axis=-1)[..., ::-1]
    return remaining


def _running_incidence(events: Floats, censored: Floats) -> tuple[Floats, Floats, Floats]:
    """At risk before, share untouched before, and share met by each cause up to and including, each time."""
    every = events.sum(axis=-2)
    at_risk = _at_risk(every + censored)
    divisor = np.where(at_risk > 0, at_risk, 1.0)
    after = (1 - every / divisor).cumprod(axis=-1)
    before = np.ones_like(after)
    before[..., 1:] = after[..., :-1]
    steps = events * (before / divisor)[..., None, :]
    return at_risk[..., None, :], before[..., None, :], steps.cumsum(axis=-1)

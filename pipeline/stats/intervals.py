"""Intervals for one proportion, for the difference of two and for the ratio of two, from counts.

Which to publish: Wilson for a rate, Newcombe for a difference, Koopman for a ratio. Wilson covers 95 % on average and
dips below near 0 and 1 with few cases; Clopper-Pearson never covers less than it says, at the price of width.
The others are second opinions: the tests hold the published ones against them, and so can whoever contests a figure.

statsmodels 0.15.0 is not used for the score interval of a difference: it puts the events of the second sample where
the cubic needs its size (issue 10269 there), so its Miettinen-Nurminen limits are wrong or missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import elementwise
from scipy.special import betaincinv
from scipy.stats import contingency, norm

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Lower and upper limits, arrays of one shape. NaN where the counts give no limit."""

    low: Floats
    high: Floats


def z_value(confidence: float) -> float:
    """The two-sided normal quantile: 1.96 for 0.95."""
    return float(norm.ppf(0.5 + confidence / 2))


def proportion(events: ArrayLike, cases: ArrayLike) -> Floats:
    """Events per case; NaN where there is no case, because no case is not a rate of zero."""
    return ratio_of(events, cases)


def ratio_of(above: ArrayLike, below: ArrayLike) -> Floats:
    """Above divided by below, NaN where below is 0 (numpy would say infinity or warn)."""
    top, bottom = np.broadcast_arrays(np.asarray(above, dtype=float), np.asarray(below, dtype=float))
    quotient: Floats = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return quotient


def wilson(
    events: ArrayLike,
    cases: ArrayLike,
    *,
    confidence: float = 0.95,
    continuity: bool = False,
) -> Interval:
    """Wilson 1927, the score interval of a proportion; with Newcombe's continuity correction on request.

    Limits within [0, 1] for every 0 <= events <= cases; NaN where cases is 0.
    """
    k, n = _floats(events, cases)
    z = z_value(confidence)
    p = proportion(k, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        if continuity:
            spread_low = z * np.sqrt(np.maximum(z**2 - 2 - 1 / n + 4 * p * (n * (1 - p) + 1), 0))
            spread_high = z * np.sqrt(np.maximum(z**2 + 2 - 1 / n + 4 * p * (n * (1 - p) - 1), 0))
            low = (2 * k + z**2 - 1 - spread_low) / (2 * (n + z**2))
            high = (2 * k + z**2 + 1 + spread_high) / (2 * (n + z**2))
        else:
            middle = (k + z**2 / 2) / (n + z**2)
            spread = z / (n + z**2) * np.sqrt(n * p * (1 - p) + z**2 / 4)
            low, high = middle - spread, middle + spread
    low = np.where(k == 0, 0.0, np.clip(low, 0, 1))
    high = np.where(k == n, 1.0, np.clip(high, 0, 1))
    return _where(n > 0, low, high)


def rate_variance(events: ArrayLike, cases: ArrayLike) -> Floats:
    """Of a share, from its Wilson interval, which does not collapse at 0 and 1."""
    limits = wilson(events, cases)
    return np.asarray(((limits.high - limits.low) / (2 * z_value(0.95))) ** 2)


def clopper_pearson(events: ArrayLike, cases: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Clopper-Pearson 1934, the exact interval: covers at least `confidence` whatever the true rate."""
    k, n = _floats(events, cases)
    tail = (1 - confidence) / 2
    low = np.where(k == 0, 0.0, betaincinv(np.maximum(k, 1), n - k + 1, tail))
    high = np.where(k == n, 1.0, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail))
    return _where(n > 0, low, high)


def difference(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
) -> Floats:
    """The rate of the group minus the rate of the reference group."""
    return proportion(events, cases) - proportion(reference_events, reference_cases)


def mover(
    estimate: ArrayLike,
    limits: Interval,
    reference: ArrayLike,
    reference_limits: Interval,
) -> Interval:
    """The interval of a difference from two estimates and their own intervals (Zou and Donner 2008).

    Keeps the asymmetry of each side. On Wilson limits it is Newcombe's interval; it serves medians as well.
    """
    a, b = np.asarray(estimate, dtype=float), np.asarray(reference, dtype=float)
    return Interval(
        low=a - b - np.hypot(a - limits.low, reference_limits.high - b),
        high=a - b + np.hypot(limits.high - a, b - reference_limits.low),
    )


def newcombe(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    confidence: float = 0.95,
    continuity: bool = False,
) -> Interval:
    """Newcombe 1998, method 10 (method 11 with continuity correction): the difference of two proportions."""
    group = wilson(events, cases, confidence=confidence, continuity=continuity)
    reference = wilson(reference_events, reference_cases, confidence=confidence, continuity=continuity)
    return mover(
        proportion(events, cases),
        group,
        proportion(reference_events, reference_cases),
        reference,
    )


def mee(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Mee 1984, the score interval of a difference."""
    return _invert_score(
        _difference_score,
        (-1.0, 1.0),
        events,
        cases,
        reference_events,
        reference_cases,
        confidence,
    )


def miettinen_nurminen(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Miettinen and Nurminen 1985: Mee's interval with the variance inflated by N / (N - 1)."""
    return _invert_score(
        _difference_score,
        (-1.0, 1.0),
        events,
        cases,
        reference_events,
        reference_cases,
        confidence,
        inflate=True,
    )


def koopman(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Koopman 1984, the score interval of a ratio of proportions: 0 below and infinity above where nothing limits it."""
    return _score_ratio(events, cases, reference_events, reference_cases, confidence, inflate=False)


def miettinen_nurminen_ratio(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Miettinen and Nurminen 1985 for a ratio: Koopman's interval with the variance inflated by N / (N - 1)."""
    return _score_ratio(events, cases, reference_events, reference_cases, confidence, inflate=True)


def katz(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Katz 1978, the log interval of a ratio. NaN where either side has no event: it is undefined there."""
    k1, n1, k0, n0 = _floats(events, cases, reference_events, reference_cases)
    ratio = ratio_of(proportion(k1, n1), proportion(k0, n0))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(z_value(confidence) * np.sqrt(1 / k1 - 1 / n1 + 1 / k0 - 1 / n0))
        return _where((k1 > 0) & (k0 > 0), ratio / factor, ratio * factor)


def woolf(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    confidence: float = 0.95,
) -> tuple[Floats, Interval]:
    """The odds ratio and Woolf's 1955 interval. For models and the record: never to be read as "times as likely"."""
    k1, n1, k0, n0 = _floats(events, cases, reference_events, reference_cases)
    odds = ratio_of(k1 * (n0 - k0), k0 * (n1 - k1))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(z_value(confidence) * np.sqrt(1 / k1 + 1 / (n1 - k1) + 1 / k0 + 1 / (n0 - k0)))
        limits = _where((k1 > 0) & (k1 < n1) & (k0 > 0) & (k0 < n0), odds / factor, odds * factor)
    return odds, limits


def conditional_odds_ratio(
    events: int, cases: int, reference_events: int, reference_cases: int
) -> tuple[float, Interval]:
    """The conditional maximum-likelihood odds ratio of one table with its exact 95 % interval (Fisher)."""
    table = [
        [events, cases - events],
        [reference_events, reference_cases - reference_events],
    ]
    result = contingency.odds_ratio(table, kind="conditional")
    limits = result.confidence_interval(0.95)
    return float(result.statistic), Interval(low=np.asarray(limits.low), high=np.asarray(limits.high))


def score_p_value(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
) -> Floats:
    """Two-sided p of no difference: Miettinen-Nurminen's score at 0, which is the "N - 1" chi-squared test.

    1 where all or none have the event on both sides; NaN where a side has no case.
    """
    k1, n1, k0, n0 = _floats(events, cases, reference_events, reference_cases)
    total = n1 + n0
    pooled = proportion(k1 + k0, total)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = pooled * (1 - pooled) * (1 / n1 + 1 / n0) * total / (total - 1)
        score = np.where(variance > 0, difference(k1, n1, k0, n0) / np.sqrt(variance), 0.0)
    return np.where((n1 > 0) & (n0 > 0), 2 * norm.sf(np.abs(score)), np.nan)


def _floats(*counts: ArrayLike) -> tuple[Floats, ...]:
    return tuple(np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in counts)))


def _where(defined: NDArray[np.bool_], low: Floats, high: Floats) -> Interval:
    return Interval(low=np.where(defined, low, np.nan), high=np.where(defined, high, np.nan))


def _difference_score(delta: Floats, k1: Floats, n1: Floats, k0: Floats, n0: Floats) -> Floats:
    """(p1 - p0 - delta) over its standard error at the likeliest pair of rates that differ by delta.

    The pair is the middle root of Miettinen and Nurminen's cubic, in its trigonometric form.
    """
    total = n1 + n0
    quadratic = (n1 + 2 * n0) * delta - total - (k1 + k0)
    linear = (n0 * delta - total - 2 * k0) * delta + k1 + k0
    constant = k0 * delta * (1 - delta)
    a, b, c = quadratic / total, linear / total, constant / total
    q = a**3 / 27 - a * b / 6 + c / 2
    p = np.where(q < 0, -1.0, 1.0) * np.sqrt(np.maximum(a**2 / 9 - b / 3, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        angle = (np.pi + np.arccos(np.clip(np.where(p == 0, 0.0, q / p**3), -1, 1))) / 3
    p0 = np.clip(2 * p * np.cos(angle) - a / 3, np.maximum(0, -delta), np.minimum(1, 1 - delta))
    p1 = np.clip(p0 + delta, 0, 1)
    return _over(k1 / n1 - k0 / n0 - delta, p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)


def _ratio_score(log_ratio: Floats, k1: Floats, n1: Floats, k0: Floats, n0: Floats) -> Floats:
    """(p1 - ratio * p0) over its standard error at the likeliest pair of rates with that ratio (a quadratic)."""
    ratio = np.exp(log_ratio)
    a = (n1 + n0) * ratio
    b = n1 * ratio + k1 + n0 + k0 * ratio
    events = k1 + k0
    # The smaller root, written without the difference of near-equal numbers.
    p0 = 2 * events / (b + np.sqrt(np.maximum(b**2 - 4 * a * events, 0)))
    p1 = np.minimum(ratio * p0, 1)
    return _over(k1 / n1 - ratio * k0 / n0, p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0)


def _over(distance: Floats, variance: Floats) -> Floats:
    """Distance in standard errors; a distance that no variance explains is beyond every limit."""
    with np.errstate(invalid="ignore", divide="ignore"):
        score = distance / np.sqrt(variance)
    return np.where(variance > 0, score, np.sign(distance) * 1e12)


def _invert_score(
    score: Callable[..., Floats],
    bracket: tuple[float, float],
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    confidence: float,
    *,
    inflate: bool = False,
) -> Interval:
    """Where the falling score crosses z and -z; the end of the bracket where it never does."""
    shape = np.broadcast_shapes(*(np.shape(c) for c in (events, cases, reference_events, reference_cases)))
    counts = tuple(np.ravel(c) for c in _floats(events, cases, reference_events, reference_cases))
    known = (counts[1] > 0) & (counts[3] > 0)
    counts = tuple(c[known] for c in counts)
    total = counts[1] + counts[3]
    reach = z_value(confidence) * (np.sqrt(total / (total - 1)) if inflate else np.ones_like(total))
    limits = []
    for target, end in ((reach, bracket[0]), (-reach, bracket[1])):

        def above(x: Floats, t: Floats, *c: Floats) -> Floats:
            return score(x, *c) - t

        left, right = np.full_like(total, bracket[0]), np.full_like(total, bracket[1])
        crosses = (above(left, target, *counts) > 0) & (above(right, target, *counts) < 0)
        found = np.full_like(total, end)
        if crosses.any():
            inside = tuple(c[crosses] for c in counts)
            result = elementwise.find_root(
                above,
                (left[crosses], right[crosses]),
                args=(target[crosses], *inside),
                tolerances={"xatol": 1e-9, "xrtol": 1e-9, "fatol": 0, "frtol": 0},
            )
            found[crosses] = result.x
        limit = np.full(known.shape, np.nan)
        limit[known] = found
        limits.append(limit.reshape(shape))
    return Interval(low=limits[0], high=limits[1])


def _score_ratio(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    confidence: float,
    *,
    inflate: bool,
) -> Interval:
    k1, n1, k0, n0 = _floats(events, cases, reference_events, reference_cases)
    logs = _invert_score(_ratio_score, (-40.0, 40.0), k1, n1, k0, n0, confidence, inflate=inflate)
    low = np.where(k1 == 0, 0.0, np.exp(logs.low))
    high = np.where(k0 == 0, np.inf, np.exp(logs.high))
    return _where((n1 > 0) & (n0 > 0), low, high)

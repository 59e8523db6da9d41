"""Bunching: how many more cases lie at one value, say 364 days, than the values around it would make one expect.

What would lie there without the line is read off a smooth curve through the values outside a window around it (Chetty,
Friedman, Olsen and Pistaferri 2011, Quarterly Journal of Economics 126:749), with a level of its own for round numbers
(Kleven and Waseem 2013, same journal 128:669): terms are pronounced in months, and no curve through all days would
expect so many of 90, 120 or 180. One year is a rounder number than eleven months, so part of an excess at 365 is
roundness: read it against another group or another time, or at 364, which nobody would pronounce for its roundness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from pipeline.stats.intervals import Floats, Interval, mover, z_value

#: Fewer cases than this outside the window draw no curve.
FEWEST_CASES = 50


@dataclass(frozen=True, kw_only=True)
class Bunching:
    """At one value: the cases there, those expected without the line, and the excess with its limits.

    NaN where the values outside the window draw no curve.
    """

    observed: float
    expected: float
    excess: float
    limits: Interval


def is_whole_months(days: ArrayLike) -> NDArray[np.bool_]:
    """Terms as they are pronounced: months of 30 days, and calendar months, a twelfth of 365 days each, either way."""
    day = np.asarray(days, dtype=np.int64)
    months = np.round(day * 12 / 365)
    calendar = months * 365 / 12
    whole: NDArray[np.bool_] = (day > 0) & ((day % 30 == 0) | (day == np.floor(calendar)) | (day == np.ceil(calendar)))
    return whole


def excess_at(
    values: ArrayLike,
    counts: ArrayLike,
    at: int,
    *,
    window: tuple[int, int] = (360, 370),
    span: tuple[int, int] = (180, 550),
    degree: int = 3,
    is_round: Callable[[ArrayLike], NDArray[np.bool_]] = is_whole_months,
    confidence: float = 0.95,
) -> Bunching:
    """The excess at a value, from a histogram; values that the histogram does not hold have no cases.

    A Poisson regression of the counts in `span` outside `window` on a polynomial of the value and on whether it is a
    round one (a whole number of months, unless told otherwise), by Newton's method. Scatter beyond Poisson widens the limits (quasi-Poisson). They combine
    the exact limits of the count (Garwood 1936) with those of the expected number, by the method of variance estimates
    recovery.
    """
    day = np.arange(span[0], span[1] + 1)
    at_value = np.zeros(day.size)
    known, found = np.asarray(values, dtype=np.int64), np.asarray(counts, dtype=float)
    inside = (known >= span[0]) & (known <= span[1])
    np.add.at(at_value, known[inside] - span[0], found[inside])
    outside = (day < window[0]) | (day > window[1])
    distance = (day - day.mean()) / (day.size / 2)
    design = np.column_stack([distance**power for power in range(degree + 1)] + [is_round(day).astype(float)])
    observed = float(at_value[at - span[0]])
    fit = _poisson(design[outside], at_value[outside])
    if fit is None:
        nothing = np.array(np.nan)
        return Bunching(observed=observed, expected=np.nan, excess=np.nan, limits=Interval(low=nothing, high=nothing))
    beta, covariance, scatter = fit
    row = design[at - span[0]]
    expected = float(np.exp(row @ beta))
    spread = np.exp(z_value(confidence) * np.sqrt(scatter * (row @ covariance @ row)))
    tail, wider = (1 - confidence) / 2, np.sqrt(scatter)
    low = chi2.ppf(tail, 2 * observed) / 2 if observed > 0 else 0.0
    high = chi2.ppf(1 - tail, 2 * observed + 2) / 2
    limits = mover(
        observed,
        Interval(
            low=np.array(observed - wider * (observed - low)), high=np.array(observed + wider * (high - observed))
        ),
        expected,
        Interval(low=np.array(expected / spread), high=np.array(expected * spread)),
    )
    return Bunching(observed=observed, expected=expected, excess=observed - expected, limits=limits)


def _poisson(design: Floats, counts: Floats) -> tuple[Floats, Floats, float] | None:
    """Coefficients, covariance and scatter (1 for Poisson, never below); None where there is nothing to fit."""
    if counts.sum() < FEWEST_CASES:
        return None
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(counts.mean())
    for _ in range(100):
        mean = np.exp(np.clip(design @ beta, -30, 30))
        information = design.T @ (design * mean[:, None])
        if np.linalg.matrix_rank(information) < design.shape[1]:
            return None
        step = np.linalg.solve(information, design.T @ (counts - mean))
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            freedom = counts.size - design.shape[1]
            scatter = max(1.0, float(((counts - mean) ** 2 / mean).sum() / freedom))
            return beta, np.asarray(np.linalg.inv(information), dtype=np.float64), scatter
    return None

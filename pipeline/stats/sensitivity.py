"""How strong would an unrecorded factor have to be to explain a gap away?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from pipeline.stats.adjusted import least_squares
from pipeline.stats.intervals import Floats


def e_value(ratio: ArrayLike) -> Floats:
    """VanderWeele and Ding 2017: the least rate ratio an unrecorded factor must have with group and with outcome.

    For the limit of an interval nearer to 1, pass that limit; a limit on the other side of 1 gives 1. It is for ratios
    of rates: an odds ratio of a common outcome must not be passed.
    """
    r = np.asarray(ratio, dtype=float)
    r = np.where(r < 1, 1 / r, r)
    return np.asarray(r + np.sqrt(r * (r - 1)))


def e_value_of_limit(low: ArrayLike, high: ArrayLike) -> Floats:
    """The E-value of the limit nearer to 1; 1 where the interval holds 1, because nothing has to be explained."""
    a, b = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    nearer = np.where(a > 1, a, np.where(b < 1, b, 1.0))
    return e_value(nearer)


@dataclass(frozen=True, kw_only=True)
class Omitted:
    """A linear estimate if an omitted factor explained these shares of what is left of group and outcome."""

    estimate: Floats
    standard_error: Floats
    t: Floats


@dataclass(frozen=True, kw_only=True)
class Strength:
    """A linear gap, and how much a recorded fact explains of what the others leave of group and of outcome."""

    estimate: float
    standard_error: float
    degrees_of_freedom: float
    of_group: float
    of_outcome: float


def linear_strength(
    events: ArrayLike, cases: ArrayLike, in_group: ArrayLike, *, others: ArrayLike, benchmark: ArrayLike
) -> Strength:
    """The linear gap from cells with all facts equal, and the partial R squared of `benchmark` (one fact's columns).

    With the group given the other facts, and with the outcome given those and the group: what `as_strong_as` takes.
    """
    k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
    group = np.asarray(in_group, dtype=float)
    rest, fact = np.asarray(others, dtype=float), np.asarray(benchmark, dtype=float)
    full = least_squares(n, k, k, np.column_stack([group, rest, fact]))
    without = least_squares(n, k, k, np.column_stack([group, rest]))
    of_group, of_group_without = (
        least_squares(n, n * group, n * group, x).residual_sum for x in (np.column_stack([rest, fact]), rest)
    )
    return Strength(
        estimate=float(full.coefficients[1]),
        standard_error=float(np.sqrt(full.covariance[1, 1])),
        degrees_of_freedom=full.degrees_of_freedom,
        of_group=_explained(of_group, of_group_without),
        of_outcome=_explained(full.residual_sum, without.residual_sum),
    )


def _explained(residual_sum: float, without: float) -> float:
    """The share of what was left that a fact explains; NaN where nothing was left, as when every case ended alike."""
    return 1 - residual_sum / without if without > 0 else float("nan")


def partial_share(t_value: ArrayLike, degrees_of_freedom: ArrayLike) -> Floats:
    """Partial R squared of one coefficient, from its t value."""
    t2 = np.square(np.asarray(t_value, dtype=float))
    return np.asarray(t2 / (t2 + np.asarray(degrees_of_freedom, dtype=float)))


def robustness_value(t_value: ArrayLike, degrees_of_freedom: ArrayLike, *, significance: float | None = None) -> Floats:
    """Cinelli and Hazlett 2020: the share of group and of outcome alike that an omitted factor must explain for the
    estimate to be nothing, or (with `significance`) to be no longer distinguishable from nothing.
    """
    t_abs, df = np.abs(np.asarray(t_value, dtype=float)), np.asarray(degrees_of_freedom, dtype=float)
    f = t_abs / np.sqrt(df)
    if significance is not None:
        f = np.maximum(f - student.isf(significance / 2, df - 1) / np.sqrt(df - 1), 0)
    return np.asarray((np.sqrt(f**4 + 4 * f**2) - f**2) / 2)


def omitted(
    estimate: float, standard_error: float, degrees_of_freedom: float, *, of_group: ArrayLike, of_outcome: ArrayLike
) -> Omitted:
    """The estimate, nearer to nothing, if an omitted factor explained these shares (Cinelli and Hazlett 2020)."""
    r2d, r2y = np.asarray(of_group, dtype=float), np.asarray(of_outcome, dtype=float)
    bias = standard_error * np.sqrt(degrees_of_freedom) * np.sqrt(r2y * r2d / (1 - r2d))
    adjusted = np.sign(estimate) * (abs(estimate) - bias)
    spread = standard_error * np.sqrt((1 - r2y) / (1 - r2d)) * np.sqrt(degrees_of_freedom / (degrees_of_freedom - 1))
    return Omitted(estimate=adjusted, standard_error=spread, t=adjusted / spread)


def as_strong_as(
    benchmark_of_group: float, benchmark_of_outcome: float, *, times: ArrayLike = 1.0
) -> tuple[Floats, Floats]:
    """The shares of a factor `times` as strong as a recorded one, whose own partial R squared with the group (given
    the other factors) and with the outcome (given those and the group) are passed.

    NaN where a factor that strong is impossible.
    """
    k = np.asarray(times, dtype=float)
    of_group = k * benchmark_of_group / (1 - benchmark_of_group)
    between = k * benchmark_of_group**2 / ((1 - k * benchmark_of_group) * (1 - benchmark_of_group))
    with np.errstate(invalid="ignore"):
        factor = (np.sqrt(k) + np.sqrt(between)) / np.sqrt(1 - between)
    of_outcome = factor**2 * benchmark_of_outcome / (1 - benchmark_of_outcome)
    possible = (of_group < 1) & (of_outcome <= 1)
    return np.where(possible, of_group, np.nan), np.where(possible, of_outcome, np.nan)

"""Slow second implementations, written apart from the program: brute-force maximisation, enumeration, loops.

They share no code with `pipeline.stats`; where the two agree, an error would have to have been made twice. Where a
package computes the same, the tests ask that package (statsmodels, marginaleffects, `test_second_implementations.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binom, norm

Z = float(norm.ppf(0.975))


def digits(value: float, printed: str) -> bool:
    """Whether a value, rounded to the digits printed, is what was printed."""
    decimals = len(printed.partition(".")[2])
    return abs(round(float(value), decimals) - float(printed)) < 0.5 * 10.0 ** -(decimals + 2)


def log_likelihood(k: int, n: int, p: float) -> float:
    return float(binom.logpmf(k, n, min(max(p, 0.0), 1.0)))


def score_difference_limits(k1: int, n1: int, k0: int, n0: int, *, inflate: bool) -> tuple[float, float]:
    """Limits of a difference by maximising the likelihood of p0 numerically at every difference tried."""
    factor = (n1 + n0) / (n1 + n0 - 1) if inflate else 1.0

    def score(delta: float) -> float:
        low, high = max(0.0, -delta), min(1.0, 1.0 - delta)
        best = minimize_scalar(
            lambda p: -log_likelihood(k1, n1, p + delta) - log_likelihood(k0, n0, p),
            bounds=(low, high), method="bounded", options={"xatol": 1e-13},
        )  # fmt: skip
        p0 = float(best.x)
        p1 = p0 + delta
        spread = np.sqrt(max(factor * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0), 1e-300))
        return float((k1 / n1 - k0 / n0 - delta) / spread)

    return _cross(score, Z, -0.999999, 0.999999, -1.0), _cross(score, -Z, -0.999999, 0.999999, 1.0)


def score_ratio_limits(k1: int, n1: int, k0: int, n0: int, *, inflate: bool) -> tuple[float, float]:
    """Limits of a ratio in the same way; both counts must be positive."""
    factor = (n1 + n0) / (n1 + n0 - 1) if inflate else 1.0

    def score(log_ratio: float) -> float:
        ratio = float(np.exp(log_ratio))
        best = minimize_scalar(
            lambda p: -log_likelihood(k1, n1, ratio * p) - log_likelihood(k0, n0, p),
            bounds=(1e-12, min(1.0, 1.0 / ratio) - 1e-12), method="bounded", options={"xatol": 1e-14},
        )  # fmt: skip
        p0 = float(best.x)
        p1 = ratio * p0
        return float(
            (k1 / n1 - ratio * k0 / n0) / np.sqrt(factor * (p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0))
        )

    return float(np.exp(_cross(score, Z, -12, 12, -12))), float(np.exp(_cross(score, -Z, -12, 12, 12)))


def _cross(score: Callable[[float], float], target: float, low: float, high: float, otherwise: float) -> float:
    if (score(low) - target) * (score(high) - target) > 0:
        return otherwise
    return float(brentq(lambda x: score(x) - target, low, high, xtol=1e-10))


def coverage(
    limits: Callable[[NDArray[np.int64], int], tuple[NDArray[np.float64], NDArray[np.float64]]],
    cases: int,
    rates: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The exact chance, at each true rate, that an interval holds it: every possible outcome is enumerated."""
    events = np.arange(cases + 1)
    low, high = limits(events, cases)
    inside = (low[:, None] <= rates) & (rates <= high[:, None])
    covered: NDArray[np.float64] = (binom.pmf(events[:, None], cases, rates) * inside).sum(axis=0)
    return covered


def every_assignment(unknown: Iterable[float]) -> Iterable[tuple[list[float], list[float]]]:
    """All ways to share out the unknown between the group and the others."""
    people = list(unknown)
    for joins in itertools.product([True, False], repeat=len(people)):
        yield (
            [p for p, j in zip(people, joins, strict=True) if j],
            [p for p, j in zip(people, joins, strict=True) if not j],
        )

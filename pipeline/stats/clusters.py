"""Cases that hang together, of one prosecutor or of one person: as if independent, intervals cover too little.

How much too little is in `tests/calibration.md`: 88 % instead of 95 % for forty prosecutors who differ moderately.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from pipeline.stats.intervals import Floats, Interval

#: Fewer clusters than this allow no honest interval.
FEWEST_CLUSTERS = 10


@dataclass(frozen=True, kw_only=True)
class Clustered:
    """An estimate with limits that allow for cases of one prosecutor, or one person, being alike."""

    estimate: float
    error: float
    limits: Interval
    clusters: int


def jackknife(
    statistic: Callable[[NDArray[np.bool_]], float],
    clusters: Sequence[ArrayLike],
    *,
    confidence: float = 0.95,
) -> Clustered:
    """Delete one cluster at a time (CRV3), with t limits on clusters less one; NaN limits below ten clusters.

    `statistic` takes which cells to keep and returns the estimate; `clusters` holds one array of labels, or two where
    cases hang together in two ways (person and prosecutor): then the variances of both add up less that of their
    combinations, and the smaller number of clusters counts.
    """
    labels = [np.unique(np.asarray(c), return_inverse=True)[1] for c in clusters]
    everything = np.full(labels[0].shape, True)
    estimate = statistic(everything)

    def variance(ids: NDArray[np.intp]) -> float:
        left_out = np.array([statistic(ids != g) for g in range(int(ids.max()) + 1)])
        return float((left_out.size - 1) / left_out.size * np.square(left_out - estimate).sum())

    fewest = min(int(ids.max()) + 1 for ids in labels)
    parts = [variance(ids) for ids in labels]
    if len(labels) == 2:
        crossed = np.unique(labels[0] * (labels[1].max() + 1) + labels[1], return_inverse=True)[1]
        # A difference of variances may come out too small; either single one is then the safer.
        total = max(parts[0] + parts[1] - variance(crossed), *parts)
    else:
        total = parts[0]
    error = float(np.sqrt(total))
    reach = float(student.isf((1 - confidence) / 2, fewest - 1)) * error if fewest >= FEWEST_CLUSTERS else np.nan
    return Clustered(
        estimate=estimate,
        error=error if fewest >= FEWEST_CLUSTERS else np.nan,
        limits=Interval(low=np.asarray(estimate - reach), high=np.asarray(estimate + reach)),
        clusters=fewest,
    )


@dataclass(frozen=True, kw_only=True)
class Side:
    """Events k and cases n of one group, summed over its persons: of themselves, and of kk, kn and nn. Arrays."""

    events: ArrayLike
    cases: ArrayLike
    persons: ArrayLike
    events_squared: ArrayLike
    events_times_cases: ArrayLike
    cases_squared: ArrayLike


def clustered_p_value(group: Side, reference: Side) -> Floats:
    """Two-sided p of no difference of two rates whose cases hang together by person: the generalised score test.

    The variance at the common rate p is the sum over persons of (k - pn)^2 (Boos 1992, The American Statistician 46(4);
    Rao and Scott 1992, Biometrics 48(2)), times m/(m - 1), and never less than if all cases were independent; t on the
    smaller number of persons less one. NaN with fewer than ten persons on a side. All arguments broadcast.
    """
    g, r = ({name: np.asarray(value, dtype=float) for name, value in vars(side).items()} for side in (group, reference))
    with np.errstate(invalid="ignore", divide="ignore"):
        common = (g["events"] + r["events"]) / (g["cases"] + r["cases"])
        variance = _score_variance(g, common) + _score_variance(r, common)
        gap = g["events"] / g["cases"] - r["events"] / r["cases"]
        t = np.where(variance > 0, gap / np.sqrt(variance), 0.0)
    fewest = np.minimum(g["persons"], r["persons"])
    return np.where(fewest >= FEWEST_CLUSTERS, 2 * student.sf(np.abs(t), np.maximum(fewest - 1, 1)), np.nan)


def _score_variance(side: Mapping[str, NDArray[np.float64]], common: NDArray[np.float64]) -> NDArray[np.float64]:
    """The variance of one side's rate if its true value were the common one."""
    n, m = side["cases"], side["persons"]
    squares = side["events_squared"] - 2 * common * side["events_times_cases"] + common**2 * side["cases_squared"]
    return np.asarray(np.maximum(squares * m / (m - 1), common * (1 - common) * n) / n**2)

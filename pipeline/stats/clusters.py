"""Cases that hang together, of one prosecutor or of one person: as if independent, intervals cover too little.

How much too little is in `tests/calibration.md`: 88 % instead of 95 % for forty prosecutors who differ moderately.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from pipeline.stats.intervals import Floats, Interval

#: Fewer clusters than this allow no honest interval.
FEWEST_CLUSTERS = 10


@dataclass(frozen=True, kw_only=True)
class Belonging:
    """Whose the cases of some cells are: one place a cell, person and decider, with its events and cases.

    Cells, persons and deciders are numbered from 0. Who is not on file as decider is one of them.
    """

    cell: NDArray[np.intp]
    person: NDArray[np.intp]
    decider: NDArray[np.intp]
    events: Floats
    cases: Floats

    @cached_property
    def crossed(self) -> NDArray[np.intp]:
        """The number of each person before each decider."""
        together = self.person * (self.decider.max() + 1) + self.decider
        return np.asarray(np.unique(together, return_inverse=True)[1])

    def of(self, values: Floats, cells: int) -> Floats:
        """Sums of a value a place, by decider and cell; shape (deciders, cells)."""
        deciders = int(self.decider.max()) + 1
        sums = np.bincount(self.decider * cells + self.cell, values, minlength=deciders * cells)
        return np.asarray(sums.reshape(deciders, cells))

    def fewest(self, *sides: NDArray[np.bool_]) -> tuple[float, float]:
        """Of the sides (which cells are theirs), the smallest number of persons, and of deciders; NaN for below ten."""
        places = [side[self.cell] for side in sides]
        persons, deciders = (min(how_many(ids[at]) for at in places) for ids in (self.person, self.decider))
        return float(persons), float(deciders) if deciders >= FEWEST_CLUSTERS else float("nan")


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A fitted model of cells, as clusters need it: design with the constant, coefficients, and by cell the fitted mean
    of a case and what a case adds to the information (for a logit p (1 - p), for least squares 1).
    """

    design: Floats
    coefficients: Floats
    mean: Floats
    curvature: Floats

    def information(self, cases: Floats) -> Floats:
        """Of counts of shape (..., cells), the information matrices; shape (..., columns, columns)."""
        columns = self.design.shape[1]
        crossed = (self.design[:, :, None] * self.design[:, None, :]).reshape(len(self.design), -1)
        return np.asarray((cases * self.curvature) @ crossed).reshape(*cases.shape[:-1], columns, columns)

    def without_each_decider(self, whose: Belonging) -> Floats:
        """The coefficients with each decider left out, by one step from those of all: the linearised jackknife CV3L of
        MacKinnon, Nielsen and Webb (arXiv 2406.00650). Exact for least squares. Shape (deciders, columns).
        """
        cells = len(self.design)
        k, n = whose.of(whose.events, cells), whose.of(whose.cases, cells)
        own = self.information(n)
        left = np.linalg.pinv(own.sum(axis=0) - own, hermitian=True)
        return np.asarray(self.coefficients - np.einsum("uij,uj->ui", left, (k - n * self.mean) @ self.design))


def joint_variance(
    independent: float, whose: Belonging, influence: Floats, left_out: ArrayLike | None, estimate: float
) -> float:
    """The variance by person, and, with the estimates without each decider, two-way; never less than any alone.

    `influence` is what each place of `whose` adds to the estimate. Both ways add up less that of their combinations
    (Cameron, Gelbach and Miller 2011, Journal of Business & Economic Statistics 29(2)).
    """
    by_person = summed_variance(whose.person, influence)
    if left_out is None:
        return max(independent, by_person)
    by_decider = left_out_variance(left_out, estimate)
    both = by_person + by_decider - summed_variance(whose.crossed, influence)
    return max(independent, by_person, by_decider, both)


def how_many(numbers: NDArray[np.intp]) -> int:
    """How many different ones there are among numbers from 0."""
    return int(np.count_nonzero(np.bincount(numbers)))


def summed_variance(cluster: NDArray[np.intp], influence: Floats) -> float:
    """The variance of an estimate from what each part adds to it, the parts of one cluster added up (CRV1)."""
    sums = np.bincount(cluster, influence)
    found = how_many(cluster)
    return float(found / (found - 1) * np.square(sums).sum()) if found > 1 else float("nan")


def left_out_variance(left_out: ArrayLike, estimate: float) -> float:
    """The variance of an estimate from its values with each cluster left out in turn (CRV3)."""
    values = np.asarray(left_out, dtype=float)
    return float((values.size - 1) / values.size * np.square(values - estimate).sum())


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
        return left_out_variance([statistic(ids != g) for g in range(int(ids.max()) + 1)], estimate)

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

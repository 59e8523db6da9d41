"""Change over time: at a date, beside a comparison series, and whether the youngest cases had the time to show it.

With some twenty quarters no regression on time gives an honest p-value (measured: 15 to 30 % false alarms for 5 %),
so none is given below forty points; above, the date of change is permuted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from pipeline.stats.intervals import proportion, rate_variance

#: No p-value of a change with fewer points in time.
FEWEST_POINTS = 40


@dataclass(frozen=True, kw_only=True)
class Change:
    """By how much the rate changed at a date, less the change of the comparison series.

    `p_value` is the share of all dates with as large a change; NaN below forty points.
    """

    change: float
    p_value: float
    points: int


def alike_before(
    events: ArrayLike, cases: ArrayLike, comparison_events: ArrayLike, comparison_cases: ArrayLike, *, changed_at: int
) -> float:
    """How likely gaps between two series at least this uneven are before the change, had they moved alike: a p-value.

    Cochran's Q of the gaps at all points before `changed_at`, each weighed by its variance. Where it is small, the
    comparison series is no comparison. NaN with fewer than four points that have cases on both sides.
    """
    k1, n1, k0, n0 = (
        np.asarray(c, dtype=float)[:changed_at] for c in (events, cases, comparison_events, comparison_cases)
    )
    gap = proportion(k1, n1) - proportion(k0, n0)
    weight = 1 / (rate_variance(k1, n1) + rate_variance(k0, n0))
    known = np.isfinite(gap) & np.isfinite(weight)
    if known.sum() < 4:
        return float("nan")
    gap, weight = gap[known], weight[known]
    uneven = float((weight * (gap - np.average(gap, weights=weight)) ** 2).sum())
    return float(chi2.sf(uneven, known.sum() - 1))


def change_at(rates: ArrayLike, *, changed_at: int, comparison: ArrayLike | None = None, window: int = 6) -> Change:
    """Mean of the `window` points from the change on less the mean of as many before, set against all other dates.

    Windows of one length make all dates alike: a change near an end is no easier to come by than one in the middle,
    and a steady rise looks the same everywhere and so is no change. Dates whose windows reach beyond the series, or
    hold a point that is not known (NaN), are left out; ValueError if the windows of the change reach beyond it. NaN if
    they hold such a point.
    """
    series = np.asarray(rates, dtype=float)
    if comparison is not None:
        series = series - np.asarray(comparison, dtype=float)
    dates = np.arange(window, series.size - window + 1)
    if changed_at not in dates:
        raise ValueError(f"the change at point {changed_at} has fewer than {window} points on a side")
    steps = np.array([series[d : d + window].mean() - series[d - window : d].mean() for d in dates])
    change, known = float(steps[changed_at - window]), steps[np.isfinite(steps)]
    points = int(np.isfinite(series).sum())
    tells = points >= FEWEST_POINTS and np.isfinite(change)
    p_value = float((np.abs(known) >= abs(change) - 1e-12).mean()) if tells else float("nan")
    return Change(change=change, p_value=p_value, points=points)


@dataclass(frozen=True, kw_only=True)
class Saturated:
    """From which point on every case has the outcome, how many those are, the rate before, and the chance of it."""

    first: int | None
    cases: int
    rate_before: float
    chance: float


def saturated_from(events: ArrayLike, cases: ArrayLike, *, chance: float = 1e-6) -> Saturated:
    """Finds cohorts at the end (or all) of whom have the outcome: a sign that the others were dropped as too young.

    Counts by date of entry, in time order. Flags the longest run at the end with a rate of exactly 1 if that run would
    be less likely than `chance` at the rate of the cohorts before it. In ProPublica's two-year file 998 people screened
    after 1 April 2014 are all recidivists, because those who were not had no two years to show it.
    """
    k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
    everybody = k == n
    run = int(np.argmin(everybody[::-1])) if not everybody.all() else 0
    first = k.size - run
    tail = int(n[first:].sum())
    before = float(proportion(k[:first].sum(), n[:first].sum()))
    likelihood = before**tail if tail else 1.0
    flagged = tail > 0 and likelihood < chance
    return Saturated(
        first=first if flagged else None, cases=tail if flagged else 0, rate_before=before, chance=likelihood
    )

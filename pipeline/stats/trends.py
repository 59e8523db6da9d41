"""Change over time: a fixed mix, a date of change, and whether the youngest cases had the time to reach a stage.

With some twenty quarters no regression on time gives an honest p-value (measured: 15 to 30 % false alarms for 5 %),
so none is given below forty points; above, the date of change is permuted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.stats.intervals import Floats, Interval, proportion, rate_variance, ratio_of, z_value

#: No p-value of a change with fewer points in time.
FEWEST_POINTS = 40


@dataclass(frozen=True, kw_only=True)
class Series:
    """A rate at each point in time, shape (T,), and its limits."""

    rate: Floats
    limits: Interval


@dataclass(frozen=True, kw_only=True)
class Change:
    """By how much the rate changed at a date, less the change of the comparison series.

    `p_value` is the share of all dates with as large a change; NaN below forty points.
    """

    change: float
    p_value: float
    points: int


def at_fixed_mix(events: ArrayLike, cases: ArrayLike, mix: ArrayLike, *, confidence: float = 0.95) -> Series:
    """Rates over time as they would be if every point had the same mix of strata; arrays of shape (T, strata).

    NaN where a stratum of the mix has no case at that time: nothing is known of it then.
    """
    k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
    share = ratio_of(mix, np.sum(mix))
    counted = share > 0
    rates = proportion(k, n)[:, counted]
    rate = rates @ share[counted]
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = z_value(confidence) * np.sqrt(((share**2)[counted] * rates * (1 - rates) / n[:, counted]).sum(axis=1))
    return Series(rate=rate, limits=Interval(low=np.maximum(rate - reach, 0), high=np.minimum(rate + reach, 1)))


def event_study(
    events: ArrayLike,
    cases: ArrayLike,
    comparison_events: ArrayLike,
    comparison_cases: ArrayLike,
    *,
    changed_at: int,
    confidence: float = 0.95,
) -> Series:
    """At each point: rate less comparison rate, less the same at the last point before the change (index changed_at).

    Before the change the series should hover about 0; if it does not, the comparison series is no comparison.
    """
    k1, n1, k0, n0 = (np.asarray(c, dtype=float) for c in (events, cases, comparison_events, comparison_cases))
    gap = proportion(k1, n1) - proportion(k0, n0)
    variance = rate_variance(k1, n1) + rate_variance(k0, n0)
    base = changed_at - 1
    total = variance + variance[base]
    total[base] = 0.0
    reach = z_value(confidence) * np.sqrt(total)
    relative = gap - gap[base]
    return Series(rate=relative, limits=Interval(low=relative - reach, high=relative + reach))


def change_at(rates: ArrayLike, *, changed_at: int, comparison: ArrayLike | None = None, window: int = 6) -> Change:
    """Mean of the `window` points from the change on less the mean of as many before, set against all other dates.

    Windows of one length make all dates alike: a change near an end is no easier to come by than one in the middle,
    and a steady rise looks the same everywhere and so is no change. Dates whose windows reach beyond the series are
    left out; ValueError if that is so of the change itself.
    """
    series = np.asarray(rates, dtype=float)
    if comparison is not None:
        series = series - np.asarray(comparison, dtype=float)
    dates = np.arange(window, series.size - window + 1)
    if changed_at not in dates:
        raise ValueError(f"the change at point {changed_at} has fewer than {window} points on a side")
    steps = np.array([series[d : d + window].mean() - series[d - window : d].mean() for d in dates])
    change = float(steps[changed_at - window])
    p_value = float((np.abs(steps) >= abs(change) - 1e-12).mean()) if series.size >= FEWEST_POINTS else float("nan")
    return Change(change=change, p_value=p_value, points=series.size)


def too_young(start_day: ArrayLike, *, window_days: int, as_of_day: int) -> NDArray[np.bool_]:
    """Whose window had not run out on the day of the export: days as whole numbers, as `date.toordinal` gives them.

    Such cases cannot be counted as not having reached the stage: they belong into neither numerator nor denominator.
    """
    return np.asarray(np.asarray(start_day) + window_days > as_of_day)


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

"""Does an audit tell the truth about a world of which everything is known? And does a wrong audit get caught?

`failures` runs the audit `Methods` on many samples of the world and names each promise that is not kept. A promise is
kept if the share of samples in which it held lies within four Monte-Carlo standard errors of what was promised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pipeline.findings import CLEAR, judge
from pipeline.measures import MINIMUM_CASES, WIDEST_INTERVAL
from pipeline.stats import adjusted, bounds, clusters, intervals, multiplicity
from pipeline.stats.intervals import Floats, Interval
from tests.known_world import (
    CITIZENSHIP,
    DETAINED,
    DIVERTED,
    FACTS,
    ICE,
    MISSING,
    RACE,
    World,
    together,
    two_groups,
)

Counts = NDArray[np.int64]
RateLimits = Callable[[ArrayLike, ArrayLike], Interval]
GapLimits = Callable[[ArrayLike, ArrayLike, ArrayLike, ArrayLike], Interval]
Four = tuple[Counts, Counts, Counts, Counts]


def as_counted(four: Four) -> Four:
    return four


def every_stratum(facts: Counts) -> NDArray[np.bool_]:
    """Which strata to keep; `facts` has one row a stratum and one column a fact."""
    return np.full(facts.shape[0], True)


@dataclass(frozen=True, kw_only=True)
class Methods:
    """What an audit does, one piece at a time, so that a test can break one piece."""

    rate_limits: RateLimits = intervals.wilson
    gap_limits: GapLimits = intervals.newcombe
    ratio_limits: GapLimits = intervals.koopman
    count: Callable[[Four], Four] = as_counted
    facts: tuple[int, ...] = FACTS
    keep_stratum: Callable[[Counts], NDArray[np.bool_]] = every_stratum
    unknown_are_citizens: bool = False


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One promise: how often or how far, the Monte-Carlo error, whether it was kept."""

    promise: str
    found: float
    promised: float
    error: float

    @property
    def kept(self) -> bool:
        return abs(self.found - self.promised) <= 4 * self.error


def covered(promise: str, limits: Interval, truth: float, *, promised: float = 0.95) -> Finding:
    """How often an interval held the truth; samples in which it could not be computed do not count."""
    known = np.isfinite(limits.low)
    if not known.any():
        return Finding(promise=promise, found=0.0, promised=promised, error=0.0)
    share = float(((limits.low[known] <= truth) & (truth <= limits.high[known])).mean())
    error = float(np.sqrt(promised * (1 - promised) / known.sum()))
    return Finding(promise=promise, found=share, promised=promised, error=error)


def unbiased(promise: str, estimates: Floats, truth: float) -> Finding:
    known = estimates[np.isfinite(estimates)]
    error = float(known.std(ddof=1) / np.sqrt(known.size))
    return Finding(promise=promise, found=float(known.mean()), promised=truth, error=error)


def check_rates(methods: Methods, world: World, *, cases: int, times: int, seed: int) -> list[Finding]:
    """Intervals of a rare rate (contact with ICE), of a gap and of a ratio (detention)."""
    counts = world.sample(cases, times=times, seed=seed)
    k1, n1, k0, n0 = methods.count(two_groups(counts, DETAINED))
    ice = methods.count(two_groups(counts, ICE))
    return [
        covered("rare rate", methods.rate_limits(ice[2], ice[3]), world.rate(ICE, 0)),
        covered("rate", methods.rate_limits(k1, n1), world.rate(DETAINED, 1)),
        covered("gap", methods.gap_limits(k1, n1, k0, n0), world.gap(DETAINED)),
        covered("ratio", methods.ratio_limits(k1, n1, k0, n0), world.rate(DETAINED, 1) / world.rate(DETAINED, 0)),
    ]


def check_standardised(methods: Methods, world: World, *, cases: int, times: int, seed: int) -> list[Finding]:
    """The standardised gap in diversion: bias and coverage of g-computation."""
    counts = world.sample(cases, times=times, seed=seed)
    levels = np.indices([world.table.shape[a] for a in methods.facts]).reshape(len(methods.facts), -1)
    keep = methods.keep_stratum(levels.T)
    four = [c[:, keep] for c in methods.count(two_groups(counts, DIVERTED, facts=methods.facts))]
    levels = levels[:, keep]
    in_group = np.repeat([True, False], levels.shape[1])
    both = np.concatenate([levels, levels], axis=1)
    found = []
    for k1, n1, k0, n0 in zip(*four, strict=True):
        events, of = np.concatenate([k1, k0]), np.concatenate([n1, n0])
        there = of > 0
        gap = adjusted.gap_with_facts_equal(events[there], of[there], in_group[there], *(f[there] for f in both))
        found.append((gap.difference, gap.difference_low, gap.difference_high))
    estimate, low, high = np.array(found).T
    truth = world.standardised(DIVERTED)
    return [
        unbiased("standardised gap", estimate, float(truth[0] - truth[1])),
        covered("standardised gap interval", Interval(low=low, high=high), float(truth[0] - truth[1])),
    ]


def check_bounds(methods: Methods, world: World, *, cases: int, times: int, seed: int) -> list[Finding]:
    """The worst-case bounds hold the gap that complete records would have shown: in every sample, not in 95 %."""
    counts = world.sample(cases, times=times, seed=seed)
    complete = intervals.difference(*two_groups(counts, DETAINED))
    joint = together(counts, CITIZENSHIP, MISSING, DETAINED, leading=1).astype(np.int64)
    known, unknown = joint[:, :, 0], joint[:, :, 1].sum(axis=1)
    events, cases_known = known[..., 1], known.sum(axis=-1)
    unknown_events, unknown_cases = unknown[:, 1], unknown.sum(axis=-1)
    if methods.unknown_are_citizens:
        events = events + np.stack([unknown_events, 0 * unknown_events], axis=1)
        cases_known = cases_known + np.stack([unknown_cases, 0 * unknown_cases], axis=1)
        unknown_events, unknown_cases = 0 * unknown_events, 0 * unknown_cases
    four = methods.count((events[:, 1], cases_known[:, 1], events[:, 0], cases_known[:, 0]))
    worst = bounds.gap_bounds(*four, unknown_events, unknown_cases)
    share = float(((worst.low <= complete + 1e-12) & (complete <= worst.high + 1e-12)).mean())
    return [Finding(promise="bounds", found=share, promised=1.0, error=0.0)]


def check_false_discovery(world: World, *, real: float, times: int, seed: int, cases: int = 12_000) -> dict[str, float]:
    """Sixty comparisons a time; `real` of them with a true gap of 9 points. Shares over `times` repetitions.

    `any_false`: at least one false flag; `false_share`: of the flags, on average. By p alone, by q alone, and by the
    audit's own rule (`findings.judge`), which asks for a reliable number and a least width as well.
    """
    rng = np.random.default_rng(seed)
    share = together(world.table, RACE)
    n1 = np.maximum(np.round(cases * np.tile(share, 10) / 10), 5).astype(int)
    n0 = np.full(60, cases // 12)
    is_real = np.arange(60) < round(60 * real)
    base = 0.30
    k1 = rng.binomial(n1, np.where(is_real, base + 0.09, base), size=(times, 60))
    k0 = rng.binomial(n0, base, size=(times, 60))
    p = intervals.score_p_value(k1, n1, k0, n0)
    q = np.array([multiplicity.false_discovery(row) for row in p])
    result = {}
    by_person = clusters.clustered_p_value(every_case_a_person(k1, n1), every_case_a_person(k0, n0))
    clear = np.array([judged_clear(k1[i], n1, k0[i], n0, by_person[i]) for i in range(times)])
    for name, flags in (("none", p < 0.05), ("bh", q < 0.05), ("rule", clear)):
        false = (flags & ~is_real).sum(axis=1)
        result[f"any_false_{name}"] = float((false > 0).mean())
        result[f"false_share_{name}"] = float((false / np.maximum(flags.sum(axis=1), 1)).mean())
        result[f"power_{name}"] = float(flags[:, is_real].mean()) if is_real.any() else float("nan")
    return result


def every_case_a_person(events: Counts, cases: Counts) -> clusters.Side:
    return clusters.Side(
        events=events, cases=cases, persons=cases, events_squared=events, events_times_cases=events, cases_squared=cases
    )


def judged_clear(k1: Counts, n1: Counts, k0: Counts, n0: Counts, p: Floats) -> NDArray[np.bool_]:
    """What the audit's rule calls clear among sixty gaps that were counted together."""
    limits = intervals.newcombe(k1, n1, k0, n0)
    few = (n1 < MINIMUM_CASES) | (limits.high - limits.low > WIDEST_INTERVAL)
    rows = pd.DataFrame(
        {
            "measure_id": "M", "mart": "charging", "contrast": "race", "race": "black", "stratum": "all", "period": "all",
            "difference_method": "newcombe", "status": np.where(few, "unreliable", "ok"), "p_value": p,
            "difference": k1 / n1 - k0 / n0, "denominator": n1, "reference_denominator": n0, "reference_estimate": k0 / n0,
        }
    )  # fmt: skip
    return (judge(rows)["verdict"] == CLEAR).to_numpy()


def failures(methods: Methods, world: World, *, cases: int = 2000, times: int = 500, seed: int = 20240607) -> set[str]:
    """The promises that an audit with these methods breaks."""
    found = [
        *check_rates(methods, world, cases=cases, times=times, seed=seed),
        *check_standardised(methods, world, cases=cases, times=times, seed=seed),
        *check_bounds(methods, world, cases=cases, times=times, seed=seed),
    ]
    return {f.promise for f in found if not f.kept}

"""The long calibration: 2,000 samples of the known world, written to `tests/calibration.md`.

    python -m tests.calibrate

Takes some minutes. The same seed gives the same report, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.stats import adjusted, bounds, clusters, histograms, intervals, strata, trends, units
from pipeline.stats.intervals import Floats, Interval
from tests.harness import check_false_discovery, covered
from tests.known_world import CITIZENSHIP, DETAINED, DIVERTED, FACTS, MISSING, World, together, two_groups
from tests.test_stats_clusters import FACT, GROUP, cells_of, drawn

SEED = 20240607
TIMES = 2_000
REPORT = Path(__file__).parent / "calibration.md"
WORLD = World()


def main() -> None:
    REPORT.write_text("\n".join(report()) + "\n", encoding="utf-8")
    print(REPORT.read_text(encoding="utf-8"))


def report() -> Iterator[str]:
    band, four = (times * np.sqrt(0.05 * 0.95 / TIMES) for times in (1.959964, 4))
    yield "# Calibration"
    yield ""
    yield (
        f"Written by `python -m tests.calibrate`: {TIMES:,} samples of the world in `tests/known_world.py`, seed {SEED}. "
        f"A method that covers 95 % shows between {0.95 - band:.3f} and {0.95 + band:.3f} here in 95 of 100 such tables. "
        f"**Bold** is what keeps no promise: below {0.95 - four:.4f} or above {0.95 + four:.4f} (four Monte-Carlo errors), "
        "or, where exactly 95 % cannot be had (Clopper-Pearson, whole days), below alone; false alarms above 5 %."
    )
    yield ""
    yield from intervals_table()
    yield from unknown_table()
    yield from discovery_table()
    yield from times_table()
    yield from clusters_table()
    yield from adjusted_table()
    yield from trends_table()


def table(title: str, head: list[str], rows: list[list[str]], note: str = "") -> Iterator[str]:
    yield f"## {title}"
    yield ""
    if note:
        yield from (note, "")
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def share(value: float) -> str:
    return f"{value:.4f}"


def coverage(limits: Interval, truth: float, *, at_least: bool = False) -> str:
    """How often the interval held the truth; bold where that is not what it promises."""
    found = covered("", limits, truth)
    kept = found.kept or (at_least and found.found > found.promised)
    return share(found.found) if kept else f"**{share(found.found)}**"


def alarms(value: float) -> str:
    return share(value) if value <= 0.05 else f"**{share(value)}**"


def wald(events: Floats, cases: Floats) -> Interval:
    rate = intervals.proportion(events, cases)
    reach = intervals.z_value(0.95) * np.sqrt(rate * (1 - rate) / np.maximum(cases, 1))
    return Interval(low=rate - reach, high=rate + reach)


def intervals_table() -> Iterator[str]:
    """Coverage of everything about the gap in diversion, by number of cases (15 % of them noncitizens)."""
    truth = WORLD.standardised(DIVERTED)
    gap, p1, p0 = WORLD.gap(DIVERTED), WORLD.rate(DIVERTED, 1), WORLD.rate(DIVERTED, 0)
    common = mantel_haenszel_truth()
    rows = []
    for cases in (150, 400, 2_000, 20_000):
        counts = WORLD.sample(cases, times=TIMES, seed=SEED)
        four = two_groups(counts, DIVERTED)
        by_facts = two_groups(counts, DIVERTED, facts=FACTS)
        mh = strata.mantel_haenszel(*by_facts).difference_limits
        model = g_computation(by_facts)
        rows.append(
            [
                f"{cases:,}",
                coverage(intervals.wilson(*four[:2]), p1),
                coverage(intervals.clopper_pearson(*four[:2]), p1, at_least=True),
                share(covered("", wald(*(np.asarray(c, dtype=float) for c in four[:2])), p1).found),
                coverage(intervals.newcombe(*four), gap),
                coverage(intervals.miettinen_nurminen(*four), gap),
                coverage(intervals.katz(*four), p1 / p0),
                coverage(intervals.koopman(*four), p1 / p0),
                coverage(mh, common),
                coverage(Interval(low=model[:, 1], high=model[:, 2]), float(truth[0] - truth[1])),
                coverage(Interval(low=model[:, 4], high=model[:, 5]), float(truth[0] / truth[1])),
                share(covered("", intervals.newcombe(*four), float(truth[0] - truth[1])).found),
                f"{np.nanmean(model[:, 0]) - (truth[0] - truth[1]):+.5f}",
                f"{np.isfinite(model[:, 0]).mean():.3f}",
            ]
        )
    yield from table(
        "Intervals",
        [
            *("cases", "Wilson", "Clopper-Pearson", "(Wald)", "Newcombe", "Miettinen-Nurminen", "Katz", "Koopman"),
            *("Mantel-Haenszel", "g-computation", "its ratio", "(crude gap for the standardised one)"),
            *("bias of g-computation", "solved"),
        ],
        rows,
        f"Diversion: noncitizens {p1:.5f}, citizens {p0:.5f}, gap {gap:+.5f}; with race, offence and prior record alike "
        f"{truth[0] - truth[1]:+.5f}. Mantel-Haenszel aims at {common:+.5f}. What stands in brackets is not used: it "
        "shows what would go wrong.",
    )


def mantel_haenszel_truth() -> float:
    """Where the Mantel-Haenszel difference goes with ever more cases: strata weighted by the product of both sizes."""
    joint = together(WORLD.table, *FACTS, CITIZENSHIP, DIVERTED).reshape(-1, 2, 2)
    n = joint.sum(axis=-1)
    rates = joint[..., 1] / n
    weight = n[:, 0] * n[:, 1] / n.sum(axis=1)
    return float((weight * (rates[:, 1] - rates[:, 0])).sum() / weight.sum())


def g_computation(by_facts: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> Floats:
    """Difference and limits, ratio and limits, of every sample."""
    levels = np.indices([WORLD.table.shape[a] for a in FACTS]).reshape(len(FACTS), -1)
    both = np.concatenate([levels, levels], axis=1)
    in_group = np.repeat([True, False], levels.shape[1])
    found = []
    for k1, n1, k0, n0 in zip(*by_facts, strict=True):
        events, cases = np.concatenate([k1, k0]), np.concatenate([n1, n0])
        there = cases > 0
        gap = adjusted.gap_with_facts_equal(events[there], cases[there], in_group[there], *(f[there] for f in both))
        found.append(
            (gap.difference, gap.difference_low, gap.difference_high, gap.ratio, gap.ratio_low, gap.ratio_high)
        )
    return np.array(found)


def unknown_table() -> Iterator[str]:
    """The gap in detention as exact sums: complete records, known citizenship alone, and bounds."""
    joint = together(WORLD.table, CITIZENSHIP, MISSING, DETAINED)
    known, unknown = joint[:, 0], joint[:, 1]
    counts = (known[1, 1], known[1].sum(), known[0, 1], known[0].sum(), unknown[:, 1].sum(), unknown.sum())
    rows = [
        ["complete records", f"{WORLD.gap(DETAINED):+.4f}"],
        ["known citizenship alone", f"{counts[0] / counts[1] - counts[2] / counts[3]:+.4f}"],
        [
            "unknown counted as citizens",
            f"{counts[0] / counts[1] - (counts[2] + counts[4]) / (counts[3] + counts[5]):+.4f}",
        ],
    ]
    for low, high in ((0.0, 1.0), (0.2, 0.6), (0.3, 0.5)):
        band = bounds.gap_bounds(*counts, share=(low, high))
        rows.append(
            [f"bounds, {low:.0%} to {high:.0%} of the unknown noncitizens", f"{band.low:+.4f} to {band.high:+.4f}"]
        )
    missing = [unknown[c].sum() / joint[c].sum() for c in (1, 0)]
    yield from table(
        "Unknown citizenship",
        ["gap in detention", "exact"],
        rows,
        f"Citizenship is not recorded for {missing[0]:.1%} of noncitizens and {missing[1]:.1%} of citizens, more often of "
        "those not detained. A narrow band is an assumption and may miss.",
    )


def discovery_table() -> Iterator[str]:
    rows = []
    for real in (0.0, 0.2):
        found = check_false_discovery(WORLD, real=real, times=TIMES, seed=SEED)
        for name, label in (("none", "p < .05"), ("bh", "q < .05 (Benjamini-Hochberg)"), ("rule", "the audit's rule")):
            power = found[f"power_{name}"]
            rows.append(
                [
                    f"{real:.0%}",
                    label,
                    (alarms if name == "rule" and not real else share)(found[f"any_false_{name}"]),
                    (alarms if name == "rule" else share)(found[f"false_share_{name}"]),
                    "" if np.isnan(power) else share(power),
                ]
            )
    yield from table(
        "Sixty comparisons at once",
        ["real gaps (9 points)", "flag", "at least one false flag", "false among the flags", "real gaps found"],
        rows,
    )


def times_table() -> Iterator[str]:
    """Days to release, ICE transfer competing, lost to view at random: coverage of what the measures print."""
    grid = np.arange(1, 61)
    release, transfer, lost = 0.040, 0.012, 0.015
    staying = (1 - release - transfer) ** (grid - 1)
    by_day = np.cumsum(staying * release), np.cumsum(staying * transfer)
    survival = (1 - release - transfer) ** grid
    rng = np.random.default_rng(SEED)
    rows = []
    for cases in (50, 200, 1_000):
        events, censored = time_draws(rng, cases, grid.size, release, transfer, lost)
        shares, limits = histograms.incidence_by(grid, events, censored, 30)
        del shares
        single = histograms.aalen_johansen(grid, events.sum(axis=1, keepdims=True), censored)
        _, median = histograms.median_time(single)
        _, mean = histograms.restricted_mean(histograms.kaplan_meier(grid, events.sum(axis=1), censored), 30)
        true_median = float(grid[np.argmax(survival <= 0.5)])
        true_mean = float(1 + survival[: 30 - 1].sum())
        durations = rng.geometric(0.05, size=(TIMES, cases))
        longest = int(durations.max())
        counts = np.apply_along_axis(np.bincount, 1, durations, minlength=longest + 1)
        true_p90 = float(np.ceil(np.log(0.1) / np.log(0.95)))
        ninetieth = histograms.quantile_interval(np.arange(longest + 1), counts, 0.9)
        rows.append(
            [
                f"{cases:,}",
                coverage(Interval(low=limits.low[:, 0], high=limits.high[:, 0]), float(by_day[0][29])),
                coverage(Interval(low=limits.low[:, 1], high=limits.high[:, 1]), float(by_day[1][29])),
                coverage(ends(median, 0), true_median, at_least=True),
                coverage(mean, true_mean),
                coverage(ends(ninetieth, None), true_p90, at_least=True),
            ]
        )
    yield from table(
        "Times and quantiles",
        [
            *("cases", "released by day 30", "transferred by day 30", "median days", "mean within 30 days"),
            "ninetieth percentile",
        ],
        rows,
        "Release 4 % and transfer 1.2 % a day, 1.5 % a day lost to view. Medians and percentiles move in whole days, so "
        "their intervals cover more than they say.",
    )


def ends(limits: Interval, cause: int | None) -> Interval:
    """Limits that do not exist (not reached) are as wide as can be."""
    low, high = (a if cause is None else a[..., cause] for a in (limits.low, limits.high))
    return Interval(low=np.where(np.isnan(low), -np.inf, low) + 0.0, high=np.where(np.isnan(high), np.inf, high))


def time_draws(
    rng: np.random.Generator, cases: int, days: int, release: float, transfer: float, lost: float
) -> tuple[Floats, Floats]:
    """Day by day: who leaves and how, then who is lost; whoever is left on the last day is lost then."""
    events, censored = np.zeros((TIMES, 2, days)), np.zeros((TIMES, days))
    remaining = np.full(TIMES, cases)
    for day in range(days):
        leaving = rng.multinomial(remaining, [release, transfer, 1 - release - transfer])
        events[:, :, day] = leaving[:, :2]
        remaining = leaving[:, 2]
        gone = rng.binomial(remaining, lost) if day < days - 1 else remaining
        censored[:, day] = gone
        remaining = remaining - gone
    return events, censored


def clusters_table() -> Iterator[str]:
    """Forty prosecutors who differ: the gap's interval as if they did not, and by deleting one at a time."""
    rng = np.random.default_rng(SEED)
    rows = []
    for prosecutors in (15, 40):
        naive = jackknifed = 0
        repeats = TIMES // 4
        for _ in range(repeats):
            leaning = rng.normal(0, 0.5, prosecutors)
            own_share = rng.beta(2, 4, prosecutors)
            n1 = rng.binomial(60, own_share)
            n0 = 60 - n1
            chance = 1 / (1 + np.exp(0.6 - leaning))
            k1, k0 = rng.binomial(n1, chance), rng.binomial(n0, chance)
            # Who is assigned more noncitizens has nothing to do with how they decide: the true gap is nothing.
            limits = intervals.newcombe(k1.sum(), n1.sum(), k0.sum(), n0.sum())
            naive += int(limits.low <= 0 <= limits.high)
            found = clusters.jackknife(crude_gap(k1, n1, k0, n0), [np.arange(prosecutors)])
            jackknifed += int(found.limits.low <= 0 <= found.limits.high)
        rows.append([str(prosecutors), share(naive / repeats), share(jackknifed / repeats)])
    covered_units = unit_coverage(rng)
    yield from table(
        "Cases that hang together",
        ["prosecutors", "as if independent", "delete one prosecutor, t"],
        rows,
        f"Prosecutors lean with a standard deviation of 0.5 on the log-odds; {TIMES // 4:,} samples. Empirical-Bayes rates of "
        f"40 units cover {covered_units:.3f}.",
    )


def adjusted_table() -> Iterator[str]:
    """The gap with a fact alike where persons return, where deciders lean on their own towards one group, and both."""
    rows = []
    for label, persons, deciders, each, alike, lean in (
        ("one case a person", 1_200, 1, 1, 0.0, 0.0),
        ("persons return six times", 300, 1, 6, 1.5, 0.0),
        ("fifteen deciders lean", 1_200, 15, 1, 0.0, 0.8),
        ("forty deciders lean, persons return", 400, 40, 4, 1.0, 0.8),
    ):
        rng = np.random.default_rng(SEED)
        held = {"case": 0, "person": 0, "both": 0}
        for _ in range(TIMES // 4):
            whose = drawn(rng, persons=persons, deciders=deciders, each=each, alike=alike, lean=lean)
            alone = replace(whose, decider=np.zeros_like(whose.decider))
            for name, belonging in (("case", None), ("person", alone), ("both", whose)):
                found = adjusted.gap_with_facts_equal(*cells_of(whose), GROUP, FACT, whose=belonging)
                held[name] += int(found.difference_low <= 0 <= found.difference_high)
        rows.append([label, *(share(count / (TIMES // 4)) for count in held.values())])
    yield from table(
        "Adjusted gaps whose cases hang together",
        ["world", "(as if independent)", "(by person)", "by person and decider"],
        rows,
        f"A third are of the group, whom a decider may treat otherwise by a standard deviation on the log-odds; {TIMES // 4:,} "
        "samples. With fewer than ten deciders persons alone are counted.",
    )


def crude_gap(k1: np.ndarray, n1: np.ndarray, k0: np.ndarray, n0: np.ndarray) -> Callable[[np.ndarray], float]:
    def gap(kept: np.ndarray) -> float:
        return float(k1[kept].sum() / n1[kept].sum() - k0[kept].sum() / n0[kept].sum())

    return gap


def unit_coverage(rng: np.random.Generator) -> float:
    inside = total = 0
    for _ in range(200):
        truth = rng.beta(6, 14, 40)
        cases = rng.integers(5, 80, 40)
        found = units.shrink(rng.binomial(cases, truth), cases)
        inside += int(((found.limits.low <= truth) & (truth <= found.limits.high)).sum())
        total += 40
    return inside / total


def trends_table() -> Iterator[str]:
    """How often a change is announced at a date at which nothing happened."""
    rng = np.random.default_rng(SEED)
    rows = []
    for points in (40, 80):
        for label, memory, rise in (
            ("noise", 0.0, 0.0),
            ("noise with memory .4", 0.4, 0.0),
            ("a steady rise", 0.0, 0.02),
        ):
            false = 0
            for _ in range(TIMES):
                shocks = rng.normal(size=points)
                series = np.empty(points)
                series[0] = shocks[0]
                for t in range(1, points):
                    series[t] = memory * series[t - 1] + shocks[t]
                date = int(rng.integers(6, points - 5))
                false += int(trends.change_at(series + rise * np.arange(points), changed_at=date).p_value <= 0.05)
            rows.append([str(points), label, alarms(false / TIMES)])
    yield from table(
        "A change at a date",
        ["points", "series without a change", "p of .05 or less"],
        rows,
        "Every date is set against all others, so memory does not raise the false alarms as it does for a regression.",
    )


if __name__ == "__main__":
    main()

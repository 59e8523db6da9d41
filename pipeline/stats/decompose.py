"""What part of a gap between two groups is arithmetic of composition, and what part of rates. None of it is a cause."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.stats.intervals import Floats, Interval, proportion, rate_variance, ratio_of, z_value


@dataclass(frozen=True, kw_only=True)
class Kitagawa:
    """A gap as the sum of what different rates and what different compositions contribute (Kitagawa 1955)."""

    gap: float
    rates: float
    composition: float


@dataclass(frozen=True, kw_only=True)
class DasGupta:
    """A gap as the sum of rates and of two crossed compositions (Das Gupta 1993, chapter 5)."""

    gap: float
    rates: float
    first: float
    second: float


@dataclass(frozen=True, kw_only=True)
class Oaxaca:
    """A gap between two linear models. Both foldings are given, because the choice of reference changes the answer.

    Threefold: endowments (at the reference group's coefficients), coefficients, interaction. Twofold, with pooled
    coefficients: explained and unexplained. "Unexplained" is a word of the method, not a finding. Threefold parts are NaN
    where a side has nobody of some level of the facts.
    """

    gap: float
    endowments: float
    coefficients: float
    interaction: float
    explained: float
    unexplained: float


@dataclass(frozen=True, kw_only=True)
class Steps:
    """A gap at the end of a way as the sum of what each step adds; one entry a step, in order.

    `passed` and `reference_passed` are shares of those who had reached the step before, `parts` what each step adds to the
    gap in the share of all who reached the last one. NaN where nobody of a side reached a step.
    """

    gap: float
    passed: Floats
    reference_passed: Floats
    parts: Floats
    limits: Interval


def kitagawa(rates: ArrayLike, cases: ArrayLike, reference_rates: ArrayLike, reference_cases: ArrayLike) -> Kitagawa:
    """Group minus reference. Each part is weighed with the average of both sides, so no side is the standard.

    Rates of strata without cases do not matter where their share is zero on both sides.
    """
    r1, r0 = np.nan_to_num(np.asarray(rates, dtype=float)), np.nan_to_num(np.asarray(reference_rates, dtype=float))
    share1, share0 = _shares(cases), _shares(reference_cases)
    return Kitagawa(
        gap=float((r1 * share1 - r0 * share0).sum()),
        rates=float(((r1 - r0) * (share1 + share0) / 2).sum()),
        composition=float(((share1 - share0) * (r1 + r0) / 2).sum()),
    )


def through_steps(reached: ArrayLike, reference_reached: ArrayLike, *, confidence: float = 0.95) -> Steps:
    """Where along nested steps a gap between two groups arises, group minus reference.

    Counts: all cases of the group, then how many reached each step; shape (steps + 1,). At each step the gap so far is
    that of Kitagawa: `rates` is what the step adds, weighed with the mean share of both groups that reached it, and
    `composition` what came down from the steps before, times the mean share that pass. So the parts sum to the gap
    exactly. The limits are those of the delta method for independent cases.
    """
    n1, n0 = np.asarray(reached, dtype=float), np.asarray(reference_reached, dtype=float)
    passed = np.array([proportion(n[1:], n[:-1]) for n in (n1, n0)])
    gap = float(n1[-1] / n1[0] - n0[-1] / n0[0])
    step = 1e-6
    slopes = np.zeros((passed[0].size, *passed.shape))
    for side, place in np.ndindex(passed.shape):
        nudge = np.zeros_like(passed)
        nudge[side, place] = step
        slopes[:, side, place] = (_parts(*(passed + nudge)) - _parts(*(passed - nudge))) / (2 * step)
    variance = np.array([rate_variance(n[1:], n[:-1]) for n in (n1, n0)])
    reach = z_value(confidence) * np.sqrt((slopes**2 * variance).sum(axis=(1, 2)))
    parts = _parts(*passed)
    return Steps(
        gap=gap,
        passed=passed[0],
        reference_passed=passed[1],
        parts=parts,
        limits=Interval(low=parts - reach, high=parts + reach),
    )


def das_gupta(rates: ArrayLike, cases: ArrayLike, reference_rates: ArrayLike, reference_cases: ArrayLike) -> DasGupta:
    """Group minus reference, for strata crossed by two factors: arrays of shape (first factor, second factor).

    A cell's share is split symmetrically into what each factor gives it: the root of its share within the other
    factor times the factor's own share. Of a level that one side does not have at all, its own share changes and the
    share of the other factor within it does not.
    """
    r1, r0 = np.asarray(rates, dtype=float), np.asarray(reference_rates, dtype=float)
    (first1, second1), (first0, second0) = _split(cases), _split(reference_cases)
    first1, first0 = _filled(first1, first0)
    second1, second0 = _filled(second1, second0)
    share1, share0 = first1 * second1, first0 * second0
    level = (r1 + r0) / 2
    return DasGupta(
        gap=float((r1 * share1 - r0 * share0).sum()),
        rates=float(((r1 - r0) * (share1 + share0) / 2).sum()),
        first=float((level * (second1 + second0) / 2 * (first1 - first0)).sum()),
        second=float((level * (first1 + first0) / 2 * (second1 - second0)).sum()),
    )


def oaxaca(outcome: ArrayLike, design: ArrayLike, in_group: ArrayLike, *, weights: ArrayLike | None = None) -> Oaxaca:
    """Oaxaca and Blinder 1973, group minus reference. `design` (rows, columns) holds no constant; `weights` are cases.

    The pooled coefficients come from both groups together with an indicator of the group (Jann 2008), so that the gap
    itself does not leak into them.
    """
    y, x, group = np.asarray(outcome, dtype=float), np.asarray(design, dtype=float), np.asarray(in_group, dtype=bool)
    w = np.ones_like(y) if weights is None else np.asarray(weights, dtype=float)
    x = np.column_stack([np.ones_like(y), x])
    # What a side has nobody of, its coefficients cannot speak of.
    told_apart = min(np.linalg.matrix_rank(x[rows]) for rows in (group, ~group)) == x.shape[1]

    def coefficients(rows: np.ndarray, columns: Floats) -> Floats:
        root = np.sqrt(w[rows])[:, None]
        solution: Floats = np.linalg.lstsq(columns[rows] * root, y[rows] * root[:, 0], rcond=None)[0]
        return solution

    b1, b0 = coefficients(group, x), coefficients(~group, x)
    pooled = coefficients(np.full_like(group, True), np.column_stack([x, group]))[:-1]
    mean1, mean0 = (np.average(x[rows], axis=0, weights=w[rows]) for rows in (group, ~group))
    gap = float(mean1 @ b1 - mean0 @ b0)
    explained = float((mean1 - mean0) @ pooled)
    return Oaxaca(
        gap=gap,
        endowments=float((mean1 - mean0) @ b0) if told_apart else np.nan,
        coefficients=float(mean0 @ (b1 - b0)) if told_apart else np.nan,
        interaction=float((mean1 - mean0) @ (b1 - b0)) if told_apart else np.nan,
        explained=explained,
        unexplained=gap - explained,
    )


def _parts(passed: Floats, reference_passed: Floats) -> Floats:
    """What each step adds to the last gap, from the shares that pass it."""
    parts: list[float] = []
    before, reference_before = 1.0, 1.0
    for rate, reference in zip(passed, reference_passed, strict=True):
        if np.isnan(rate) or np.isnan(reference):
            return np.full(passed.size, np.nan)
        split = kitagawa([rate, 0], [before, 1 - before], [reference, 0], [reference_before, 1 - reference_before])
        parts = [part * (rate + reference) / 2 for part in parts] + [split.rates]
        before, reference_before = before * rate, reference_before * reference
    return np.array(parts)


def _shares(cases: ArrayLike) -> Floats:
    n = np.asarray(cases, dtype=float)
    return ratio_of(n, n.sum())


def _split(cases: ArrayLike) -> tuple[Floats, Floats]:
    n = np.asarray(cases, dtype=float)
    of_first, of_second, total = n.sum(axis=1, keepdims=True), n.sum(axis=0, keepdims=True), n.sum()
    return (
        np.sqrt(ratio_of(n, of_second) * of_first / total),
        np.sqrt(ratio_of(n, of_first) * of_second / total),
    )


def _filled(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Each with the other's value where it has none; 0 where neither has."""
    both = np.where(np.isnan(one), other, one), np.where(np.isnan(other), one, other)
    return np.nan_to_num(both[0]), np.nan_to_num(both[1])

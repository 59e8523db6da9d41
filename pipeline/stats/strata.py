"""Gaps within strata: Mantel-Haenszel, direct standardisation, and what part of the cases can speak to them.

Counts have the strata on the last axis. A stratum in which one side has no case cannot be compared: it is left out,
and `usable` says how many of the cases remain. A gap is never printed without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from pipeline.stats.intervals import Floats, Interval, ratio_of, z_value

Weights = Literal["population", "group"]


@dataclass(frozen=True, kw_only=True)
class MantelHaenszel:
    """Common odds ratio, rate ratio and difference over strata, each with its interval, and two tests.

    `difference_error` is Sato's at the estimate; the limits are those of the same variance where the difference is tested.
    `p_value` is of no association (without continuity correction; `p_value_corrected` with it), `p_homogeneous` of one
    odds ratio for all strata (Breslow and Day).
    """

    odds_ratio: Floats
    odds_ratio_limits: Interval
    ratio: Floats
    ratio_limits: Interval
    difference: Floats
    difference_error: Floats
    difference_limits: Interval
    p_value: Floats
    p_value_corrected: Floats
    p_homogeneous: Floats
    usable: Floats


@dataclass(frozen=True, kw_only=True)
class Standardised:
    """Both rates with the strata weighted alike, their gap and ratio; `usable` is the share of cases behind them."""

    rate: Floats
    reference_rate: Floats
    difference: Floats
    difference_limits: Interval
    ratio: Floats
    ratio_limits: Interval
    usable: Floats


def usable_share(cases: ArrayLike, reference_cases: ArrayLike) -> Floats:
    """The share of all cases that lie in strata where both sides have one."""
    n1, n0 = np.asarray(cases, dtype=float), np.asarray(reference_cases, dtype=float)
    total = n1 + n0
    return ratio_of((total * ((n1 > 0) & (n0 > 0))).sum(axis=-1), total.sum(axis=-1))


def mantel_haenszel(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    confidence: float = 0.95,
) -> MantelHaenszel:
    """Odds ratio with the variance of Robins, Breslow and Greenland 1986, rate ratio with Greenland and Robins 1985,
    difference with Sato 1989, whose variance depends on the difference; the limits are where it is just not rejected
    (Klingenberg 2014, Statistics in Medicine 33(17)).

    Other programs print a much wider interval of the difference; Sato's variance is right for few large and for many
    small strata alike. With it taken at the estimate, 150 cases in a dozen strata cover 91 % instead of 95.
    """
    k1, n1, k0, n0 = (np.asarray(c, dtype=float) for c in (events, cases, reference_events, reference_cases))
    both = (n1 > 0) & (n0 > 0)
    k1, n1, k0, n0 = (np.where(both, c, 0.0) for c in np.broadcast_arrays(k1, n1, k0, n0))
    n = np.where(both, n1 + n0, 1.0)
    z = z_value(confidence)

    def total(terms: Floats) -> Floats:
        return np.asarray(terms.sum(axis=-1))

    with np.errstate(divide="ignore", invalid="ignore"):
        agree, cross = k1 * (n0 - k0) / n, (n1 - k1) * k0 / n
        p, q = (k1 + n0 - k0) / n, (n1 - k1 + k0) / n
        above, below = total(agree), total(cross)
        odds = ratio_of(above, below)
        odds_variance = (
            total(p * agree) / (2 * above**2)
            + total(p * cross + q * agree) / (2 * above * below)
            + total(q * cross) / (2 * below**2)
        )
        above, below = total(k1 * n0 / n), total(k0 * n1 / n)
        ratio = ratio_of(above, below)
        ratio_variance = total((n1 * n0 * (k1 + k0) - k1 * k0 * n) / n**2) / (above * below)
        weight = total(n1 * n0 / n)
        difference = ratio_of(total((k1 * n0 - k0 * n1) / n), weight)
        skew = total((n1**2 * k0 - n0**2 * k1 + n1 * n0 * (n0 - n1) / 2) / n**2)
        spread = total((k1 * (n0 - k0) + k0 * (n1 - k1)) / (2 * n))
        error = np.sqrt((difference * skew + spread) / weight**2)
        middle = difference + z**2 * skew / (2 * weight**2)
        reach = np.sqrt(np.maximum(middle**2 - difference**2 + z**2 * spread / weight**2, 0))
        margin = k1 + k0
        surplus = np.abs(total(k1 - n1 * margin / n))
        variance = total(np.where(n > 1, n1 * n0 * margin * (n - margin) / (n**2 * np.maximum(n - 1, 1)), 0.0))
        plain = surplus**2 / variance
        corrected = np.maximum(surplus - 0.5, 0) ** 2 / variance
    return MantelHaenszel(
        odds_ratio=odds,
        odds_ratio_limits=_log_limits(odds, odds_variance, z),
        ratio=ratio,
        ratio_limits=_log_limits(ratio, ratio_variance, z),
        difference=difference,
        difference_error=error,
        difference_limits=Interval(low=middle - reach, high=middle + reach),
        p_value=chi2.sf(plain, 1),
        p_value_corrected=chi2.sf(corrected, 1),
        p_homogeneous=_breslow_day(k1, n1, k0, n0, odds),
        usable=usable_share(cases, reference_cases),
    )


def standardise(
    events: ArrayLike,
    cases: ArrayLike,
    reference_events: ArrayLike,
    reference_cases: ArrayLike,
    *,
    weights: Weights | ArrayLike = "population",
    confidence: float = 0.95,
) -> Standardised:
    """Direct standardisation: the gap if both sides had the same mix of strata.

    `weights` names whose mix: of all cases (`population`), of the group (`group`), or gives the mix itself. The
    variance is the sum of w^2 p (1 - p) / n over the usable strata; the mix is taken as given.
    """
    k1, n1, k0, n0 = (np.asarray(c, dtype=float) for c in (events, cases, reference_events, reference_cases))
    both = (n1 > 0) & (n0 > 0)
    named = {"population": n1 + n0, "group": n1}
    mix = np.where(both, named[weights] if isinstance(weights, str) else np.asarray(weights, dtype=float), 0.0)
    w = ratio_of(mix, mix.sum(axis=-1, keepdims=True))
    sides = []
    for k, n in ((k1, n1), (k0, n0)):
        rate = np.where(both, k / np.where(both, n, 1.0), 0.0)
        variance = np.where(both, w**2 * rate * (1 - rate) / np.where(both, n, 1.0), 0.0)
        sides.append((np.asarray((w * rate).sum(axis=-1)), np.asarray(variance.sum(axis=-1))))
    (rate1, variance1), (rate0, variance0) = sides
    z = z_value(confidence)
    gap, reach = rate1 - rate0, z * np.sqrt(variance1 + variance0)
    ratio = ratio_of(rate1, rate0)
    log_variance = ratio_of(variance1, rate1**2) + ratio_of(variance0, rate0**2)
    return Standardised(
        rate=rate1,
        reference_rate=rate0,
        difference=gap,
        difference_limits=Interval(low=gap - reach, high=gap + reach),
        ratio=ratio,
        ratio_limits=_log_limits(ratio, log_variance, z),
        usable=usable_share(cases, reference_cases),
    )


def _log_limits(ratio: Floats, log_variance: Floats, z: float) -> Interval:
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.exp(z * np.sqrt(log_variance))
        return Interval(low=ratio / factor, high=ratio * factor)


def _breslow_day(k1: Floats, n1: Floats, k0: Floats, n0: Floats, odds: Floats) -> Floats:
    """The p of one odds ratio in all strata: events of the group against those expected at the common odds ratio."""
    margin = k1 + k0
    common = odds[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        # Expected events solve x (n0 - m + x) = odds (n1 - x) (m - x); the root within the table's range.
        a, b, c = 1 - common, n0 - margin + common * (n1 + margin), -common * n1 * margin
        root = np.where(np.isclose(a, 0), -c / b, (-b + np.sqrt(np.maximum(b**2 - 4 * a * c, 0))) / (2 * a))
        variance = 1 / (1 / root + 1 / (n1 - root) + 1 / (margin - root) + 1 / (n0 - margin + root))
        informative = (n1 > 0) & (n0 > 0) & (variance > 0)
        statistic = np.where(informative, (k1 - root) ** 2 / variance, 0.0).sum(axis=-1)
    strata = informative.sum(axis=-1)
    return np.where(strata > 1, chi2.sf(statistic, np.maximum(strata - 1, 1)), np.nan)

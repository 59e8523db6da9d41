"""Differences between units of an office: how large they are, and each unit's rate drawn towards the mean of all.

Small units have extreme raw rates by chance alone. The drawn-in rate errs less on the whole; the raw one is always
shown beside it. Prosecutors' names never leave the office.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import betaln, expit, logit
from scipy.stats import beta, chi2

from pipeline.stats.clusters import FEWEST_CLUSTERS
from pipeline.stats.intervals import Floats, Interval


@dataclass(frozen=True, kw_only=True)
class Units:
    """Each unit's drawn-in rate and 95 % limits (shape: units); the mean, the spread between units and its test.

    `spread` is the standard deviation of the true rates; `p_value` is of no difference between units. The limits
    take mean and spread as known: slightly too narrow, and with fewer than ten units too narrow to be given (NaN).
    """

    rate: Floats
    limits: Interval
    mean: float
    spread: float
    p_value: float


def shrink(events: ArrayLike, cases: ArrayLike, *, confidence: float = 0.95) -> Units:
    """Beta-binomial empirical Bayes: mean and spread by marginal maximum likelihood, then each unit's posterior."""
    k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
    mean = float(k.sum() / n.sum())

    def loss(parameters: Floats) -> float:
        a, b = _shape(*parameters)
        return float(-np.sum(betaln(k + a, n - k + b) - betaln(a, b)))

    # By the simplex: where units hardly differ the likelihood is flat, and a step along its slope leaves every bound.
    start = [logit(np.clip(mean, 1e-6, 1 - 1e-6)), np.log(20)]
    found = minimize(loss, start, method="Nelder-Mead", bounds=[(-14, 14), (-6, 14)], options={"xatol": 1e-7})
    a, b = _shape(*found.x)
    tail = (1 - confidence) / 2 if np.count_nonzero(n) >= FEWEST_CLUSTERS else np.nan
    posterior = beta(a + k, b + n - k)
    share = a / (a + b)
    expected = n * mean
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.nansum((k - expected) ** 2 / (expected * (1 - mean)))
    return Units(
        rate=np.asarray(posterior.mean()),
        limits=Interval(low=np.asarray(posterior.ppf(tail)), high=np.asarray(posterior.ppf(1 - tail))),
        mean=float(share),
        spread=float(np.sqrt(share * (1 - share) / (a + b + 1))),
        p_value=float(chi2.sf(statistic, np.count_nonzero(n) - 1)),
    )


def _shape(log_odds: float, log_size: float) -> tuple[float, float]:
    """The two parameters of a beta distribution from the log odds of its mean, and how many cases it is worth."""
    return float(expit(log_odds) * np.exp(log_size)), float(expit(-log_odds) * np.exp(log_size))

"""Many comparisons at once: what survives, and what a table of this size could have shown at all."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control, norm

from pipeline.stats.intervals import Floats


def false_discovery(p_values: ArrayLike, *, method: Literal["bh", "by"] = "bh") -> Floats:
    """q-values of one family: Benjamini and Hochberg 1995, or Benjamini and Yekutieli 2001 under any dependence.

    A comparison without a p-value gets none and does not count towards the family.
    """
    p = np.asarray(p_values, dtype=float)
    q = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if known.any():
        q[known] = false_discovery_control(p[known], method=method)
    return q


def detectable_gap(
    cases: ArrayLike,
    reference_cases: ArrayLike,
    reference_rate: ArrayLike,
    *,
    power: float = 0.8,
    significance: float = 0.05,
) -> Floats:
    """The smallest rise over the reference rate that this many cases would show with this power (Cohen's arcsine).

    "This table could not see a gap smaller than ...". NaN where a side is empty; 1 - reference rate at most.
    """
    n1, n0 = np.asarray(cases, dtype=float), np.asarray(reference_cases, dtype=float)
    base = np.asarray(reference_rate, dtype=float)
    with np.errstate(divide="ignore"):
        effect = (norm.isf(significance / 2) + norm.ppf(power)) * np.sqrt(1 / n1 + 1 / n0)
    angle = np.minimum(np.arcsin(np.sqrt(base)) + effect / 2, np.pi / 2)
    return np.where((n1 > 0) & (n0 > 0), np.sin(angle) ** 2 - base, np.nan)

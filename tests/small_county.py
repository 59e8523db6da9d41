"""Counts of a county that never was, for the tests of the gate: long tables as the statistics hand them over."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

CELL = ("measure_id", "period", "race", "citizenship", "offence_group", "stratum")
RACES = {
    "white": 0.34, "black": 0.2, "hispanic_latino": 0.31, "asian": 0.06, "aian": 0.01, "mena": 0.01,
    "nhpi": 0.005, "multiracial": 0.02, "other": 0.015, "unknown": 0.03,
}  # fmt: skip
OFFENCES = {
    "violent": 0.2, "property": 0.25, "drug": 0.15, "driving": 0.18, "public_order": 0.14, "other": 0.06,
    "unknown": 0.02,
}  # fmt: skip
CITIZENSHIPS = {"citizen": 0.66, "noncitizen": 0.12, "unknown": 0.22}


def margins(cells: pd.DataFrame, breakdowns: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Finest cells (measure_id, quarter, race, citizenship, offence_group, stratum, counts) to the long table."""
    counts = cells.rename(columns={"quarter": "period"})
    parts = []
    for periods, breakdown in itertools.product(("quarter", "year", "all"), breakdowns):
        part = counts.copy()
        for column in ("race", "citizenship", "offence_group", "stratum"):
            if column not in breakdown:
                part[column] = "all"
        if periods == "year":
            part["period"] = part["period"].str[:4]
        elif periods == "all":
            part["period"] = "all"
        parts.append(part.groupby(list(CELL), as_index=False)[["numerator", "denominator"]].sum())
    return pd.concat(parts, ignore_index=True).drop_duplicates(list(CELL))


def county(cases: int, quarters: int, measures: Mapping[str, tuple[float, float]], seed: int) -> pd.DataFrame:
    """Finest cells. `measures`: name -> (share of cases in its denominator, rate)."""
    draw = np.random.default_rng(seed)
    names = [f"{2015 + q // 4}-Q{q % 4 + 1}" for q in range(quarters)]
    axes = [names, list(RACES), list(CITIZENSHIPS), list(OFFENCES)]
    weights = np.ones(quarters) / quarters
    for shares in (RACES, CITIZENSHIPS, OFFENCES):
        weights = np.multiply.outer(weights, np.array(list(shares.values())))
    # Noncitizens are mostly Hispanic and Asian: the cross is not the product of its margins.
    weights[:, [2, 3], 1] *= 2.5
    weights[:, [0, 1], 1] *= 0.3
    weights /= weights.sum()
    frame = pd.DataFrame(
        itertools.product(*axes),
        columns=["quarter", "race", "citizenship", "offence_group"],
    )
    everyone = draw.multinomial(cases, weights.ravel())
    parts = []
    for measure, (share, rate) in measures.items():
        denominator = draw.binomial(everyone, share)
        counts = {
            "denominator": denominator,
            "numerator": draw.binomial(denominator, rate),
        }
        parts.append(frame.assign(measure_id=measure, stratum="all", **counts))
    return pd.concat(parts, ignore_index=True)

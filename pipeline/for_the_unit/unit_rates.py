"""How much units, agencies and groups differ, each raw rate beside the one drawn towards the mean of all. For the unit alone.

The raw rate of a small part is extreme by chance; the drawn-in one errs less on the whole. Neither says why parts differ:
units get other cases, and agencies arrest for other things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import AuditSettings
from pipeline.estimands import Whose
from pipeline.measures import MINIMUM_CASES, periods
from pipeline.stats.intervals import proportion, wilson
from pipeline.stats.units import shrink

COLUMNS = [
    *("measure_id", "parts", "part", "events", "cases", "rate", "rate_low", "rate_high"),
    *("drawn_in", "drawn_in_low", "drawn_in_high", "mean", "spread", "p_value"),
]


def unit_rates(
    cells: pd.DataFrame, catalogue: pd.DataFrame, whose: Mapping[str, Whose], settings: AuditSettings
) -> pd.DataFrame:
    """One row per rate and part over the whole period, where two parts have a case and all together some thirty.

    `parts` says which: `race_and_citizenship` of every rate, `unit` and `agency` of those that `whose` knows by id. `mean`
    and `spread` are those of the parts' true rates, `p_value` is of none differing (Pearson's, by cases).
    """
    quarters, _ = periods(settings)
    inside = cells[cells["quarter"].isin(quarters)]
    rows: list[dict[str, Any]] = []
    for measure_id in catalogue.loc[catalogue["kind"].eq("rate"), "measure_id"]:
        of = inside[inside["measure_id"].eq(measure_id)]
        groups = of["race"] + " " + of["citizenship"]
        sums = of.groupby(groups)[["numerator", "denominator"]].sum()
        rows += _rows(measure_id, "race_and_citizenship", sums)
        known = whose.get(measure_id)
        if known is not None:
            at = known.cells["quarter"].isin(quarters).to_numpy()[known.cell]
            for parts, number, names in (
                ("unit", known.unit, known.unit_names),
                ("agency", known.agency, known.agency_names),
            ):
                kept = at & (number >= 0)
                counts = {
                    column: np.bincount(number[kept], values[kept], minlength=len(names))
                    for column, values in (("numerator", known.events), ("denominator", known.cases))
                }
                rows += _rows(measure_id, parts, pd.DataFrame(counts, index=list(names)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(measure_id: str, parts: str, sums: pd.DataFrame) -> Iterator[dict[str, Any]]:
    there = sums[sums["denominator"] > 0].sort_index()
    if len(there) < 2 or there["denominator"].sum() < MINIMUM_CASES:
        return
    k, n = (there[column].to_numpy(dtype=float) for column in ("numerator", "denominator"))
    raw, drawn = wilson(k, n), shrink(k, n)
    for place, part in enumerate(there.index):
        yield {
            "measure_id": measure_id,
            "parts": parts,
            "part": part,
            "events": int(k[place]),
            "cases": int(n[place]),
            "rate": float(proportion(k, n)[place]),
            "rate_low": float(raw.low[place]),
            "rate_high": float(raw.high[place]),
            "drawn_in": float(drawn.rate[place]),
            "drawn_in_low": float(drawn.limits.low[place]),
            "drawn_in_high": float(drawn.limits.high[place]),
            "mean": drawn.mean,
            "spread": drawn.spread,
            "p_value": drawn.p_value,
        }

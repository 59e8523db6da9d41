"""Rates over time with one mix of offences: a rate can move because other offences come in, and nobody decides otherwise.

Direct standardisation: the rate of each offence in a period, weighed by how many of its cases the whole span has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import AuditSettings
from pipeline.measures import ALL, MINIMUM_CASES, periods
from pipeline.stats.intervals import Floats, proportion
from pipeline.stats.strata import standardise

COLUMNS = ["measure_id", "period", "citizenship", "cases", "rate", "rate_with_one_mix", "usable"]


def with_one_mix(events: Floats, cases: Floats) -> tuple[Floats, Floats]:
    """Of counts of shape (periods, strata): each period's rate with the mix of all, and the share of all that it can speak of.

    A stratum without a case in a period has no rate there: it is left out, and the others weigh so much more.
    """
    k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
    mix = n.sum(axis=0)
    found = standardise(k, n, k.sum(axis=0), mix, weights=mix)
    usable = (mix * (n > 0)).sum(axis=-1) / mix.sum()
    return found.rate, usable


def fixed_mix_table(cells: pd.DataFrame, catalogue: pd.DataFrame, settings: AuditSettings) -> pd.DataFrame:
    """One row per rate, quarter and citizenship ('all' for everyone) with thirty cases, the offences as in the whole span.

    For the unit alone: from the rates of the few offences of a quarter, hidden counts could be solved for.
    """
    quarters, _ = periods(settings)
    rates = catalogue.loc[catalogue["kind"].eq("rate"), "measure_id"]
    inside = cells[cells["quarter"].isin(quarters) & cells["measure_id"].isin(rates)]
    counts = ["numerator", "denominator"]
    by = inside.groupby(["measure_id", "citizenship", "quarter", "offence_group"])[counts].sum().reset_index()
    everyone = by.groupby(["measure_id", "quarter", "offence_group"], as_index=False)[counts].sum()
    rows: list[dict[str, Any]] = []
    for (measure_id, citizenship), of in pd.concat([everyone.assign(citizenship=ALL), by]).groupby(
        ["measure_id", "citizenship"], sort=True
    ):
        k, n = (of.pivot(index="quarter", columns="offence_group", values=c).fillna(0) for c in counts)
        rate, usable = with_one_mix(k.to_numpy(dtype=float), n.to_numpy(dtype=float))
        whole = n.sum(axis=1).to_numpy()
        crude = proportion(k.sum(axis=1).to_numpy(), whole)
        rows += [
            dict(
                zip(
                    COLUMNS,
                    (measure_id, quarter, citizenship, int(whole[i]), crude[i], rate[i], usable[i]),
                    strict=True,
                )
            )
            for i, quarter in enumerate(k.index)
            if whole[i] >= MINIMUM_CASES
        ]
    return pd.DataFrame(rows, columns=COLUMNS)

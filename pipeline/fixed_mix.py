"""Rates over time with one mix of offences: a rate can move because other offences come in, and nobody decides otherwise.

Direct standardisation: the rate of each offence in a period, weighed by how many of its cases the whole span has. And of
the change from the first year to the last, what its offences and what is on file of citizenship contribute.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import AuditSettings
from pipeline.measures import ALL, MINIMUM_CASES, periods
from pipeline.stats.decompose import das_gupta
from pipeline.stats.intervals import Floats, proportion
from pipeline.stats.strata import standardise

COLUMNS = ["measure_id", "period", "citizenship", "cases", "rate", "rate_with_one_mix", "usable"]
CHANGE_COLUMNS = [
    *("measure_id", "first_year", "last_year", "first_rate", "last_rate", "change"),
    *("by_rates", "by_offences", "by_citizenship_on_file"),
]


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


def changes_table(cells: pd.DataFrame, catalogue: pd.DataFrame, settings: AuditSettings) -> pd.DataFrame:
    """One row per rate: its change from the first whole year to the last as a sum of three parts. For the unit alone.

    Other rates in cells alike; another mix of offences; and another mix of citizens, noncitizens and people without
    citizenship on file (Das Gupta 1993). Arithmetic, and no cause. A cell without a case in one of the years has the rate
    of the other; both years need thirty cases.
    """
    quarters, _ = periods(settings)
    years = pd.Series(quarters).str[:4].value_counts()
    whole = sorted(years.index[years.eq(4)])
    rates = catalogue.loc[catalogue["kind"].eq("rate"), "measure_id"]
    rows = []
    if len(whole) < 2:
        return pd.DataFrame(columns=CHANGE_COLUMNS)
    ends = whole[0], whole[-1]
    inside = cells[cells["measure_id"].isin(rates) & cells["quarter"].isin(quarters)]
    inside = inside.assign(year=inside["quarter"].str[:4])
    for measure_id, of in inside[inside["year"].isin(ends)].groupby("measure_id", sort=True):
        k, n = (
            of.pivot_table(index="offence_group", columns=["year", "citizenship"], values=column, aggfunc="sum")
            .reindex(columns=pd.MultiIndex.from_product([ends, sorted(of["citizenship"].unique())]))
            .fillna(0)
            for column in ("numerator", "denominator")
        )
        (k0, n0), (k1, n1) = ((k[year].to_numpy(dtype=float), n[year].to_numpy(dtype=float)) for year in ends)
        if min(n0.sum(), n1.sum()) < MINIMUM_CASES:
            continue
        r0, r1 = proportion(k0, n0), proportion(k1, n1)
        found = das_gupta(np.nan_to_num(np.where(n1 > 0, r1, r0)), n1, np.nan_to_num(np.where(n0 > 0, r0, r1)), n0)
        first, last = float(k0.sum() / n0.sum()), float(k1.sum() / n1.sum())
        numbers = (first, last, found.gap, found.rates, found.first, found.second)
        rows.append(dict(zip(CHANGE_COLUMNS, (measure_id, *ends, *numbers), strict=True)))
    return pd.DataFrame(rows, columns=CHANGE_COLUMNS)

"""The cube registry: which tables may be published, at which periods, above which counts. Read from `cubes.yml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml

#: The columns that name a cell of the long tables. `all` stands for a margin.
BREAKDOWNS = ("race", "citizenship", "offence_group", "stratum")
CELL = ("measure_id", "period", *BREAKDOWNS)

#: The days by which an event had happened: a dimension written in the stratum.
HORIZON = "horizon"
_HORIZON = re.compile(r"by_\d+$")

#: From fine to coarse.
PERIODS = ("quarter", "year", "all")


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The declared tables and the thresholds."""

    threshold: int
    restricted_threshold: int
    all_or_none: int
    restricted: Mapping[str, tuple[str, ...]]
    shown_share: float
    pools: Mapping[str, Mapping[str, tuple[str, ...]]]
    tables: Mapping[str, frozenset[str]]
    too_few_to_cross: Mapping[str, tuple[str, ...]]
    reference_tables: tuple[str, ...]
    finest_period: Mapping[str, str]
    about_nobody: tuple[str, ...] = ()

    def thresholds(self, rows: pd.DataFrame) -> npt.NDArray[np.int64]:
        """The smallest count that each row may show."""
        return np.where(_any_of(rows, self.restricted), self.restricted_threshold, self.threshold).astype(np.int64)

    def declares(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Which rows belong to a declared table, at a period that the table and the mart may have: they are judged."""
        rank = period_rank(rows["period"])
        finest = rows["mart"].map(self.finest_period).fillna(PERIODS[0]).map(PERIODS.index).to_numpy()
        table, names = breakdown_of(rows).factorize()
        allowed = np.array([[period in self.tables.get(name, ()) for period in PERIODS] for name in names], dtype=bool)
        declared: npt.NDArray[np.bool_] = allowed.reshape(-1, len(PERIODS))[table, rank] & (rank >= finest)
        grouped = np.any([rows[c].ne("all") for c in ("race", "citizenship", "offence_group")], axis=0)
        declared &= self.protects(rows) | ~grouped
        return declared

    def publishes(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Which of the declared rows may be told: none of two breakdowns at once where a measure counts too few people."""
        crossed: npt.NDArray[np.bool_] = breakdown_of(rows).str.contains("+", regex=False).to_numpy(dtype=bool)
        may: npt.NDArray[np.bool_] = self.declares(rows) & ~(crossed & _any_of(rows, self.too_few_to_cross))
        return may

    def protects(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Which rows count people, or what people did: all but those of measures that are about nobody."""
        people: npt.NDArray[np.bool_] = ~rows["measure_id"].isin(self.about_nobody).to_numpy()
        return people

    def of_nobody(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Which of these rows, all that a release may tell, are of a group that has nobody in any of its measures.

        As the race `unknown` where every race is recorded, or a race that the office's form does not have. Such a zero
        is one of the record (a structural zero: Bishop, Fienberg and Holland, Discrete Multivariate Analysis, 1975,
        chapter 5), and to say so is no disclosure: it speaks of all people in these records together, of whom none is of
        that group, which `all_or_none` allows of as many. A zero that one measure happens to have, where others count
        people of the group, says something about these people, and stays a cell like any other. Where fewer than two
        groups with a name have anybody the column is not recorded: it breaks nothing down, and no group of it is told.
        """
        size = rows["denominator"].fillna(rows["numerator"]).fillna(0)
        nobody = np.zeros(len(rows), dtype=bool)
        for column in ("race", "citizenship", "offence_group"):
            most = size.groupby(rows[column]).max()
            pools = self.pools.get(column, {})
            named = most[most.gt(0)].index.difference(["all", "unknown", *pools])
            if len(named) > 1 and most.get("all", 0) >= self.all_or_none:
                nobody |= rows[column].isin(most[most.eq(0)].index).to_numpy()
        return nobody

    def pool_of(self, column: str, value: str) -> str:
        """The pool that a group lies in, or the empty text."""
        return next(
            (pool for pool, members in self.pools.get(column, {}).items() if value in members),
            "",
        )


REGISTRY_FILE = Path(__file__).with_name("cubes.yml")


@cache
def load_registry(path: Path = REGISTRY_FILE) -> Registry:
    """The registry of this office."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Registry(
        threshold=raw["thresholds"]["default"],
        restricted_threshold=raw["thresholds"]["restricted"],
        all_or_none=raw["thresholds"]["all_or_none"],
        restricted={column: tuple(values) for column, values in raw["restricted"].items()},
        shown_share=raw["shown_share"],
        pools={
            column: {pool: tuple(members) for pool, members in pools.items()} for column, pools in raw["pools"].items()
        },
        tables={_breakdown(table["breakdown"]): frozenset(table["periods"]) for table in raw["tables"]},
        too_few_to_cross={column: tuple(values) for column, values in raw["too_few_to_cross"].items()},
        reference_tables=tuple(raw["reference_tables"]),
        finest_period=raw["finest_period"],
        about_nobody=tuple(raw["about_nobody"]),
    )


def period_rank(period: pd.Series[str]) -> npt.NDArray[np.int64]:
    """The place in PERIODS of 2024-Q1, of 2024 and of all."""
    rank = {len("2024-Q1"): 0, len("2024"): 1}
    code, periods = period.factorize()
    ranks = np.array([rank.get(len(one), PERIODS.index("all")) for one in periods], dtype=np.int64)
    return np.take(ranks, code)


def breakdown_of(rows: pd.DataFrame) -> pd.Series[str]:
    """The columns in which a row is no margin: `race+citizenship`.

    The strata of a rate or a mix are parts of a whole. The statistics of one distribution are not: they are told apart
    by their method, and each is a measure of its own; but how many had met the event by day 2, by day 7 and so on are
    many counts of the same people, so the day (`horizon`) counts as a dimension as well.
    """
    text = pd.Series("", index=rows.index, dtype=str)
    is_part = rows["ci_method"].isin(["wilson", ""])
    stratum, strata = rows["stratum"].factorize()
    is_horizon = np.array([bool(_HORIZON.search(one)) for one in strata], dtype=bool)[stratum] & ~is_part
    named = {column: rows[column].ne("all") for column in BREAKDOWNS}
    for column, at in (named | {"stratum": named["stratum"] & is_part, HORIZON: is_horizon}).items():
        text = text + np.where(at, "+" + column, "")
    return text.str[1:]


def _any_of(rows: pd.DataFrame, named: Mapping[str, tuple[str, ...]]) -> npt.NDArray[np.bool_]:
    """The rows that have one of the named values in one of the named columns.

    What a measure was before a correction is named by it and more words (`history.stack`), and is as delicate.
    """
    text = {column: rows[column] for column in named}
    if "measure_id" in text:
        text["measure_id"] = rows["measure_id"].map(lambda name: name.partition(" ")[0])
    at: npt.NDArray[np.bool_] = np.any([text[column].isin(values) for column, values in named.items()], axis=0)
    return at


def _breakdown(columns: list[str]) -> str:
    """A table's breakdown in the words of `breakdown_of`."""
    return "+".join(column for column in (*BREAKDOWNS, HORIZON) if column in columns)

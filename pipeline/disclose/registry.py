"""The cube registry: which tables may be published, at which periods, above which counts. Read from `cubes.yml`."""

from __future__ import annotations

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

#: From fine to coarse.
PERIODS = ("quarter", "year", "all")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One published table: what it is broken down by, and its periods from the finest that may be shown."""

    breakdown: frozenset[str]
    periods: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The declared tables and the thresholds."""

    threshold: int
    restricted_threshold: int
    all_or_none: int
    restricted: Mapping[str, tuple[str, ...]]
    shown_share: float
    tables: tuple[Table, ...]
    finest_period: Mapping[str, str]

    def thresholds(self, rows: pd.DataFrame) -> npt.NDArray[np.int64]:
        """The smallest count that each row may show."""
        restricted = np.zeros(len(rows), dtype=bool)
        for column, values in self.restricted.items():
            restricted |= rows[column].isin(values).to_numpy()
        return np.where(restricted, self.restricted_threshold, self.threshold)


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
        tables=tuple(
            Table(breakdown=frozenset(t["breakdown"]), periods=tuple(p for p in PERIODS if p in t["periods"]))
            for t in raw["tables"]
        ),
        finest_period=raw["finest_period"],
    )


def period_kind(period: pd.Series[str]) -> pd.Series[str]:
    """`quarter` for 2024-Q1, `year` for 2024, `all` for all."""
    return period.str.len().map({7: "quarter", 4: "year", 3: "all"})


def breakdown_of(rows: pd.DataFrame) -> pd.Series[str]:
    """The columns in which a row is no margin: `race+citizenship`."""
    text = pd.Series("", index=rows.index, dtype=str)
    for column in BREAKDOWNS:
        text = text + np.where(rows[column].eq("all"), "", "+" + column)
    return text.str[1:]


def breakdown_key(columns: frozenset[str]) -> str:
    """A table's breakdown in the words of `breakdown_of`."""
    return "+".join(column for column in BREAKDOWNS if column in columns)

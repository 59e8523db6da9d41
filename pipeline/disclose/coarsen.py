"""Which tables are listed, and which others the proof needs.

Each breakdown of a measure has a ladder: its finest period with small groups apart, then pooled, then the next period.
It is listed from the lowest step at which it can show most of its cells, and withheld if there is none; what the registry
does not publish stands on no step at all. Cells of no listed table may still tie two listed ones together (race by year,
citizenship by year and race by citizenship meet in race by citizenship by year), so an attacker would write them down as
unknowns, and so does the proof.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.disclose.registry import (
    BREAKDOWNS,
    PERIODS,
    Registry,
    breakdown_of,
    period_rank,
)
from pipeline.disclose.system import Integers, Mask

_STEPS = 2 * len(PERIODS)
_WHOLE = _STEPS - 1
_WITHHELD = _STEPS
_UNPUBLISHED = _STEPS + 1


class Ladders:
    """The ladder of every table in these rows, and the step from which each is listed."""

    def __init__(self, rows: pd.DataFrame, registry: Registry, *, asked: Mask, finished: Mask) -> None:
        """`asked` are the rows whose share counts: those of the new release; `finished` those of no unfinished year."""
        self._share = registry.shown_share
        self._table = (rows["measure_id"] + " " + breakdown_of(rows)).factorize(sort=True)[0]
        apart = np.any([_in_pool(rows, column, registry) for column in registry.pools], axis=0)
        self._step = 2 * period_rank(rows["period"]) + ~apart
        self._finished = finished
        self._asked = asked
        self._lowest = np.full(self._table.max(initial=-1) + 1, _STEPS)
        np.minimum.at(self._lowest, self._table, self._step)
        # What is broken down by nothing is always listed: a reader must see that it is hidden.
        self._highest = np.full(len(self._lowest), _WITHHELD)
        self._highest[self._table[breakdown_of(rows).eq("").to_numpy()]] = _WHOLE
        self._lowest[self._table[~registry.publishes(rows)]] = _UNPUBLISHED

    @property
    def listed(self) -> Mask:
        """The rows that are listed: never an unfinished year, which beside its quarters is a sum to subtract from."""
        listed: Mask = (self._step >= self._lowest[self._table]) & self._finished
        return listed

    @property
    def withheld(self) -> Mask:
        """The coarsest rows of the tables that are not listed at all."""
        withheld: Mask = (self._step == _WHOLE) & (self._lowest[self._table] == _WITHHELD)
        return withheld

    def climb(self, shown: Mask) -> bool:
        """Lifts each table that shows too few of its cells, at its lowest step or in all, until none does.

        Whether any was lifted. A cell without a case is a cell: a reader who meets a table of hidden rows cannot tell.
        """
        before = self._lowest
        while True:
            listed = self.listed & self._asked
            lowest = listed & (self._step == self._lowest[self._table])
            poor = np.zeros(len(self._lowest), dtype=bool)
            for at in (lowest, listed):
                cells, visible = (np.bincount(self._table[m], minlength=len(poor)) for m in (at, at & shown))
                poor |= (visible < self._share * cells) | (cells == 0)
            poor &= self._lowest < self._highest
            if not poor.any():
                return bool((self._lowest > before).any())
            self._lowest = self._lowest + poor


def needed(rows: pd.DataFrame, listed: Mask, registry: Registry) -> Mask:
    """The rows that the proof needs: the listed ones, and those that tie listed tables together."""
    axes = _axes(rows, registry)
    measure = rows["measure_id"].factorize()[0]
    keep = np.zeros(len(rows), dtype=bool)
    for one in range(measure.max(initial=-1) + 1):
        of_measure = measure == one
        cliques = _cliques(frozenset(axes[of_measure & listed].tolist()))
        keep |= of_measure & np.any([(axes & ~clique) == 0 for clique in cliques], axis=0)
    return keep


def finished(period: pd.Series[str]) -> Mask:
    """Whether the row's period is no year, or a year all of whose quarters are in these rows."""
    code, periods = period.factorize()
    quarters = Counter(one[:4] for one in periods if "-Q" in one)
    whole = [len(one) != len("2024") or quarters[one] in {0, 4} for one in periods]
    return np.take(np.array(whole, dtype=bool), code)


def _in_pool(rows: pd.DataFrame, column: str, registry: Registry) -> Mask:
    """Whether the row is of a small group whose pool has rows as well."""
    pool = rows[column].map(lambda value: registry.pool_of(column, value))
    return pool.isin(set(rows[column])).to_numpy()


def _axes(rows: pd.DataFrame, registry: Registry) -> Integers:
    """The axes along which a row is no margin, as bits: breakdowns, small groups apart, year, quarter."""
    flags: list[npt.NDArray[np.bool_]] = [rows[column].ne("all").to_numpy() for column in BREAKDOWNS]
    flags += [_in_pool(rows, column, registry) for column in registry.pools]
    flags += [
        period_rank(rows["period"]) < PERIODS.index("all"),
        period_rank(rows["period"]) == 0,
    ]
    axes: Integers = np.sum([flag.astype(np.int64) << bit for bit, flag in enumerate(flags)], axis=0)
    return axes


@cache
def _cliques(tables: frozenset[int]) -> tuple[int, ...]:
    """Sets of axes (as bits) that hold every table and whose joint counts leave no tie between tables unsaid.

    Tables are joined until they form a decomposable model: along an order of elimination, all that an axis shares a
    table with becomes one set. Margins of a decomposable model are free of each other given what they share
    (Lauritzen, Graphical Models, 1996, section 4.4), so nothing finer can tighten a bound.
    """
    axes = sorted({bit for table in tables for bit in _bits(table)})
    near = {axis: {other for t in tables if axis in _bits(t) for other in _bits(t)} for axis in axes}
    found: list[int] = [0]
    while near:
        axis = min(
            near,
            key=lambda a: (
                sum(y not in near[x] for x, y in combinations(sorted(near[a]), 2)),
                a,
            ),
        )
        clique = near.pop(axis)
        found.append(sum(1 << a for a in clique))
        for other in clique - {axis}:
            near[other] |= clique
            near[other].discard(axis)
    return tuple(found)


def _bits(mask: int) -> Iterable[int]:
    return {bit for bit in range(mask.bit_length()) if mask >> bit & 1}

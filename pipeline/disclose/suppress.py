"""What is hidden: small counts, and then what would betray them.

Every hidden row looks the same. Which one was small and which one only stands in front of it is not said: telling them
apart would expose some of them exactly.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from pipeline.disclose.attack import Witnesses, propagate, settled, unproved
from pipeline.disclose.registry import Registry
from pipeline.disclose.system import ROLES, Integers, Mask, System
from pipeline.errors import Problem, ReleaseRefused


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A system with what must not be learnt from it.

    `row_threshold` belongs to the rows of the long table, `node_threshold` to the counts: the largest of the rows that
    show it, since a count is as delicate as the most delicate name it goes by. `weight` is what hiding a row costs;
    `fixed` rows were published before and cannot be hidden. `measure` is each row's; `told` are the measures that
    earlier releases spoke of; of those `held_back` this one says nothing, and what they hid stays hidden. What is `delicate`
    is never conceded, whatever the names that a count has here say of it.
    """

    system: System
    row_threshold: Integers
    node_threshold: Integers
    all_or_none: int
    weight: npt.NDArray[np.float64]
    fixed: Mask
    measure: npt.NDArray[np.object_]
    told: frozenset[str]
    delicate: Mask
    held_back: frozenset[str] = frozenset()

    def name_by_name(self, of: Gate, at: Mask) -> Gate:
        """This gate, of the rows `at` of another in which several names may be one count: it concedes no name of what that does not."""
        delicate = np.zeros(len(self.system.value), dtype=bool)
        delicate[self.system.nodes[of.in_rows(~of.may_be_conceded)[at]]] = True
        return replace(self, delicate=delicate)

    def in_rows(self, counts: Mask) -> Mask:
        """Where in the rows these counts stand: rows by roles."""
        nodes = self.system.nodes
        return counts[nodes] & (nodes >= 0)

    @cached_property
    def shows(self) -> sparse.csr_array:
        """Rows by nodes: 1 where the row shows the count."""
        row, role = np.nonzero(self.system.nodes >= 0)
        shape = (len(self.system.nodes), len(self.system.value))
        return sparse.coo_array((np.ones(len(row)), (row, self.system.nodes[row, role])), shape=shape).tocsr()

    @cached_property
    def shown_by(self) -> sparse.csr_array:
        return self.shows.T.tocsr()

    @cached_property
    def _island(self) -> Integers:
        """For each count the number of those that lines join it to, near or far."""
        both = abs(self.system.lines)
        island: Integers = csgraph.connected_components(both.T @ both, directed=False)[1].astype(np.int64)
        return island

    def beside(self, rows: Mask) -> Mask:
        """The counts whose bounds these rows can have to do with."""
        shown = np.unique(self._island[self.shows[np.flatnonzero(rows)].indices])
        beside: Mask = np.isin(self._island, shown)
        return beside

    @cached_property
    def margin_lines(self) -> sparse.csr_array:
        return self.system.lines[self.system.is_margin_line]

    @cached_property
    def _cells(self) -> sparse.csr_array:
        """1 for each of the counts of each line numerator + complement = denominator."""
        others = ~self.system.names["role"].isin(ROLES).to_numpy()
        lines = abs(self.system.lines[~self.system.is_margin_line])
        return lines[np.flatnonzero(lines @ others == 0)]

    @cached_property
    def _wholes(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """The lines of counts that cannot be negative: lines by their wholes, and parts by lines."""
        lines = self.system.lines
        lines = lines[np.flatnonzero(abs(lines) @ (self.system.floor < 0) == 0)]
        return lines < 0, (lines > 0).T.tocsr()

    def known(self, shown: Mask) -> Mask:
        """The counts that the shown rows say, with what a published zero says of its parts.

        None of all is none of each, be it of each group or of those who had the outcome and who had not; and so all of each
        as well: where another row shows how many a part has, and these are not too few, it is no secret that they are all.
        """
        known: Mask = self.shown_by @ (shown | self.fixed) > 0
        can_be_none = (self.system.value == 0) & (self.system.floor == 0)
        heads, parts = self._wholes
        cells = self._cells
        while True:
            none = known & can_be_none
            found = parts @ (heads @ none > 0) > 0
            told = (cells @ none > 0) & (cells @ ~known == 1)
            found = (found | ((cells.T @ told > 0) & ~self.small)) & ~known
            if not found.any():
                return known
            known |= found

    def primary(self) -> Mask:
        """Rows that may not be shown for what they say themselves."""
        denominator = np.where(self.system.nodes[:, 1] >= 0, self.system.value[self.system.nodes[:, 1]], -1)
        small_group = (denominator >= 0) & (denominator < self.row_threshold)
        hidden: Mask = (self.shows @ self.small > 0) | small_group | self._none_or_all
        return hidden

    @cached_property
    def _none_or_all(self) -> Mask:
        """Rows that say of a group that none of it had the outcome, or all, where it is too small for that."""
        numerator, denominator, complement = (np.where(n >= 0, self.system.value[n], -1) for n in self.system.nodes.T)
        rows: Mask = ((numerator == 0) | (complement == 0)) & (denominator >= 0) & (denominator < self.all_or_none)
        return rows

    @cached_property
    def small(self) -> Mask:
        """The counts that may not be known."""
        size = np.abs(self.system.value)
        small: Mask = (size > 0) & (size < self.node_threshold)
        return small

    def protected(self, listed: Mask, shown: Mask, known: Mask, given_up: Collection[str] = ()) -> Mask:
        """The counts whose bounds must stay wide: all of a hidden row, and the small ones of cells in no table.

        Those that only measures speak of that are given up are not among them: of such a measure nothing leaves.
        """
        hidden: Mask = ((self.shown_by @ (listed & ~shown) > 0) | self.small) & ~known
        if given_up:
            gone = self.of(given_up)
            named_by_nothing = self.shown_by @ np.ones(len(shown)) == 0
            own = ~self.system.names["measure_id"].isin(given_up).to_numpy()
            hidden &= (self.shown_by @ (listed & ~shown & ~gone) > 0) | (
                self.small & np.where(named_by_nothing, own, self.shown_by @ ~gone > 0)
            )
        return hidden

    @cached_property
    def may_be_conceded(self) -> Mask:
        """The counts that are nobody's, and those that are hidden in front of others and for no reason of their own.

        A row is hidden for one small count of it: the others, as of how many these few are, need not be any secret.
        If earlier releases alone give such a count away, as two totals of which one is later, it is public already, and
        whoever stands behind it is looked for by himself: also how many there were of whom nobody had the outcome.
        """
        own_reason = self.shown_by @ self._none_or_all > 0
        told = self.shown_by @ self.of(self.told) > 0
        may: Mask = told & ~self.small & (~own_reason | (self.system.value == 0)) & ~self.delicate
        return may

    @cached_property
    def given_away(self) -> Mask:
        """Those of them that the earlier releases alone give away: nothing more is hidden for their sake."""
        if not self.told:
            return np.zeros(len(self.system.value), dtype=bool)
        low, high = propagate(self.system, self.known(self.fixed))
        narrow = high - low < self.node_threshold
        return self.may_be_conceded & (narrow | settled(self.system, (low, high), self.may_be_conceded & ~narrow))

    def of(self, measures: Collection[str]) -> Mask:
        """The rows of these measures."""
        return np.isin(self.measure, sorted(measures))

    def measures_of(self, node: int) -> list[str]:
        """The measures that a count goes by."""
        rows = self.shown_by.indices[self.shown_by.indptr[node] : self.shown_by.indptr[node + 1]]
        return sorted(set(self.measure[rows])) or [str(self.system.names["measure_id"].iloc[node])]

    def cost(self, shown: Mask) -> npt.NDArray[np.float64]:
        """What hiding each count costs, in the rows that show it; 0 where it is hidden, or was published before."""
        cost: npt.NDArray[np.float64] = self.shown_by @ (self.weight * (shown & ~self.fixed))
        return np.where(self.shown_by @ self.fixed > 0, 0, cost)


def make_gate(
    system: System,
    rows: pd.DataFrame,
    registry: Registry,
    fixed: Mask | None = None,
    told: frozenset[str] = frozenset(),
) -> Gate:
    """The gate of these rows. To hide a row costs more, the more cases it speaks of."""
    row_threshold = registry.thresholds(rows)
    node_threshold = np.zeros(len(system.value), dtype=np.int64)
    for column in system.nodes.T:
        used = column >= 0
        np.maximum.at(node_threshold, column[used], row_threshold[used])
    # A count that no row shows is as delicate as those that give it away.
    inside = abs(system.lines[~system.is_margin_line])
    given_away = _largest(inside.T.tocsr(), _largest(inside, node_threshold))
    cases = rows["denominator"].fillna(rows["numerator"]).fillna(0).to_numpy(dtype=np.float64)
    return Gate(
        system=system,
        row_threshold=row_threshold,
        node_threshold=np.where(node_threshold > 0, node_threshold, given_away),
        all_or_none=registry.all_or_none,
        weight=np.log2(2 + cases) ** 3,
        fixed=np.zeros(len(rows), dtype=bool) if fixed is None else fixed,
        measure=rows["measure_id"].to_numpy(dtype=object),
        told=told,
        delicate=np.zeros(len(system.value), dtype=bool),
    )


def _largest(incidence: sparse.csr_array, values: Integers) -> Integers:
    """For each row of a 0-1 matrix the largest of the values at its ones; 0 where it has none."""
    if not all(incidence.shape):  # measures that count alone have no lines within a cell
        return np.zeros(incidence.shape[0], dtype=np.int64)
    largest: Integers = (incidence * values).max(axis=1).toarray().ravel()
    return largest


@dataclass(frozen=True, kw_only=True)
class Protected:
    """The rows that are shown, the measures of which nothing is, and the counts that earlier releases gave away."""

    shown: Mask
    given_up: frozenset[str]
    conceded: Mask


def protect(
    gate: Gate, listed: Mask, shown: Mask, given_up: frozenset[str] = frozenset(), witnesses: Witnesses | None = None
) -> Protected:
    """Hides further rows until no attacker can bound a protected count more narrowly than its threshold.

    The quick attack is answered first, and then, if witnesses are called, the exact one. A measure of which a count
    stays exposed though nothing is left to hide is given up: all of it is hidden. If earlier releases told of it, they
    have given the count away; then it is conceded, if it may be or none but measures speak of it that are held back, or
    ReleaseRefused is raised.
    """
    low, high = gate.system.value.copy(), gate.system.value.copy()
    stale = np.ones(len(low), dtype=bool)
    shown = shown & ~gate.of(given_up | gate.held_back)
    conceded = gate.given_away.copy()
    while True:
        before, shown = shown, _close_lines(gate, listed, shown, given_up, conceded)
        stale |= gate.beside(before & ~shown)
        known = gate.known(shown)
        protected = gate.protected(listed, shown, known, given_up) & ~conceded
        found = propagate(gate.system, known, stale)
        low, high = (np.where(stale, new, old) for new, old in zip(found, (low, high), strict=True))
        narrow = protected & (high - low < gate.node_threshold)
        if witnesses and not narrow.any():
            narrow = unproved(gate.system, (low, high), protected, gate.node_threshold, witnesses)
        if not narrow.any():
            return Protected(shown=shown, given_up=given_up, conceded=conceded)
        lines, missing, hopeless = _tightest_lines(gate, shown, known, narrow, high - low)
        before = shown
        shown, _ = _hide_one_in_each(gate, shown, gate.system.lines, lines, missing)
        may = [gate.may_be_conceded[node] or gate.held_back.issuperset(gate.measures_of(node)) for node in hopeless]
        conceded[np.array(hopeless, dtype=np.int64)[may]] = True
        hopeless = [node for node in hopeless if not conceded[node]]
        if hopeless:
            # A count of several measures is another's when the first is gone: one at a time.
            lost = {next(m for m in gate.measures_of(node) if m not in given_up) for node in hopeless}
            if lost & gate.told:
                raise ReleaseRefused(_exposed(gate, node) for node in hopeless)
            given_up |= lost
            shown &= ~gate.of(lost)
        stale = gate.beside(before & ~shown)


def _close_lines(gate: Gate, listed: Mask, shown: Mask, given_up: Collection[str], conceded: Mask) -> Mask:
    """No line with a lone unknown, and none whose unknowns are known to sum to less than a threshold."""
    lines = gate.margin_lines
    parts, heads, both = lines > 0, lines < 0, abs(lines)
    stuck = np.zeros(lines.shape[0], dtype=bool)
    while True:
        known = gate.known(shown)
        protected = gate.protected(listed, shown, known, given_up) & ~conceded
        need = _largest(both, np.where(protected, gate.node_threshold, 0))
        sum_is_known = heads @ known > 0
        bounded = sum_is_known & (heads @ gate.system.floor == 0)
        missing = np.where(bounded, need - parts @ np.where(known, 0, gate.system.value), 0)
        open_lines = np.flatnonzero((need > 0) & ((both @ ~known == 1) | (missing > 0)) & ~stuck)
        if not len(open_lines):
            return shown
        shown, exhausted = _hide_one_in_each(gate, shown, lines, open_lines, missing[open_lines])
        stuck[exhausted] = True


def _tightest_lines(
    gate: Gate, shown: Mask, known: Mask, narrow: Mask, width: Integers
) -> tuple[Integers, Integers, list[int]]:
    """For each narrow count the line that leaves it the least room, among those with something left to hide.

    Where its own lines have nothing left, those of the hidden counts that stand in them are looked at, and so on.
    Returns the lines, how large a count must be to help there, and the counts for which nothing is left to hide.
    """
    both, nowhere = abs(gate.system.lines), np.iinfo(np.int64).max
    open_lines = both @ (gate.cost(shown) > 0) > 0
    room = (both @ np.minimum(width, 10**9)).astype(np.float64)
    room[~gate.system.is_margin_line] += 1e18  # a line within a cell is a last resort: it costs a denominator
    order = np.argsort(room, kind="stable")
    # Of the open lines so far within reach of each line, and of each count, the place of the tightest in that order.
    best = np.where(open_lines, np.argsort(order), nowhere)
    chosen: dict[int, int] = {}
    left = np.flatnonzero(narrow)
    while len(left):
        of_node = _least(gate.system.by_node, best)
        for node in left[of_node[left] < nowhere]:
            line = int(order[of_node[node]])
            chosen[line] = max(chosen.get(line, 0), int(gate.node_threshold[node]))
        left = left[of_node[left] == nowhere]
        before, best = best, np.minimum(best, _least(gate.system.lines, np.where(known, nowhere, of_node)))
        if (best == before).all():
            break
    found = sorted(chosen)
    return np.array(found, dtype=np.int64), np.array([chosen[line] for line in found], dtype=np.int64), left.tolist()


def _least(incidence: sparse.csr_array | sparse.csc_array, values: Integers) -> Integers:
    """For each row of a CSR matrix, or each column of a CSC matrix, the least of the values where it is not zero."""
    least = np.full(len(incidence.indptr) - 1, np.iinfo(np.int64).max)
    some = np.flatnonzero(np.diff(incidence.indptr))
    if len(some):
        least[some] = np.minimum.reduceat(values[incidence.indices], incidence.indptr[some])
    return least


def _hide_one_in_each(
    gate: Gate,
    shown: Mask,
    lines: sparse.csr_array,
    chosen: Integers,
    missing: Integers,
) -> tuple[Mask, Integers]:
    """Hides the cheapest count of each line that brings what is missing, or else the largest.

    A line served by what another has just hidden waits for the next look. Returns the lines that have none left.
    """
    shown = shown.copy()
    cost = gate.cost(shown)
    hidden_now = np.zeros(len(gate.system.value), dtype=bool)
    stuck = []
    for line, lacking in zip(chosen, missing, strict=True):
        members = lines.indices[lines.indptr[line] : lines.indptr[line + 1]]
        if hidden_now[members].any():
            continue
        candidates = members[cost[members] > 0]
        if not len(candidates):
            stuck.append(line)
            continue
        value = gate.system.value[candidates]
        best = candidates[
            np.lexsort(
                (
                    candidates,
                    np.where(value >= lacking, cost[candidates], -value),
                    value < lacking,
                )
            )[0]
        ]
        rows = gate.shown_by.indices[gate.shown_by.indptr[best] : gate.shown_by.indptr[best + 1]]
        shown[rows] = False
        hidden_now[gate.system.nodes[rows]] = True
    return shown, np.array(stuck, dtype=np.int64)


def _exposed(gate: Gate, node: int) -> Problem:
    return Problem(
        code="IIU602",
        where=gate.system.name(node),
        what="this count cannot be protected: nothing is left to hide beside it",
        expected=f"bounds at least {gate.node_threshold[node]} wide",
        fix="Hold its measure back this time (--hold-back), end totals with finished years (`totals` in office.yml), or "
        "declare fewer or coarser tables in pipeline/disclose/cubes.yml.",
    )

"""The attacker: everything that is published, solved for everything that is not.

Bounds on a hidden count are found in two steps. Propagation over the lines is quick and gives bounds that any attacker
can have; what it pins is pinned. Integer programmes then settle what propagation leaves open: a count is safe when two
whole tables exist that agree with all that is published and in which it differs by its threshold. Such witnesses are
integer tables, so their word holds against every attacker who has only the published numbers, whatever his method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse
from scipy.sparse import csgraph

from pipeline.disclose.system import UNBOUNDED, Integers, Mask, System

#: Propagation that has not settled after so many passes is creeping; what it found so far is true all the same.
_PASSES = 40


def propagate(system: System, known: Mask) -> tuple[Integers, Integers]:
    """Lower and upper bound of every node, from the known nodes and the lines.

    Exact for a tree of lines; elsewhere wider than the truth, never narrower than what the published numbers allow.
    """
    low = np.where(known, system.value, system.floor)
    high = np.where(known, system.value, UNBOUNDED)
    lines = system.lines[np.flatnonzero(abs(system.lines) @ ~known)]
    entry_line = np.repeat(np.arange(lines.shape[0]), np.diff(lines.indptr))
    column, sign = lines.indices, lines.data
    by_node = np.argsort(column, kind="stable")
    touched, starts = np.unique(column[by_node], return_index=True)
    if not len(touched):
        return low, high
    for _ in range(_PASSES):
        least = np.where(sign > 0, low[column], -high[column])
        most = np.where(sign > 0, high[column], -low[column])
        # sign * x = -(sum of the others), so it lies between the negatives of what the others can reach.
        floor = -(np.bincount(entry_line, most, lines.shape[0])[entry_line] - most)
        ceiling = -(np.bincount(entry_line, least, lines.shape[0])[entry_line] - least)
        new_low = np.where(sign > 0, floor, -ceiling)[by_node].astype(np.int64)
        new_high = np.where(sign > 0, ceiling, -floor)[by_node].astype(np.int64)
        next_low = np.maximum(low[touched], np.maximum.reduceat(new_low, starts))
        next_high = np.minimum(high[touched], np.minimum.reduceat(new_high, starts))
        if (next_low > system.value[touched]).any() or (next_high < system.value[touched]).any():
            raise ArithmeticError("the lines exclude the true table")
        if (next_low == low[touched]).all() and (next_high == high[touched]).all():
            break
        low[touched], high[touched] = next_low, next_high
    return low, high


class Witnesses:
    """What tables have been seen that agree with the published numbers: the least and the most of every count.

    The true table is the first witness. Tables seen stay valid while less and less is known, as when rows are hidden.
    """

    def __init__(self, system: System) -> None:
        self.least = system.value.copy()
        self.most = system.value.copy()

    def add(self, nodes: Integers, values: Integers) -> None:
        self.least[nodes] = np.minimum(self.least[nodes], values)
        self.most[nodes] = np.maximum(self.most[nodes], values)

    def width(self) -> Integers:
        """Every attacker's bounds on a count are at least this far apart."""
        return self.most - self.least


def exposed(
    system: System,
    known: Mask,
    protected: Mask,
    threshold: Integers,
    witnesses: Witnesses,
) -> Mask:
    """The protected counts whose bounds an attacker can bring closer together than their threshold: exact.

    The witnesses are added to.
    """
    low, high = propagate(system, known)
    found = protected & (high - low < threshold)
    open_nodes = protected & ~found
    if not (open_nodes & (witnesses.width() < threshold)).any():
        return found
    for part in _parts(system, low, high):
        if (open_nodes[part.nodes] & (witnesses.width()[part.nodes] < threshold[part.nodes])).any():
            found[part.nodes] |= part.exposed(open_nodes, threshold, witnesses)
    return found


def explain(system: System, known: Mask, node: int) -> tuple[int, int, list[int]]:
    """The bounds of one count over the rational numbers, rounded inwards, and the lines that prove them.

    The lines are those with a multiplier in the linear programmes: added up with these, they are the attack.
    """
    lines = system.lines[np.flatnonzero(abs(system.lines) @ ~known)]
    at = np.flatnonzero(abs(system.lines) @ ~known)
    free = np.flatnonzero(~known)
    sums = -(lines[:, np.flatnonzero(known)] @ system.value[known])
    goal = (free == node).astype(np.float64)
    own, bounds = lines[:, free], np.column_stack([system.floor[free], np.full(len(free), np.inf)])
    ends, proof = [], np.zeros(len(at), dtype=bool)
    for sign in (1, -1):
        result = optimize.linprog(sign * goal, A_eq=own, b_eq=sums, bounds=bounds, method="highs")  # type: ignore[call-overload]
        ends.append(sign * result.fun if result.status == 0 else float(UNBOUNDED))
        proof |= np.abs(result.eqlin.marginals) > 1e-9 if result.status == 0 else False
    return int(np.ceil(ends[0] - 1e-6)), int(np.floor(ends[1] + 1e-6)), at[proof].tolist()


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Counts that hang together: the lines between them, what is left of each line, and their bounds so far."""

    nodes: Integers
    lines: sparse.csr_array
    sums: Integers
    low: Integers
    high: Integers

    def exposed(self, protected: Mask, threshold: Integers, witnesses: Witnesses) -> Mask:
        found = np.zeros(len(self.nodes), dtype=bool)
        asked, wide = protected[self.nodes], threshold[self.nodes]
        idle = 0
        while True:
            width = witnesses.width()[self.nodes]
            undecided = asked & ~found & (width < wide)
            if not undecided.any():
                return found
            if idle < 2:
                # Lift as many as possible to their threshold at once, and none further.
                lifted = np.maximum(witnesses.least[self.nodes] + wide, witnesses.most[self.nodes])
                table = self.table(
                    undecided,
                    np.where(undecided, np.minimum(lifted, self.high), self.high),
                )
                witnesses.add(self.nodes, table)
                still = undecided & (witnesses.width()[self.nodes] < wide)
                idle = idle + 1 if still.sum() > 0.9 * undecided.sum() else 0
            else:
                one = np.arange(len(self.nodes)) == np.argmax(undecided)
                for sign in (1, -1):
                    witnesses.add(self.nodes, self.table(sign * one, self.high))
                found |= one & (witnesses.width()[self.nodes] < wide)

    def table(self, direction: npt.NDArray[np.integer | np.bool_], high: Integers) -> Integers:
        """The whole-number table that agrees with what is published and has the largest sum in this direction."""
        for whole in (
            False,
            True,
        ):  # the corners are mostly whole, and without the demand they are found sooner
            result = optimize.milp(
                -direction.astype(np.float64),
                integrality=np.full(len(self.nodes), whole, dtype=np.int64),
                bounds=optimize.Bounds(self.low, high),
                constraints=optimize.LinearConstraint(self.lines, self.sums, self.sums),
            )
            if result.x is None:
                raise ArithmeticError(result.message)
            table = np.rint(result.x).astype(np.int64)
            if (self.lines @ table == self.sums).all() and np.abs(table - result.x).max() < 1e-6:
                return table
        raise ArithmeticError("the solver returned a table that does not add up")


def _parts(system: System, low: Integers, high: Integers) -> list[_Part]:
    """The open counts, by the lines that join them."""
    free = np.flatnonzero(low < high)
    lines = system.lines[:, free]
    lines = lines[np.flatnonzero(abs(lines).sum(axis=1))]
    _, label = csgraph.connected_components(abs(lines).T @ abs(lines), directed=False)
    order = np.argsort(label, kind="stable")
    parts = []
    for chosen in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        own = lines[:, chosen]
        own = own[np.flatnonzero(abs(own).sum(axis=1))]
        nodes = free[chosen]
        sums = own @ system.value[nodes]
        # Nothing can exceed all that there is; a finite ceiling keeps the programmes well scaled.
        most = 4 * system.value.max(initial=0) + 1000
        bounds = {"low": np.maximum(low[nodes], -most), "high": np.minimum(high[nodes], most)}
        parts.append(_Part(nodes=nodes, lines=own, sums=sums, **bounds))
    return parts

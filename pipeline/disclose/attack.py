"""The attacker: everything that is published, solved for everything that is not.

Bounds on a hidden count are found in two steps. Propagation over the lines is quick and gives bounds that any attacker
can have; what it pins is pinned. Witnesses then settle what propagation leaves open: a count is safe when two tables
exist that agree with all that is published and in which it differs by its threshold. Where these are whole numbers, their
word holds against every attacker who has only the published numbers, whatever his method; where they need not be, against
linear programming, which any of them may have. A count for which no witnesses are found counts as exposed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse
from scipy.sparse import csgraph, linalg

from pipeline.disclose.system import UNBOUNDED, Integers, Mask, System

Floats = npt.NDArray[np.float64]

#: Propagation that has not settled after so many passes is creeping; what it found so far is true all the same.
_PASSES = 40

#: Islands are taken together as long as they have no more counts than this.
_BUNDLE = 1_000

#: Counts that many tables at once are sought for: the more there are, the more stand in each other's way.
_GOALS = 50

#: A search of many tables ends when so many of them have brought next to nothing.
_FAILURES = 3

#: Each programme costs the square of its size. What so much work on single counts has not proved counts as exposed.
_WORK = 6_000_000_000

#: So many exposed counts of one part are enough to go on with: what is hidden for them protects others as well.
_ENOUGH = 12

#: Counts that are pushed at once where tables need not be of whole numbers.
_PUSHED = 400

#: Among more counts than this, linear programmes are solved from within.
_FROM_WITHIN = 5_000

#: Lines are thinned as long as this share of their terms is left, or less.
_THINNER = 0.9

#: What linear programming takes for the same, in one number and in a line of many.
_CLOSE, _EXACT = 1e-6, 1e-4

#: An integer programme that has looked at so many branches is given up. No clock: the same verdict on every machine.
_BRANCHES = 10

#: A table need not be the furthest of all: this share of the way is far enough to stop looking.
_FAR_ENOUGH = 0.05


def propagate(system: System, known: Mask, among: Mask | None = None) -> tuple[Integers, Integers]:
    """Lower and upper bound of every node, from the known nodes and the lines; with `among`, of these nodes alone.

    Exact for a tree of lines; elsewhere wider than the truth, never narrower than what the published numbers allow.
    `among` must be closed: no line may join a node of it to one outside.
    """
    low = np.where(known, system.value, system.floor)
    high = np.where(known, system.value, UNBOUNDED)
    asked = ~known if among is None else ~known & among
    all_lines, of_node = system.lines, system.by_node
    active = np.flatnonzero(abs(all_lines) @ asked)
    for _ in range(_PASSES):
        lines = all_lines[active]
        entry_line = np.repeat(np.arange(lines.shape[0]), np.diff(lines.indptr))
        column, times = lines.indices, lines.data  # a count that goes by many names can stand in a line many times
        by_node = np.argsort(column, kind="stable")
        touched, starts = np.unique(column[by_node], return_index=True)
        if not len(touched):
            break
        least = times * np.where(times > 0, low[column], high[column])
        most = times * np.where(times > 0, high[column], low[column])
        # times * x = -(sum of the others), so it lies between the negatives of what the others can reach.
        floor = (most - np.bincount(entry_line, most, lines.shape[0])[entry_line]) / times
        ceiling = (least - np.bincount(entry_line, least, lines.shape[0])[entry_line]) / times
        new_low = np.ceil(np.where(times > 0, floor, ceiling))[by_node].astype(np.int64)
        new_high = np.floor(np.where(times > 0, ceiling, floor))[by_node].astype(np.int64)
        next_low = np.maximum(low[touched], np.maximum.reduceat(new_low, starts))
        next_high = np.minimum(high[touched], np.minimum.reduceat(new_high, starts))
        if (next_low > system.value[touched]).any() or (next_high < system.value[touched]).any():
            raise ArithmeticError("the lines exclude the true table")
        moved = touched[(next_low > low[touched]) | (next_high < high[touched])]
        low[touched], high[touched] = next_low, next_high
        active = np.unique(of_node[:, moved].indices)  # only the lines of what moved can move something further
    return low, high


class Witnesses:
    """What tables have been seen that agree with the published numbers: the least and the most of every count.

    The true table is the first witness. Tables seen stay valid while less and less is known, as when rows are hidden.
    They are of whole numbers or not, so `least` and `most` are integers or floats.
    """

    def __init__(self, system: System, *, whole: bool = True) -> None:
        self.whole = whole
        self.least = system.value.copy() if whole else system.value.astype(np.float64)
        self.most = self.least.copy()

    def add(self, nodes: Integers, values: Integers | Floats) -> None:
        self.least[nodes] = np.minimum(self.least[nodes], values)
        self.most[nodes] = np.maximum(self.most[nodes], values)

    def width(self, nodes: Integers | slice) -> Integers | Floats:
        """Every attacker's bounds on these counts are at least this far apart."""
        return self.most[nodes] - self.least[nodes]

    def lack(self, need: Integers, nodes: Integers | slice = slice(None)) -> Mask:
        """Of these counts those that were not seen as far apart as they need."""
        lacking: Mask = self.width(nodes) < need - (0 if self.whole else _CLOSE)
        return lacking


def unproved(
    system: System, bounds: tuple[Integers, Integers], protected: Mask, threshold: Integers, witnesses: Witnesses
) -> Mask:
    """The protected counts that are not proved safe, given the bounds that propagation found. Adds to the witnesses.

    Exact where these need not be whole numbers, and for counts that hang together with few others; among very many, one
    whose whole witnesses are far to seek is not proved, and counts as exposed. Not all are named where there are many; if
    none is, all are proved safe.
    """
    low, high = bounds
    narrow = protected & (high - low < threshold)
    need = np.where(protected & ~narrow, threshold, 0)
    parts = _parts(system, low, high) if witnesses.lack(need).any() else []
    if (fixed := _in_each(parts, _Part.settled, need, witnesses)).any():
        return narrow | fixed  # to look for other tables would be idle
    if witnesses.whole:
        return narrow | _without_whole(parts, need, witnesses)
    return narrow | _in_each(parts, _Part.push, need, witnesses)


def settled(system: System, bounds: tuple[Integers, Integers], asked: Mask) -> Mask:
    """Of these counts those that are in every table as they are: what lines say together, where each by itself leaves room."""
    parts = _parts(system, *bounds) if asked.any() else []
    return _in_each(parts, _Part.settled, asked.astype(np.int64), Witnesses(system))


def _without_whole(parts: list[_Part], need: Integers, witnesses: Witnesses) -> Mask:
    """Those for which no tables of whole numbers are found."""
    for part in parts:
        part.add_people(need, witnesses)
    for part in parts:
        part.widen_together(need, witnesses)
    found = np.zeros(len(need), dtype=bool)
    while before := witnesses.lack(need).sum():
        found = _in_each(parts, _Part.widen_each, need, witnesses)
        if witnesses.lack(need).sum() == before:
            break
    return found & witnesses.lack(need).any()


def _in_each(
    parts: list[_Part], look: Callable[[_Part, Integers, Witnesses], Mask], need: Integers, witnesses: Witnesses
) -> Mask:
    """What is found where each part is looked at."""
    found = np.zeros(len(need), dtype=bool)
    for part in parts:
        found[part.nodes] = look(part, need, witnesses)
    return found


def explain(system: System, known: Mask, node: int) -> tuple[int, int, list[int]]:
    """The bounds of one count over the rational numbers, rounded inwards, and the lines that prove them.

    The lines are those with a multiplier in the linear programmes: added up with these, they are the attack.
    """
    free = np.flatnonzero(~known)
    between = abs(system.lines[:, free])
    _, island = csgraph.connected_components(between.T @ between, directed=False)
    free = free[island == island[np.searchsorted(free, node)]]  # what no line joins to it has no say
    at = np.flatnonzero(abs(system.lines[:, free]).sum(axis=1))
    lines = system.lines[at]
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
    """Counts that hang together, or several such islands: the lines between them, what they are, their bounds so far.

    Every count is a sum of the `finest` of them (positions among `nodes`): `sums` has counts by finest ones. So tables are
    sought by moving these alone, as `ties @ move == 0` allows: what is left of the lines, and of what is known, between them.
    The tables found are held against the lines themselves. How far apart the witnesses of each count `need` be is given for
    all counts of the system; 0 where it does not matter.
    """

    nodes: Integers
    lines: sparse.csr_array
    true: Integers
    low: Integers
    high: Integers
    island: Integers
    finest: Integers
    sums: sparse.csr_array
    ties: sparse.csr_array

    def widen_together(self, need: Integers, witnesses: Witnesses) -> None:
        """Looks for tables that take several counts at once as far as they need.

        Which they are, and which goes up and which down, is drawn anew for each table.
        """
        need = need[self.nodes]
        draw, failures = np.random.default_rng(len(self.nodes)), 0
        while failures < _FAILURES:
            narrow = np.flatnonzero(witnesses.lack(need, self.nodes))
            if not len(narrow):
                break
            goals = draw.choice(narrow, min(_GOALS, len(narrow)), replace=False)
            self._move(goals, draw.choice([-1, 1], len(goals)), need, witnesses)
            proved = len(narrow) - witnesses.lack(need, self.nodes).sum()
            failures += int(proved < len(goals) / 10)

    def widen_each(self, need: Integers, witnesses: Witnesses) -> Mask:
        """Looks for tables for one count of each island at a time. Returns those for which none is found, not always all."""
        need = need[self.nodes]
        found, work = np.zeros(len(self.nodes), dtype=bool), 0
        while len(seeds := np.flatnonzero(witnesses.lack(need, self.nodes) & ~found)):
            if work > _WORK:
                found[seeds] = True
                break
            # What moves one island has nothing to do with what moves another.
            seeds = seeds[np.unique(self.island[seeds], return_index=True)[1]]
            for way in (1, -1):
                left = seeds[witnesses.lack(need[seeds], self.nodes[seeds])]
                if len(left):
                    self._move(left, np.full(len(left), way), need, witnesses)
                    work += len(self.finest) ** 2
            found[seeds] = witnesses.lack(need[seeds], self.nodes[seeds])
            enough = np.bincount(self.island, found)[self.island] >= _ENOUGH
            need = np.where(enough, 0, need)
        return found

    def add_people(self, need: Integers, witnesses: Witnesses) -> None:
        """Looks for one table with more people and in no count fewer: what can be added here and there can be added at once."""
        need = need[self.nodes]
        enough = np.where(witnesses.lack(need, self.nodes), witnesses.least[self.nodes] + need - self.true, 0)
        goals = np.flatnonzero(enough > 0)
        most = (self.high - self.true)[self.finest].astype(np.float64)
        move = self._towards(self.sums[goals], enough[goals], np.zeros(len(most)), most)
        if move is not None:
            self._show(np.rint(move).astype(np.int64), witnesses)

    def push(self, need: Integers, witnesses: Witnesses) -> Mask:
        """Pushes many counts at once up or down, as drawn; fewer, where they stand in each other's way, and at last each alone.

        Returns those that no table takes as far as they need, not always all.
        """
        need, found = need[self.nodes], np.zeros(len(self.nodes), dtype=bool)
        if not witnesses.lack(need, self.nodes).any():
            return found
        draw, many = np.random.default_rng(len(self.nodes)), _PUSHED
        programme = _Programme(self.ties, (self.low - self.true)[self.finest])
        while len(narrow := np.flatnonzero(witnesses.lack(need, self.nodes) & ~found)) and found.sum() < _ENOUGH:
            goals = draw.choice(narrow, min(many, len(narrow)), replace=False)
            way = draw.choice([-1, 1], len(goals))
            left = np.ones(len(goals), dtype=bool)
            for sign in (1, -1):
                # Of two that stand in each other's way one is worth more: else each may go half of its way.
                worth = draw.uniform(1, 2, left.sum())
                move = programme.furthest(*self._aim(goals[left], sign * way[left], need, witnesses), worth)
                if move is not None:
                    self._show(move, witnesses)
                left = witnesses.lack(need[goals], self.nodes[goals])
                if not left.any():
                    break
            if len(goals) == 1:
                found[goals] = left
            elif left.sum() > 0.9 * len(goals):
                many = len(goals) // 2
        return found

    def settled(self, need: Integers, witnesses: Witnesses) -> Mask:
        """Those without witnesses that are in every table as they are, as sums and differences of lines tell.

        What is at the least or the most that it can be goes one way or not at all; what can go, can go at once, however
        little. With the rest as it is the lines leave a linear space: what is the same all over it is 0 in drawn vectors of it.
        """
        left = witnesses.lack(need[self.nodes], self.nodes)
        if not left.any():
            return left
        up, down = (self.true < self.high)[self.finest], (self.true > self.low)[self.finest]
        bound = np.flatnonzero(up != down)
        goals = sparse.diags_array(np.subtract(up, down, dtype=np.int64), dtype=np.int64).tocsr()[bound]
        least, most = np.where(down, -np.inf, 0), np.where(up, np.inf, 0)
        move = self._towards(goals, np.ones(len(bound)), least, most)
        if move is None:
            return np.zeros(len(left), dtype=bool)
        free = np.flatnonzero((up == down) | (np.abs(move) > 1 / 2))
        ties = self.ties[:, free].astype(np.float64)
        # Lines of equal weight say the same, and are solved for in fewer steps.
        weight = sparse.diags_array(1 / np.sqrt(np.maximum(ties.multiply(ties).sum(axis=1), 1)))
        ties = (weight @ ties).tocsr()
        draw = np.random.default_rng(0)
        for _ in range(2):  # of a million counts, which a county has, one is next to nothing in one vector by chance
            drawn = draw.normal(size=len(free))
            drawn -= ties.T @ linalg.lsmr(ties.T, drawn, atol=1e-13, btol=1e-13, conlim=0)[0]
            left = left & (np.abs(self.sums[:, free] @ drawn) <= 1e-6)
            if not left.any():
                break
        return left

    def _towards(self, goals: sparse.csr_array, enough: Floats, least: Floats, most: Floats) -> Floats | None:
        """The move of the finest, not always in whole numbers, that takes these sums of them as far as they can go together.

        One linear programme. To go further than is enough is worth nothing. None where the programme was not solved.
        """
        finest, of = len(self.finest), len(enough)
        if not of:
            return np.zeros(finest)
        found = optimize.linprog(  # type: ignore[call-overload]
            np.repeat([0, -1], [finest, of]),
            A_ub=sparse.hstack([-goals, sparse.eye_array(of)], format="csr"),
            b_ub=np.zeros(of),
            A_eq=sparse.hstack([self.ties, sparse.coo_array((self.ties.shape[0], of))], format="csr"),
            b_eq=np.zeros(self.ties.shape[0]),
            bounds=np.column_stack([np.append(least, np.zeros(of)), np.append(most, enough)]),
            method="highs-ds",
        )
        return found.x[:finest] if found.status == 0 else None

    def _aim(
        self, goals: Integers, way: Integers, need: Integers, witnesses: Witnesses
    ) -> tuple[sparse.csr_array, Integers | Floats]:
        """These counts as sums of the finest, up or down (1 or -1), and how far each must go to be as far apart as it needs.

        No further than its bounds.
        """
        nodes, true = self.nodes[goals], self.true[goals]
        lacking = need[goals] - witnesses.width(nodes)
        up = np.minimum(witnesses.most[nodes] + lacking, self.high[goals]) - true
        down = true - np.maximum(witnesses.least[nodes] - lacking, self.low[goals])
        return sparse.diags_array(way, dtype=np.int64) @ self.sums[goals], np.where(way > 0, up, down)

    def _move(self, goals: Integers, way: Integers, need: Integers, witnesses: Witnesses) -> None:
        """Moves these counts up or down (1 or -1) as far as they need, as many as possible, and none of them further.

        The corners are mostly whole, and without the demand they are found sooner. Where an island's is not, it is asked for.
        """
        towards, far = self._aim(goals, way, need, witnesses)
        least = (self.low - self.true)[self.finest]  # the lines bound them from above; to say so takes longer
        move, at = np.zeros(len(self.nodes), dtype=np.int64), np.arange(len(self.finest))
        for whole in (False, True):
            own = towards[:, at]
            result = optimize.milp(
                -own.sum(axis=0).astype(np.float64),
                integrality=np.full(len(at), whole, dtype=np.int64),
                bounds=optimize.Bounds(least[at], np.inf),
                constraints=[
                    optimize.LinearConstraint(self.ties[:, at], 0, 0),
                    optimize.LinearConstraint(own, -np.inf, far),
                ],
                options={"node_limit": _BRANCHES, "mip_rel_gap": _FAR_ENOUGH},
            )
            if result.x is not None:
                found = self.sums[:, at] @ np.rint(result.x).astype(np.int64)
                wrong = self._wrong(found)
                move += np.where(wrong, 0, found)
                at = at[wrong[self.finest[at]]]
            if not len(at):
                break
        witnesses.add(self.nodes, self.true + move)

    def _show(self, move: Integers | Floats, witnesses: Witnesses) -> None:
        """Shows the witnesses the table to which the finest counts move so, islands that go wrong as they are."""
        whole = self.sums @ move
        whole[self._wrong(whole)] = 0
        witnesses.add(self.nodes, self.true + whole)

    def _wrong(self, move: Integers | Floats) -> Mask:
        """The counts of islands in which the move bends a line or takes more than there is, as far as linear programming is exact."""
        bent = abs(self.lines[np.flatnonzero(np.abs(self.lines @ move) > _EXACT)]).sum(axis=0) > 0
        wrong: Mask = np.isin(self.island, self.island[bent | (self.true + move < self.low - _EXACT)])
        return wrong


class _Programme:
    """The moves of the finest counts that the ties allow: a linear programme with another aim each time.

    Among many counts it is solved from within: at the fourth release of a large family in a quarter of the time that the
    simplex method takes. Among few the simplex method is quicker, since it begins where it last ended; and where the other
    ends without an answer it has the last word.
    """

    def __init__(self, ties: sparse.csr_array, least: Integers) -> None:
        lines, finest = ties.shape
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = finest, lines
        programme.col_cost_ = np.zeros(finest)
        programme.col_lower_, programme.col_upper_ = least.astype(np.float64), np.full(finest, np.inf)
        programme.row_lower_ = programme.row_upper_ = np.zeros(lines)
        programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        programme.a_matrix_.start_, programme.a_matrix_.index_ = ties.indptr, ties.indices
        programme.a_matrix_.value_ = ties.data.astype(np.float64)
        self._solver = highspy.Highs()  # type: ignore[no-untyped-call]
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        self._solver.setOptionValue("run_crossover", "off")
        self._solver.passModel(programme)
        self._lines, self._finest = lines, np.arange(finest, dtype=np.int32)

    def furthest(self, sums: sparse.csr_array, enough: Integers | Floats, worth: Floats) -> Floats | None:
        """The move that takes these sums as far as they can go together, each worth so much, and none further than is enough.

        None where the programme was not solved.
        """
        solver, own = self._solver, len(enough)
        cost = -(worth @ sums)
        solver.changeColsCost(len(self._finest), self._finest, cost)
        start, index = sums.indptr[:-1].astype(np.int32), sums.indices.astype(np.int32)
        value = sums.data.astype(np.float64)
        solver.addRows(own, np.full(own, -np.inf), enough.astype(np.float64), len(index), start, index, value)
        move = self._from_within() if len(self._finest) > _FROM_WITHIN else None
        move = self._by_corners() if move is None else move
        solver.deleteRows(own, np.arange(self._lines, self._lines + own, dtype=np.int32))
        return move

    def _from_within(self) -> Floats | None:
        self._solver.clearSolver()
        self._solver.setOptionValue("solver", "ipm")
        self._solver.setOptionValue("presolve", "on")
        return self._solve()

    def _by_corners(self) -> Floats | None:
        solver = self._solver
        solver.setOptionValue("solver", "simplex")
        move = self._solve()
        solver.setOptionValue("presolve", "off")  # there is a basis from now on, and it is feasible
        solver.setOptionValue("simplex_strategy", highspy.simplex_constants.SimplexStrategy.kSimplexStrategyPrimal)
        return move

    def _solve(self) -> Floats | None:
        self._solver.run()
        solved = self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return np.array(self._solver.getSolution().col_value) if solved else None


def _parts(system: System, low: Integers, high: Integers) -> list[_Part]:
    """The open counts, by the lines that join them; islands of few counts are taken together."""
    free = np.flatnonzero(low < high)
    lines = system.lines[:, free]
    lines = lines[np.flatnonzero(abs(lines).sum(axis=1))]
    _, label = csgraph.connected_components(abs(lines).T @ abs(lines), directed=False)
    order = np.argsort(label, kind="stable")
    sums, ties = system.of_free(low == high)
    finest = system.finest[low[system.finest] < high[system.finest]]
    # Nothing can exceed all that there is; a finite ceiling keeps the programmes well scaled.
    most = 4 * system.value.max(initial=0) + 1000
    ends = np.append(np.flatnonzero(np.diff(label[order])) + 1, len(order))
    parts = []
    start = end = 0
    for island_end in [*ends, None]:
        if end > start and (island_end is None or island_end - start > _BUNDLE):
            chosen = np.sort(order[start:end])
            nodes, own = free[chosen], lines[:, chosen]
            column = np.flatnonzero(np.isin(finest, nodes))
            bounds = {"low": np.maximum(low[nodes], -most), "high": np.minimum(high[nodes], most)}
            part = _Part(
                nodes=nodes,
                lines=own[np.flatnonzero(np.diff(own.indptr))],
                true=system.value[nodes],
                island=label[chosen].astype(np.int64),
                finest=np.searchsorted(nodes, finest[column]),
                sums=sums[nodes][:, column],
                ties=_thinned(ties[:, column]),
                **bounds,
            )
            parts.append(part)
            start = end
        end = island_end
    return parts


def _thinned(ties: sparse.csr_array) -> sparse.csr_array:
    """The same said with fewer terms: each line less the longest shorter one that it holds, as a total holds earlier ones."""
    ties = _distinct(ties)
    while True:
        length = np.diff(ties.indptr)
        held = (ties @ ties.T).tocoo()
        is_held = (held.data == length[held.col]) & (length[held.col] < length[held.row])
        line, shorter = held.row[is_held], held.col[is_held]
        order = np.lexsort((shorter, -length[shorter], line))
        line, longest = np.unique(line[order], return_index=True)
        taken = (np.ones(len(line), dtype=np.int64), (line, shorter[order][longest]))
        thinner = _distinct((ties - sparse.coo_array(taken, shape=held.shape) @ ties).tocsr())
        if thinner.nnz >= _THINNER * ties.nnz:
            return ties
        ties = thinner


def _distinct(matrix: sparse.csr_array) -> sparse.csr_array:
    """The rows of a matrix that are not empty, each once, as a projection on a drawn vector tells."""
    drawn = matrix @ np.random.default_rng(0).integers(1, 2**62, matrix.shape[1])
    matrix.eliminate_zeros()
    first = np.sort(np.unique(drawn, return_index=True)[1])
    return matrix[first[np.diff(matrix.indptr)[first] > 0]]

"""A second attacker, who shares no code with the first: he writes down every table that fits what was published.

The gate's own attacker solves integer programmes. This one counts on his fingers, so he can only do small tables, and
Hypothesis looks for a small table on which the two disagree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from scipy import optimize, sparse

from pipeline.disclose import HIDDEN, Registry, load_registry, publish
from pipeline.disclose.attack import Witnesses, propagate, settled, unproved
from pipeline.disclose.system import System
from tests.small_county import margins
from tests.test_disclose import NO_COMPARISONS

Cell = tuple[str, str, str]  # period, race, citizenship
Place = tuple[str, ...]  # a cell, or one of several measures: `all` is their sum
COUNTS = st.integers(0, 7)
#: The same tables on every run; one that fails is shown as drawn, not made smaller.
SEARCH = settings(deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
#: A row is safe if its count may differ by this much; the real thresholds would need tables too large for fingers.
THRESHOLD, RESTRICTED = 3, 4
SMALL: Registry = replace(
    load_registry(),
    threshold=THRESHOLD,
    restricted_threshold=RESTRICTED,
    all_or_none=5,
    shown_share=0.3,
    pools={},
    tables={
        "": frozenset(["year", "all"]),
        "race": frozenset(["year", "all"]),
        "citizenship": frozenset(["year", "all"]),
        "race+citizenship": frozenset(["year", "all"]),
    },
)


def fits(known: dict[frozenset[int], int], cells: int, most: int, draw: Random) -> Iterator[tuple[int, ...]]:
    """Every table of whole numbers with these sums, in a drawn order; cells in none of them go from 0 to `most`."""
    order = draw.sample(range(cells), cells)
    left = dict(known)
    of_cell = [[s for s in known if cell in s] for cell in range(cells)]
    closes = [[s for s in of_cell[cell] if not s & set(order[i + 1 :])] for i, cell in enumerate(order)]
    table = [0] * cells

    def fill(i: int) -> Iterator[tuple[int, ...]]:
        if i == cells:
            yield tuple(table)
            return
        cell = order[i]
        ceiling = min([left[s] for s in of_cell[cell]], default=most)
        forced = {left[s] for s in closes[i]}
        for value in forced if forced else draw.sample(range(ceiling + 1), ceiling + 1):
            if value > ceiling or len(forced) > 1:
                return
            for s in of_cell[cell]:
                left[s] -= value
            table[cell] = value
            yield from fill(i + 1)
            for s in of_cell[cell]:
                left[s] += value

    yield from fill(0)


def all_fits(known: dict[frozenset[int], int], cells: int, most: int) -> Iterator[tuple[int, ...]]:
    """A few tables from all over, and then every one."""
    draw = Random(0)
    for _ in range(40):
        yield from itertools.islice(fits(known, cells, most, draw), 1)
    yield from fits(known, cells, most, draw)


def members(row: Place, interior: Sequence[Place]) -> frozenset[int]:
    """The interior cells that a row sums."""
    return frozenset(i for i, c in enumerate(interior) if all(r in ("all", v) for r, v in zip(row, c, strict=True)))


def narrowest(
    published: pd.DataFrame,
    interior: Sequence[Place],
    column: str,
    axes: Sequence[str] = ("period", "race", "citizenship"),
) -> list[str]:
    """The hidden rows whose count the published rows bound more narrowly than their threshold."""
    rows = {tuple(getattr(r, axis) for axis in axes): r for r in published.itertuples()}
    known = {
        members(cell, interior): int(row.numerator if column == "numerator" else row.denominator - row.numerator)
        for cell, row in rows.items()
        if row.status != HIDDEN
    }
    none = {s for s, value in known.items() if value == 0}
    asked = {}
    for cell, row in rows.items():
        own = members(cell, interior)
        if row.status == HIDDEN and not any(own <= s for s in none):
            asked[own] = (cell, RESTRICTED if "noncitizen" in cell else THRESHOLD)
    least, most = dict.fromkeys(asked, 10**9), dict.fromkeys(asked, -1)
    for table in all_fits(known, len(interior), most=RESTRICTED):
        wide = True
        for own, (_, threshold) in asked.items():
            value = sum(table[i] for i in own)
            least[own], most[own] = min(least[own], value), max(most[own], value)
            wide &= most[own] - least[own] >= threshold
        if wide:
            return []
    return [f"{column} {asked[s][0]}: {least[s]} to {most[s]}" for s in asked if most[s] - least[s] < asked[s][1]]


def cubes(years: int, races: int, groups: tuple[str, ...]) -> st.SearchStrategy[dict[Cell, tuple[int, int]]]:
    """Finest cells with (events, others)."""
    cells = [(str(2020 + y), f"race{r}", c) for y in range(years) for r in range(races) for c in groups]
    return st.tuples(*[st.tuples(COUNTS, COUNTS) for _ in cells]).map(lambda v: dict(zip(cells, v, strict=True)))


CUBE = st.one_of(
    cubes(1, 2, ("citizen", "noncitizen", "unknown")),
    cubes(1, 3, ("citizen", "noncitizen")),
    cubes(2, 2, ("citizen", "noncitizen")),
    cubes(3, 2, ("citizen",)),
)


def long_rows(drawn: list[dict[Cell, tuple[int, int]]]) -> pd.DataFrame:
    """Each cube as a measure, m0, m1 and so on, with all margins."""
    cells = pd.DataFrame(
        [
            {"measure_id": f"m{i}", "quarter": f"{y}-Q1", "race": r, "citizenship": c, "offence_group": "all",
             "stratum": "all", "numerator": k, "denominator": k + o}
            for i, cube in enumerate(drawn)
            for (y, r, c), (k, o) in cube.items()
        ]
    )  # fmt: skip
    breakdowns = [b for n in range(3) for b in itertools.combinations(("race", "citizenship"), n)]
    rows = margins(cells, breakdowns)
    rows = rows[~rows["period"].str.contains("Q")].assign(mart="charging", ci_method="wilson", status="ok", reason="")
    empty = dict.fromkeys(("estimate", "ci_low", "ci_high", "bound_low", "bound_high", "unknown_citizenship"), 0.0)
    return rows.assign(**empty).astype({"numerator": "Int64", "denominator": "Int64"})


@settings(SEARCH, max_examples=40)
@given(st.lists(CUBE, min_size=30, max_size=30))
def test_no_table_that_fits_the_release_brings_a_hidden_count_within_its_threshold(
    drawn: list[dict[Cell, tuple[int, int]]],
) -> None:
    published = publish(long_rows(drawn), NO_COMPARISONS, registry=SMALL).measures
    for i, cube in enumerate(drawn):
        release = published[published["measure_id"].eq(f"m{i}")]
        for column in ("numerator", "complement"):
            assert narrowest(release, list(cube), column) == []


@settings(SEARCH, max_examples=8)
@given(
    st.lists(
        st.tuples(cubes(1, 2, ("citizen", "noncitizen")), cubes(1, 2, ("citizen", "noncitizen"))),
        min_size=5,
        max_size=5,
    )
)
def test_nor_does_a_table_that_fits_three_measures_of_which_one_is_the_sum_of_the_others(
    drawn: list[tuple[dict[Cell, tuple[int, int]], dict[Cell, tuple[int, int]]]],
) -> None:
    for one, other in drawn:
        # Some of each, so that the sum is no small number everywhere, which it would be by chance.
        one, other = ({c: (k + 1, o + 1) for c, (k, o) in cube.items()} for cube in (one, other))
        both = {cell: (one[cell][0] + other[cell][0], one[cell][1] + other[cell][1]) for cell in one}
        published = publish(long_rows([one, other, both]), NO_COMPARISONS, registry=SMALL).measures
        published = published.assign(measure=published["measure_id"].replace("m2", "all"))
        interior = [(measure, *cell) for measure in ("m0", "m1") for cell in one]
        for column in ("numerator", "complement"):
            assert narrowest(published, interior, column, ("measure", "period", "race", "citizenship")) == []


def drawn_system(draw: Random) -> tuple[System, np.ndarray]:
    """Twelve counts, most of them small or none, and sums of some of them, of which all but one are known."""
    cells = [draw.choice([0, 0, 1, 5]) for _ in range(12)]
    parts = [draw.sample(range(12), draw.randint(2, 4)) for _ in range(9)]
    value = np.array([*cells, *(sum(cells[i] for i in some) for some in parts)])
    lines = np.zeros((len(parts), len(value)), dtype=np.int64)
    for line, some in enumerate(parts):
        lines[line, some], lines[line, 12 + line] = 1, -1
    names = pd.DataFrame({"role": ["numerator"] * len(value)})
    system = System(
        value=value, floor=np.zeros_like(value), names=names, nodes=np.empty((0, 3), dtype=np.int64),
        lines=sparse.csr_array(lines), is_margin_line=np.ones(len(parts), dtype=bool),
    )  # fmt: skip
    return system, np.arange(len(value)) >= 13


def rational_width(system: System, known: np.ndarray, node: int) -> float:
    """How far apart the least and the most of a count are, of all tables that need not be whole numbers."""
    ends = [np.where(known, system.value, end) for end in (0, 1000)]
    goal = np.arange(len(known)) == node
    none = np.zeros(system.lines.shape[0])
    least, most = (
        sign * optimize.linprog(sign * goal, A_eq=system.lines, b_eq=none, bounds=np.column_stack(ends)).fun
        for sign in (1, -1)
    )
    return float(most - least)


def test_what_sums_settle_together_is_found_at_once_as_one_by_one() -> None:
    """Also where no line alone says it: of three that are known two by two each is known."""
    found_together = 0
    for seed in range(60):
        system, known = drawn_system(Random(seed))
        low, high = propagate(system, known)
        asked = ~known & (low < high)
        found = settled(system, (low, high), asked)
        one_by_one = [node for node in np.flatnonzero(asked).tolist() if rational_width(system, known, node) < 1e-6]
        assert np.flatnonzero(found).tolist() == one_by_one
        found_together += found.sum()
    assert found_together > 20


class Unlucky(np.random.Generator):
    """Draws a normal vector of noughts first, and then as others do."""

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.PCG64(seed))
        self.drawn = 0

    def normal(self, *, size: int) -> np.ndarray:  # type: ignore[override]
        self.drawn += 1
        return super().normal(size=size) * (self.drawn > 1)


def test_what_does_not_move_in_one_drawn_vector_by_chance_is_not_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(60):
        system, known = drawn_system(Random(seed))
        low, high = propagate(system, known)
        asked = ~known & (low < high)
        lucky = settled(system, (low, high), asked)
        with monkeypatch.context() as patched:
            patched.setattr("pipeline.disclose.attack.np.random.default_rng", Unlucky)
            assert settled(system, (low, high), asked).tolist() == lucky.tolist()


@pytest.mark.parametrize("from_within", [True, False])
def test_tables_that_need_not_be_whole_are_found_where_there_are_any_and_nowhere_else(
    from_within: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against one linear programme for each end of each count, whichever way the programmes of the gate are solved."""
    monkeypatch.setattr("pipeline.disclose.attack._FROM_WITHIN", 0 if from_within else np.inf)
    not_fixed = 0
    for seed in range(60):
        system, known = drawn_system(Random(seed))
        bounds, need = propagate(system, known), np.full(len(known), 5)
        left = ~known & (bounds[0] < bounds[1])
        width = {node: rational_width(system, known, node) for node in np.flatnonzero(left).tolist()}
        witnesses = Witnesses(system, whole=False)
        while (narrow := unproved(system, bounds, left, need, witnesses)).any():
            assert all(width[node] < 5 - 1e-6 for node in np.flatnonzero(narrow).tolist())
            not_fixed += sum(1e-6 < width[node] < 5 for node in np.flatnonzero(narrow).tolist())
            left &= ~narrow
        assert all(width[node] > 5 - 1e-5 for node in np.flatnonzero(left).tolist())
    assert not_fixed > 20


class Tables(Witnesses):
    """Witnesses that keep every table they are shown."""

    def __init__(self, system: System, whole: bool) -> None:
        super().__init__(system, whole=whole)
        self.true, self.seen = self.least.copy(), [self.least.copy()]

    def add(self, nodes: np.ndarray, values: np.ndarray) -> None:
        super().add(nodes, values)
        self.seen.append(self.true.copy())
        self.seen[-1][nodes] = values


@pytest.mark.parametrize(("whole", "from_within"), [(True, False), (False, True), (False, False)])
def test_every_table_that_is_called_as_a_witness_fits_all_that_is_known(
    whole: bool, from_within: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the corners of what is possible are halves, so that rounding would bend a sum."""
    monkeypatch.setattr("pipeline.disclose.attack._FROM_WITHIN", 0 if from_within else np.inf)
    for seed in range(60):
        system, known = drawn_system(Random(seed))
        low, high = propagate(system, known)
        witnesses = Tables(system, whole)
        unproved(system, (low, high), ~known & (low < high), np.full(len(known), 3), witnesses)
        for table in witnesses.seen:
            assert np.allclose(system.lines @ table, 0, atol=0 if whole else 1e-6)
            assert (table[known] == system.value[known]).all()
            assert (table >= (0 if whole else -1e-6)).all()
        assert (np.max(witnesses.seen, axis=0) == witnesses.most).all()

"""The counts behind a long table as one system of equations: what an attacker can add and subtract.

A row shows three counts: the numerator, the denominator and, by subtraction, the complement. Each is a node. The
nodes of a margin and of its parts lie on a line: the parts sum to the margin. Two measures whose counts agree in every
cell count the same thing whatever they are called, so they share their nodes, and what one hides the other must hide.
A count that is in every cell the sum of other measures' counts is a margin of theirs, though no table says so. Counts that
no row shows but that two rows give away (how many between day 2 and day 7) are nodes as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from pipeline.cores import Piece, Result, on_several_cores
from pipeline.disclose.registry import Registry
from pipeline.errors import AuditError, Problem

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Where nothing is known from above. Large enough for any county, small enough to be added up in 64 bits.
UNBOUNDED = 10**12

#: So many rows of the long table take half a minute to judge: then families of measures are worth processes of their own.
_WORTH_PROCESSES = 10_000

#: What was `all` in an earlier release: `all 2015-Q1/2024-Q4`.
WINDOW = "all "

#: Where a count belongs.
PLACE = ("period", "race", "citizenship", "offence_group")
ROLES = ("numerator", "denominator", "complement")

#: A whole that is no small count in fewer cells than this may be the sum of others by chance.
_SEVERAL = 8


@dataclass(frozen=True, kw_only=True)
class Ties:
    """Pairs of rows (by position) that speak of the same people, before and after some were added or corrected."""

    before: Integers
    after: Integers
    may_shrink: Mask

    def only(self, at: Mask) -> Ties:
        """Those between these rows, by their position among them."""
        both = at[self.before] & at[self.after]
        position = np.cumsum(at) - 1
        before, after = (position[ends[both]] for ends in (self.before, self.after))
        return Ties(before=before, after=after, may_shrink=self.may_shrink[both])


_NONE = np.empty(0, dtype=np.int64)
NO_TIES = Ties(before=_NONE, after=_NONE, may_shrink=_NONE.astype(bool))


@dataclass(frozen=True, kw_only=True)
class SameCounts:
    """What the counts of one measure say of those of others.

    `number` has for each (measure_id, stratum, role) a number; the same number where two names count the same people.
    `sums` has a row for each part of each sum across measures: sum, whole, part (both numbers) and how many parts it has.
    """

    number: pd.Series[int]
    sums: pd.DataFrame

    def only(self, measures: Collection[str]) -> SameCounts:
        """Those of these measures, which are whole families."""
        number = self.number[self.number.index.isin(measures, level="measure_id")]
        return SameCounts(number=number, sums=self.sums[self.sums["whole"].isin(number)])


NO_SUMS = pd.DataFrame(columns=["sum", "whole", "part", "parts"], dtype="int64")


@dataclass(frozen=True, kw_only=True)
class System:
    """Counts and the lines between them.

    `value` holds the true count of each node, `floor` the least it could be, `names` what it counts. `nodes` holds, for
    each row of the long table, the nodes of its numerator, denominator and complement, or -1. `lines @ value == 0`; the
    whole has the coefficient -1 and its parts +1. `is_margin_line` is false for lines inside a cell, as numerator +
    complement = denominator.
    """

    value: Integers
    floor: Integers
    names: pd.DataFrame
    nodes: Integers
    lines: sparse.csr_array
    is_margin_line: Mask

    @cached_property
    def by_node(self) -> sparse.csc_array:
        """The lines, laid out for looking up those that a node stands in."""
        return self.lines.tocsc()

    @cached_property
    def _parts(self) -> sparse.csr_array:
        """Nodes by nodes: the parts of those that are wholes. Of several lines the first, and none that goes in a circle."""
        entries = self.lines.tocoo()
        one_whole = (self.lines < 0).sum(axis=1) == 1
        never_negative = abs(self.lines) @ (self.floor < 0) == 0  # and so the whole is not either
        is_whole = (one_whole & never_negative)[entries.row] & (entries.data == -1)
        whole, first = np.unique(entries.col[is_whole], return_index=True)
        parts = self.lines[entries.row[is_whole][first]].maximum(0).tocoo()
        shape = (len(self.value), len(self.value))
        found = sparse.coo_array((parts.data, (whole[parts.row], parts.col)), shape=shape).tocsr()
        _, circle = csgraph.connected_components(found, directed=True, connection="strong")
        in_circle = np.bincount(circle)[circle] > 1
        found.data[np.repeat(in_circle, np.diff(found.indptr))] = 0
        found.eliminate_zeros()
        return found

    @cached_property
    def finest(self) -> Integers:
        """The nodes that are no wholes: all others are sums of these."""
        return np.flatnonzero(np.diff(self._parts.indptr) == 0)

    def of_free(self, known: Mask) -> tuple[sparse.csr_array, sparse.csr_array]:
        """How often each of the finest nodes that are not known, a column, is in every node; and what the lines say of them.

        Both beside what is known, which does not move.
        """
        is_free = sparse.diags_array((~known).astype(np.int64), dtype=np.int64)
        parts, lines = (self._parts @ is_free).tocsr(), (self.lines @ is_free).tocsr()
        free = self.finest[~known[self.finest]]
        ones, shape = np.ones(len(free), dtype=np.int64), (len(known), len(free))
        sums = level = sparse.coo_array((ones, (free, np.arange(len(free)))), shape=shape).tocsr()
        while level.nnz:
            level = parts @ level
            level.eliminate_zeros()
            sums = sums + level
        ties = (lines @ sums).tocsr()
        ties.eliminate_zeros()
        return sums, ties

    def name(self, node: int) -> str:
        """What a node counts, in words: `CHG-01 numerator, black, noncitizen, 2024`."""
        names = self.names.iloc[node]
        places = [str(names[c]) for c in ("stratum", *PLACE[1:], "period") if names[c] != "all"]
        return ", ".join([f"{names['measure_id']} {names['role']}", *places])

    def equation(self, line: int) -> str:
        """A line in words."""
        start, stop = self.lines.indptr[line : line + 2]
        terms = list(zip(self.lines.indices[start:stop], self.lines.data[start:stop], strict=True))
        whole, parts = ([self.name(node) for node, sign in terms if sign == side] for side in (-1, 1))
        return " + ".join(f"[{part}]" for part in whole or ["nothing"]) + " = " + " + ".join(f"[{p}]" for p in parts)


def build_system(
    rows: pd.DataFrame, registry: Registry, ties: Ties = NO_TIES, same: SameCounts | None = None
) -> System:
    """The system of the rows of a long table; rows without counts take no part in it.

    What changed between the two rows of a tie is a count as well: it may be about few people where neither row is.
    `same` says which counts are one and which are sums of others (`same_counts`); without it the first is read off these rows.
    Raises AuditError where a margin is not the sum of its parts: such a table cannot be judged.
    """
    shown = _shown_counts(rows)
    hidden, inside = _between_counts(shown)
    changed, since = _changed_counts(shown, ties, len(shown) + len(hidden))
    counts, inside = pd.concat([shown, hidden, changed], ignore_index=True), pd.concat([inside, since])
    number, sums = (same.number, same.sums) if same else (_numbers(rows, registry)[0], NO_SUMS)
    counts["series"] = _series(counts, number)
    counts["node"] = counts.groupby(["series", *PLACE], sort=False).ngroup()
    names = counts.drop_duplicates("node").set_index("node").sort_index()

    nodes = np.full((len(rows), len(ROLES)), -1, dtype=np.int64)
    for position, role in enumerate(ROLES):
        of_role = counts[counts["role"].eq(role)]
        nodes[of_role["row"].to_numpy(dtype=np.int64), position] = of_role["node"]

    margins = [_lines_along(names, axis, registry) for axis in PLACE]
    margins += [_lines_over_strata(counts), _lines_across(names, sums)]
    floor = np.where(names["role"].eq("change"), -UNBOUNDED, 0)
    inside["node"] = counts["node"].to_numpy()[inside["count"]]
    lines, is_margin, labels = _matrix(pd.concat(margins), [*_sums(nodes), inside], len(names))
    grown = _growth_over_periods(lines, labels, inside[inside["line"].str.startswith("since ")]["node"].to_numpy())
    system = System(
        value=names["value"].to_numpy(),
        floor=floor,
        names=names,
        nodes=nodes,
        lines=sparse.vstack([lines, grown], format="csr"),
        is_margin_line=np.append(is_margin, np.ones(grown.shape[0], dtype=bool)),
    )
    _check(system)
    return system


def _shown_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per row and role: row, measure_id, place, stratum, role, value."""
    numerator, denominator = (rows[c].astype("Int64") for c in ("numerator", "denominator"))
    values = {"numerator": numerator, "denominator": denominator, "complement": denominator - numerator}
    keys = rows[["measure_id", "stratum", *PLACE]].assign(row=np.arange(len(rows)))
    parts = [keys.assign(role=role, value=value) for role, value in values.items()]
    counts = pd.concat(parts, ignore_index=True).dropna(subset=["value"])
    counts["value"] = counts["value"].astype("int64")
    counts = counts[counts["value"].ge(0)]  # days over people: nothing to subtract
    return counts.reset_index(drop=True)


def _between_counts(shown: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts that no row shows and others give away, and their lines.

    Who met the event between one day and the next, and, of several causes, who met none. The first frame is like
    `shown`; the second has line, count (an index into both frames put together) and sign.
    """
    horizon = shown["stratum"].str.extract(r"^(?:(?P<part>.*):)?(?P<cause>.*?)by_(?P<by>\d+)$")
    at = horizon["by"].notna()
    if not at.any():
        return shown[:0], pd.DataFrame({"line": "", "count": 0, "sign": 0}, index=[])
    rows = shown[at].join(horizon[at].fillna("").astype({"by": "int64"})).assign(count=shown.index[at])
    met = rows[rows["role"].eq("numerator")].sort_values(["measure_id", "part", "cause", *PLACE, "by"])

    before = met.groupby(["measure_id", "part", "cause", *PLACE])[["count", "stratum"]].shift()
    later = met.assign(label="between " + before["stratum"] + " and " + met["stratum"])[before["count"].notna()]
    first = before["count"].dropna().astype("int64")
    lines = [later.assign(line=later.index, sign=-1), later.assign(line=later.index, sign=1, count=first)]

    same_day = ["measure_id", "part", "by", *PLACE]
    several = met[met.groupby(same_day)["count"].transform("size").gt(1)]
    together = several.groupby(same_day)["count"].transform("min")  # the line is named after its first count
    everyone = rows[rows["role"].eq("denominator")].drop_duplicates(same_day)
    whole = several.assign(line=-1 - together).drop_duplicates("line")
    label = "none of the causes by " + whole["by"].astype(str)
    counted = whole[[*same_day, "line"]].merge(everyone[[*same_day, "count"]], on=same_day).assign(sign=-1)
    lines += [counted, several.assign(line=-1 - together, sign=1)]

    known = pd.concat([frame[["line", "count", "sign"]] for frame in lines])
    wholes = pd.concat([later.assign(line=later.index), whole.assign(label=label)])
    missing = -(known["sign"] * shown["value"].to_numpy()[known["count"]]).groupby(known["line"]).sum()
    hidden = wholes.assign(role="between", stratum=wholes["label"], value=wholes["line"].map(missing), row=-1)
    own = pd.DataFrame({"line": wholes["line"], "count": len(shown) + np.arange(len(wholes)), "sign": 1})
    inside = pd.concat([known, own])
    return hidden[shown.columns], inside.assign(line="inside " + inside["line"].astype(str))


def _changed_counts(shown: pd.DataFrame, ties: Ties, start: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """For each role of two tied rows, what the later one has more; in the two frames of `_between_counts`."""
    at = np.full((shown["row"].max() + 1 if len(shown) else 0, len(ROLES)), -1, dtype=np.int64)
    at[shown["row"], pd.Index(ROLES).get_indexer(pd.Index(shown["role"]))] = np.arange(len(shown))
    before, after = at[ties.before].ravel(), at[ties.after].ravel()
    both = (before >= 0) & (after >= 0)
    before, after = before[both], after[both]
    role = np.repeat(np.where(ties.may_shrink, "change", "growth"), len(ROLES))[both]
    value = shown["value"].to_numpy()
    later = shown.iloc[after]
    label = later["stratum"] + " since " + shown["measure_id"].iloc[before].to_numpy() + later["role"]
    label += shown["period"].iloc[before].to_numpy()
    changed = later.assign(row=-1, role=role, stratum=label, value=value[after] - value[before])
    own = start + np.arange(len(after))
    line = np.repeat([f"since {i}" for i in range(len(after))], 3)
    members = np.column_stack([after, before, own]).ravel()
    return changed, pd.DataFrame({"line": line, "count": members, "sign": np.tile([-1, 1, 1], len(after))})


def _growth_over_periods(lines: sparse.csr_array, labels: pd.Index, since: Integers) -> sparse.csr_array:
    """What a total holds more than an earlier one is the sum of the periods between them.

    The difference of the lines of both totals, and so nothing new; but propagation adds up no lines. `since` holds the
    nodes of the later total, of the earlier one and of the growth, for each tie in turn.
    """
    after, before, _ = since.reshape(-1, 3).T
    later, earlier = (labels.get_indexer("period " + pd.Index(nodes).astype(str)) for nodes in (after, before))
    both = (later >= 0) & (earlier >= 0)
    own = labels.get_indexer(pd.Index([f"since {i}" for i in np.flatnonzero(both)]))
    difference: sparse.csr_array = lines[later[both]] - lines[earlier[both]] - lines[own]
    difference.eliminate_zeros()
    nested = np.asarray((difference < 0).sum(axis=1)).ravel() == 1  # all of the earlier one's periods are in the later
    return difference[np.flatnonzero(nested)]


def same_counts(rows: pd.DataFrame, registry: Registry) -> SameCounts:
    """Which names count the same people, and which the people of others together.

    `rows` is the whole long table, not only what may be published of it: there every measure has every cell, so that two
    can be compared whatever is listed of each. Two names are one where all their counts agree.
    Denominators of one measure, and counts of different measures, may have one name for the same people. Other counts
    of one measure may not: that all of them were charged, or none between two days, is what the measure says; nor may
    the parts of a whole, which are different people however many they are. Counts that are small everywhere agree by
    chance.
    """
    number, counts = _numbers(rows, registry)
    return SameCounts(number=number, sums=_sums_across(number, counts, registry.threshold))


def apart(same: SameCounts, rows: pd.DataFrame, registry: Registry) -> SameCounts:
    """The same, with names taken apart that do not have the same cells in these rows, and without sums.

    What agrees in these few rows and not in the whole table does so by chance.
    """
    here, _ = _numbers(rows, registry)
    both = pd.DataFrame({"here": here, "whole": same.number.reindex(here.index)})
    return SameCounts(number=both.groupby(["here", "whole"], dropna=False).ngroup(), sums=NO_SUMS)


def _numbers(rows: pd.DataFrame, registry: Registry) -> tuple[pd.Series[int], dict[int, tuple[bytes, Integers]]]:
    """The number of each name, and for each number the places that have a count, and the counts there."""
    with_whole = set(rows.loc[rows["stratum"].eq("all"), "measure_id"])
    seen: dict[tuple[bytes, bytes], tuple[int, set[str]]] = {}
    number: dict[tuple[str, str, str], int] = {}
    counts: dict[int, tuple[bytes, Integers]] = {}
    for name, place, value in _named_counts(rows):
        measure, _, role = name
        number[name] = len(number)
        if value.max(initial=0) >= registry.threshold:
            first, measures = seen.setdefault((place.tobytes(), value.tobytes()), (number[name], set()))
            if measure not in measures or (role == "denominator" and measure not in with_whole):
                number[name] = first
                measures.add(measure)
        counts.setdefault(number[name], (place.tobytes(), value))
    index = pd.MultiIndex.from_tuples(list(number), names=["measure_id", "stratum", "role"])
    return pd.Series(list(number.values()), index=index, dtype="int64"), counts


def _named_counts(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str], Integers, Integers]]:
    """For each measure_id, stratum and role the places that have a count, and the counts; denominators come first."""
    numerator, denominator = (rows[c].astype("Int64") for c in ("numerator", "denominator"))
    values = {"denominator": denominator, "complement": denominator - numerator, "numerator": numerator}
    counted = {role: value.fillna(-1).to_numpy(dtype=np.int64) for role, value in values.items()}
    cells = pd.MultiIndex.from_frame(rows[list(PLACE)])
    places = cells.unique().sort_values()
    place = places.get_indexer(cells).astype(np.int64)
    label = rows.groupby(["measure_id", "stratum"], sort=True).ngroup().to_numpy()
    order = np.lexsort((place, label))
    chunks = np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []
    names = [tuple(rows[["measure_id", "stratum"]].iloc[chunk[0]]) for chunk in chunks]
    for roles in (["denominator"], ["complement", "numerator"]):
        for ((measure, stratum), chunk), role in product(zip(names, chunks, strict=True), roles):
            at = chunk[counted[role][chunk] >= 0]
            yield (measure, stratum, role), place[at], counted[role][at]
    between, _ = _between_counts(_shown_counts(rows[rows["stratum"].str.contains("by_")]))
    between["place"] = places.get_indexer(pd.MultiIndex.from_frame(between[list(PLACE)])).astype(np.int64)
    for name, chunk in between.sort_values("place").groupby(["measure_id", "stratum"], sort=True):
        measure, stratum = map(str, name)
        yield (measure, stratum, "between"), chunk["place"].to_numpy(), chunk["value"].to_numpy(dtype=np.int64)


def _sums_across(number: pd.Series[int], counts: dict[int, tuple[bytes, Integers]], threshold: int) -> pd.DataFrame:
    """The sums that hold in every cell: of any two counts, and of all strata of one measure.

    An attacker may use them whether they follow from the definitions or not. What a measure says of its own counts is
    left out: those lines are known. `counts` is that of `_numbers`.
    """
    measures = pd.Series(number.index.get_level_values("measure_id")).groupby(number.to_numpy()).agg(set)
    strata = number[number.index.get_level_values("stratum") != "all"].groupby(["measure_id", "role"]).unique()
    alike: dict[bytes, list[int]] = defaultdict(list)
    for one, (place, value) in counts.items():
        if value.any():
            alike[place].append(one)
    found: list[tuple[int, int, int, int]] = []
    for ones in map(np.array, alike.values()):
        values = np.array([counts[one][1] for one in ones])
        # What sums up in every cell does so projected on a drawn vector; what does not, hardly ever: looked up, then confirmed.
        projected = values @ np.random.default_rng(0).integers(1, 2**62, values.shape[1])
        _, first, equal = np.unique(projected, return_index=True, return_inverse=True)
        speak = [set.union(*measures[ones[equal == one]]) for one in equal]
        wholes = first[np.count_nonzero(values[first] >= threshold, axis=1) >= _SEVERAL]
        pairs = first[np.column_stack(np.triu_indices(len(first), 1))]
        pairs = pairs[np.isin(projected[pairs].sum(axis=1), projected[wholes])]
        for parts in [*pairs, *(np.flatnonzero(np.isin(ones, of)) for of in strata)]:
            for whole in wholes[projected[wholes] == projected[parts].sum()]:
                holds = (values[whole] == values[parts].sum(axis=0)).all()
                if holds and not set.intersection(*(speak[one] for one in (whole, *parts))):
                    found += [(len(found), ones[whole], ones[part], len(parts)) for part in parts]
    return pd.DataFrame(found, columns=NO_SUMS.columns, dtype="int64")


def families(same: SameCounts) -> pd.Series[int]:
    """For each measure the number of its family: measures that share counts or a sum, directly or through others."""
    measure, names = same.number.index.get_level_values("measure_id").factorize()
    sums = same.sums.melt("sum", ["whole", "part"], value_name="number")
    tie = np.concatenate([measure, len(names) + sums["sum"].to_numpy()])
    number = np.concatenate([same.number, sums["number"]])
    shape = (tie.max(initial=-1) + 1, number.max(initial=-1) + 1)
    counts = sparse.coo_array((np.ones(len(tie)), (tie, number)), shape=shape).tocsr()
    label = csgraph.connected_components(counts @ counts.T, directed=False)[1]
    return pd.Series(label[: len(names)], index=names)


def of_each_family(
    work: Callable[[Piece], Result], piece: Callable[[Mask], Piece], family: pd.Series[int]
) -> list[tuple[Mask, Result]]:
    """The rows of each family, and what `work` makes of the piece that they are; `family` has the number of each row's.

    No line joins the counts of two families, so where there are many rows several are worked on at once.
    """
    number = family.to_numpy()
    members = [number == one for one in np.unique(number)]
    sizes = [int(at.sum()) for at in members]
    made = on_several_cores(work, [piece(at) for at in members], sizes, least=_WORTH_PROCESSES)
    return list(zip(members, made, strict=True))


def _series(counts: pd.DataFrame, same: pd.Series[int]) -> Integers:
    """The number of each count's name; counts that no row shows, which are to be found out, have numbers of their own."""
    keys = ["measure_id", "stratum", "role"]
    label = counts.groupby(keys, sort=True).ngroup().to_numpy()
    names = counts[keys].iloc[np.unique(label, return_index=True)[1]]
    number = same.reindex(pd.MultiIndex.from_frame(names)).to_numpy(dtype=float, na_value=np.nan)
    own = np.arange(len(names)) + same.max() + 1 if len(same) else np.arange(len(names))
    series: Integers = np.where(np.isnan(number), own, number).astype(np.int64)[label]
    return series


def _lines_along(names: pd.DataFrame, axis: str, registry: Registry) -> pd.DataFrame:
    """The lines of one axis: margin (a node), part (a node)."""
    others = ["series", *(c for c in PLACE if c != axis)]
    nodes = names.reset_index()[["node", *others, axis]]
    present = sorted(set(nodes[axis]))
    split = _parts_of_periods(present) if axis == "period" else _parts_of_groups(axis, present, registry)
    pairs = pd.DataFrame(
        [(whole, part, len(parts)) for whole, parts in split.items() for part in parts],
        columns=["whole", "part", "parts"],
    ).astype({"whole": "str", "part": "str"})
    joined = (
        nodes.rename(columns={"node": "margin", axis: "whole"})
        .merge(pairs, on="whole")
        .merge(nodes.rename(columns={axis: "part"}), on=[*others, "part"])
    )
    found = joined.groupby("margin")["node"].transform("size")
    # A window of an earlier release may end within a year: it has a line only where the quarters are there.
    whole_line = found.eq(joined["parts"]) | ~joined["whole"].str.startswith(WINDOW)
    lines = joined[whole_line]
    return pd.DataFrame({"margin": lines["margin"], "part": lines["node"], "axis": axis})


def _parts_of_groups(axis: str, present: list[str], registry: Registry) -> dict[str, list[str]]:
    """All is the sum of its groups and pools, a pool of its members."""
    split: dict[str, list[str]] = {}
    for value in present:
        if value != "all":
            pool = registry.pool_of(axis, value)
            split.setdefault(pool if pool in present else "all", []).append(value)
    return split


def _parts_of_periods(present: list[str]) -> dict[str, list[str]]:
    """A year is the sum of its quarters; all, and what was all in an earlier release, of whole years and quarters."""
    quarters = [p for p in present if "-Q" in p and not p.startswith(WINDOW)]
    years = [p for p in present if len(p) == len("2024")]
    split = {year: [q for q in quarters if q.startswith(year)] for year in years}
    split["all"] = years or quarters
    for window in (p for p in present if p.startswith(WINDOW)):
        first, last = window.removeprefix(WINDOW).split("/")
        inside = [y for y in years if first <= f"{y}-Q1" and f"{y}-Q4" <= last]
        split[window] = inside + [q for q in _quarters(first, last) if q[:4] not in inside]
    return split


def _quarters(first: str, last: str) -> list[str]:
    """The quarters from one to another: 2015-Q3, 2015-Q4, 2016-Q1, ..."""
    named = (f"{year}-Q{quarter}" for year in range(int(first[:4]), int(last[:4]) + 1) for quarter in range(1, 5))
    return [quarter for quarter in named if first <= quarter <= last]


def _lines_over_strata(counts: pd.DataFrame) -> pd.DataFrame:
    """Strata sum to their margin, or, where every stratum has the same denominator, to that denominator.

    Whether they do is read from the counts: a sum that holds in every cell is one that an attacker may use.
    """
    keys = ["measure_id", *PLACE]
    parts = counts[counts["stratum"].ne("all")]
    found = []
    margins = counts[counts["stratum"].eq("all")]
    candidates = [(role, margins[margins["role"].eq(role)]) for role in ROLES]
    shared = parts[parts["role"].eq("denominator")]
    one_denominator = shared.groupby("measure_id")["series"].transform("nunique").eq(1)
    candidates.append(("numerator", shared[one_denominator].drop_duplicates(keys)))
    for role, margin in candidates:
        joined = parts[parts["role"].eq(role)].merge(
            margin[[*keys, "node", "value"]].rename(columns={"node": "margin", "value": "whole"}),
            on=keys,
        )
        sums = joined.groupby(keys)["value"].transform("sum")
        holds = sums.eq(joined["whole"]).groupby(joined["measure_id"]).transform("all")
        lines = joined[holds].rename(columns={"node": "part"})
        found.append(lines[["margin", "part"]].assign(axis="stratum " + role + lines["measure_id"]))
    return pd.concat(found)


def _lines_across(names: pd.DataFrame, sums: pd.DataFrame) -> pd.DataFrame:
    """The lines of sums across measures, where every part has a count."""
    nodes = names.reset_index()[["node", "series", *PLACE]]
    joined = sums.merge(nodes.rename(columns={"node": "margin", "series": "whole"}), on="whole").merge(
        nodes.rename(columns={"series": "part"}), on=["part", *PLACE]
    )
    lines = joined[joined.groupby(["sum", "margin"])["node"].transform("size").eq(joined["parts"])]
    return pd.DataFrame(
        {"margin": lines["margin"], "part": lines["node"], "axis": "across " + lines["sum"].astype(str)}
    )


def _sums(nodes: Integers) -> list[pd.DataFrame]:
    """Each numerator + complement = denominator, once."""
    complete = np.unique(nodes[(nodes >= 0).all(axis=1)], axis=0)
    line = np.repeat([f"sum {i}" for i in range(len(complete))], 3)
    return [pd.DataFrame({"line": line, "node": complete.ravel(), "sign": np.tile([1, -1, 1], len(complete))})]


def _matrix(
    margins: pd.DataFrame, inside: list[pd.DataFrame], node_count: int
) -> tuple[sparse.csr_array, Mask, pd.Index]:
    """The lines as a matrix, for each whether it is a margin's, and their labels."""
    line = margins["axis"] + " " + margins["margin"].astype(str)
    heads = margins.assign(line=line, sign=-1, node=margins["margin"]).drop_duplicates("line")
    parts = margins.assign(line=line, sign=1, node=margins["part"])
    columns = ["line", "node", "sign"]
    entries = pd.concat([heads[columns], parts[columns], *(frame[columns] for frame in inside)])
    row, labels = entries["line"].factorize()
    shape = (len(labels), node_count)
    lines = sparse.coo_array((entries["sign"].to_numpy(dtype=np.int64), (row, entries["node"])), shape=shape)
    matrix = lines.tocsr()
    matrix.eliminate_zeros()  # where what was and what is are one count, only the change is left
    return matrix, np.arange(len(labels)) < len(heads), pd.Index(labels)


def _check(system: System) -> None:
    wrong = np.flatnonzero(system.lines @ system.value)
    if len(wrong):
        raise AuditError(
            Problem(
                code="IIU601",
                where=system.equation(line),
                what="this whole is not the sum of its parts",
                expected="counts that add up, so that the gate can prove what a reader could subtract",
                fix="Look at the mart's cells: a row is missing or counted twice.",
            )
            for line in wrong[:20]
        )

"""The counts behind a long table as one system of equations: what an attacker can add and subtract.

A row shows three counts: the numerator, the denominator and, by subtraction, the complement. Each is a node. The
nodes of a margin and of its parts lie on a line: the parts sum to the margin. Two measures whose counts agree in every
cell count the same thing whatever they are called, so they share their nodes, and what one hides the other must hide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from pipeline.disclose.registry import Registry
from pipeline.errors import AuditError, Problem

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Where nothing is known from above. Large enough for any county, small enough to be added up in 64 bits.
UNBOUNDED = 10**12

_PLACE = ("period", "race", "citizenship", "offence_group")
_ROLES = ("numerator", "denominator", "complement")


@dataclass(frozen=True, kw_only=True)
class System:
    """Counts and the lines between them.

    `value` holds the true count of each node. `nodes` holds, for each row of the long table, the nodes of its
    numerator, denominator and complement, or -1. `lines @ value == 0`; a margin's coefficient is -1 and a part's +1.
    `is_margin_line` is false for the lines that say numerator + complement = denominator.
    """

    value: Integers
    nodes: Integers
    lines: sparse.csr_array
    is_margin_line: Mask


def build_system(rows: pd.DataFrame, registry: Registry) -> System:
    """The system of the rows of a long table; rows without counts take no part in it.

    Raises AuditError where a margin is not the sum of its parts: such a table cannot be judged.
    """
    counts = _long_counts(rows)
    counts["series"] = _same_series(counts, registry)
    node_keys = counts[["series", *_PLACE]]
    counts["node"] = node_keys.groupby(list(node_keys), sort=False).ngroup()
    first = counts.drop_duplicates("node").set_index("node").sort_index()

    nodes = np.full((len(rows), len(_ROLES)), -1, dtype=np.int64)
    for position, role in enumerate(_ROLES):
        of_role = counts[counts["role"].eq(role)]
        nodes[of_role["row"], position] = of_role["node"]

    margins = pd.concat(
        [_lines_along(first, axis, registry) for axis in _PLACE]
        + [_lines_over_strata(counts)]
    )
    identities = _identities(nodes)
    lines, is_margin = _matrix(margins, identities, len(first))
    system = System(
        value=first["value"].to_numpy(),
        nodes=nodes,
        lines=lines,
        is_margin_line=is_margin,
    )
    _check(system, first)
    return system


def _long_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per row and role: row, measure_id, place, stratum, role, value."""
    numerator, denominator = (
        rows[c].astype("Int64") for c in ("numerator", "denominator")
    )
    values = {
        "numerator": numerator,
        "denominator": denominator,
        "complement": denominator - numerator,
    }
    keys = rows[["measure_id", "stratum", *_PLACE]].assign(row=np.arange(len(rows)))
    parts = [keys.assign(role=role, value=value) for role, value in values.items()]
    counts = pd.concat(parts, ignore_index=True).dropna(subset=["value"])
    counts["value"] = counts["value"].astype("int64")
    counts = counts[counts["value"].ge(0)]  # days over people: nothing to subtract
    return counts.reset_index(drop=True)


def _same_series(counts: pd.DataFrame, registry: Registry) -> Integers:
    """A number for each (measure, stratum, role); the same number where places and values are the same.

    Counts that are small everywhere agree by chance, so they stay apart. So do two roles of one measure: that all of
    them were charged is what the measure says, not a second name for the same count.
    """
    keys = ["measure_id", "stratum"]
    place = counts.groupby(list(_PLACE), sort=True).ngroup().to_numpy()
    label = counts.groupby([*keys, "role"], sort=True).ngroup().to_numpy()
    owner = counts.groupby(keys, sort=True).ngroup().to_numpy()
    value = counts["value"].to_numpy()
    order = np.lexsort((place, label))
    seen: dict[tuple[bytes, bytes], tuple[int, set[int]]] = {}
    series = label.copy()
    # Denominators first: where a numerator equals its own denominator, the denominator keeps the shared name.
    chunks = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    is_denominator = counts["role"].eq("denominator").to_numpy()
    for chunk in sorted(chunks, key=lambda c: not is_denominator[c[0]]):
        if value[chunk].max() < registry.threshold:
            continue
        first, owners = seen.setdefault(
            (place[chunk].tobytes(), value[chunk].tobytes()), (label[chunk[0]], set())
        )
        if owner[chunk[0]] not in owners:
            series[chunk] = first
            owners.add(owner[chunk[0]])
    return series


def _lines_along(first: pd.DataFrame, axis: str, registry: Registry) -> pd.DataFrame:
    """The lines of one axis: margin (a node), part (a node). A quarter lies in its year, a small group in its pool."""
    others = ["series", *(c for c in _PLACE if c != axis)]
    nodes = first.reset_index()
    present = set(nodes[axis])
    above = {value: _above(axis, value, present, registry) for value in present}
    parts = nodes[nodes[axis].ne("all")]
    margins = nodes[["node", *others, axis]].rename(
        columns={"node": "margin", axis: "above"}
    )
    joined = parts.assign(above=parts[axis].map(above)).merge(
        margins, on=[*others, "above"]
    )
    return joined[["margin", "node"]].rename(columns={"node": "part"}).assign(axis=axis)


def _above(axis: str, value: str, present: set[str], registry: Registry) -> str:
    """The margin that a value is directly part of, among those that the rows have."""
    between = (
        value[:4]
        if axis == "period" and len(value) == len("2024-Q1")
        else registry.pool_of(axis, value)
    )
    return between if between in present else "all"


def _lines_over_strata(counts: pd.DataFrame) -> pd.DataFrame:
    """Strata sum to their margin, or, where every stratum has the same denominator, to that denominator.

    Whether they do is read from the counts: a sum that holds in every cell is one that an attacker may use.
    """
    keys = ["measure_id", *_PLACE]
    parts = counts[counts["stratum"].ne("all")]
    found = []
    margins = counts[counts["stratum"].eq("all")]
    candidates = [(role, margins[margins["role"].eq(role)]) for role in _ROLES]
    shared = parts[parts["role"].eq("denominator")]
    one_denominator = shared.groupby("measure_id")["series"].transform("nunique").eq(1)
    candidates.append(("numerator", shared[one_denominator].drop_duplicates(keys)))
    for role, margin in candidates:
        joined = parts[parts["role"].eq(role)].merge(
            margin[[*keys, "node", "value"]].rename(
                columns={"node": "margin", "value": "whole"}
            ),
            on=keys,
        )
        sums = joined.groupby(keys)["value"].transform("sum")
        holds = sums.eq(joined["whole"]).groupby(joined["measure_id"]).transform("all")
        lines = joined[holds].rename(columns={"node": "part"})
        found.append(
            lines[["margin", "part"]].assign(
                axis="stratum " + role + lines["measure_id"]
            )
        )
    return pd.concat(found)


def _identities(nodes: Integers) -> Integers:
    """Each numerator + complement = denominator, once."""
    complete = nodes[(nodes >= 0).all(axis=1)]
    return np.unique(complete, axis=0)


def _matrix(
    margins: pd.DataFrame, identities: Integers, node_count: int
) -> tuple[sparse.csr_array, Mask]:
    """The lines as a matrix, and for each whether it is a margin's or an identity."""
    line = margins.groupby(["axis", "margin"], sort=True).ngroup().to_numpy()
    heads = margins.assign(line=line).drop_duplicates("line")
    count = len(heads)
    own = np.repeat(np.arange(len(identities)), 3) + count
    row = np.concatenate([line, heads["line"], own])
    column = np.concatenate([margins["part"], heads["margin"], identities.ravel()])
    sign = np.concatenate(
        [np.ones(len(line)), -np.ones(count), np.tile([1, -1, 1], len(identities))]
    )
    shape = (count + len(identities), node_count)
    lines = sparse.coo_array(
        (sign.astype(np.int64), (row, column)), shape=shape
    ).tocsr()
    return lines, np.arange(shape[0]) < count


def _check(system: System, first: pd.DataFrame) -> None:
    wrong = np.flatnonzero(system.lines @ system.value)
    if not len(wrong):
        return
    problems = []
    for line in wrong[:20]:
        start, stop = system.lines.indptr[line : line + 2]
        margin = system.lines.indices[start:stop][system.lines.data[start:stop] < 0][0]
        cell = first.loc[margin]
        problems.append(
            Problem(
                code="IIU601",
                where=f"{cell['measure_id']} {' '.join(str(cell[c]) for c in _PLACE)} {cell['stratum']}",
                what="this margin is not the sum of its parts",
                expected="counts that add up, so that the gate can prove what a reader could subtract",
                fix="Look at the mart's cells: a row is missing or counted twice.",
            )
        )
    raise AuditError(problems)

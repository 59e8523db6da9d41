"""The last look: the attacker reads the files that are about to leave, not the frames they were written from.

He takes every number in every table, page, picture and notebook, works out which counts they give away, and solves for
the rest. What he can bound too narrowly refuses the release, with the equations that expose it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.disclose.attack import Witnesses, explain, propagate, unproved
from pipeline.disclose.coarsen import needed
from pipeline.disclose.read import names_cells, said_in, tables_in
from pipeline.disclose.registry import CELL, Registry, load_registry
from pipeline.disclose.suppress import Gate, make_gate
from pipeline.disclose.system import Mask, SameCounts, apart, build_system, families, of_each_family, same_counts
from pipeline.errors import Problem, ReleaseRefused

#: So many exposed counts of a family are explained; the others are counted.
_EXPLAINED = 20


def challenge(
    folder: Path, measures: pd.DataFrame, *, registry: Registry | None = None, earlier: Sequence[pd.DataFrame] = ()
) -> None:
    """Attacks the files of a folder. `measures` is the restricted long table, with every declared cell.

    `earlier` holds the records of the office's releases so far. What these had given away the gate conceded, if it is nobody's
    or hidden in front of others alone: that it can be worked out from these files too is then no exposure (`may_be_conceded`).
    Raises ReleaseRefused with every table that cannot be read, cell that may not be published and count that is exposed.
    """
    registry = registry or load_registry()
    problems = list(_unreadable(folder, registry))
    said = said_in(folder)
    said = said[~said["file"].map(lambda file: Path(file).name).isin(registry.reference_tables)]
    counted = measures["numerator"].notna() | measures["denominator"].notna()
    declared, people = registry.declares(measures), registry.protects(measures)
    rows = measures[counted & declared & people].reset_index(drop=True)
    cells = _cells(rows)
    numbers = said[said["number"].ne("")]
    problems += _undeclared(numbers, cells[registry.publishes(rows)], _cells(measures[~counted | (declared & ~people)]))
    named, revealed = cells.isin(_cells(said)), cells.isin(_cells(numbers))
    same = same_counts(measures[counted & people], registry)
    told = frozenset(measure for record in earlier for measure in record.loc[record["listed"], "measure_id"])
    nobody = _nobody(rows) | registry.of_nobody(rows)  # in all measures together

    def piece(at: Mask) -> _Family:
        return _Family(
            rows=rows[at].reset_index(drop=True),
            named=named[at],
            revealed=revealed[at],
            nobody=nobody[at],
            registry=registry,
            same=same.only(set(rows["measure_id"][at])),
            told=told,
        )

    for _, found in of_each_family(_attacked, piece, rows["measure_id"].map(families(same))):
        problems += found
    if problems:
        raise ReleaseRefused(problems)


@dataclass(frozen=True, kw_only=True)
class _Family:
    """The rows of a family of measures.

    `named` are those that a table lists, shown or hidden, `revealed` those of which one says a number, `nobody` those that
    may say that there is none; `same` says which counts are one; `told` are the measures that earlier releases told of.
    """

    rows: pd.DataFrame
    named: Mask
    revealed: Mask
    nobody: Mask
    registry: Registry
    same: SameCounts
    told: frozenset[str]


def _attacked(family: _Family) -> list[Problem]:
    """What an attacker learns who knows the counts of the revealed rows: small counts shown, hidden ones exposed."""
    rows, named, revealed, nobody = family.rows, family.named, family.revealed, family.nobody
    registry, same, told = family.registry, family.same, family.told
    system = build_system(rows, registry, same=same)
    gate = make_gate(system, rows, registry, told=told)
    problems = [
        Problem(
            code="IIU604",
            where=", ".join(rows.iloc[row][list(CELL)]),
            what="a count about too few people is in the files",
            expected=f"nothing below {gate.row_threshold[row]}, and no whole group below {gate.all_or_none}",
            fix="Publish what the gate returned, and nothing else.",
        )
        for row in np.flatnonzero(revealed & gate.primary() & ~nobody)
    ]
    known = gate.known(revealed | nobody)
    narrow = _narrow(gate, known, gate.protected(named, revealed, known), whole=False)
    if not narrow.any():  # whole tables are sought for the names of a count by themselves, where their tables differ
        keep = needed(rows, named, registry)
        said, together = gate.in_rows(known)[keep], gate
        rows, named, revealed, nobody = rows[keep].reset_index(drop=True), named[keep], revealed[keep], nobody[keep]
        system = build_system(rows, registry, same=apart(same, rows, registry))
        gate = make_gate(system, rows, registry, told=told).name_by_name(together, keep)
        known = gate.known(revealed | nobody)
        known[system.nodes[said]] = True  # under whatever name
        narrow = _narrow(gate, known, gate.protected(named, revealed, known), whole=True)
    found = np.flatnonzero(narrow)
    for node in found[:_EXPLAINED]:
        low, high, lines = explain(system, known, int(node))
        how = "can be worked out" if high - low < gate.node_threshold[node] else "is not proved safe, and is found"
        problems.append(
            Problem(
                code="IIU605",
                where=system.name(int(node)),
                what=f"a hidden count {how} to lie between {low} and {high}: "
                + "; ".join(system.equation(line) for line in lines),
                expected=f"bounds at least {gate.node_threshold[node]} wide",
                fix=f"Hide a further count in one of these sums (at least {len(found)} counts are exposed).",
            )
        )
    return problems


def _narrow(gate: Gate, known: Mask, protected: Mask, *, whole: bool) -> Mask:
    """The protected counts that are not proved safe and may not be conceded, with tables of whole numbers or others."""
    bounds, witnesses = propagate(gate.system, known), Witnesses(gate.system, whole=whole)
    while True:  # not all that is narrow is named at once
        narrow = unproved(gate.system, bounds, protected, gate.node_threshold, witnesses)
        if not (narrow & gate.may_be_conceded).any():
            return narrow
        protected = protected & ~(narrow & gate.may_be_conceded)


def _nobody(rows: pd.DataFrame) -> Mask:
    """The whole of a measure without a single case says nothing about anybody."""
    everyone = np.all([rows[c].eq("all") for c in ("period", "race", "citizenship", "offence_group")], axis=0)
    nobody: Mask = everyone & rows["denominator"].eq(0).to_numpy(dtype=bool, na_value=False)
    return nobody


def _cells(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[list(CELL)])


def _unreadable(folder: Path, registry: Registry) -> Iterable[Problem]:
    for table in tables_in(folder):
        if table.is_hidden:
            yield Problem(
                code="IIU606",
                where=f"{table.file} {table.place}",
                what="a hidden sheet, row or column",
                expected="nothing in a workbook that its reader does not see",
                fix="Write it openly or leave it out.",
            )
        if not names_cells(table.rows) and not {Path(table.file).name, table.place} & set(registry.reference_tables):
            yield Problem(
                code="IIU607",
                where=f"{table.file} {table.place}".strip(),
                what="the gate cannot tell which cells this table speaks of",
                expected="the columns measure_id and period, or a name under reference_tables in cubes.yml",
                fix="Write the cell's columns beside its numbers.",
            )


def _undeclared(said: pd.DataFrame, cells: pd.MultiIndex, without_counts: pd.MultiIndex) -> Iterable[Problem]:
    """Numbers of cells that no declared table holds. One problem a file and column is enough to find the cause."""
    stray = said[~_cells(said).isin(cells) & ~_cells(said).isin(without_counts)]
    for (file, place, column), found in stray.groupby(["file", "place", "column"], sort=True):
        yield Problem(
            code="IIU603",
            where=f"{file} {place} column [{column}]",
            what=f"{len(found)} numbers of cells that no declared table holds, the first of "
            + ", ".join(found.iloc[0][list(CELL)]),
            expected="tables that pipeline/disclose/cubes.yml declares",
            fix="Declare the table, so that the gate can judge it, or leave it out.",
        )

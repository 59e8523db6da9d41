"""The ledger of an office: every number it ever published, append-only, each line holding the hash of the one before.

One line a measure and release, so that a reader can follow it with any JSON tool. A line repeats nothing: a number that
stands as it was published before is not written again, and a corrected one is written with what it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.disclose.registry import CELL
from pipeline.errors import AuditError, Problem
from pipeline.whole import write_whole

FILE = "ledger.jsonl"
START = "0" * 64
_PLACE = CELL[1:]

Key = tuple[str, ...]
Counts = tuple[int | None, int | None]


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The lines so far, checked, and what they say of each cell now: (measure, period, ...) -> counts."""

    lines: tuple[str, ...]
    cells: Mapping[Key, Counts]

    @property
    def head(self) -> str:
        """The hash of the last line: whoever knows it can tell whether anything before it was changed."""
        return _hash(self.lines[-1]) if self.lines else START

    @property
    def releases(self) -> tuple[str, ...]:
        """The names of the releases, oldest first."""
        return tuple(dict.fromkeys(json.loads(line)["release"] for line in self.lines))


def read_ledger(path: Path) -> Ledger:
    """The ledger in a file; an absent file is an empty one. Raises AuditError where the chain is broken."""
    lines = tuple(path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()
    cells: dict[Key, Counts] = {}
    previous = START
    for number, line in enumerate(lines, start=1):
        entry = json.loads(line)
        if entry["previous"] != previous:
            raise AuditError(
                [
                    Problem(
                        code="IIU612",
                        where=f"{path.name}:{number}",
                        what="this line does not follow from the one before",
                        expected=f"previous {previous}",
                        fix="Take the ledger from an archived release: a line was changed, removed or put in.",
                    )
                ]
            )
        previous = _hash(line)
        cells |= {(entry["measure_id"], *cell[:5]): (cell[5], cell[6]) for cell in entry["cells"]}
    return Ledger(lines=lines, cells=cells)


def extended(
    ledger: Ledger, measures: pd.DataFrame, *, window: str, release: str, corrections: Mapping[str, str]
) -> Ledger:
    """The ledger with a release added. `corrections` gives the reason for each corrected measure.

    What `all` means, the `window`, is written out, since it means more in a later release.

    Raises AuditError where a published number changed without a correction.
    """
    now = dict(_published(measures, window))
    changed = {key: was for key, was in ledger.cells.items() if key in now and now[key] != was}
    problems = [
        Problem(
            code="IIU611",
            where=", ".join(key),
            what="a published number has changed",
            expected="the number as it was published, or a correction with its reason",
            fix="Name the measure among the corrections, and publish all of it again.",
        )
        for key in sorted(changed)
        if key[0] not in corrections
    ]
    if problems:
        raise AuditError(problems)
    lines, previous = list(ledger.lines), ledger.head
    for measure in dict.fromkeys(measures["measure_id"]):
        new = {key: counts for key, counts in now.items() if key[0] == measure and ledger.cells.get(key) != counts}
        if not new:
            continue
        entry: dict[str, Any] = {"release": release, "measure_id": measure}
        if measure in corrections:
            was = [[*key[1:], *changed[key]] for key in sorted(new) if key in changed]
            entry |= {"correction": corrections[measure], "was": was}
        entry |= {"cells": [[*key[1:], *new[key]] for key in sorted(new)], "previous": previous}
        lines.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        previous = _hash(lines[-1])
    return Ledger(lines=tuple(lines), cells={**ledger.cells, **now})


def write_ledger(ledger: Ledger, path: Path) -> None:
    """One line each, the same bytes each time."""
    write_whole(path, "".join(line + "\n" for line in ledger.lines))


def corrections_in(ledger: Ledger) -> list[dict[str, Any]]:
    """What was corrected, as a reader wants it: release, measure, reason, cell, before, after."""
    return [
        {"release": e["release"], "measure_id": e["measure_id"], "reason": e["correction"], **_before_after(was, e)}
        for e in map(json.loads, ledger.lines)
        for was in e.get("was", ())
    ]


def _before_after(was: Sequence[Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    now = next(cell for cell in entry["cells"] if cell[:5] == list(was[:5]))
    return dict(zip(_PLACE, was[:5], strict=True)) | {
        "numerator_before": was[5],
        "denominator_before": was[6],
        "numerator": now[5],
        "denominator": now[6],
    }


def _published(measures: pd.DataFrame, window: str) -> Iterator[tuple[Key, Counts]]:
    """Every cell that shows a count."""
    shown = measures[measures["denominator"].notna() | measures["numerator"].notna()]
    cells = shown[list(CELL)].assign(period=shown["period"].mask(shown["period"].eq("all"), window))
    counts = [[int(c) if c >= 0 else None for c in shown[name].fillna(-1)] for name in ("numerator", "denominator")]
    yield from zip(cells.itertuples(index=False, name=None), zip(*counts, strict=True), strict=True)


def _hash(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8")).hexdigest()

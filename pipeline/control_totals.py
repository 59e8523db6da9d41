"""What the office itself published, as queries: our figure beside theirs, also when they agree."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import duckdb

from pipeline.database import open_database
from pipeline.errors import AuditError, Problem, place

_HEADER = ("id", "label", "published", "query", "source")


@dataclass(frozen=True, kw_only=True)
class ControlTotal:
    """One published figure and ours, both as printed: ours is rounded to the decimals that were published."""

    id: str
    label: str
    published: str
    ours: str
    match: bool
    source: str


def compare(*, office_folder: Path, database: Path) -> list[ControlTotal]:
    """Every row of the office's `control_totals.csv`; [] without that file. Raises `AuditError` for rows that cannot be used."""
    path = office_folder / "control_totals.csv"
    if not path.is_file():
        return []
    problems: list[Problem] = []
    totals: list[ControlTotal] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != _HEADER:
            raise AuditError([_problem(path, 1, f"has the columns {reader.fieldnames}", ", ".join(_HEADER))])
        connection = open_database(database)
        try:
            for row in reader:
                try:
                    published = Decimal(row["published"].replace(",", ""))
                    found = connection.execute(row["query"]).fetchall()
                    value = Decimal(str(found[0][0] if found and found[0][0] is not None else 0))
                except (duckdb.Error, InvalidOperation, AttributeError) as error:
                    problems.append(
                        _problem(
                            path,
                            reader.line_num,
                            f"[{row['id']}] {str(error).splitlines()[0]}",
                            "a number and a scalar query",
                        )
                    )
                    continue
                ours = round(value, -int(published.as_tuple().exponent))
                totals.append(
                    ControlTotal(
                        id=row["id"],
                        label=row["label"],
                        published=str(published),
                        ours=str(ours),
                        match=ours == published,
                        source=row["source"],
                    )
                )
        finally:
            connection.close()
    if problems:
        raise AuditError(problems)
    return totals


def _problem(path: Path, line: int, what: str, expected: str) -> Problem:
    return Problem(
        code="IIU130", where=place(file=path.name, line=line), what=what, expected=expected, fix="Correct the row"
    )

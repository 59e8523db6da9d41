"""The cases behind each finding, and those that can still be mended whether or not a number stands out, as workbooks for
the unit alone: to be opened, read and mended case by case.

They hold keys, days and decisions as the facts do: no names, and of citizenship and race only what the finding says of
all its rows at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import xlsxwriter

from pipeline.ingest.read import literal, quoted

#: A list is to be worked through: of a gap the newest cases stand in it, and it says how many there are. Where one case is
#: one too many, and of what can still be mended, all stand in it, up to what a sheet can hold.
MOST_ROWS = 500
ALL_ROWS = 1_000_000
#: What the finding says of all rows at once stands on the notes, not in each row.
_LEFT_OUT = ("race", "citizenship", "citizenship_latest", "uncounted_reason")
ABOUT = """\
Restricted: this list names cases and persons by their keys. It must not leave the office.
`iiu find OFFICE KEY --raw EXPORTS` says in which file and row of the exports a key stands. Mark in a copy, not here.
A list of cases is no proof of a wrong in any of them."""


def write_worklists(
    *,
    findings: Sequence[Mapping[str, Any]],
    declared: Sequence[Mapping[str, Any]],
    catalogue: pd.DataFrame,
    database: Path,
    out: Path,
    as_of: date,
) -> list[Path]:
    """One workbook a finding, in their order, then one a declared list. The same bytes each time."""
    out.mkdir(parents=True, exist_ok=True)
    measures = {row["measure_id"]: row for row in catalogue.to_dict("records")}
    written = []
    with duckdb.connect(str(database), read_only=True) as connection:
        for finding in findings:
            measure = measures[finding["measure_id"]]
            most = MOST_ROWS if finding["rule"] in ("gap", "part") else ALL_ROWS
            rows, count = _rows_of(connection, measure["fact"], _behind(finding, measure), most)
            name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(finding["id"]).replace("|", "__"))
            said = _notes(finding, measure, len(rows), count)
            written.append(_workbook(out / f"{name}.xlsx", str(finding["title"]), said, rows, as_of))
        for listed in declared:
            where = f"quarter is not null and ({listed['condition']})"
            rows, count = _rows_of(connection, listed["fact"], where, ALL_ROWS)
            notes = [listed["title"], listed["text"], _who_answers(listed), f"In the whole period: {count:,}.", ABOUT]
            written.append(_workbook(out / f"list__{listed['id']}.xlsx", listed["title"], notes, rows, as_of))
    return written


def _behind(finding: Mapping[str, Any], measure: Mapping[Any, Any]) -> str:
    """Which rows of the fact make the finding, as SQL.

    Of a gap: those of the group to whom it happened, or, where it happens to them less often, to whom it did not. Of a
    target that was missed: those to whom it did not happen.
    """
    stratum = f"coalesce(cast({measure['stratum']} as varchar), 'not_recorded')" if measure["stratum"] else "''"
    happened = f"({measure['numerator']})"
    where = ["quarter is not null", f"({measure['denominator'] or 'true'})"]
    if measure["kind"] == "mix":
        happened = f"{stratum} = {literal(str(finding['stratum']))}"
    elif finding.get("stratum", "all") != "all":
        where.append(f"{stratum} = {literal(str(finding['stratum']))}")
    where.append(f"{happened} is {'true' if _has_happened(finding) else 'false'}")
    if finding.get("race", "all") != "all":
        where.append(f"race = {literal(str(finding['race']))}")
    if str(finding.get("contrast", "")).startswith("citizenship"):
        where.append("citizenship = 'noncitizen'")
    return " and ".join(where)


def _has_happened(finding: Mapping[str, Any]) -> bool:
    """Whether the cases to look at are those in which it happened, or those in which it did not."""
    return bool(finding["rule"] != "target" and finding.get("difference", 1) >= 0)


def _rows_of(connection: duckdb.DuckDBPyConnection, fact: str, where: str, most: int) -> tuple[pd.DataFrame, int]:
    """The rows of a fact, the newest quarter first, and how many there are in all."""
    table = f"marts.{quoted(fact)}"
    columns = [c[0] for c in connection.execute(f"select * from {table} limit 0").description]
    shown = ", ".join(quoted(c) for c in columns if c not in _LEFT_OUT)
    counted = connection.execute(f"select count(*) from {table} where {where}").fetchone()
    rows = connection.execute(
        f"select {shown} from {table} where {where} order by quarter desc, {quoted(columns[0])} limit {most}"
    ).fetchdf()
    return rows, int(counted[0]) if counted else 0


def _workbook(path: Path, title: str, lines: Iterable[str], rows: pd.DataFrame, as_of: date) -> Path:
    # text is written as text: nothing that stands in a record is run as a formula or made a link
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": title, "created": datetime.combine(as_of, datetime.min.time())})
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("Cases")
        sheet.freeze_panes(1, 1)
        if len(rows):
            sheet.autofilter(0, 0, len(rows), len(rows.columns) - 1)
        for at, column in enumerate(rows.columns):
            sheet.set_column(at, at, max(12, min(40, len(column) + 2)))
            sheet.write_string(0, at, column.replace("_", " "), head)
        for number, values in enumerate(rows.astype(object).itertuples(index=False), start=1):
            for at, value in enumerate(values):
                if pd.isna(value):
                    continue
                if isinstance(value, bool):
                    sheet.write_string(number, at, "yes" if value else "no")
                elif isinstance(value, date | datetime):
                    sheet.write_datetime(number, at, datetime.combine(value, datetime.min.time()), day)
                elif isinstance(value, int | float):
                    sheet.write_number(number, at, value)
                else:
                    sheet.write_string(number, at, str(value))
        notes = book.add_worksheet("Notes")
        notes.set_column(0, 0, 110, book.add_format({"text_wrap": True, "valign": "top"}))
        for number, line in enumerate("\n".join(lines).splitlines()):
            notes.write_string(number, 0, line)
    return path


def _notes(finding: Mapping[str, Any], measure: Mapping[Any, Any], shown: int, count: int) -> Iterator[str]:
    yield str(finding["title"])
    yield str(finding["text"])
    yield _who_answers(finding)
    yield f"{measure['measure_id']}: {measure['title']}. {measure['definition']}"
    what = "happened" if _has_happened(finding) else "did not happen"
    yield f"Listed are the cases of the group in which it {what}: {count:,} in the whole period, the newest {shown:,} here."
    yield ABOUT


def _who_answers(answered: Mapping[str, Any]) -> str:
    return f"Who answers for it: {answered['owner']}, by {answered['due']}."

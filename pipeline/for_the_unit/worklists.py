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
from typing import Any, BinaryIO, Literal

import duckdb
import pandas as pd
import xlsxwriter

from pipeline.database import open_database
from pipeline.disclose.registry import load_registry
from pipeline.ingest.read import literal, quoted

#: A list is to be worked through: of a gap the newest cases stand in it, and it says how many there are. Where one case is
#: one too many, and of what can still be mended, all stand in it, up to what a sheet can hold.
MOST_ROWS = 500
ALL_ROWS = 1_000_000
#: What the finding says of all rows at once stands on the notes, not in each row.
_LEFT_OUT = ("race", "citizenship", "citizenship_latest", "uncounted_reason")
#: Of what a cell counts: all of it, or, of a rate or a part, that to which it happened, or the rest.
Part = Literal["counted", "happened", "otherwise"]
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
    """One workbook a finding, in their order, then one a declared list whose fact there is. The same bytes each time."""
    out.mkdir(parents=True, exist_ok=True)
    measures = {row["measure_id"]: row for row in catalogue.to_dict("records")}
    written = []
    with open_database(database) as connection:
        for finding in findings:
            measure = measures[finding["measure_id"]]
            most = MOST_ROWS if finding["rule"] in ("gap", "part") else ALL_ROWS
            rows, count = rows_of(connection, measure["fact"], rows_behind(finding, measure), most=most)
            name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(finding["id"]).replace("|", "__"))
            said = _notes(finding, measure, len(rows), count)
            path = out / f"{name}.xlsx"
            workbook(path, title=str(finding["title"]), notes=said, rows=rows, as_of=as_of)
            written.append(path)
        facts = {name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()}
        for listed in (one for one in declared if one["fact"] in facts):
            rows, count = rows_of(connection, listed["fact"], listed["condition"], most=ALL_ROWS)
            notes = [listed["title"], listed["text"], who_answers(listed), f"Rows: {count:,}.", ABOUT]
            path = out / f"list__{listed['id']}.xlsx"
            workbook(path, title=listed["title"], notes=notes, rows=rows, as_of=as_of)
            written.append(path)
    return written


def rows_behind(finding: Mapping[str, Any], measure: Mapping[Any, Any]) -> str:
    """Which rows of the fact make the finding, as SQL.

    Of a gap: those of the group to whom it happened, or, where it happens to them less often, to whom it did not. Of a
    target that was missed: those to whom it did not happen.
    """
    cell = {name: str(finding[name]) for name in ("race", "stratum") if finding.get(name)}
    if str(finding.get("contrast", "")).startswith("citizenship"):
        cell["citizenship"] = "noncitizen"
    return rows_of_cell(measure, part="happened" if _has_happened(finding) else "otherwise", **cell)


def rows_of_cell(
    measure: Mapping[Any, Any],
    *,
    part: Part,
    period: str = "all",
    race: str = "all",
    citizenship: str = "all",
    offence_group: str = "all",
    stratum: str = "all",
) -> str:
    """Which rows of the fact a cell of the long table counts, as SQL: all, those to whom it happened, or the others.

    The same conditions as in `pipeline/dbt/macros/measures.sql`, which counts them.
    """
    answer = measure["numerator"] if measure["kind"] == "rate" else measure["value"]
    where = ["quarter is not null", f"({measure['denominator'] or measure['numerator'] or 'true'})"]
    where += [f"({said}) is not null" for said in (answer, measure["outcome"]) if said]
    if period != "all":
        where.append(f"quarter = {literal(period)}" if "-Q" in period else f"quarter like {literal(period + '-Q_')}")
    for column, value in {"race": race, "citizenship": citizenship, "offence_group": offence_group}.items():
        together = load_registry().pools.get(column, {}).get(value, [value])
        where += [f"{column} in ({', '.join(map(literal, together))})"] if value != "all" else []
    happened = f"({measure['numerator'] or 'true'})"
    if measure["kind"] in ("distribution", "time_to_event"):  # its strata are `median`, or of a part `bail:median`
        stratum = stratum.rpartition(":")[0] if measure["stratum"] and ":" in stratum else "all"
    if stratum != "all":
        label = re.sub(r"^'(?=\s*[=+\-@])", "", stratum)  # as it was before it was made inert
        part_of = measure["stratum"] or "''"  # a measure without parts has none of that name
        of_stratum = f"coalesce(cast({part_of} as varchar), 'not_recorded') = {literal(label)}"
        if measure["kind"] == "mix":
            happened = of_stratum
        else:
            where.append(of_stratum)
    if part != "counted":
        where.append(f"{happened} is {'true' if part == 'happened' else 'false'}")
    return " and ".join(where)


def _has_happened(finding: Mapping[str, Any]) -> bool:
    """Whether the cases to look at are those in which it happened, or those in which it did not."""
    return bool(finding["rule"] != "target" and finding.get("difference", 1) >= 0)


def rows_of(
    connection: duckdb.DuckDBPyConnection, fact: str, where: str, *, most: int, after: int = 0
) -> tuple[pd.DataFrame, int]:
    """At most so many rows of a fact, where it has quarters the newest first, after so many others; and how many there are
    in all.
    """
    table = f"marts.{quoted(fact)}"
    columns = [c[0] for c in connection.execute(f"select * from {table} limit 0").description]
    shown = ", ".join(quoted(c) for c in columns if c not in _LEFT_OUT)
    order = ", ".join([*(["quarter desc"] if "quarter" in columns else []), quoted(columns[0])])
    counted = connection.execute(f"select count(*) from {table} where {where}").fetchone()
    rows = connection.execute(
        f"select {shown} from {table} where {where} order by {order} limit {most} offset {after}"
    ).fetchdf()
    return rows, int(counted[0]) if counted else 0


def workbook(to: Path | BinaryIO, *, title: str, notes: Iterable[str], rows: pd.DataFrame, as_of: date) -> None:
    """The rows as a workbook, with its notes on a second sheet. The same bytes each time."""
    # text is written as text: nothing that stands in a record is run as a formula or made a link
    with xlsxwriter.Workbook(to, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": title, "created": datetime.combine(as_of, datetime.min.time())})
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("Cases")
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
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
        second = book.add_worksheet("Notes")
        second.set_column(0, 0, 110, book.add_format({"text_wrap": True, "valign": "top"}))
        for number, line in enumerate("\n".join(notes).splitlines()):
            second.write_string(number, 0, line)


def _notes(finding: Mapping[str, Any], measure: Mapping[Any, Any], shown: int, count: int) -> Iterator[str]:
    yield str(finding["title"])
    yield str(finding["text"])
    yield who_answers(finding)
    yield f"{measure['measure_id']}: {measure['title']}. {measure['definition']}"
    what = "happened" if _has_happened(finding) else "did not happen"
    yield f"Listed are the cases of the group in which it {what}: {count:,} in the whole period, the newest {shown:,} here."
    yield ABOUT


def who_answers(answered: Mapping[str, Any]) -> str:
    """Whose turn it is, and by when."""
    return f"Who answers for it: {answered['owner']}, by {answered['due']}."

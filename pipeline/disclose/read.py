"""What the published files say, read as an outsider reads them: from the files alone, hidden sheets and all.

A table says something about a cell where a row names the cell and holds a number. A page, a picture or a notebook does
where an element carries `data-cell="measure|period|race|citizenship|offence_group|stratum"` and holds a number, in its
text or in its geometry. A figure's JSON does where a trace's `customdata` names cells beside its points.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook, SheetVisibleEnum

from pipeline.disclose.registry import BREAKDOWNS, CELL

TABLES = (".csv", ".parquet", ".xlsx")
PAGES = (".html", ".svg", ".ipynb", ".json", ".js")

_HIDES = re.compile(rb"<(row|col)\b[^>]*\bhidden=\"(1|true)\"")
_NUMBER = re.compile(r"\d")
_GEOMETRY = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "d", "points", "width", "height", "transform"}
_GEOMETRY |= {"data-value", "title", "aria-label", "style"}
#: What a comparison's row says of its own group, of its reference group, and of both.
_OF_BOTH = ("difference", "ratio", "bound")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table as text: its file, where in it, its rows under normalised headers; and whether a reader must look."""

    file: str
    place: str
    rows: pd.DataFrame
    is_hidden: bool = False


def tables_in(folder: Path) -> Iterator[Table]:
    """Every CSV, Parquet file and worksheet below the folder, in order."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix in TABLES):
        yield from tables_of(path, path.relative_to(folder).as_posix())


def tables_of(path: Path, file: str) -> Iterator[Table]:
    """The tables of one file, which goes by the name `file`: none, where it is no table."""
    if path.suffix == ".csv":
        try:
            rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        except pd.errors.EmptyDataError:  # a file without even a header says nothing
            return
        yield Table(file=file, place="", rows=_normalised(rows))
    elif path.suffix == ".parquet":
        yield Table(file=file, place="", rows=_normalised(pq.read_table(path).to_pandas()))
    elif path.suffix == ".xlsx":
        yield from _sheets(path, file)


def _sheets(path: Path, file: str) -> Iterator[Table]:
    book = CalamineWorkbook.from_path(path)
    with zipfile.ZipFile(path) as parts:  # a workbook that hides a row or a column is looked at whole
        hides = any(_HIDES.search(parts.read(name)) for name in parts.namelist() if name.startswith("xl/worksheets/"))
    for about in book.sheets_metadata:
        cells = book.get_sheet_by_name(about.name).to_python(skip_empty_area=False)
        header, *rows = [[_as_text(value) for value in row] for row in cells] or [[]]
        frame = pd.DataFrame(rows, columns=header, dtype=str)
        is_hidden = hides or about.visible != SheetVisibleEnum.Visible
        yield Table(file=file, place=about.name, rows=_normalised(frame), is_hidden=is_hidden)


def _as_text(value: object) -> str:
    """A cell as other files write it: a workbook holds every number as a float."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _normalised(rows: pd.DataFrame) -> pd.DataFrame:
    """Text throughout; headers as in the long table, whatever the file writes."""
    rows = rows.rename(columns=lambda name: str(name).strip().lower().replace(" ", "_"))
    text = {c: rows[c].astype(object).where(rows[c].notna(), "").astype(str) for c in rows}
    return pd.DataFrame(text, index=rows.index)


def names_cells(rows: pd.DataFrame) -> bool:
    """Whether the rows of this table are cells of measures."""
    return {"measure_id", "period"} <= set(rows.columns)


def said_in(folder: Path) -> pd.DataFrame:
    """What the files of a folder say about cells: file, place, the columns of CELL, column, number.

    A row of a table that names a cell and says nothing about it is there as well, with an empty column and number.
    """
    parts = [_said_by_table(table) for table in tables_in(folder) if names_cells(table.rows)]
    parts += [_said_by_page(path, folder) for path in sorted(folder.rglob("*")) if path.suffix in PAGES]
    return pd.concat([_empty(), *parts], ignore_index=True)


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=["file", "place", *CELL, "column", "number"], dtype=str)


def _said_by_table(table: Table) -> pd.DataFrame:
    rows = table.rows.assign(**{c: "all" for c in BREAKDOWNS if c not in table.rows})
    labels = {*CELL, "mart", "title", "contrast", "unit", "status", "reason", "reference_race", "reference_citizenship"}
    labels |= {"estimand", "given", "held_equal", "benchmark", "profile"}  # an office's own words, with digits or not
    numbers = [c for c in rows if c not in labels and not str(c).endswith("_method")]
    said = rows.melt(id_vars=list(CELL), value_vars=numbers, var_name="column", value_name="number", ignore_index=False)
    said = said[said["number"].str.contains(_NUMBER)]
    named = rows[list(CELL)].assign(column="", number="")
    if "reference_race" in rows:
        reference = rows.loc[said.index, ["reference_race", "reference_citizenship"]].to_numpy()
        of_reference = said["column"].str.startswith("reference").to_numpy()
        of_both = said["column"].str.startswith(_OF_BOTH).to_numpy()
        other = said.assign(race=reference[:, 0], citizenship=reference[:, 1])
        said = pd.concat([said[~of_reference], other[of_reference | of_both]])
    return pd.concat([said, named]).assign(file=table.file, place=table.place)


def _said_by_page(path: Path, folder: Path) -> pd.DataFrame:
    text = path.read_text(encoding="utf-8")
    found: list[tuple[str, str, str]] = []
    if path.suffix in (".html", ".svg"):
        found = _marks(text)
    elif "customdata" in text or "data-cell" in text:
        for value in _json_values(text):
            found += list(_in_json(value))
    rows = [
        [path.relative_to(folder).as_posix(), "", *cell.split("|"), column, number] for cell, column, number in found
    ]
    return pd.DataFrame([r for r in rows if len(r) == len(_empty().columns)], columns=_empty().columns, dtype=str)


def _marks(text: str) -> list[tuple[str, str, str]]:
    reader = _Marks()
    reader.feed(text)
    reader.close()
    return reader.found


_VOID = {"br", "img", "input", "meta", "link", "hr", "source", "col"}


class _Marks(HTMLParser):
    """Collects (cell, attribute or `text`, number) of the elements that carry a cell, and of what lies in them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        cell = values.get("data-cell", self._open[-1] if self._open else "")
        if tag not in _VOID:
            self._open.append(cell)
        if cell and "absent" not in values.get("class", "").split():
            self.found += [(cell, n, v) for n, v in values.items() if n in _GEOMETRY and _NUMBER.search(v)]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] and _NUMBER.search(data):
            self.found.append((self._open[-1], "text", data.strip()))


def _json_values(text: str) -> Iterator[Any]:
    """The JSON values in a file: the whole, or what scripts assign (`figures["a"]={...};`)."""
    decoder = json.JSONDecoder()
    position = 0
    while (start := min((i for i in (text.find("{", position), text.find("[", position)) if i >= 0), default=-1)) >= 0:
        try:
            value, position = decoder.raw_decode(text, start)
            yield value
        except json.JSONDecodeError:
            position = start + 1


def _in_json(value: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, str) and "data-cell" in value:
        yield from _marks(value)
    elif isinstance(value, list):
        for one in value:
            yield from _in_json(one)
    elif isinstance(value, dict):
        cells = value.get("customdata")
        if isinstance(cells, list) and all(isinstance(cell, str) for cell in cells):
            for name, series in _series(value, len(cells)):
                pairs = zip(cells, series, strict=True)
                yield from (
                    (c, name, str(v)) for c, v in pairs if "|" in c and v is not None and _NUMBER.search(str(v))
                )
        # A notebook keeps its pages in lists of lines.
        for key, one in value.items():
            yield from _in_json("".join(one) if key == "text/html" and isinstance(one, list) else one)


def _series(trace: dict[str, Any], length: int, prefix: str = "") -> Iterator[tuple[str, list[Any]]]:
    for name, value in trace.items():
        if isinstance(value, list) and len(value) == length and name not in ("customdata", "ids"):
            yield prefix + name, value
        elif isinstance(value, dict):
            yield from _series(value, length, f"{prefix}{name}.")

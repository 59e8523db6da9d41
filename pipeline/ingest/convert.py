"""Workbooks, JSON and text of fixed width as delimited text, so that one reader decides what a row is.

Each is read as a stream. A record that cannot become a row leaves a blank line in its place, which keeps the numbering,
and is listed as a reject.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import openpyxl
from openpyxl.utils.cell import range_boundaries

from pipeline.errors import AuditError, Problem
from pipeline.ingest.archive import MOST_EXPANSION, is_bomb
from pipeline.ingest.freeze import SourceFile
from pipeline.ingest.text import DAMAGE, LONGEST_RECORD, damaged, decompressed, encodings, refused, utf8_chunks

_CHUNK = 1 << 20
_ENCODING = "utf-8"


@dataclass(frozen=True, kw_only=True)
class ReadReject:
    """A record the reader could not take apart."""

    row: int
    rule: str


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A delimited copy of a file. A record's number in the file is its number in the copy plus `offset`."""

    path: Path
    layout: Mapping[str, Any]
    offset: int
    rejects: tuple[ReadReject, ...]
    warnings: tuple[Problem, ...]


@contextmanager
def _copy_of(source: SourceFile, work: Path) -> Iterator[tuple[Path, IO[str], Any]]:
    path = work / f"{source.sha256[:16]}.{source.mapping.name}.csv"
    with path.open("w", encoding=_ENCODING, newline="") as stream:
        yield path, stream, csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")


def header_rows(layout: Mapping[str, Any]) -> list[int]:
    """The lines of the header, the last of which the rows follow."""
    value = layout.get("header_row", 1)
    return sorted(value) if isinstance(value, list) else [value]


# --- fixed width ------------------------------------------------------------------------------------------------


def from_fixed_width(source: SourceFile, work: Path) -> Converted:
    """Columns by their places: `columns: {Name: [first, last]}`, counted from 1. Lines above the rows: `header_row`."""
    layout = source.mapping.format
    columns: dict[str, tuple[int, int]] = {name: (a - 1, b) for name, (a, b) in layout["columns"].items()}
    skipped = int(layout.get("header_row", 0))
    first = min(a for a, _ in columns.values())
    last = max(b for _, b in columns.values())
    shortest = first + 1 if layout.get("trimmed") else last
    covered = {position for a, b in columns.values() for position in range(a, b)}
    between = [position for position in range(last) if position not in covered]
    rejects: list[ReadReject] = []
    warnings: list[Problem] = []
    with _copy_of(source, work) as (path, stream, writer):
        writer.writerow(columns)
        for number, line in enumerate(_lines(source, warnings), start=1):
            if number <= skipped:
                continue
            if not line.strip():
                stream.write("\n")
            elif len(line) < shortest or line[last:].strip():
                short = len(line) < shortest
                rejects.append(
                    ReadReject(row=number, rule=f"the line is {'shorter' if short else 'longer'} than its columns")
                )
                stream.write("\n")
            else:
                outside = next((p for p in between if line[p : p + 1].strip()), None)
                if outside is not None:
                    raise refused(
                        source,
                        "IIU202",
                        f"holds something at place {outside + 1}, which is in no column",
                        line=number,
                        expected="every place that is filled to be in a column",
                        fix="Correct `columns`; name the place, and list it unused if nothing needs it",
                    )
                writer.writerow(line[a:b].strip() for a, b in columns.values())
    footer = {"skip_footer_rows": layout["skip_footer_rows"]} if "skip_footer_rows" in layout else {}
    return Converted(
        path=path,
        layout={"type": "csv", **footer},
        offset=skipped - 1,
        rejects=tuple(rejects),
        warnings=tuple(warnings),
    )


def _lines(source: SourceFile, warnings: list[Problem]) -> Iterator[str]:
    """The lines of a text, whatever ends them."""
    rest = ""
    for chunk in utf8_chunks(source, warnings):
        text = rest + chunk.decode()
        held = text.endswith("\r")  # its line feed may begin the next chunk
        *lines, rest = (
            (text[:-1] if held else text).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        )
        rest += "\r" if held else ""
        if len(rest) > LONGEST_RECORD:
            raise refused(source, "IIU114", "has a line longer than 16 MiB", expected="one record a line")
        yield from lines
    if rest:
        yield rest.removesuffix("\r")


# --- JSON -------------------------------------------------------------------------------------------------------


class _Unsound(ValueError):
    """An object that says a thing twice or holds what no table can; the message is the rule."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) < len(pairs):
        raise _Unsound("the object has a key twice")
    return built


def _no_number(name: str) -> Any:
    raise _Unsound(f"{name} is no number")


#: Numbers stay the text they are: a binary fraction would change them.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_no_number)


def from_json(source: SourceFile, work: Path) -> Converted:
    """An array of objects, or one object a line. Nested values stay as JSON text."""
    keys: dict[str, None] = {}
    for _, value in _json_items(source):
        if isinstance(value, dict):
            keys.update(dict.fromkeys(value))
    keys.pop("_row", None)
    rejects: list[ReadReject] = []
    what = "line" if source.mapping.format["type"] == "ndjson" else "item"
    with _copy_of(source, work) as (path, stream, writer):
        writer.writerow(keys or ["column_1"])
        last = 0
        for number, value in _json_items(source):
            stream.write("\n" * (number - last - 1))
            last = number
            rule = str(value) if isinstance(value, _Unsound) else f"the {what} is no JSON object"
            if isinstance(value, dict):
                cells = [_json_text(value.get(key)) for key in keys]
                rule = "" if any(cells) else f"the {what} is an empty object"
                if any("\0" in cell or not _is_whole(cell) for cell in cells):
                    rule = f"the {what} holds a zero byte or half a character"
            if rule:
                rejects.append(ReadReject(row=number, rule=rule))
                stream.write("\n")
            else:
                writer.writerow(cells)
    return Converted(path=path, layout={"type": "csv"}, offset=-1, rejects=tuple(rejects), warnings=())


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json_items(source: SourceFile) -> Iterator[tuple[int, Any]]:
    """The items with their numbers; one that cannot be used comes as the `_Unsound` that says why."""
    (encoding, *_) = encodings(source)
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        with decompressed(source) as stream, TextIOWrapper(stream, encoding=encoding) as text:
            yield from (_of_lines if source.mapping.format["type"] == "ndjson" else _of_array)(source, text)
    except (UnicodeError, RecursionError) as error:
        raise _no_json(source, type(error).__name__) from error
    except DAMAGE as error:
        raise damaged(source, error) from error


def _no_json(source: SourceFile, why: str) -> AuditError:
    return refused(
        source, "IIU114", f"cannot be read as JSON ({why})", expected="UTF-8 JSON", fix="Ask for the file again"
    )


def _of_lines(source: SourceFile, text: IO[str]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(iter(lambda: text.readline(LONGEST_RECORD), ""), start=1):
        if not line.strip():
            continue
        try:
            yield number, _DECODER.decode(line)
        except _Unsound as error:
            yield number, error
        except (ValueError, RecursionError):
            yield number, None


def _decoded(text: str, position: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except _Unsound as error:  # its content is refused; where it ends, its plain reading tells
        return error, json.JSONDecoder().raw_decode(text, position)[1]


def _of_array(source: SourceFile, text: IO[str]) -> Iterator[tuple[int, Any]]:
    """The items of an array, decoded as the text arrives."""
    white = re.compile(r"[ \t\n\r]*")
    buffer, position, ended = "", 0, False

    def more() -> None:
        nonlocal buffer, position, ended
        chunk = text.read(_CHUNK)
        ended = not chunk
        buffer, position = buffer[position:] + chunk, 0
        if len(buffer) > LONGEST_RECORD + _CHUNK:
            raise _no_json(source, "an item is longer than 16 MiB, or is never closed")

    def sign() -> str:
        nonlocal position
        while True:
            found = white.match(buffer, position)
            position = found.end() if found else position
            if position < len(buffer) or ended:
                return buffer[position : position + 1]
            more()

    if sign() != "[":
        raise refused(source, "IIU114", "is no JSON array", expected="an array of objects")
    position += 1
    number = 0
    while sign() != "]" or number:
        number += 1
        while True:
            try:
                value, end = _decoded(buffer, position)
            except ValueError as error:
                if ended:
                    raise _no_json(source, str(error)) from error
                more()
                continue
            if end < len(buffer) or ended:
                break
            more()
        position = end
        yield number, value
        if sign() == "]":
            break
        if sign() != ",":
            raise _no_json(source, f"item {number} is followed by no comma")
        position += 1
        sign()
    position += 1
    if sign():
        raise _no_json(source, "something follows the array")


# --- workbooks --------------------------------------------------------------------------------------------------

#: A cell whose formula has no result in the file: its program never computed it. A text formula may give an empty text.
_NO_RESULT = re.compile(
    rb'<c\b(?![^>]*\bt="str")[^>]*\br="([A-Z]+[0-9]+)"(?![^>]*\bt="str")[^>]*>\s*<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)
_MERGED = re.compile(rb'<mergeCell\b[^>]*\bref="([A-Z]+[0-9]+:[A-Z]+[0-9]+)"')
_OVERLAP = 1 << 16


def from_workbook(source: SourceFile, work: Path) -> Converted:
    """A sheet of an .xlsx workbook. Rows keep the sheet's numbers; rows and columns that are hidden are read as well."""
    try:
        _refuse_bad_parts(source)
        with source.path.open("rb") as stream:  # by a path, openpyxl would go by the name's ending
            return _from_sheet(source, openpyxl.load_workbook(stream, data_only=True, read_only=True), work)
    except AuditError:
        raise
    except Exception as error:  # openpyxl has no error of its own: whatever a damaged workbook sets off comes through
        raise refused(
            source,
            "IIU113",
            f"is no whole xlsx workbook ({type(error).__name__})",
            expected="an .xlsx file",
            fix="Save it again as .xlsx, or ask for the file again",
        ) from error


def _refuse_bad_parts(source: SourceFile) -> None:
    """Refuse what would fill the memory: a workbook is a zip of XML."""
    with ZipFile(source.path) as parts:
        total = sum(part.file_size for part in parts.infolist())
        if is_bomb(packed=source.bytes, unpacked=total):
            raise refused(
                source,
                "IIU113",
                f"would grow {total // max(source.bytes, 1)} times as it is unpacked",
                expected=f"at most {MOST_EXPANSION} times",
                fix="Open it in Excel, look at what it holds, and save it again",
            )
        for part in parts.infolist():
            with parts.open(part) as stream:
                if b"<!DOCTYPE" in stream.read(_OVERLAP) and part.filename.endswith((".xml", ".rels")):
                    raise refused(
                        source,
                        "IIU113",
                        "declares entities of its own, which no workbook needs",
                        expected="an .xlsx file as Excel writes it",
                        fix="Open it in Excel and save it again",
                    )


def _from_sheet(source: SourceFile, book: Any, work: Path) -> Converted:
    layout = source.mapping.format
    sheet = _sheet(source, book)
    head = header_rows(layout)
    footer = int(layout.get("skip_footer_rows", 0))
    merged = _look_into(source, sheet)
    fill = layout.get("merged_cells") == "fill"
    corner = {
        (row, column): (top, left)
        for left, top, right, bottom in merged
        if fill and bottom > head[-1]
        for row in range(max(top, head[-1] + 1), bottom + 1)
        for column in range(left, right + 1)
    }
    kept: dict[tuple[int, int], str] = {}
    corners = set(corner.values())
    width = written = last = 0
    with _copy_of(source, work) as (path, stream, writer):
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            row = [_cell_text(cell) for cell in cells]
            for column in range(1, len(row) + 1) if corner else ():
                place_ = (number, column)
                if place_ in corners:
                    kept[place_] = row[column - 1]
                row[column - 1] = kept.get(corner.get(place_, place_), row[column - 1])
            while row and not row[-1].strip():
                row.pop()
            if number <= head[-1]:
                if number in head:
                    width = max(width, len(row))
                writer.writerow(row or [""])
                written = last = number
            elif row:
                stream.write("\n" * (number - written - 1))
                # A cell outside of the header makes the row one with too many cells.
                writer.writerow(row + [""] * (width - len(row)))
                written = last = number
    if not written:
        raise refused(
            source,
            "IIU117",
            f"the sheet [{sheet.title}] is empty",
            expected="a header line, then rows",
            fix="Correct `sheet`",
        )
    if "merged_cells" not in layout:
        between = [m for m in merged if head[-1] < m[3] and m[1] <= last - footer]
        if between:
            raise refused(
                source,
                "IIU114",
                f"{len(between)} merged cells stand among the rows, the first in row {min(m[1] for m in between)}",
                expected="a value in each cell: Excel keeps a merged one in its first cell alone",
                fix="Set `merged_cells: fill` if it holds for each of the cells, or `merged_cells: first`",
            )
    plain = {k: v for k, v in layout.items() if k in ("header_row", "skip_footer_rows")} | {"type": "csv"}
    return Converted(path=path, layout=plain, offset=0, rejects=(), warnings=())


def _sheet(source: SourceFile, book: Any) -> Any:
    """The sheet that is meant. Every other sheet that holds anything, hidden or not, is accounted for."""
    names = list(book.sheetnames)
    stated = source.mapping.format.get("sheet")
    if stated is not None and stated not in names:
        raise refused(
            source,
            "IIU117",
            f"has no sheet [{stated}]",
            expected=f"one of {', '.join(names)}",
            fix="Correct `sheet`",
        )
    filled = [name for name in names if hasattr(book[name], "iter_rows") and not _is_blank(book[name])]
    meant = stated or next(iter(filled), names[0])
    left = [name for name in filled if name != meant and not source.is_accounted(name)]
    if left:
        hidden = [name for name in left if book[name].sheet_state != "visible"]
        name = source.shown.partition("#")[0]
        raise refused(
            source,
            "IIU115",
            f"has sheets that nothing reads: {', '.join(left)}" + (f" (hidden: {', '.join(hidden)})" if hidden else ""),
            expected="every sheet with a `sheet` that names it, or under `not_read` with a reason",
            fix=f'List "{name}#{left[0]}" under `not_read`: nothing is ignored by accident',
        )
    sheet = book[meant]
    sheet.reset_dimensions()  # what a workbook says of its own size may be wrong, and would cut rows off
    return sheet


def _is_blank(sheet: Any) -> bool:
    sheet.reset_dimensions()
    return not any(value is not None for row in sheet.iter_rows(max_row=50, values_only=True) for value in row)


def _look_into(source: SourceFile, sheet: Any) -> list[tuple[int, int, int, int]]:
    """The merged ranges of a sheet (left, top, right, bottom). Refuses formulas without a result: their cells look blank."""
    merged: dict[bytes, None] = {}
    without: dict[bytes, None] = {}
    tail = b""
    with ZipFile(source.path) as parts, parts.open(sheet._worksheet_path) as stream:
        while chunk := stream.read(_CHUNK):
            tail += chunk
            merged.update(dict.fromkeys(_MERGED.findall(tail)))
            without.update(dict.fromkeys(_NO_RESULT.findall(tail)))
            tail = tail[-_OVERLAP:]
    if without:
        raise refused(
            source,
            "IIU114",
            f"{len(without)} cells hold a formula whose result is not in the file, the first in {next(iter(without)).decode()}",
            expected="values",
            fix="Open it in Excel, which computes them, and save it; or export values instead of formulas",
        )
    return [range_boundaries(ref.decode()) for ref in merged]  # type: ignore[misc]


def _cell_text(cell: Any) -> str:
    """A cell as a person would read it; dates in ISO form, whole numbers without a point, zeros before them where shown."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int) and value >= 0 and re.fullmatch("0+", shape := str(cell.number_format)):
        return str(value).zfill(len(shape))
    return str(value)


def converted(source: SourceFile, work: Path) -> Converted | None:
    """A delimited copy of a file that is neither delimited nor Parquet; None for those."""
    kind = source.mapping.format["type"]
    if kind == "fixed":
        return from_fixed_width(source, work)
    if kind == "xlsx":
        return from_workbook(source, work)
    if kind in ("json", "ndjson"):
        return from_json(source, work)
    return None

"""One file of an export into one DuckDB table of text, with the row number a person sees in the file.

Whatever the file is (delimited text, xlsx, JSON, Parquet; gzip or xz by content, not by name), the result is the
same: the columns of the file as text, `_row`, and the rows that could not be read. The records of a text file are
counted a second time by other code than DuckDB's reader, because a quote that never closes can swallow the rest of a
file as one reject.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import lzma
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import duckdb
import numpy as np
import openpyxl

from pipeline.errors import AuditError, Problem, place
from pipeline.ingest.freeze import SourceFile

_CHUNK = 1 << 22


@dataclass(frozen=True, kw_only=True)
class ReadReject:
    """A record the reader could not take apart."""

    row: int
    rule: str


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """A file as a table of text. `records` is counted independently of the table's own rows."""

    name: str
    columns: tuple[str, ...]
    records: int
    rejects: tuple[ReadReject, ...]


class Unreadable(Exception):
    """A file that cannot be read at all; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def quoted(identifier: str) -> str:
    """An identifier in SQL, whatever it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


def read_file(connection: duckdb.DuckDBPyConnection, source: SourceFile, *, table: str, work: Path) -> RawTable:
    """Load `source` into the table `table`. Raises `AuditError` if the file cannot be read as `office.yml` says."""
    try:
        reader = {
            "csv": _read_csv,
            "xlsx": _read_xlsx,
            "json": _read_json,
            "ndjson": _read_json,
            "parquet": _read_parquet,
        }
        return reader[source.mapping.format["type"]](connection, source, table, work)
    except Unreadable as error:
        raise AuditError([error.problem]) from error


def _problem(
    source: SourceFile, code: str, what: str, *, line: int | None = None, expected: str = "", fix: str = ""
) -> Unreadable:
    return Unreadable(
        Problem(code=code, where=place(file=source.shown, line=line), what=what, expected=expected, fix=fix)
    )


# --- delimited text ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Text:
    """A delimited file, plain and in UTF-8 with one kind of line end, and what was counted on the way."""

    path: Path
    records: int
    blank_records: tuple[int, ...]


def _read_csv(connection: duckdb.DuckDBPyConnection, source: SourceFile, table: str, work: Path) -> RawTable:
    layout = source.mapping.format
    delimiter, quote = layout.get("delimiter", ","), layout.get("quote", '"')
    header_rows = _header_rows(layout)
    text = _plain_text(source, work, quote=quote)
    with text.path.open(encoding="utf-8-sig", newline="") as stream:
        head = [row for _, row in zip(range(header_rows[-1]), _csv_rows(stream, delimiter, quote), strict=False)]
    columns = _columns(source, head, header_rows)
    options = {
        "header": "false",
        "skip": str(header_rows[-1]),
        "delim": literal(delimiter),
        "quote": literal(quote),
        "escape": literal(quote),
        "auto_detect": "false",
        "columns": "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}",
        "store_rejects": "true",
        "rejects_table": literal(f"{table}_rejects"),
        "rejects_scan": literal(f"{table}_scans"),
        "rejects_limit": "0",
        "max_line_size": str(1 << 24),
        "nullstr": literal("\\N never null: markers are declared"),
    }
    call = f"read_csv({literal(str(text.path))}, {', '.join(f'{k} = {v}' for k, v in options.items())})"
    try:
        connection.execute(f"create or replace table {quoted(table + '_rows')} as select * from {call}")
    except duckdb.Error as error:
        raise _problem(
            source,
            "IIU114",
            f"cannot be read as delimited text ({str(error).splitlines()[0]})",
            expected=f"fields separated by [{delimiter}] and quoted by [{quote}]",
            fix="Correct `format` in office.yml",
        ) from error
    rejects = tuple(
        ReadReject(row=int(line), rule=_reading_rule(str(kind)))
        for line, kind in connection.execute(
            f"select line, min(error_type::varchar) from {quoted(table + '_rejects')} group by line order by line"
        ).fetchall()
    )
    _refuse_swallowed_rows(connection, table, source, text.path, quote)
    rejects = _drop_footer(connection, table, source, rejects)
    loaded = _count(connection, table)
    footer = layout.get("skip_footer_rows", 0)
    records = text.records - header_rows[-1] - footer
    if loaded + len(rejects) != records:
        records = _slow_count(text.path, delimiter, quote) - header_rows[-1] - footer
    if loaded + len(rejects) != records:
        raise _problem(
            source,
            "IIU116",
            f"holds {records} records, but {loaded + len(rejects)} could be told apart",
            expected="every record to be loaded or rejected",
            fix=f"Look for a [{quote}] that is never closed, or for another `quote` in office.yml",
        )
    _number_rows(
        connection, table, first=header_rows[-1] + 1, missing=sorted({*text.blank_records, *(r.row for r in rejects)})
    )
    return RawTable(name=table, columns=columns, records=records, rejects=rejects)


def _refuse_swallowed_rows(
    connection: duckdb.DuckDBPyConnection, table: str, source: SourceFile, path: Path, quote: str
) -> None:
    """A quote that never closes makes one reject of all that follows it: rows are lost in it, so the file is refused."""
    found = connection.execute(
        f"""select line from {quoted(table + "_rejects")}
        where error_type = 'UNQUOTED VALUE' and regexp_matches(csv_line, '[\r\n].')
            and byte_position + strlen(csv_line) >= {path.stat().st_size} - 2
        order by line limit 1"""
    ).fetchone()
    if found:
        raise _problem(
            source,
            "IIU112",
            f"a [{quote}] is opened and never closed, so the rest of the file would be lost",
            line=int(found[0]),
            expected="every quoted cell to end",
            fix="Mend that row in a copy of the file, or set another `quote` in office.yml",
        )


def _reading_rule(kind: str) -> str:
    return {
        "MISSING COLUMNS": "the row has fewer cells than the header",
        "TOO MANY COLUMNS": "the row has more cells than the header",
        "UNQUOTED VALUE": "a quoted cell does not end where its quote does",
        "INVALID ENCODING": "the row is not in the declared encoding",
        "LINE SIZE OVER MAXIMUM": "the row is longer than 16 MiB",
    }.get(kind, kind.lower())


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {quoted(table + '_rows')}").fetchone()
    return int(row[0]) if row else 0


def _drop_footer(
    connection: duckdb.DuckDBPyConnection, table: str, source: SourceFile, rejects: tuple[ReadReject, ...]
) -> tuple[ReadReject, ...]:
    """Leave out the declared footer: its lines are ragged (then they are rejects) or whole (then they are rows)."""
    footer = int(source.mapping.format.get("skip_footer_rows", 0))
    for _ in range(footer):
        rows = _count(connection, table)
        last_reject = rejects[-1].row if rejects else 0
        header = _header_rows(source.mapping.format)[-1]
        if last_reject >= rows + len(rejects) + header:
            rejects = rejects[:-1]
        else:
            connection.execute(
                f"delete from {quoted(table + '_rows')} where rowid = (select max(rowid) from {quoted(table + '_rows')})"
            )
    return rejects


def _number_rows(connection: duckdb.DuckDBPyConnection, table: str, *, first: int, missing: Sequence[int]) -> None:
    """The view `table`: the rows with `_row`, the record's number in the file; records that are not in it are skipped over."""
    rows = quoted(table + "_rows")
    if not missing:
        connection.execute(
            f"create or replace temp view {quoted(table)} as select rowid + {first} as _row, * from {rows}"
        )
        return
    # The k-th missing record shifts every row at or behind it by one more.
    connection.execute(
        f"create or replace table {quoted(table + '_steps')} as select unnest(?::bigint[]) as missing_row, unnest(?::bigint[]) as shift",
        [[row - first - k for k, row in enumerate(missing)], [k + 1 for k in range(len(missing))]],
    )
    connection.execute(
        f"""create or replace temp view {quoted(table)} as
        with steps as (select missing_row, max(shift) as shift from {quoted(table + "_steps")} group by missing_row)
        select r.rowid + {first} + coalesce(s.shift, 0) as _row, r.*
        from {rows} as r asof left join steps as s on r.rowid >= s.missing_row"""
    )


def _header_rows(layout: Any) -> list[int]:
    value = layout.get("header_row", 1)
    return list(value) if isinstance(value, list) else [value]


def _columns(source: SourceFile, head: list[list[str]], header_rows: list[int]) -> tuple[str, ...]:
    """Column names: trimmed, merged over several header lines, renamed as declared, blank and double names told apart."""
    if len(head) < header_rows[-1]:
        raise _problem(
            source,
            "IIU117",
            f"has {len(head)} lines, so the header line {header_rows[-1]} is missing",
            expected="a header line, then rows",
            fix="Correct `header_row`, or ask for the file again",
        )
    lines = [head[number - 1] for number in header_rows]
    width = max(len(line) for line in lines)
    filled = [[cell.strip() for cell in line] + [""] * (width - len(line)) for line in lines]
    for line in filled[:-1]:  # a group's label stands once, over its first column
        for i in range(1, width):
            line[i] = line[i] or line[i - 1]
    names: list[str] = []
    for i in range(width):
        parts = [line[i] for line in filled if line[i]]
        name = " / ".join(dict.fromkeys(parts)) or f"column_{i + 1}"
        name = source.mapping.renames.get(name, name)
        folded = [n.casefold() for n in names]
        unique, copy = name, 2
        while unique.casefold() in folded or unique.casefold() == "_row":
            unique, copy = f"{name}_{copy}", copy + 1
        names.append(unique)
    return tuple(names)


def _csv_rows(stream: IO[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    if quote:
        return csv.reader(stream, delimiter=delimiter, quotechar=quote)
    return csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def _slow_count(path: Path, delimiter: str, quote: str) -> int:
    """Records by Python's own reader, for files whose quotes do not come in pairs."""
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return sum(1 for row in _csv_rows(stream, delimiter, quote) if row)


def _plain_text(source: SourceFile, work: Path, *, quote: str) -> _Text:
    """The file in UTF-8 with `\\n` or `\\r\\n` throughout: itself where it is so already, else a copy in `work`."""
    encoding = codecs.lookup(_encoding(source)).name
    try:
        with _decompressed(source) as stream:
            sample = stream.read(4)
        compressed = not _is_plain(source.path)
        bom = sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if bom and not encoding.startswith("utf-16"):
            raise _problem(
                source,
                "IIU111",
                "is in UTF-16",
                expected=f"{encoding}, as office.yml says",
                fix="Set `encoding: utf-16`",
            )
        scan = _Scan(quote)
        copy: Path | None = None
        if compressed or encoding not in ("utf-8", "ascii"):
            copy = work / f"{source.sha256[:16]}.csv"
            with copy.open("wb") as out:
                for chunk in _utf8_chunks(source, encoding):
                    scan.feed(chunk)
                    out.write(chunk)
        else:
            for chunk in _utf8_chunks(source, encoding):
                scan.feed(chunk)
        scan.finish()
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile, OSError) as error:
        raise _problem(
            source,
            "IIU113",
            f"breaks off or is damaged ({type(error).__name__})",
            expected="a whole file",
            fix="Ask for the file again: part of it is missing",
        ) from error
    if scan.nul:
        raise _problem(
            source,
            "IIU114",
            "holds zero bytes, so it is no text in this encoding",
            expected=f"{encoding} text",
            fix="Set the right `encoding` (UTF-16 has zero bytes), or export it anew",
        )
    if scan.mixed_line_ends:
        normalised = work / f"{source.sha256[:16]}.lf.csv"
        _normalise_line_ends(copy or source.path, normalised)
        copy = normalised
    return _Text(path=copy or source.path, records=scan.records, blank_records=tuple(scan.blank_records))


def _encoding(source: SourceFile) -> str:
    name = str(source.mapping.format.get("encoding", "utf-8"))
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise _problem(
            source, "IIU111", f"[{name}] is no known encoding", expected="utf-8, windows-1252, latin-1, utf-16, ..."
        ) from error
    return name


class _Scan:
    """Counts records, quotes and line ends over the bytes of a UTF-8 text, chunk by chunk."""

    def __init__(self, quote: str) -> None:
        self._quote = ord(quote) if quote else 0
        self._inside = 0
        self._tail = b""
        self._cr = self._lf = self._crlf = 0
        self._lines = 0
        self.records = 0
        self.blank_records: list[int] = []
        self.nul = False

    def feed(self, chunk: bytes) -> None:
        self.nul = self.nul or b"\0" in chunk
        data = self._tail + chunk
        # Leave the last line for the next chunk, so that no line end is cut in two.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        self._tail = data[cut:]
        self._lines_of(data[:cut])

    def finish(self) -> None:
        if self._tail:
            self._lines_of(self._tail if self._tail.endswith((b"\n", b"\r")) else self._tail + b"\n")
            self._tail = b""
        self.records += self._inside

    def _lines_of(self, data: bytes) -> None:
        crlf = data.count(b"\r\n")
        self._crlf += crlf
        self._cr += data.count(b"\r") - crlf
        self._lf += data.count(b"\n") - crlf
        if self._cr and not self._lf and not self._crlf:
            data = data.replace(b"\r", b"\n")
        self._records_of(np.frombuffer(data, dtype=np.uint8))

    def _records_of(self, data: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> None:
        """Count the line ends that no quote encloses: those with an even number of quotes before them."""
        ends = np.flatnonzero(data == ord("\n"))
        quotes = np.flatnonzero(data == self._quote) if self._quote else ends[:0]
        outside = (np.searchsorted(quotes, ends) + self._inside) % 2 == 0
        ends = ends[outside]
        starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
        lengths = ends - starts
        carriage = (lengths == 1) & (data[np.maximum(ends - 1, 0)] == ord("\r"))
        blank = (lengths == 0) | carriage
        if len(blank) and self._inside:
            blank[0] = False  # the end of a cell that began in an earlier chunk
        self.blank_records += (np.flatnonzero(blank) + self._lines + 1).tolist()
        self.records += int(len(ends) - blank.sum())
        self._lines += len(ends)
        self._inside = (self._inside + len(quotes)) % 2

    @property
    def mixed_line_ends(self) -> bool:
        return sum(1 for count in (self._cr, self._lf, self._crlf) if count) > 1


def _normalise_line_ends(path: Path, out: Path) -> None:
    with path.open(encoding="utf-8", newline=None) as stream, out.open("w", encoding="utf-8", newline="\n") as target:
        while chunk := stream.read(_CHUNK):
            target.write(chunk)


def _utf8_chunks(source: SourceFile, encoding: str) -> Iterator[bytes]:
    """The file's text as UTF-8. Bytes that the encoding cannot hold are a problem that names their line."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    line = 1
    with _decompressed(source) as stream:
        while True:
            chunk = stream.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                at = line + error.object[: error.start].count(b"\n")
                raise _problem(
                    source,
                    "IIU111",
                    f"a byte on this line is not {encoding} (byte {error.object[error.start]:#04x})",
                    line=at,
                    expected=f"{encoding} text, as office.yml says",
                    fix="Set the right `encoding`: windows-1252 is the usual one",
                ) from error
            line += chunk.count(b"\n")
            if text:
                yield chunk if encoding == "utf-8" and not decoder.getstate()[0] and text.isascii() else text.encode()
            if not chunk:
                return


@contextmanager
def _decompressed(source: SourceFile) -> Iterator[IO[bytes]]:
    with source.path.open("rb") as raw:
        magic = raw.read(6)
        raw.seek(0)
        if magic.startswith(b"\x1f\x8b"):
            with gzip.open(raw) as stream:
                yield stream  # type: ignore[misc]
        elif magic.startswith(b"\xfd7zXZ\x00"):
            with lzma.open(raw) as stream:
                yield stream
        else:
            yield raw


def _is_plain(path: Path) -> bool:
    with path.open("rb") as raw:
        return not raw.read(6).startswith((b"\x1f\x8b", b"\xfd7zXZ\x00"))


# --- workbooks, JSON, Parquet -----------------------------------------------------------------------------------


def _read_xlsx(connection: duckdb.DuckDBPyConnection, source: SourceFile, table: str, work: Path) -> RawTable:
    """A sheet by way of a delimited copy, so that one reader decides what a row is. Rows keep the sheet's numbers."""
    layout = source.mapping.format
    try:
        book = openpyxl.load_workbook(source.path, data_only=True)
    except (BadZipFile, KeyError, OSError, ValueError) as error:
        raise _problem(
            source,
            "IIU113",
            f"is no whole xlsx workbook ({type(error).__name__})",
            expected="an .xlsx file",
            fix="Save it again as .xlsx, or ask for the file again",
        ) from error
    name = layout.get("sheet", book.sheetnames[0])
    if name not in book.sheetnames:
        raise _problem(
            source,
            "IIU117",
            f"has no sheet [{name}]",
            expected=f"one of {', '.join(book.sheetnames)}",
            fix="Correct `sheet`",
        )
    sheet = book[name]
    header_rows = _header_rows(layout)
    rows = [[_cell_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    if not rows:
        raise _problem(source, "IIU117", f"the sheet [{name}] is empty", expected="a header line, then rows")
    width = max((len(rows[n - 1]) for n in header_rows if n <= len(rows)), default=0)
    while width and all(not row[width - 1] for row in rows if len(row) >= width):
        width -= 1
    copy = work / f"{source.sha256[:16]}.xlsx.csv"
    blank = 0
    with copy.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
        last = len(rows)
        while last > header_rows[-1] and not any(rows[last - 1]):
            last -= 1
        for number, row in enumerate(rows[:last], start=1):
            if number > header_rows[-1] and not any(row):
                stream.write("\n")  # a blank line keeps the numbering
                blank += 1
            else:
                writer.writerow(row[:width])
    book.close()
    plain = {k: v for k, v in layout.items() if k in ("header_row", "skip_footer_rows")} | {"type": "csv"}
    as_text = replace(source, path=copy, mapping=replace(source.mapping, format=plain))
    return _read_csv(connection, as_text, table, work)


def _cell_text(value: object) -> str:
    """A cell as a person would read it; dates in ISO form, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _read_json(connection: duckdb.DuckDBPyConnection, source: SourceFile, table: str, work: Path) -> RawTable:
    """An array of objects, or one object a line. Nested values stay as JSON text."""
    lines = source.mapping.format["type"] == "ndjson"
    rejects: list[ReadReject] = []
    rows: list[tuple[int, dict[str, Any]]] = []
    try:
        with _decompressed(source) as stream, io.TextIOWrapper(stream, encoding=_encoding(source)) as text:
            if lines:
                for number, line in enumerate(text, start=1):
                    if not line.strip():
                        continue
                    try:
                        value = json.loads(line)
                    except ValueError:
                        value = None
                    if isinstance(value, dict):
                        rows.append((number, value))
                    else:
                        rejects.append(ReadReject(row=number, rule="the line is no JSON object"))
            else:
                document = json.load(text)
                if not isinstance(document, list):
                    raise _problem(source, "IIU114", "is no JSON array", expected="an array of objects")
                for number, value in enumerate(document, start=1):
                    if isinstance(value, dict):
                        rows.append((number, value))
                    else:
                        rejects.append(ReadReject(row=number, rule="the item is no JSON object"))
    except (ValueError, EOFError, lzma.LZMAError, OSError) as error:
        raise _problem(
            source, "IIU114", f"cannot be read as JSON ({error})", expected="UTF-8 JSON", fix="Ask for the file again"
        ) from error
    keys = [key for key in dict.fromkeys(key for _, row in rows for key in row) if key != "_row"]
    columns = _columns(source, [keys or ["column_1"]], [1])
    connection.execute(
        f"create or replace table {quoted(table)} (_row bigint, {', '.join(f'{quoted(c)} varchar' for c in columns)})"
    )
    if rows:
        connection.executemany(
            f"insert into {quoted(table)} values ({', '.join('?' * (len(columns) + 1))})",
            [(number, *(_json_text(row.get(key)) for key in keys)) for number, row in rows],
        )
    return RawTable(name=table, columns=columns, records=len(rows) + len(rejects), rejects=tuple(rejects))


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _read_parquet(connection: duckdb.DuckDBPyConnection, source: SourceFile, table: str, work: Path) -> RawTable:
    path = literal(str(source.path))
    try:
        described = connection.execute(f"describe select * from read_parquet({path})").fetchall()
        columns = _columns(source, [[str(row[0]) for row in described]], [1])
        casts = ", ".join(
            f"{quoted(str(row[0]))}::varchar as {quoted(c)}" for row, c in zip(described, columns, strict=True)
        )
        connection.execute(
            f"create or replace table {quoted(table + '_rows')} as select {casts} from read_parquet({path})"
        )
        stated = connection.execute(f"select sum(num_rows) from parquet_file_metadata({path})").fetchone()
    except duckdb.Error as error:
        raise _problem(
            source,
            "IIU114",
            f"cannot be read as Parquet ({str(error).splitlines()[0]})",
            expected="a whole Parquet file",
            fix="Ask for the file again",
        ) from error
    _number_rows(connection, table, first=1, missing=())
    return RawTable(name=table, columns=columns, records=int(stated[0]) if stated else 0, rejects=())

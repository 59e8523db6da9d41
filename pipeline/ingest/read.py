"""One file of an export into one DuckDB table of text, with the row number a person sees in the file.

Whatever the file is (delimited text, fixed width, xlsx, JSON, Parquet; gzip or xz by content, not by name), the result
is the same: the columns of the file as text, `_row`, and the rows that could not be read. The records of a text file
are counted a second time by other code than DuckDB's reader, because a quote that never closes can swallow the rest of
a file as one reject.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import duckdb
import numpy as np

from pipeline.errors import Problem, place
from pipeline.ingest.convert import ReadReject, converted, header_rows
from pipeline.ingest.freeze import SourceFile
from pipeline.ingest.text import (
    CHUNK,
    DAMAGE,
    LONGEST_RECORD,
    content_of,
    damaged,
    encodings,
    is_compressed,
    refused,
    utf8_chunks,
)

#: Python's reader would refuse a longer cell with an error of its own.
csv.field_size_limit(LONGEST_RECORD)

#: What the last rows of a printed report say.
_TOTAL = r"(?i)^\s*((grand|sub|report)[ -]?)?totals?\b|^\s*end of (report|file|data)\b|^\(?\d+ rows?( affected| selected)?\)?\.?$"


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """A file as a table of text. `records` is counted independently of the table's own rows."""

    name: str
    columns: tuple[str, ...]
    records: int
    rejects: tuple[ReadReject, ...]
    warnings: tuple[Problem, ...]


def quoted(identifier: str) -> str:
    """An identifier in SQL, whatever it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


def read_file(connection: duckdb.DuckDBPyConnection, source: SourceFile, *, table: str, work: Path) -> RawTable:
    """Load `source` into the table `table`. Raises `AuditError` if the file cannot be read as `office.yml` says.

    An unpacked or converted copy that reading needs lies in `work` until the table is loaded, and no longer.
    """
    _refuse_other_content(source)
    with TemporaryDirectory(dir=work) as copies:
        raw = _read_as_declared(connection, source, table, Path(copies))
    if source.has_changed:
        raise refused(
            source,
            "IIU113",
            "changed while it was being read",
            expected="a file that nobody writes to",
            fix="Wait until it has arrived whole, or read a copy of it",
        )
    if raw.records == 0:
        raw = replace(raw, warnings=(*raw.warnings, _no_rows(source)))
    return raw


def _read_as_declared(connection: duckdb.DuckDBPyConnection, source: SourceFile, table: str, work: Path) -> RawTable:
    if source.mapping.format["type"] == "parquet":
        return _read_parquet(connection, source, table)
    copy = converted(source, work)
    if copy is None:
        return _read_csv(connection, source, table, work, offset=0)
    as_text = replace(source, path=copy.path, mapping=replace(source.mapping, format=copy.layout))
    raw = _read_csv(connection, as_text, table, work, offset=copy.offset)
    return replace(
        raw,
        records=raw.records + len(copy.rejects),
        rejects=tuple(sorted((*copy.rejects, *raw.rejects), key=lambda reject: reject.row)),
        warnings=(*copy.warnings, *raw.warnings),
    )


def _no_rows(source: SourceFile) -> Problem:
    return Problem(
        code="IIU303",
        where=place(file=source.shown),
        severity="warning",
        what="has a header and no row",
        fix="Ask whether that is so, or whether the export failed",
    )


def _refuse_other_content(source: SourceFile) -> None:
    """A file that is something else than office.yml says is refused by what it is, not by what reading it as text gives."""
    content, stated = content_of(source), source.mapping.format["type"]
    if content is not None and content.format != stated:
        raise refused(source, "IIU114", f"is {content.name}", expected=f"{stated}, as office.yml says", fix=content.fix)


# --- delimited text ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Text:
    """A delimited file, plain and in UTF-8 with one kind of line end, and what was counted on the way."""

    path: Path
    records: int
    blank_records: tuple[int, ...]
    warnings: tuple[Problem, ...]


def _read_csv(
    connection: duckdb.DuckDBPyConnection, source: SourceFile, table: str, work: Path, *, offset: int
) -> RawTable:
    layout = source.mapping.format
    delimiter, quote = layout.get("delimiter", ","), layout.get("quote", '"')
    header = header_rows(layout)
    last_header = header[-1]
    text = _plain_text(source, work, quote=quote)
    with text.path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            head = [row for _, row in zip(range(last_header), _csv_rows(stream, delimiter, quote), strict=False)]
        except csv.Error as error:
            raise refused(
                source,
                "IIU117",
                f"has a header that cannot be read ({error})",
                line=last_header,
                expected="a header line, then rows",
                fix="Correct `header_row`, `delimiter` or `quote` in office.yml",
            ) from error
    columns = _columns(source, head, header)
    options = {
        "header": "false",
        "skip": str(last_header),
        "delim": literal(delimiter),
        "quote": literal(quote),
        "escape": literal(quote),
        "auto_detect": "false",
        "compression": "'none'",  # whatever its name ends with: it is unpacked by now
        "columns": "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}",
        "store_rejects": "true",
        "rejects_table": literal(f"{table}_rejects"),
        "rejects_scan": literal(f"{table}_scans"),
        "rejects_limit": "0",
        "max_line_size": str(LONGEST_RECORD),
        "nullstr": literal("\\N never null: markers are declared"),
    }
    call = f"read_csv({literal(str(text.path))}, {', '.join(f'{k} = {v}' for k, v in options.items())})"
    try:
        connection.execute(f"create or replace table {quoted(table + '_rows')} as select * from {call}")
    except duckdb.OutOfMemoryException:
        raise  # this says nothing of the file
    except duckdb.Error as error:
        raise refused(
            source,
            "IIU114",
            f"cannot be read as delimited text ({type(error).__name__})",
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
    footer = int(layout.get("skip_footer_rows", 0))
    above = last_header - sum(1 for row in text.blank_records if row <= last_header)
    records = text.records - above - footer
    if records < 0:
        records = _slow_count(text.path, delimiter, quote, last_header) - footer
    if records < 0:
        raise refused(
            source,
            "IIU117",
            f"has {records + footer} rows, fewer than the {footer} of its footer",
            expected="rows, then the footer",
            fix="Correct `skip_footer_rows`, or ask for the file again",
        )
    below = len(text.blank_records) - (last_header - above)
    rejects = _drop_footer(connection, table, rejects, footer=footer, above=last_header + below)
    loaded = _count(connection, table)
    if loaded + len(rejects) != records:
        records = _slow_count(text.path, delimiter, quote, last_header) - footer
    if loaded + len(rejects) != records:
        raise refused(
            source,
            "IIU116",
            f"holds {records} records, but {loaded + len(rejects)} could be told apart",
            expected="every record to be loaded or rejected",
            fix=f"Look for a [{quote}] that is never closed, or for another `quote` in office.yml",
        )
    _number_rows(
        connection,
        table,
        first=last_header + 1 + offset,
        missing=sorted({row + offset for row in (*text.blank_records, *(r.row for r in rejects)) if row > last_header}),
    )
    rejects = tuple(replace(reject, row=reject.row + offset) for reject in rejects)
    repeated = _create_view(connection, table, columns, head[last_header - 1] if len(header) == 1 else [])
    rejects = tuple(sorted((*rejects, *repeated), key=lambda reject: reject.row))
    warnings = (*text.warnings, *_total_rows(connection, table, source, columns))
    return RawTable(name=table, columns=columns, records=records, rejects=rejects, warnings=warnings)


def _create_view(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], header: Sequence[str]
) -> tuple[ReadReject, ...]:
    """The view `table`, and the rows that are not in it because they are the header again.

    Exports that were pasted together, or printed in pages, repeat it between the rows.
    """
    same = " and ".join(
        f"trim({quoted(name)}) = {literal(cell.strip())}" for name, cell in zip(columns, header, strict=False)
    )
    numbered = quoted(table + "_numbered")
    found = connection.execute(f"select _row from {numbered} where {same} order by _row").fetchall() if same else []
    kept = f"where ({same}) is not true" if found else ""
    connection.execute(f"create or replace temp view {quoted(table)} as select * from {numbered} {kept}")
    return tuple(ReadReject(row=int(row), rule="the row repeats the header") for (row,) in found)


def _total_rows(
    connection: duckdb.DuckDBPyConnection, table: str, source: SourceFile, columns: Sequence[str]
) -> Iterator[Problem]:
    """Warn of a last row that looks like a sum of the others: it would be counted as one more of them."""
    is_total = " or ".join(f"regexp_matches({quoted(name)}, {literal(_TOTAL)})" for name in columns)
    found = connection.execute(
        f"select min(_row) from (select * from {quoted(table)} order by _row desc limit 3) where {is_total}"
    ).fetchone()
    if found and found[0] is not None:
        yield Problem(
            code="IIU303",
            where=place(file=source.shown, line=int(found[0])),
            severity="warning",
            what="the row looks like a total or the end of a report, not like a record",
            fix="If it is, set `skip_footer_rows`, or drop it with a filter",
        )


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
        raise refused(
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
    connection: duckdb.DuckDBPyConnection, table: str, rejects: tuple[ReadReject, ...], *, footer: int, above: int
) -> tuple[ReadReject, ...]:
    """Leave out the declared footer: its lines are ragged (then they are rejects) or whole (then they are rows).

    `above` counts the records that are neither: the header and the blank ones.
    """
    for _ in range(footer):
        rows = _count(connection, table)
        if rejects and rejects[-1].row >= rows + len(rejects) + above:
            rejects = rejects[:-1]
        else:
            connection.execute(
                f"delete from {quoted(table + '_rows')} where rowid = (select max(rowid) from {quoted(table + '_rows')})"
            )
    return rejects


def _number_rows(connection: duckdb.DuckDBPyConnection, table: str, *, first: int, missing: Sequence[int]) -> None:
    """The view `table_numbered`: the rows with `_row`, the record's number in the file; records that are not in it are skipped over."""
    rows, numbered = quoted(table + "_rows"), quoted(table + "_numbered")
    if not missing:
        connection.execute(f"create or replace temp view {numbered} as select rowid + {first} as _row, * from {rows}")
        return
    # The k-th missing record shifts every row at or behind it by one more.
    connection.execute(
        f"create or replace table {quoted(table + '_steps')} as select unnest(?::bigint[]) as missing_row, unnest(?::bigint[]) as shift",
        [[row - first - k for k, row in enumerate(missing)], [k + 1 for k in range(len(missing))]],
    )
    connection.execute(
        f"""create or replace temp view {numbered} as
        with steps as (select missing_row, max(shift) as shift from {quoted(table + "_steps")} group by missing_row)
        select r.rowid + {first} + coalesce(s.shift, 0) as _row, r.*
        from {rows} as r asof left join steps as s on r.rowid >= s.missing_row"""
    )


def _columns(source: SourceFile, head: list[list[str]], header: list[int]) -> tuple[str, ...]:
    """Column names: trimmed, merged over several header lines, renamed as declared, blank and double names told apart."""
    if len(head) < header[-1]:
        raise refused(
            source,
            "IIU117",
            f"has {len(head)} lines, so the header line {header[-1]} is missing",
            expected="a header line, then rows",
            fix="Correct `header_row`, or ask for the file again",
        )
    lines = [head[number - 1] for number in header]
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


def _slow_count(path: Path, delimiter: str, quote: str, last_header: int) -> int:
    """Records by Python's own reader, for files whose quotes do not come in pairs."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        try:
            return sum(1 for n, row in enumerate(_csv_rows(stream, delimiter, quote)) if row and n >= last_header)
        except csv.Error:  # a cell beyond all measure: nothing was told apart
            return -1


def _plain_text(source: SourceFile, work: Path, *, quote: str) -> _Text:
    """The file in UTF-8 with `\\n` or `\\r\\n` throughout: itself where it is so already, else a copy in `work`."""
    names = encodings(source)
    scan = _Scan(source, quote)
    warnings: list[Problem] = []
    copy: Path | None = None
    try:
        if is_compressed(source) or names not in (("utf-8",), ("ascii",)):
            copy = work / f"{source.sha256[:16]}.csv"
            with copy.open("wb") as out:
                for chunk in utf8_chunks(source, warnings):
                    scan.feed(chunk)
                    out.write(chunk)
        else:
            for chunk in utf8_chunks(source, warnings):
                scan.feed(chunk)
        scan.finish()
    except DAMAGE as error:
        raise damaged(source, error) from error
    if scan.nul:
        raise refused(
            source,
            "IIU114",
            "holds zero bytes, so it is no text in this encoding",
            expected=f"{' or '.join(names)} text",
            fix="Set the right `encoding` (UTF-16 has zero bytes), or export it anew",
        )
    if scan.mixed_line_ends:
        normalised = work / f"{source.sha256[:16]}.lf.csv"
        _normalise_line_ends(copy or source.path, normalised)
        copy = normalised
        scan = _Scan(source, quote)  # only now is it plain which records are blank
        with copy.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                scan.feed(chunk)
        scan.finish()
    return _Text(
        path=copy or source.path,
        records=scan.records,
        blank_records=tuple(scan.blank_records),
        warnings=tuple(warnings),
    )


class _Scan:
    """Counts records, quotes and line ends over the bytes of a UTF-8 text, chunk by chunk."""

    def __init__(self, source: SourceFile, quote: str) -> None:
        self._source = source
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
        if len(self._tail) > LONGEST_RECORD:
            raise refused(
                self._source,
                "IIU114",
                "has a line longer than 16 MiB",
                expected="one record a line",
                fix="Look at what ends its lines; no record is so long",
            )
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
        while chunk := stream.read(CHUNK):
            target.write(chunk)


# --- Parquet ----------------------------------------------------------------------------------------------------


def _read_parquet(connection: duckdb.DuckDBPyConnection, source: SourceFile, table: str) -> RawTable:
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
        raise refused(
            source,
            "IIU114",
            f"cannot be read as Parquet ({str(error).splitlines()[0]})",
            expected="a whole Parquet file",
            fix="Ask for the file again",
        ) from error
    _number_rows(connection, table, first=1, missing=())
    _create_view(connection, table, columns, [])
    return RawTable(name=table, columns=columns, records=int(stated[0] or 0) if stated else 0, rejects=(), warnings=())

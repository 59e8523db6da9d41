"""Each accident that exports meet, and what becomes of it: read all the same, read with a warning, or refused with a way out.

Whatever is read is conserved: an independent counter finds as many records as the pipeline says it read, and each of
them is landed, rejected or filtered.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import yaml

from pipeline.errors import AuditError
from tests.record_counter import records_in
from tests.tiny_office import EXPORT, OFFICE_YML, TinyOffice

HEADER, *ROWS = EXPORT.splitlines()
CELLS = [row.split(",") for row in (HEADER, *ROWS)]
#: What the tiny export says, whatever form it comes in.
SAID = [
    ("filed", "2024-01-02", "2024-01-05"),
    ("declined", "2024-01-03", "2024-01-09"),
    ("pending", "2024-02-01", None),
]


@dataclass(frozen=True)
class Accident:
    """An export, the changes to office.yml that it asks for, and its outcome."""

    content: bytes
    name: str = "referrals.csv"
    mapping: Mapping[str, str] = field(default_factory=dict)
    warning: str = ""
    landed: int = 3
    rejected: int = 0

    def into(self, tiny: TinyOffice) -> None:
        text = OFFICE_YML
        for old, new in self.mapping.items():
            assert old in text
            text = text.replace(old, new)
        tiny.write_office(text)
        (tiny.raw / "referrals.csv").unlink()
        tiny.write_export(self.content, self.name)


def layout(**keys: Any) -> dict[str, str]:
    """The change that gives the file another format."""
    return {"format: {type: csv}": f"format: {json.dumps({'type': 'csv', **keys})}"}


def dates(*formats: str, **keys: Any) -> dict[str, str]:
    stated = ", ".join(f'"{f}"' for f in formats) + "]" + "".join(f", {k}: {v}" for k, v in keys.items())
    return {'date: "%m/%d/%Y"': f"date: [{stated}"}


def text(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def workbook(*rows: list[Any], change: Callable[[openpyxl.Workbook, Any], None] = lambda book, sheet: None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    change(book, sheet)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def archive(*files: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files:
            opened.writestr(name, content)
    return stream.getvalue()


def in_columns(rows: list[list[str]], widths: tuple[int, ...] = (4, 4, 14, 2, 11, 10, 10)) -> str:
    return "".join("".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + "\n" for row in rows)


PLACES = {"Ref": [1, 4], "Pid": [5, 8], "Name": [9, 22], "Sex": [23, 24], "Received": [25, 35],
          "Decision": [36, 45], "Decided": [46, 55]}  # fmt: skip
OBJECTS = [dict(zip(CELLS[0], row, strict=True)) for row in CELLS[1:]]
TITLE = ("Referrals of the county", "", '"Printed by: A. Clerk, Records"', "", "", "")
SERIAL = {"01/02/2024": 45293, "01/05/2024": 45296, "01/03/2024": 45294, "01/09/2024": 45300, "02/01/2024": 45323}


def as_serials(shift: int = 0) -> list[list[Any]]:
    return [[SERIAL[cell] - shift if cell in SERIAL else cell for cell in row] for row in CELLS]


def hide(book: openpyxl.Workbook, sheet: Any) -> None:
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["B"].hidden = True


def real_dates(epoch: datetime | None = None) -> bytes:
    def change(book: openpyxl.Workbook, sheet: Any) -> None:
        if epoch:
            book.epoch = epoch
        for row in sheet.iter_rows(min_row=2):
            for cell in row:
                if cell.value in SERIAL:
                    month, day, year = (int(part) for part in cell.value.split("/"))
                    cell.value = date(year, month, day)

    return workbook(*CELLS, change=change)


ISO = {'date: "%m/%d/%Y"': 'date: "%Y-%m-%d"'}
XLSX = layout(type="xlsx")
EXCEL_1904 = openpyxl.utils.datetime.CALENDAR_MAC_1904

READ: dict[str, Accident] = {
    # encodings
    "a UTF-16 text with its mark": Accident(EXPORT.encode("utf-16"), mapping=layout(encoding="utf-16")),
    "a UTF-16 text of the other order": Accident(
        b"\xfe\xff" + EXPORT.encode("utf-16-be"), mapping=layout(encoding="utf-16")
    ),
    "Windows-1252": Accident(EXPORT.replace("Bob", "Zoë").encode("cp1252"), mapping=layout(encoding="windows-1252")),
    "a row in another encoding than the rest": Accident(
        EXPORT.replace("Ann", "Chloé").encode().replace("Chloé".encode(), "Chloé".encode("cp1252"), 1),
        mapping=layout(encoding=["utf-8", "windows-1252"]),
        warning=r"IIU303 referrals.csv: 1 lines are not utf-8 and are read as cp1252",
    ),
    "UTF-8 that is declared as Windows-1252": Accident(
        EXPORT.replace("Bob", "Zoë").encode(),
        mapping=layout(encoding="windows-1252"),
        warning=r"IIU303 referrals.csv: is read as cp1252, yet every byte beyond ASCII in it is sound UTF-8",
    ),
    # lines and quotes
    "CR line ends in UTF-16": Accident(
        EXPORT.replace("\n", "\r").encode("utf-16"), mapping=layout(encoding="utf-16")
    ),
    "a line end in a quoted cell": Accident(EXPORT.replace("Bob Example", '"Bob\nExample"').encode()),
    "a CRLF in a quoted cell of a CRLF file": Accident(
        EXPORT.replace("Bob Example", '"Bob\nExample"').replace("\n", "\r\n").encode()
    ),
    "a delimiter and a doubled quote in a quoted cell": Accident(
        EXPORT.replace("Bob Example", '"Example, Bob ""B"""').encode()
    ),
    "a quote in the middle of a cell": Accident(EXPORT.replace("Bob Example", 'Bob "B" Example').encode()),
    "separators of semicolons, as Excel writes them in Europe": Accident(
        text("sep=;", *(row.replace(",", ";") for row in (HEADER, *ROWS))),
        mapping=layout(delimiter=";", header_row=2),
    ),
    # ragged rows, headers, footers
    "rows with a cell too many and too few": Accident(
        text(HEADER, *ROWS, "R4,P4,Too,F", "R5,P5,Too,F,02/01/2024,Filed,,,"),
        warning=r"IIU301 referrals.csv:5: the row has fewer cells than the header",
        rejected=2,
    ),
    "a header on line 7 under a title": Accident(text(*TITLE, HEADER, *ROWS), mapping=layout(header_row=7)),
    "padded headers": Accident(EXPORT.replace("Decision,", "  Decision\t,").encode()),
    "a blank header": Accident(
        text(HEADER + ",", *(row + ",x" for row in ROWS)),
        mapping={"unused: {": "unused: {column_8: has no name, "},
    ),
    "a header that stands twice": Accident(
        text(HEADER + ",Name", *(row + ",x" for row in ROWS)),
        mapping={"unused: {": "unused: {Name_2: a copy, "},
    ),
    "a header that is a formula": Accident(
        text(HEADER + ',"=CONCAT(A1,B1)"', *(row + ",x" for row in ROWS)),
        mapping={"unused: {": 'unused: {"=CONCAT(A1,B1)": a formula, '},
    ),
    "the header again between the rows": Accident(
        text(HEADER, ROWS[0], HEADER, *ROWS[1:]),
        warning=r"IIU301 referrals.csv:3: the row repeats the header",
        rejected=1,
    ),
    "a footer that is declared": Accident(
        text(HEADER, *ROWS, "", "Total: 3", "End of report"), mapping=layout(skip_footer_rows=2)
    ),
    "a row of totals that is not declared": Accident(
        text(HEADER, *ROWS, "Total,3,,F,12/31/2024,Filed,"),
        warning=r"IIU303 referrals.csv:5: the row looks like a total",
        landed=4,
    ),
    "what a SQL client says at the end": Accident(
        text(HEADER, *ROWS, "", "(3 rows affected)"), warning=r"IIU301 referrals.csv:6: .*fewer cells", rejected=1
    ),
    "the mark that DOS puts at the end": Accident(
        EXPORT.encode() + b"\x1a", warning=r"IIU301 referrals.csv:5: .*fewer cells", rejected=1
    ),
    "a header and no row": Accident(
        text(HEADER), warning=r"IIU303 referrals.csv: has a header and no row", landed=0
    ),
    # dates, codes
    "years of two digits": Accident(
        EXPORT.replace("/2024", "/24").encode(), mapping=dates("%m/%d/%y", two_digit_year_pivot=30)
    ),
    "one year of two digits among years of four": Accident(
        EXPORT.replace("01/09/2024", "01/09/24").encode(),
        warning=r"IIU301 referrals.csv:3 column \[Decided\].*is no date as %m/%d/%Y \(1 rows.*loaded without it",
    ),
    "American and European dates in one column": Accident(
        text(HEADER, *ROWS, "R4,P4,Di,F,25/12/2024,Filed,", "R5,P5,Di,F,03/04/2024,Filed,"),
        warning=r"column \[Received\].*1 of them would be one with day and month in the other order, as 4 that were read",
        landed=4,
        rejected=1,
    ),
    "days counted by Excel in a text file": Accident(
        "\n".join(",".join(map(str, row)) for row in as_serials()).encode(), mapping=dates("%m/%d/%Y", "excel-1900")
    ),
    "codes with zeros before them, and spaces": Accident(
        EXPORT.replace(",F,", ", 01 ,").replace(",M,", ",02,").encode(),
    ),
    "an error of a spreadsheet where a number of a person was": Accident(
        EXPORT.replace("P2,", "#REF!,").encode(),
        warning=r"IIU301 referrals.csv:3 column \[Pid\]: the value is what a spreadsheet made of a value",
        landed=2,
        rejected=1,
    ),
    "a number that a spreadsheet rounded": Accident(
        EXPORT.replace("P2,", "1.23457E+12,").encode(),
        warning=r"IIU301 referrals.csv:3 column \[Pid\]: the value is what a spreadsheet made of a value",
        landed=2,
        rejected=1,
    ),
    # fixed width, JSON
    "fixed width": Accident(in_columns(CELLS[1:]).encode(), mapping=layout(type="fixed", columns=PLACES)),
    "fixed width under a title, cut at the right, with a line that is torn": Accident(
        ("REFERRALS\n" + "\n".join(line.rstrip() for line in in_columns(CELLS[1:]).splitlines()) + "\n"
         + in_columns(CELLS[1:2]).rstrip("\n") + "stray\n").encode(),
        mapping=layout(type="fixed", columns=PLACES, trimmed=True, header_row=1),
        warning=r"IIU301 referrals.csv:5: the line is longer than its columns",
        rejected=1,
    ),
    "JSON, numbers and nulls in it": Accident(
        json.dumps([{**OBJECTS[0], "Name": 1}, OBJECTS[1], {**OBJECTS[2], "Decided": None}]).encode(),
        mapping=layout(type="json"),
    ),
    "JSON, an object a line, one of them torn": Accident(
        text(*map(json.dumps, OBJECTS), '{"Ref": "R4", "Pid"'),
        mapping=layout(type="ndjson"),
        warning=r"IIU301 referrals.csv:4: the line is no JSON object",
        rejected=1,
    ),
    "JSON that says a thing twice, and nothing, and NaN": Accident(
        ("[" + ",".join(map(json.dumps, OBJECTS)) + ', {"Ref": "R4", "Ref": "R5"}, 7, {}, {"Ref": NaN}, {"Ref": "\\ud800"}]').encode(),
        mapping=layout(type="json") | {"rejected_tolerance: 0.4": "rejected_tolerance: 1"},
        warning=r"IIU301 referrals.csv:4: the object has a key twice",
        rejected=5,
    ),
    # workbooks
    "a workbook with dates": Accident(real_dates(), mapping=XLSX | ISO),
    "a workbook that counts from 1904": Accident(real_dates(EXCEL_1904), mapping=XLSX | ISO),
    "a workbook whose dates lost their format": Accident(
        workbook(*as_serials()), mapping=XLSX | dates("%m/%d/%Y", "excel-1900")
    ),
    "a workbook of 1904 whose dates lost their format": Accident(
        workbook(*as_serials(1462)), mapping=XLSX | dates("%m/%d/%Y", "excel-1904")
    ),
    "hidden rows and columns": Accident(workbook(*CELLS, change=hide), mapping=XLSX),
    "a second sheet that is listed": Accident(
        workbook(*CELLS, change=lambda book, sheet: book.create_sheet("Notes").append(["by hand"])),
        mapping=XLSX | {"tables:": 'not_read: [{path: "referrals.csv#Notes", reason: notes}]\ntables:'},
    ),
    "merged cells that stand for each of their rows": Accident(
        workbook(*CELLS, change=lambda book, sheet: sheet.merge_cells("D2:D3")),
        mapping=XLSX | layout(type="xlsx", merged_cells="fill"),
    ),
    "a cell outside of the table": Accident(
        workbook(*CELLS, [*CELLS[1], None, "see Ann"]),
        mapping=XLSX,
        warning=r"IIU301 referrals.csv:5: the row has more cells than the header",
        rejected=1,
    ),
    "a workbook with blank rows in it and below": Accident(
        workbook(CELLS[0], CELLS[1], [], *CELLS[2:], [None, " "], []), mapping=XLSX
    ),
    # archives
    "a zip": Accident(archive(("exports 2024/referrals.csv", EXPORT.encode())), name="export.zip"),
    "a zip under a .csv name": Accident(archive(("x.txt", EXPORT.encode()))),
    "a zip in a zip, with what a Mac leaves in it": Accident(
        archive(("inner.zip", archive(("referrals.csv", EXPORT.encode()))), ("__MACOSX/._x", b"x")), name="export.zip"
    ),
    "a gzip in a zip": Accident(archive(("referrals.csv.gz", gzip.compress(EXPORT.encode()))), name="export.zip",
                                mapping={'path: "referrals*.csv"': 'path: "referrals*"'}),
    "plain text under a .gz name": Accident(EXPORT.encode(), name="referrals.csv.gz",
                                            mapping={'path: "referrals*.csv"': 'path: "referrals*"'}),
    "an xz of UTF-16": Accident(lzma.compress(EXPORT.encode("utf-16")), mapping=layout(encoding="utf-16")),
}  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> TinyOffice:
    office = TinyOffice(tmp_path)
    office.write_codes("sex", "source,target,note\nF,female,\nM,male,\n01,female,\n02,male,\n")
    return office


@pytest.mark.parametrize("case", READ)
def test_an_accident_that_can_be_read_loses_nothing_and_changes_nothing_unsaid(case: str, tiny: TinyOffice) -> None:
    accident = READ[case]
    accident.into(tiny)
    landing = tiny.land()
    (count,) = landing.files
    said = yaml.safe_load((tiny.office / "office.yml").read_text(encoding="utf-8"))["files"]["referrals"]["format"]
    if "Mac" not in case:
        assert count.read == records_in(accident.content, said)
    assert (count.read, count.landed, count.rejected) == (
        accident.landed + accident.rejected, accident.landed, accident.rejected,
    )  # fmt: skip
    warnings = "\n".join(map(str, landing.warnings))
    assert re.search(accident.warning, warnings) if accident.warning else not warnings, warnings
    with duckdb.connect(str(tiny.database), read_only=True) as connection:
        rows = connection.execute(
            "select decision, received_at::varchar, decision_date::varchar from landed.referral order by _source_row"
        ).fetchall()
        kept = connection.execute(
            "select count(distinct _source_row) from landed.rejects where kind in ('row', 'reading')"
        ).fetchone()
    assert len(rows) == accident.landed
    assert kept == (accident.rejected,)
    whole = [row for row in rows if row in SAID]
    assert len(whole) == (0 if accident.landed == 0 else 2 if "loaded without it" in accident.warning else
                          2 if "spreadsheet" in accident.warning else 3), rows  # fmt: skip
    copies = {path.name for path in tiny.work.iterdir()} - {"audit.duckdb", "unpacked"}
    assert not copies  # of the export in the clear, once it is read


def encrypted() -> bytes:
    """A zip whose one file says that it is encrypted: Python writes none, so the flag is set by hand."""
    content = bytearray(archive(("referrals.csv", EXPORT.encode())))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + at] |= 1
    return bytes(content)


def uncomputed(book: openpyxl.Workbook, sheet: Any) -> None:
    sheet["D2"] = '=IF(1=1,"F","M")'


REFUSED: dict[str, tuple[Accident, str]] = {
    "two encodings in one file, undeclared": (
        Accident(EXPORT.replace("Ann", "Chloé").encode() + "R4,P4,Chloé,F,01/02/2024,Filed,\n".encode("cp1252")),
        r"IIU111 referrals.csv:5: a byte on this line is not utf-8 \(byte 0xe9\).*\[utf-8, windows-1252\]",
    ),
    "a codec that is no encoding of text": (
        Accident(EXPORT.encode(), mapping=layout(encoding="base64")), r"IIU111 .*\[base64\] is no known encoding",
    ),
    "an Access database": (
        Accident(b"\0\1\0\0Standard Jet DB\0" + bytes(64)), r"IIU114 referrals.csv: is a Microsoft Access database.*mdb-export",
    ),
    "an Access database that nobody mapped": (
        Accident(b"\0\1\0\0Standard ACE DB\0" + bytes(64), name="cases.accdb"),
        r"IIU115 cases.accdb: is not named in office.yml and is a Microsoft Access database.*mdb-export",
    ),
    "a SQL Server backup": (Accident(b"TAPE\0\0\3\0" + bytes(64)), r"is a SQL Server backup or data file.*bcp"),
    "a dump of SQL": (
        Accident(text("-- MySQL dump 10.13", "CREATE TABLE `c` (a int);")), r"is a script of SQL statements.*as CSV",
    ),
    "a SQLite database": (Accident(b"SQLite format 3\0" + bytes(64)), r"is a SQLite database"),
    "an old Excel workbook": (
        Accident(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64)), r"Excel workbook of 1997 to 2003, or one with a password.*\.xlsx",
    ),
    "a web page that calls itself a workbook": (
        Accident(b"<html><table><tr><td>Ref</td></tr></table>", mapping=XLSX), r"IIU114 referrals.csv: is a web page",
    ),
    "a workbook under a .csv name": (
        Accident(workbook(*CELLS)), r"IIU114 referrals.csv: is an Excel workbook.*type: xlsx",
    ),
    "a text under an .xlsx name": (
        Accident(EXPORT.encode(), mapping=XLSX), r"IIU113 referrals.csv: is no whole xlsx workbook",
    ),
    "JSON in place of CSV": (
        Accident(json.dumps(OBJECTS).encode()), r"IIU114 referrals.csv: is a JSON array.*type: json",
    ),
    "a PDF": (Accident(b"%PDF-1.7\n"), r"IIU114 referrals.csv: is a PDF"),
    "an archive of another kind": (Accident(b"7z\xbc\xaf\x27\x1c"), r"archive of a kind that is not opened.*\.zip"),
    "an empty workbook": (Accident(workbook(), mapping=XLSX), r"IIU117 referrals.csv: the sheet \[Sheet\] is empty"),
    "an empty file in a zip": (Accident(archive(("referrals.csv", b""))), r"IIU117 .*has 0 lines"),
    "an encrypted zip": (
        Accident(encrypted(), name="export.zip"), r"IIU113 export.zip: is encrypted.*Unpack it with its password",
    ),
    "a zip that is cut off": (
        Accident(archive(("referrals.csv", EXPORT.encode()))[:-30], name="export.zip"), r"IIU113 export.zip: breaks off",
    ),
    "a sheet that nothing reads": (
        Accident(
            workbook(*CELLS, change=lambda book, sheet: (book.create_sheet("Old").append(["x"]), setattr(book["Old"], "sheet_state", "hidden"))),
            mapping=XLSX,
        ),
        r"IIU115 referrals.csv: has sheets that nothing reads: Old \(hidden: Old\).*referrals.csv#Old",
    ),
    "merged cells among the rows": (
        Accident(workbook(*CELLS, change=lambda book, sheet: sheet.merge_cells("D2:D3")), mapping=XLSX),
        r"IIU114 referrals.csv: 1 merged cells stand among the rows, the first in row 2.*merged_cells: fill",
    ),
    "formulas that were never computed": (
        Accident(workbook(*CELLS, change=uncomputed), mapping=XLSX),
        r"IIU114 referrals.csv: 1 cells hold a formula whose result is not in the file, the first in D2",
    ),
    "years of two digits without a century": (
        Accident(EXPORT.encode(), mapping=dates("%m/%d/%y")), r"IIU102 office.yml:\d+: has years of two digits.*pivot",
    ),
    "years of two digits where four are said": (
        Accident(EXPORT.replace("/2024", "/24").encode()), r"IIU302 .*column \[Received\]: the value is no date as %m/%d/%Y \(3 rows",
    ),
    "a date format that is none": (
        Accident(EXPORT.encode(), mapping=dates("%m/%d/%Q")), r"IIU102 office.yml:\d+: \[%m/%d/%Q\] is no date format",
    ),
    "days that two formats read as two days": (
        Accident(EXPORT.encode(), mapping=dates("%m/%d/%Y", "%d/%m/%Y")),
        r"IIU302 .*column \[Received\]: the value is no date as %m/%d/%Y or %d/%m/%Y, or a different one under each",
    ),
    "fixed width with something between the columns": (
        Accident(in_columns(CELLS[1:]).encode(), mapping=layout(type="fixed", columns=PLACES | {"Name": [9, 12]})),
        r"IIU202 referrals.csv:1: holds something at place 13, which is in no column",
    ),
    "a line without end": (Accident(b"x" * (17 << 20)), r"IIU114 referrals.csv: has a line longer than 16 MiB"),
    "a footer longer than the file": (
        Accident(EXPORT.encode(), mapping=layout(skip_footer_rows=9)), r"IIU117 referrals.csv: has 3 rows, fewer than the 9",
    ),
    "JSON that is nested without end": (
        Accident(b"[" * 100_000, mapping=layout(type="json")), r"IIU114 referrals.csv: (cannot be read as JSON|is)",
    ),
    "an expression that fails on a row": (
        Accident(EXPORT.encode(), mapping={"referral_id: Ref": 'referral_id: {sql: "Ref::integer"}'}),
        r"IIU203 referrals.csv: an expression fails on its rows: office.yml:\d+ \(ConversionException\).*try_cast",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_accident_that_cannot_be_read_is_refused_by_what_it_is_with_a_way_out(case: str, tiny: TinyOffice) -> None:
    accident, expected = REFUSED[case]
    accident.into(tiny)
    with pytest.raises(AuditError) as caught:
        tiny.land()
    assert re.search(expected, str(caught.value)), str(caught.value)
    assert "Ann" not in str(caught.value)


def test_two_sheets_of_one_workbook_feed_two_files(tiny: TinyOffice) -> None:
    second = OFFICE_YML.replace("format: {type: csv}", "format: {type: xlsx, sheet: Sheet}").replace(
        "tables:",
        '  old:\n    path: "referrals*.csv"\n    format: {type: xlsx, sheet: Old}\n    unused: {Ref: a number}\ntables:',
    ).replace("  referral:", "    - from: old\n      columns: {person_id: Pid}\n  referral:")  # fmt: skip
    tiny.write_office(second)

    def add(book: openpyxl.Workbook, sheet: Any) -> None:
        for row in (["Ref", "Pid"], ["R0", "P0"], ["R9", "P9"]):
            (book["Old"] if "Old" in book.sheetnames else book.create_sheet("Old")).append(row)

    tiny.write_export(workbook(*CELLS, change=add))
    assert [(c.path, c.read, c.landed) for c in tiny.land().files] == [
        ("referrals.csv#Sheet", 3, 3),
        ("referrals.csv#Old", 2, 2),
    ]


AMOUNTS = [
    "$1,500",
    "(250.00)",
    "1.500,75",
    "NO BOND",
    "",
    "1,50",
    "1.500",
    "1_000",
    "0x1F",
    "1e3",
    "-$20",
    "#VALUE!",
    "12 500",
]


@pytest.mark.parametrize(
    ("number", "read"),
    [
        ("{}", ["1500.00", "-250.00", None, None, None, None, None, None, None, "1000.00", "-20.00", None, None]),
        ("{decimal: ','}", [None, None, "1500.75", None, None, "1.50", "1500.00", None, None, "1000.00", "-20.00", None, None]),
        ("{thousands: ' '}", [None, "-250.00", None, None, None, None, None, None, None, "1000.00", "-20.00", None, "12500.00"]),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_written_or_not_at_all(number: str, read: list[str], tiny: TinyOffice) -> None:
    tiny.write_office(
        OFFICE_YML.replace("decision_date: {", f"x_paid: {{column: Paid, type: money, number: {number}}}\n        decision_date: {{")
        .replace("rejected_tolerance: 0.4", "rejected_tolerance: 1")
    )  # fmt: skip
    rows = [f'R{i},P1,Ann,F,01/02/2024,Filed,,"{amount}"' for i, amount in enumerate(AMOUNTS)]
    tiny.write_export(text(HEADER + ",Paid", *rows))
    landing = tiny.land()
    assert landing.files[0].landed == len(AMOUNTS)
    with duckdb.connect(str(tiny.database), read_only=True) as connection:
        found = connection.execute("select x_paid::varchar from landed.referral order by _source_row").fetchall()
        noted = connection.execute("select count(*) from landed.rejects where column_name = 'x_paid'").fetchone()
    assert [amount for (amount,) in found] == read
    assert noted == (sum(1 for given, value in zip(AMOUNTS, read, strict=True) if given and value is None),)


def test_no_bond_is_a_word_of_the_office_and_not_an_amount_that_cannot_be_read(tiny: TinyOffice) -> None:
    tiny.write_office(
        OFFICE_YML.replace(
            "decision_date: {", 'x_bond: {column: Bond, type: money, null_markers: ["NO BOND"]}\n        decision_date: {'
        )
    )  # fmt: skip
    tiny.write_export(text(HEADER + ",Bond", ROWS[0] + ",NO BOND", ROWS[1] + ",100", ROWS[2] + ","))
    assert not tiny.land().warnings


def test_json_in_a_cell_that_is_torn_costs_its_items_and_says_so(tiny: TinyOffice) -> None:
    tiny.write_office(
        OFFICE_YML
        + "  charge:\n    - from: referrals\n      each: {column: Charges, as: item}\n"
        + "      columns: {charge_id: {row: true}, version_no: {constant: '1'}, stage: {constant: filed}, section: item.s}\n"
    )
    cells = ['"[{""s"":""1""},{""s"":""2""}]"', '"[{""s"":"', ""]
    tiny.write_export(text(HEADER + ",Charges", *(f"{row},{cell}" for row, cell in zip(ROWS, cells, strict=True))))
    landing = tiny.land()
    assert re.search(
        r"IIU301 referrals.csv:3 column \[Charges\]: the value is no JSON array", "\n".join(map(str, landing.warnings))
    )
    with duckdb.connect(str(tiny.database), read_only=True) as connection:
        assert connection.execute("select section from landed.charge order by 1").fetchall() == [("1",), ("2",)]


def test_a_file_that_changes_while_it_is_read_is_refused(tiny: TinyOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.ingest import read

    export = tiny.raw / "referrals.csv"
    whole = read._read_csv

    def slow(*arguments: Any, **keys: Any) -> read.RawTable:
        with export.open("a", encoding="utf-8") as stream:
            stream.write("R4,P4,Di,F,01/02/2024,Filed,\n")
        return whole(*arguments, **keys)

    monkeypatch.setattr(read, "_read_csv", slow)
    with pytest.raises(AuditError, match=r"IIU113 referrals.csv: changed while it was being read"):
        tiny.land()


@pytest.mark.slow
def test_a_large_export_is_read_within_bounded_memory(tiny: TinyOffice) -> None:
    """600 MB, by a database that may hold 800 MB; with any limit above that, what does not fit waits on the disk."""
    import subprocess
    import sys

    with (tiny.raw / "referrals.csv").open("w", encoding="utf-8") as stream:
        stream.write(HEADER + "\n")
        for block in range(120):
            stream.writelines(
                f"R{block}-{i},P{i % 997},{'Ann Example ' * 5},F,01/02/2024,Filed,01/05/2024\n" for i in range(50_000)
            )
    code = f"""
import resource
from pathlib import Path
from tests import tiny_office
office = object.__new__(tiny_office.TinyOffice)
for name in ("office", "raw", "work"):
    setattr(office, name, Path({str(tiny.office.parent)!r}) / name)
import duckdb
connect = duckdb.connect
def limited(*arguments, **keys):
    connection = connect(*arguments, **keys)
    connection.execute("set threads = 2")
    return connection
duckdb.connect = limited
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(count,) = office.land(memory_limit='800MB').files
print(count.read, count.landed, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    read, landed, megabytes = map(int, done.stdout.split())
    assert read == landed == 6_000_000
    assert megabytes < 1_100, megabytes

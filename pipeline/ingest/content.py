"""What a file is by its first bytes, whatever its name says, and the way out where it is nothing that can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

#: How many bytes tell what a file is.
HEAD = 4096

GZIP, XZ, ZIP = b"\x1f\x8b", b"\xfd7zXZ\x00", b"PK\x03\x04"

_AS_TEXT = "Export each of its tables as CSV in UTF-8, with a header line, and give those"


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a file is. `format` is what `format.type` has to say for it; None where it cannot be read as it is."""

    name: str
    format: str | None
    fix: str


#: First bytes, what they mean, and the way out.
_SIGNATURES: tuple[tuple[re.Pattern[bytes], Content], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), Content(name=name, format=reads, fix=fix))
    for pattern, name, reads, fix in (
        (rb"\A\x00\x01\x00\x00Standard (Jet|ACE) DB", "a Microsoft Access database", None,
         _AS_TEXT + " (in Access: External Data, Text File; elsewhere: mdb-export)"),
        (rb"\ATAPE\x00|\A\x01\x0f\x00\x00", "a SQL Server backup or data file", None,
         _AS_TEXT + " (SQL Server: bcp TABLE out TABLE.csv -c -C 65001, or the Export Wizard)"),
        (rb"\ASQLite format 3\x00", "a SQLite database", None, _AS_TEXT + " (sqlite3 FILE, then .mode csv and .headers on)"),
        (rb"\APGDMP", "a PostgreSQL dump", None, _AS_TEXT + " (psql: \\copy TABLE to TABLE.csv csv header)"),
        (rb"\A(\xef\xbb\xbf)?\s*(--|/\*|SET |USE |CREATE |INSERT |DROP |BEGIN|GO\b)[^\n]*(\n.*)?(CREATE TABLE|INSERT INTO|MySQL dump)",
         "a script of SQL statements", None, "Load it into its database, then: " + _AS_TEXT),
        (rb"\A\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of 1997 to 2003, or one with a password", None,
         "Open it in Excel, take the password off, and save it as .xlsx"),
        (rb"\APAR1", "a Parquet file", "parquet", "Set `format: {type: parquet}`"),
        (rb"\A%PDF-", "a PDF", None, "Ask for the table behind it; a printed page cannot be counted"),
        (rb"\A(\xef\xbb\xbf)?\s*(<!doctype html|<html|<table|<meta|<head|<style|<div)", "a web page", None,
         "Open it in Excel and save it as .xlsx, or export it as CSV"),
        (rb"\A(\xef\xbb\xbf)?\s*<\?xml|\A(\xef\xbb\xbf)?\s*<[a-z]+[ :>]", "XML", None, _AS_TEXT),
        (rb"\A(\xef\xbb\xbf)?\s*\[\s*\{", "a JSON array", "json", "Set `format: {type: json}`"),
        (rb'\A(\xef\xbb\xbf)?\s*\{\s*"', "JSON that begins with an object", "ndjson",
         "Set `format: {type: ndjson}` if each line is an object; else ask for one array of objects"),
        (rb"\ABZh[1-9]1AY&SY|\A7z\xbc\xaf\x27\x1c|\ARar!|\A\x28\xb5\x2f\xfd|\A.{257}ustar", "an archive of a kind that is not opened", None,
         "Unpack it and give the files, or pack them as .zip, .gz or .xz"),
        (rb"\A\xff\xd8\xff|\A\x89PNG|\AGIF8|\AII\*\x00|\AMM\x00\*", "a picture", None,
         "Ask for the table behind it; a picture cannot be counted"),
    )
)  # fmt: skip


def recognise(head: bytes, path: Path | None = None) -> Content | None:
    """What the first bytes say; None for plain text and for what nothing here knows. `path` tells a workbook from a zip."""
    if head.startswith(ZIP) and path is not None:
        names = _names_in(path)
        if "[Content_Types].xml" in names:
            if any(name.startswith("xl/worksheets/") or name == "xl/workbook.xml" for name in names):
                return Content(name="an Excel workbook", format="xlsx", fix="Set `format: {type: xlsx}`")
            return Content(name="an Office document", format=None, fix=_AS_TEXT)
        if "mimetype" in names:
            return Content(name="an OpenDocument file", format=None, fix="Save it as .xlsx or as CSV")
        return Content(name="a zip archive", format=None, fix="Leave it as it is: `path` names the files inside it")
    return next((content for pattern, content in _SIGNATURES if pattern.match(head)), None)


def is_archive(path: Path) -> bool:
    """Whether the file is a zip of files, as against a workbook, which is a zip too."""
    with path.open("rb") as stream:
        if not stream.read(4).startswith((ZIP, b"PK\x05\x06")):
            return False
    names = _names_in(path)
    return "[Content_Types].xml" not in names and "mimetype" not in names


def _names_in(path: Path) -> frozenset[str]:
    try:
        with ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return frozenset()

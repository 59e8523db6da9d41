"""How many records an export holds, by other code than the pipeline's: Python's own readers, slow and plain."""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Mapping
from typing import Any

import openpyxl


def unpacked(content: bytes) -> bytes:
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if content.startswith(b"\xfd7zXZ"):
        return lzma.decompress(content)
    return content


def records_in(content: bytes, layout: Mapping[str, Any]) -> int:
    """The records below the header and above the footer that are not blank; of an archive, in all of its files."""
    kind = layout.get("type", "csv")
    content = unpacked(content)
    if content.startswith(b"PK") and kind != "xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(records_in(archive.read(name), layout) for name in archive.namelist())
    header = layout.get("header_row", 0 if kind in ("fixed", "ndjson") else 1)
    below = max(header) if isinstance(header, list) else header
    footer = layout.get("skip_footer_rows", 0)
    if kind == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(content))
        sheet = book[layout["sheet"]] if "sheet" in layout else book.worksheets[0]
        rows = [any(str(value or "").strip() for value in row) for row in sheet.iter_rows(values_only=True)]
        return sum(rows[below:]) - footer
    if kind == "json":
        return len(json.loads(content))
    text = decoded(content, layout.get("encoding", "utf-8-sig"))
    if kind in ("ndjson", "fixed"):
        return sum(1 for line in text.splitlines()[below:] if line.strip()) - footer
    csv.field_size_limit(1 << 30)
    quoting = csv.QUOTE_MINIMAL if layout.get("quote", '"') else csv.QUOTE_NONE
    rows_read = csv.reader(io.StringIO(text, newline=""), delimiter=layout.get("delimiter", ","), quoting=quoting)
    return sum(1 for row in list(rows_read)[below:] if row) - footer


def decoded(content: bytes, encoding: str | list[str]) -> str:
    if isinstance(encoding, str):
        return content.decode(encoding)
    lines = []
    for line in content.splitlines(keepends=True):
        for name in encoding:
            try:
                lines.append(line.decode(name))
                break
            except UnicodeDecodeError:
                continue
    return "".join(lines)

"""Mutants of real exports: whatever happens to a file, it is read or refused, and nothing is lost or changed unsaid.

`python -m tests.fuzz_exports 10000` runs that many, prints each one that breaks a promise, and writes how they ended to
`tests/fuzz.md`.
"""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from pipeline.contract import ROOT, load_contract
from pipeline.errors import AuditError
from pipeline.ingest.land import land
from pipeline.ingest.office import OFFICES_FOLDER, Office, load_office
from tests.tiny_office import CODES, EXPORT, OFFICE_YML

DATA = ROOT.parent / "shared" / "data"
#: Each with the file that is mutated; of the others, and of it, the first records are enough.
FILES = {
    "broward_fl": "compas-scores-two-years.csv",
    "cook_il": "Diversion.csv",
    "middlesex_ma": "decline_middlesex.csv",
    "pierce_wa": "bail_receipts.psv",
    "seattle_i213": "i213.csv.gz",
    "ussc": "USSC_PV_Report_2020.csv.xz",
}
RECORDS = 40
#: No mutant may take longer.
SECONDS = 60
REPORT = Path(__file__).parent / "fuzz.md"
CELLS = ["", " ", "NULL", "NA", "#REF!", "#VALUE!", "1,234.50", "(12)", "$5", "13/25/2024", "01/02/03", "1e400", "1E+15", "0x10", "1_0", "٣",
         "'; drop table landed.person; --", "=1+1", '"', '""', "a\nb", "é", "\u200b", "x" * 100_000, "[{", "[]", "-0", "TRUE", "Total", "\\N", "nan"]  # fmt: skip
Mutation = Callable[[random.Random, bytes], bytes]


def flip(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]


def cut(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + content[at + rng.choice((1, 2, 10, 300)) :]


def truncate(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(1, len(content))]


def insert(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content))
    piece = rng.choice((b'"', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b",", b"|", b";", b"\t", b"\x1a", b'""', b"\n\n\n", "é".encode()))  # fmt: skip
    return content[:at] + piece + content[at:]


def repeat(rng: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    return b"".join([*lines[:at], lines[rng.choice((0, at))], *lines[at:]])


def shuffle(rng: random.Random, content: bytes) -> bytes:
    header, *lines = content.splitlines(keepends=True)
    rng.shuffle(lines)
    return header + b"".join(lines)


def line_ends(rng: random.Random, content: bytes) -> bytes:
    return content.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\r")), rng.choice((-1, 3)))


def append(rng: random.Random, content: bytes) -> bytes:
    return content + rng.choice((b"Total\n", b"\n\n", b"   \n", b"(40 rows affected)\n", b'"', b",,,,\n", b"x"))


def pack(rng: random.Random, content: bytes) -> bytes:
    packed = rng.choice((gzip.compress, lzma.compress))(content)
    return packed if rng.random() < 0.5 else packed[: -rng.randrange(1, 40)]


def recode(rng: random.Random, content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-8-sig", "utf-16-be", "utf-32", "utf-7")))  # fmt: skip


def cells(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    delimiter = "|" if text.split("\n", 1)[0].count("|") > text.split("\n", 1)[0].count(",") else ","
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    for _ in range(rng.randrange(1, 6)):
        row = rows[rng.randrange(len(rows))]
        if row:
            row[rng.randrange(len(row))] = rng.choice(CELLS)
    if rng.random() < 0.2:
        del rows[rng.randrange(len(rows))][-1:]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


MUTATIONS: tuple[Mutation, ...] = (flip, cut, truncate, insert, insert, repeat, shuffle, line_ends, append, pack, recode, cells, cells, cells)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An office, the file of it that is mutated, and the folder of all its files, cut to their first records."""

    office: Office
    file: str
    content: bytes
    raw: Path

    @property
    def delimiter(self) -> str:
        mapping = next(m for m in self.office.files.values() if m.path == self.file or self.file in m.path)
        return str(mapping.format.get("delimiter", ","))


@cache
def subjects(folder: Path) -> tuple[Subject, ...]:
    """The real offices where their records are at hand, and a tiny one."""
    found = [_tiny(folder / "tiny")]
    for name, file in FILES.items():
        if not (DATA / name).is_dir():
            continue
        raw = folder / name
        raw.mkdir()
        for path in sorted((DATA / name).iterdir()):
            (raw / path.name).write_bytes(_first(path))
        office = replace(
            load_office(OFFICES_FOLDER / name, load_contract()), unmapped_tolerance=1, rejected_tolerance=1
        )
        found.append(Subject(office=office, file=file, content=(raw / file).read_bytes(), raw=raw))
    return tuple(found)


def _tiny(folder: Path) -> Subject:
    (folder / "office" / "codes").mkdir(parents=True)
    (folder / "raw").mkdir()
    (folder / "office" / "office.yml").write_text(OFFICE_YML.replace("0.4", "1").replace('"referrals*.csv"', '"referrals.csv"'))  # fmt: skip
    for name, text in CODES.items():
        (folder / "office" / "codes" / f"{name}.csv").write_text(text)
    (folder / "raw" / "referrals.csv").write_text(EXPORT)
    return Subject(
        office=load_office(folder / "office", load_contract()), file="referrals.csv", content=EXPORT.encode(), raw=folder / "raw"
    )  # fmt: skip


def _first(path: Path) -> bytes:
    with path.open("rb") as stream:
        magic = stream.read(6)
    opened: Any = gzip.open if magic.startswith(b"\x1f\x8b") else lzma.open if magic.startswith(b"\xfd7zXZ") else open
    with opened(path, "rb") as stream:
        return b"".join(line for _, line in zip(range(RECORDS), stream, strict=False))


Rows = dict[int, Counter[tuple[Any, ...]]]


def _landed(subject: Subject, content: bytes) -> tuple[Any, Rows]:
    """The landing of a mutant, and by source row what it gave in all tables, but for what is made of the row's number."""
    with TemporaryDirectory(prefix="iiu-fuzz-") as folder:
        raw, work = Path(folder) / "raw", Path(folder) / "work"
        shutil.copytree(subject.raw, raw)
        work.mkdir()
        (raw / subject.file).write_bytes(content)
        database = work / "a.duckdb"
        landing = land(office=subject.office, contract=load_contract(), raw=raw, database=database, work=work)
        rows: Rows = {}
        with duckdb.connect(str(database), read_only=True) as connection:
            for table in sorted({entry.table for entry in subject.office.entries}):
                columns = [c for c in load_contract()[table].columns.values() if c.kind != "id"]
                listed = ", ".join(f'"{c.name}"::varchar' for c in columns)
                for number, *values in connection.execute(
                    f'select _source_row, {listed} from landed."{table}" where _source_file = ?', [subject.file]
                ).fetchall():
                    rows.setdefault(number, Counter())[(table, *values)] += 1
    return landing, rows


def _records(content: bytes, delimiter: str) -> list[tuple[str, ...]] | None:
    """The records of a file by Python's reader; None where it is no text in UTF-8."""
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        elif content.startswith(b"\xfd7zXZ"):
            content = lzma.decompress(content)
        text = content.decode("utf-8-sig")
        return [tuple(cell.strip() for cell in row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]  # fmt: skip
    except (ValueError, EOFError, OSError, lzma.LZMAError, csv.Error):
        return None


@cache
def _base(subject_file: str, folder: Path) -> dict[tuple[str, ...], Counter[tuple[Any, ...]]]:
    subject = next(s for s in subjects(folder) if s.file == subject_file)
    _, rows = _landed(subject, subject.content)
    records = _records(subject.content, subject.delimiter)
    assert records is not None
    return {record: rows.get(number, Counter()) for number, record in enumerate(records, start=1)}


#: As the report tells them.
LANDED, WARNED, REFUSED = "landed", "landed with a warning", "refused"


@dataclass(kw_only=True)
class Outcome:
    """What was done to a file, how landing it ended, and which promises that breaks."""

    mutations: list[str]
    of: str
    end: str = LANDED
    broken: list[str] = field(default_factory=list)


def outcome(seed: int, folder: Path) -> Outcome:
    """How the mutant of this number was dealt with."""
    rng = random.Random(seed)
    subject = rng.choice(subjects(folder))
    content, found = subject.content, Outcome(mutations=[], of=subject.file)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutation = rng.choice(MUTATIONS)
        content = mutation(rng, content) if content else content
        found.mutations.append(mutation.__name__)
    csv.field_size_limit(1 << 30)
    told = f"mutant {seed} of {subject.file} ({', '.join(found.mutations)})"
    found.broken = [f"{told}: {promise}" for promise in _broken(subject, content, folder, found)]
    return found


def _broken(subject: Subject, content: bytes, folder: Path, found: Outcome) -> Iterator[str]:
    try:
        landing, rows = _landed(subject, content)
    except AuditError:
        found.end = REFUSED
        return
    except Exception as error:
        yield f"{type(error).__name__}: {error}"
        return
    found.end = WARNED if landing.warnings else LANDED
    count = next(c for c in landing.files if c.path == subject.file)
    if not count.is_conserved:
        yield f"read {count.read}, landed {count.landed}, rejected {count.rejected}, filtered {count.filtered}"
    records = _records(content, subject.delimiter)
    if records is None:
        yield "was read, though Python cannot"
        return
    if count.read != sum(1 for record in records[1:] if record):
        yield f"read {count.read} records, Python {sum(1 for record in records[1:] if record)}"
        return
    base = _base(subject.file, folder)
    for number, given in rows.items():
        record = records[number - 1] if number <= len(records) else ()
        if record in base and given != base[record] and records[0] == next(iter(base)) and not landing.warnings:
            yield f"row {number} gives other values than it did, and nothing is said"


def report(outcomes: Sequence[Outcome], first: int, slowest: float) -> str:
    """How so many mutants ended, by what was done to them and by the export that they are of, in Markdown."""

    def table(title: str, of: Callable[[Outcome], Iterable[str]]) -> str:
        counted = Counter((key, one.end) for one in outcomes for key in {*of(one)})
        ends = (LANDED, WARNED, REFUSED)
        lines = [f"| {title} | mutants | {' | '.join(ends)} |", "|---|---:|---:|---:|---:|"]
        for key in sorted({key for key, _ in counted}):
            each = [counted[key, end] for end in ends]
            lines.append(f"| {key} | " + " | ".join(f"{n:,}" for n in (sum(each), *each)) + " |")
        return "\n".join(lines)

    broken = [promise for one in outcomes for promise in one.broken]
    return f"""# Mutants of exports

Written by `python -m tests.fuzz_exports {len(outcomes)} {first}`: the first {RECORDS} lines of an export, changed in one to
three ways, are landed with the office's other files. A mutant that lands must keep every record (counted by Python's own
reader) and give for each record that it left alone the values that it gave before, or say that it does not.

{len(outcomes):,} mutants (seeds {first} to {first + len(outcomes) - 1}), {len(broken)} broken promises; the slowest took {slowest:.0f} s.

{table("export", lambda one: [one.of])}

A mutant that was changed in several ways counts in the row of each.

{table("what was done", lambda one: one.mutations)}
"""


def main() -> int:
    times, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    outcomes: list[Outcome] = []
    slowest = 0.0
    with TemporaryDirectory() as folder:
        for seed in range(first, first + times):
            begun = time.monotonic()
            outcomes.append(outcome(seed, Path(folder)))
            slowest = max(slowest, time.monotonic() - begun)
            for promise in outcomes[-1].broken:
                print(promise[:600], flush=True)
            if len(outcomes) % 100 == 0:
                REPORT.write_text(report(outcomes, first, slowest), encoding="utf-8")
    text = report(outcomes, first, slowest)
    REPORT.write_text(text, encoding="utf-8")
    print(text)
    return 1 if any(one.broken for one in outcomes) or slowest > SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())

"""Public records as the notebooks `reproduce_*` meet them: landed by this program, beside plain pandas on the same file.

An audit never runs those notebooks: they read what a reader downloads, and show what others published of it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd

from pipeline.contract import load_contract
from pipeline.database import open_database
from pipeline.ingest.land import land
from pipeline.ingest.office import Office, load_office, office_folder
from pipeline.report import figures
from pipeline.report.figures import Mark, Row
from pipeline.report.language import ENGLISH
from pipeline.report.notebooks import Shown, drawn, table, text
from pipeline.report.tables import sha256
from pipeline.stats.intervals import proportion, wilson


@dataclass(frozen=True, kw_only=True)
class OpenRecords:
    """One office's public records: the files as they lie, and the database into which they were landed."""

    office: Office
    raw: Path
    checked_on: str
    sums: Mapping[str, str]
    database: Path
    # Lives as long as these records do, and takes the database with it.
    work: tempfile.TemporaryDirectory[str]

    def about(self) -> Shown:
        """Where the records come from, and whether these are the same bytes as on the day of the check."""
        source = {name: str(value) for name, value in self.office.source.items()}
        files = [
            (
                name,
                f"SHA-256 {found}, {'the same as' if found == known else 'ANOTHER FILE than'} on the day of the check",
            )
            for name, known in self.sums.items()
            for found in [sha256(self.raw / name)]
        ]
        rows = [
            ("publisher", source.get("publisher", "")),
            ("address", source.get("address", "")),
            ("retrieved", source.get("retrieved", "no day is on record; the commit in the address fixes the text")),
            ("as it came here", source.get("note", "")),
            ("last held against the published figures", ENGLISH.day(self.checked_on)),
            *files,
        ]
        return table(pd.DataFrame(rows, columns=["what", "is"]), "Where the records come from")

    def rows(self, query: str) -> pd.DataFrame:
        """The answer of the landed tables (schema `landed`) to a query; see `models/contract` for what they hold."""
        with open_database(self.database) as connection:
            return connection.execute(query).df()


def open_records(office: str, raw: str | Path, sums: Mapping[str, str], *, checked_on: str) -> OpenRecords:
    """Land the public files of an office from the folder `raw`. Raises `AuditError` with every problem found.

    Columns that the office's mapping does not know, as names or dates of birth in a publisher's own file, are left
    behind before anything is read. `sums` gives the SHA-256 of each file as it was on `checked_on`.
    """
    contract = load_contract()
    loaded = load_office(office_folder(office), contract)
    work = tempfile.TemporaryDirectory(prefix="iiu-records-")
    folder, known = Path(work.name) / "raw", _known_columns(loaded)
    folder.mkdir()
    for path in sorted(Path(raw).glob("*")):
        if path.name in known:
            _copy(path, folder / path.name, known[path.name])
    database = Path(work.name) / "records.duckdb"
    land(office=loaded, contract=contract, raw=folder, database=database, work=Path(work.name))
    return OpenRecords(
        office=loaded, raw=Path(raw), checked_on=checked_on, sums=sums, database=database, work=work,
    )  # fmt: skip


def agree(figures_published: Mapping[str, tuple[str, float, float]]) -> Shown:
    """What was published, this program's figure, and another's, as of plain pandas on the raw file: all three, or AssertionError.

    Each is rounded to the decimals that were published.
    """
    rows = {
        what: [_rounded(number, Decimal(published)) for number in (published, ours, theirs)]
        for what, (published, ours, theirs) in figures_published.items()
    }
    wrong = {what: numbers for what, numbers in rows.items() if len(set(numbers)) > 1}
    assert not wrong, wrong
    shown = pd.DataFrame([[what, *map(_written, numbers)] for what, numbers in rows.items()])
    shown.columns = pd.Index(["figure", "published", "this program", "independently"])
    return table(shown, f"{len(rows)} published figures, found again twice")


def rates(counts: pd.DataFrame, title: str) -> Shown:
    """Shares with Wilson's intervals, drawn. `counts` has the columns label, events, cases."""
    estimates = proportion(counts["events"], counts["cases"])
    limits = wilson(counts["events"], counts["cases"])
    rows = [
        Row(
            label=label,
            marks=[Mark(series="all", status="ok", estimate=p, low=a, high=b, text=ENGLISH.share(p, digits=1))],
        )
        for label, p, a, b in zip(
            counts["label"], estimates.tolist(), limits.low.tolist(), limits.high.tolist(), strict=True
        )
    ]
    told = "; ".join(
        f"{row.label} {ENGLISH.share(m.estimate or 0, digits=1)} ({ENGLISH.interval(m.low or 0, m.high or 0, 'share')})"
        for row in rows
        for m in row.marks
    )
    figure = figures.dots(rows, series={"all": "All"}, unit="share", say=ENGLISH, width="wide")
    return drawn(figure, f"{title}: {told}.")


def said(*sentences: str) -> Shown:
    """Sentences whose numbers were computed where they stand."""
    return text("\n".join(f"- {sentence}" for sentence in sentences))


def _known_columns(office: Office) -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for entry in office.entries:
        mapping = office.files[entry.file]
        known.setdefault(mapping.path, set()).update(entry.reads, mapping.unused)
    return known


def _copy(path: Path, out: Path, known: set[str]) -> None:
    """The file with the columns that the mapping knows; byte by byte where it has no other."""
    if set(pd.read_csv(path, nrows=0).columns) <= known:
        shutil.copyfile(path, out)
        return
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame[[column for column in frame if column in known]].to_csv(out, index=False)


def _rounded(value: str | float, published: Decimal) -> Decimal:
    return Decimal(str(float(value))).quantize(published, rounding=ROUND_HALF_UP)


def _written(number: Decimal) -> str:
    return f"{number:,}".replace("-", "−")

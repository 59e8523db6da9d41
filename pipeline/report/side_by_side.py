"""Releases of several offices beside each other: every row as its office published it, none summed, none compared.

Each row has passed its own office's gate and is public, so a table of all of them discloses nothing new. Whether two of
them may be compared the tables cannot say: what can differ goes with them, `side_by_side.en.md`.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config import AuditSettings
from pipeline.errors import AuditError, Problem
from pipeline.own import MART as OWN
from pipeline.report.release import APPROVALS, DICTIONARY, PROVENANCE, SUMS
from pipeline.report.tables import ALL, CATALOGUE, counted, sha256, write_csv, write_parquet
from pipeline.report.verify import altered, settings_of

TABLES = ("measures", "comparisons")
#: The words that go with the tables: file among this program's, file among theirs.
WORDS = {"side_by_side.en.md": "README.md", "side_by_side.es.md": "LEAME.md"}


@dataclass(frozen=True, kw_only=True)
class _Release:
    """A release as it was approved: its folder, and what it says of itself."""

    folder: Path
    settings: AuditSettings
    provenance: dict[str, Any]

    @property
    def row(self) -> dict[str, object]:
        """What stands in offices.csv."""
        said = ["title", "jurisdiction", "as_of_date", "period_from", "period_to", "totals_to", "finest_period"]
        said += ["reference_race", "reference_citizenship"]
        approved = json.loads((self.folder / APPROVALS).read_text(encoding="utf-8"))
        return {
            "office": self.settings.office,
            "release": approved["release"],
            **{name: getattr(self.settings, name) for name in said},
            "synthetic": self.provenance["synthetic"],
            **{name: self.provenance["source"].get(name, "") for name in ("publisher", "retrieved", "licence", "note")},
            "program_sha256": self.provenance["program"]["sha256"],
            "sums_sha256": sha256(self.folder / SUMS),
        }

    def table(self, name: str) -> pd.DataFrame:
        """The rows of the catalogue's measures, each with its office and the days that it counts."""
        rows = counted(pd.read_parquet(self.folder / "data" / f"{name}.parquet"))
        rows = rows[rows["mart"] != OWN].reset_index(drop=True)  # one office's own: nobody else has them
        days = {period: days_of(period, self.settings) for period in rows["period"].unique()}
        rows.insert(0, "office", self.settings.office)
        for at, column in enumerate(("counted_from", "counted_to")):
            rows.insert(1 + at, column, [str(days[period][at]) for period in rows["period"]])
        return rows


def side_by_side(releases: Sequence[Path], out: Path) -> None:
    """Writes the tables of releases, the list of their offices, the catalogue and what to mind into a new folder.

    The same bytes whatever the order of `releases`. Raises `AuditError` with every release that is not as it was
    approved, and every one that cannot stand beside the others; then nothing is written.
    """
    problems = [_problem("IIU671", out, "is there already", "a new folder")] if out.exists() else []
    read: list[_Release] = []
    for folder in releases:
        try:
            found = [replace(p, where=f"{folder} {p.where}") for p in altered(folder)] or list(_draft(folder))
            if not found:
                provenance = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
                read.append(_Release(folder=folder, settings=settings_of(folder), provenance=provenance))
            problems += found
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems.append(_problem("IIU641", folder, f"the release cannot be read: {error}", "a whole release"))
    problems += _unlike(read)
    if problems:
        raise AuditError(problems)
    read.sort(key=lambda release: release.settings.office)
    out.mkdir(parents=True)
    for name in TABLES:
        table = pd.concat([release.table(name) for release in read], ignore_index=True)
        write_csv(table, out / f"{name}.csv")
        write_parquet(table, out / f"{name}.parquet")
    write_csv(pd.DataFrame([release.row for release in read]), out / "offices.csv")
    catalogue = pd.read_csv(read[0].folder / "data" / CATALOGUE, dtype=str, keep_default_na=False)
    write_csv(catalogue[catalogue["mart"] != OWN], out / CATALOGUE)
    shutil.copyfile(DICTIONARY, out / DICTIONARY.name)
    for ours, theirs in WORDS.items():
        shutil.copyfile(Path(__file__).with_name(ours), out / theirs)


def days_of(period: str, settings: AuditSettings) -> tuple[date, date]:
    """The first and the last day that the rows of a period count: what of it lies within the office's own period."""
    if period == ALL:
        return settings.period_from, settings.totals_to
    whole = pd.Period(period)
    return max(whole.start_time.date(), settings.period_from), min(whole.end_time.date(), settings.period_to)


def _draft(folder: Path) -> Iterator[Problem]:
    if not (folder / APPROVALS).is_file():
        yield _problem("IIU672", folder, "a draft, which nobody approved", "a release, by `iiu release`")


def _unlike(releases: Sequence[_Release]) -> Iterator[Problem]:
    """An office stands once, or a reader adds up what is the same; and the same program counted all."""
    for office, times in Counter(release.settings.office for release in releases).items():
        if times > 1:
            yield _problem("IIU673", office, f"{times} releases of one office", "one of each: the latest")
    programs = [release.provenance["program"]["sha256"] for release in releases]
    for release, program in zip(releases, programs, strict=True):
        if program != programs[0]:
            what = f"made by another program than {releases[0].folder}, which may count otherwise under the same names"
            yield _problem("IIU674", release.folder, what, "releases by the same version of the program")


def _problem(code: str, where: object, what: str, expected: str) -> Problem:
    return Problem(code=code, where=str(where), what=what, expected=expected)

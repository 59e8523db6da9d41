"""The published tables: what the pages are made of, and the files that readers download."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from pipeline.config import AuditSettings
from pipeline.errors import AuditError, Problem, place
from pipeline.estimands import Estimand
from pipeline.measures import COUNTS
from pipeline.report.language import LANGUAGES, Language

ALL = "all"
SHOWN = ("ok", "unreliable")
#: Years are drawn instead of quarters where fewer quarters than this share can be shown.
SHOWN_QUARTERS = 0.75
CARD, CATALOGUE = "audit.json", "catalogue.csv"
Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, kw_only=True)
class PublicData:
    """All that a public page may know. The frames have passed the disclosure gate; nothing here is about one person.

    `catalogue` is `data/reference/measures.csv` without missing values; `run` the run record; `source` the office's
    own words on where its records come from (publisher, address, retrieved, licence, note); `estimands` the
    comparisons that the office itself declared; `synthetic` puts a
    banner on every page that says that nobody in these records exists.
    """

    measures: pd.DataFrame
    comparisons: pd.DataFrame
    catalogue: pd.DataFrame
    settings: AuditSettings
    run: Mapping[str, Any]
    source: Mapping[str, Any] = field(default_factory=dict)
    adjusted: pd.DataFrame = field(default_factory=pd.DataFrame)
    estimands: Sequence[Estimand] = ()
    findings: Sequence[Mapping[str, Any]] = ()
    policies: Sequence[Mapping[str, Any]] = ()
    corrections: Sequence[Mapping[str, Any]] = ()
    notebooks: Sequence[Path] = ()
    synthetic: bool = False

    @cached_property
    def marts(self) -> list[str]:
        """In the order of the catalogue."""
        return list(dict.fromkeys(self.catalogue["mart"]))

    @cached_property
    def by_cell(self) -> dict[Key, Any]:
        """The row of (measure_id, period, race, citizenship, stratum), all offences together."""
        rows = self.measures[self.measures["offence_group"] == ALL]
        return {(r.measure_id, r.period, r.race, r.citizenship, r.stratum): r for r in records(rows)}

    @cached_property
    def by_contrast(self) -> dict[Key, Any]:
        """The comparison of (measure_id, period, contrast, race, stratum); race is 'all' for the contrast citizenship."""
        return {(r.measure_id, r.period, r.contrast, r.race, r.stratum): r for r in records(self.comparisons)}

    @cached_property
    def offences_by_year(self) -> dict[str, pd.DataFrame]:
        """The rows of rates by year and offence, of all races and citizenships together."""
        rows = self.measures
        at = (rows[["race", "citizenship", "stratum"]] == ALL).all(axis=1) & rows["period"].str.len().eq(4)
        found = rows[at & rows["ci_method"].isin(["wilson", ""])].groupby("measure_id")
        return {str(measure_id): of for measure_id, of in found}

    @cached_property
    def family(self) -> int:
        """How many comparisons were judged together."""
        return int(self.comparisons["q_value"].notna().sum())

    def of_mart(self, mart: str) -> list[Any]:
        """The measures of a mart, as rows of the catalogue."""
        return records(self.catalogue[self.catalogue["mart"] == mart])

    def cell(
        self, measure_id: str, *, period: str = ALL, race: str = ALL, citizenship: str = ALL, stratum: str = ALL
    ) -> Any:
        """The row of a cell, or None where it is not published."""
        return self.by_cell.get((measure_id, period, race, citizenship, stratum))

    def gap(self, measure_id: str, *, contrast: str, race: str = ALL, stratum: str = ALL, period: str = ALL) -> Any:
        """The row of a comparison, or None where it is not published."""
        return self.by_contrast.get((measure_id, period, contrast, race, stratum))

    @cached_property
    def by_measure(self) -> dict[str, list[Any]]:
        """The rows of a measure over the whole period, all offences together."""
        found: dict[str, list[Any]] = {}
        for (measure_id, period, *_), row in self.by_cell.items():
            if period == ALL:
                found.setdefault(measure_id, []).append(row)
        return found

    @cached_property
    def by_series(self) -> dict[tuple[str, str, str], list[str]]:
        """The periods of (measure_id, citizenship, stratum), all races together."""
        found: dict[tuple[str, str, str], list[str]] = {}
        for measure_id, period, race, citizenship, stratum in sorted(self.by_cell):
            if race == ALL and period != ALL:
                found.setdefault((measure_id, citizenship, stratum), []).append(period)
        return found

    def periods(self, measure_id: str, *, citizenship: str, stratum: str) -> list[str]:
        """The periods of which this table is published, in order: quarters where most can be shown, else years."""
        found = self.by_series.get((measure_id, citizenship, stratum), [])
        quarters, years = ([p for p in found if ("-Q" in p) == finer] for finer in (True, False))
        rows = [self.cell(measure_id, period=p, citizenship=citizenship, stratum=stratum) for p in quarters]
        if years and sum(row.status in SHOWN for row in rows) < SHOWN_QUARTERS * len(rows):
            return years
        return quarters or years


def headline(measure: Any) -> str:
    """The stratum that speaks for a measure: its rate, its median, its median time."""
    return {"distribution": "median", "time_to_event": f"median_{measure.unit}"}.get(measure.kind, ALL)


def records(frame: pd.DataFrame) -> list[Any]:
    """The rows of a frame, with its columns as attributes."""
    return list(frame.itertuples(index=False))


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_tables(*, out: Path, public: PublicData) -> dict[str, list[Path]]:
    """Every mart as CSV, Parquet and XLSX, and all measures and comparisons in one file each. The same bytes each time.

    Returns the files by name of the table.
    """
    out.mkdir(parents=True, exist_ok=True)
    _card(out / CARD, public)
    write_csv(public.catalogue, out / CATALOGUE)
    written: dict[str, list[Path]] = {}
    tables = {"measures": public.measures, "comparisons": public.comparisons, "adjusted": public.adjusted}
    for name, frame in tables.items():
        if frame.empty and name == "adjusted":  # an office without a rate that can be adjusted
            continue
        written[name] = [write_csv(frame, out / f"{name}.csv"), write_parquet(frame, out / f"{name}.parquet")]
    for mart in public.marts:
        rows = public.measures[public.measures["mart"] == mart]
        written[mart] = [write_csv(rows, out / f"{mart}.csv"), write_parquet(rows, out / f"{mart}.parquet")]
    return written | {mart: [*written[mart], path] for mart, path in write_workbooks(out=out, public=public).items()}


def copy_tables(written: Mapping[str, Sequence[Path]], out: Path) -> dict[str, list[Path]]:
    """The files that `write_tables` wrote, once more in another folder: to write them anew would take a minute."""
    out.mkdir(parents=True, exist_ok=True)
    folder = written["measures"][0].parent
    for name in (CARD, CATALOGUE):
        shutil.copyfile(folder / name, out / name)
    return {table: [Path(shutil.copyfile(p, out / p.name)) for p in paths] for table, paths in written.items()}


def read_tables(folder: Path) -> PublicData:
    """What `write_tables` wrote, as it was published. Findings and corrections are not among the tables.

    Raises AuditError if another version of the program wrote it, or nothing stands there.
    """
    try:
        return _read_tables(folder)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise unreadable(folder, error) from error


def unreadable(folder: Path, error: Exception) -> AuditError:
    """What is said of tables that this version of the program cannot read."""
    return AuditError([Problem(
        code="IIU147", where=place(file=str(folder)), what=f"cannot be read as the tables of an audit ({type(error).__name__})",
        expected="what `iiu audit` of this version wrote", fix="Run `iiu audit` again",
    )])  # fmt: skip


def _read_tables(folder: Path) -> PublicData:
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    settings = card["settings"]
    settings |= {key: date.fromisoformat(settings[key]) for key in ("as_of_date", "period_from", "period_to")}
    settings |= {"cannot_answer": tuple((measure, reason) for measure, reason in settings["cannot_answer"])}
    catalogue = pd.read_csv(folder / CATALOGUE, dtype=str, keep_default_na=False)
    measures, comparisons = (
        pq.read_table(folder / f"{name}.parquet").to_pandas() for name in ("measures", "comparisons")
    )
    adjusted = folder / "adjusted.parquet"
    return PublicData(
        measures=counted(measures), comparisons=counted(comparisons), catalogue=catalogue,
        adjusted=pq.read_table(adjusted).to_pandas() if adjusted.is_file() else pd.DataFrame(),
        settings=AuditSettings(**settings), run=card["run"], source=card["source"], synthetic=card["synthetic"],
        policies=card["policies"],
    )  # fmt: skip


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """Counts as nullable integers: a hidden count stays missing and does not turn the others into fractions."""
    return frame.astype({column: "Int64" for column in COUNTS if column in frame})


def _card(path: Path, public: PublicData) -> None:
    """What the tables alone do not say: whose records they are, and what the run found in them."""
    run = {key: public.run[key] for key in ("version", "engine", "checks", "measures", "files") if key in public.run}
    card = {
        "settings": asdict(public.settings),
        "run": run,
        "source": dict(public.source),
        "synthetic": public.synthetic,
        "policies": [dict(policy) for policy in public.policies],
    }
    path.write_text(json.dumps(card, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def write_workbooks(*, out: Path, public: PublicData) -> dict[str, Path]:
    """One workbook a mart, made to be read: what it is, the whole period, the years and quarters, the comparisons."""
    return {mart: _workbook(out / f"{mart}.xlsx", public, mart) for mart in public.marts}


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """A frame as CSV in six digits. Returns the path."""
    frame.to_csv(path, index=False, lineterminator="\n", float_format="%.6g")
    return path


def write_parquet(frame: pd.DataFrame, path: Path) -> Path:
    """A frame as Parquet, without pandas' own notes on it. Returns the path."""
    table = pa.Table.from_pandas(frame.reset_index(drop=True), preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")
    return path


WIDTHS = {"title": 52, "definition": 90, "reason": 44, "race": 16, "citizenship": 14, "stratum": 24, "period": 10}
PERCENT = ("estimate", "ci_low", "ci_high", "bound_low", "bound_high", "reference_estimate", "difference", "difference_low", "difference_high")  # fmt: skip


def write_rows(folder: Path, name: str, rows: pd.DataFrame, settings: AuditSettings) -> None:
    """The rows of one figure as CSV, Parquet and XLSX."""
    rows = counted(rows)
    write_csv(rows, folder / f"{name}.csv")
    write_parquet(rows, folder / f"{name}.parquet")
    book, styles = _book(folder / f"{name}.xlsx", f"{settings.title}: {name}", settings)
    _about(book, f"{settings.title}: {name}", settings, styles)
    _sheet(book, "Rows", rows, {}, styles)
    book.close()


def _workbook(path: Path, public: PublicData, mart: str) -> Path:
    catalogue = public.catalogue[public.catalogue["mart"] == mart]
    titles = dict(zip(catalogue["measure_id"], catalogue["title"], strict=True))
    measures = public.measures[public.measures["mart"] == mart]
    comparisons = public.comparisons[public.comparisons["mart"] == mart]
    settings = public.settings
    title = f"{settings.title}: {mart.replace('_', ' ')}"
    book, styles = _book(path, title, settings)
    _about(book, title, settings, styles)
    whole = measures["period"] == ALL
    _sheet(book, "Whole period", measures[whole], titles, styles)
    _sheet(book, "Years and quarters", measures[~whole & measures["status"].isin(SHOWN)], titles, styles)
    _sheet(book, "Comparisons", comparisons, titles, styles)
    _sheet(book, "Definitions", catalogue[["measure_id", "definition", "numerator_text", "denominator_text", "counted_unit", "unit"]], titles, styles)  # fmt: skip
    book.close()
    return path


def _book(path: Path, title: str, settings: AuditSettings) -> tuple[Any, dict[str, Any]]:
    """A workbook without a clock, and the ways its cells may look."""
    # text is written as text: nothing that an office or its exports say is run as a formula or made a link
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": title, "created": datetime.combine(settings.as_of_date, datetime.min.time())})
    return book, {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        "count": book.add_format({"num_format": "#,##0"}),
        "share": book.add_format({"num_format": "0.0%"}),
        "number": book.add_format({"num_format": "#,##0.##"}),
        "hidden": book.add_format({"font_color": "#57626E", "italic": True}),
    }


def _about(book: Any, title: str, settings: AuditSettings, styles: Mapping[str, Any]) -> None:
    """The first sheets: what this is and how to read it, in each language."""
    for say in LANGUAGES:
        about = book.add_worksheet(say("About"))
        about.set_column(0, 0, 120, styles["text"])
        about.write_string(0, 0, title, styles["title"])
        for row, line in enumerate(_how_to_read(say, settings), start=2):
            about.write_string(row, 0, line, styles["text"])


def _how_to_read(say: Language, settings: AuditSettings) -> list[str]:
    days = {name: say.day(getattr(settings, name)) for name in ("period_from", "period_to", "as_of_date")}
    return [
        say("Decisions from {period_from} to {period_to}, as known on {as_of_date}.", **days),
        say("One row a measure, period and group. “all” stands for everyone, or for the whole period."),
        say("stratum: a part of the measure, as a kind, a median, or so many days; “all” where it has none."),
        say("numerator and denominator: those counted, and out of how many. estimate: the share, median or total."),
        say("ci_low and ci_high: the 95% interval of the estimate."),
        say("bound_low and bound_high: how far the number could move if every person whose citizenship is not recorded were counted in the way that matters most."),
        say("status: ok; suppressed (hidden to protect people); unreliable (few cases); not_estimable (no number can be given); not_computable (the office does not record what is needed)."),
        say("The sheet of years and quarters leaves out what is hidden or has no case; the CSV file holds every row."),
        say("An empty cell is never a zero.") + " " + say("Citizenship is not immigration status."),
    ]  # fmt: skip


def _sheet(book: Any, name: str, frame: pd.DataFrame, titles: Mapping[str, str], styles: Mapping[str, Any]) -> None:
    sheet = book.add_worksheet(name)
    frame = frame.drop(columns=[c for c in ("mart", "title") if c in frame])
    if titles:
        frame.insert(1, "title", frame["measure_id"].map(titles))
    columns = list(frame.columns)
    sheet.freeze_panes(1, 2)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    if len(frame):
        sheet.autofilter(0, 0, len(frame), len(columns) - 1)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, WIDTHS.get(column, 13))
        sheet.write(0, at, column.replace("_", " "), styles["head"])
    share = (frame["unit"] == "share").to_numpy()
    for row, values in enumerate(frame.astype(object).itertuples(index=False), start=1):
        for at, value in enumerate(values):
            if pd.isna(value) or value == "":
                continue
            if isinstance(value, str):
                sheet.write_string(row, at, value, styles["hidden"] if value == "suppressed" else None)
            else:
                style = "share" if share[row - 1] and columns[at] in PERCENT else "number"
                sheet.write_number(row, at, value, styles["count" if isinstance(value, int) else style])

"""The main job, end to end: exports in, an audit out. The only place that knows the order of the steps.

An audit is written beside its place and moved there whole, so a run that is stopped at any instant leaves the last
good audit as it was.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd

from pipeline import __version__
from pipeline.contract import ROOT, load_contract
from pipeline.control_totals import compare
from pipeline.database import open_database
from pipeline.errors import AuditError, Problem, place
from pipeline.findings import declared_worklists, find, judge, judged, track
from pipeline.ingest.drift import find_drift
from pipeline.ingest.land import Landing, land
from pipeline.ingest.office import Office, load_office, office_folder
from pipeline.ingest.read import literal, quoted
from pipeline.progress import Progress, peak_memory_mb
from pipeline.restricted import opened, seal
from pipeline.spark import require_spark
from pipeline.whole import replacing

#: The Example County that `make audit` shows: 120,000 synthetic cases, always the same.
EXAMPLE = "example_county"
EXAMPLE_CASES, EXAMPLE_SEED = 120_000, 20_241_231

CATALOGUE = ROOT / "data" / "reference" / "measures.csv"
#: How the tables of a mart end that hold counts, not rows.
_COUNTS = ("__cells", "__values", "__clusters")


def default_raw(office: str) -> Path:
    """Where the exports of an office lie, unless a folder is named."""
    return ROOT / "data" / "raw" / Path(office).name


def default_releases(office: str) -> Path:
    """Where the releases of an office and their ledger lie, unless a folder is named: no audit overwrites it."""
    return ROOT / "data" / "releases" / Path(office).name


def default_out(office: str) -> Path:
    """Where the audit of an office is written, unless a folder is named."""
    return ROOT / "data" / "marts" / Path(office).name


def check_office(*, office: str, raw: Path | None, progress: Progress) -> Iterator[str]:
    """Land the exports in a folder that is thrown away, and say in lines what was found: what can be had, what became of
    the files, and last what the analyst must look at. Raises `AuditError`.
    """
    from tempfile import TemporaryDirectory

    progress.expect(default_out(office) / "run.json")
    mapping = load_office(office_folder(office), load_contract())
    yield from _mart_lines(mapping)
    with TemporaryDirectory(prefix="iiu-check-") as folder:
        work = Path(folder)
        with progress.step("land", "Landing the exports"):
            landing = land(
                office=mapping,
                contract=load_contract(),
                raw=raw or default_raw(office),
                database=work / "audit.duckdb",
                work=work,
            )
        with progress.step("drift", "Comparing the last batch with those before it"):
            drift = find_drift(database=work / "audit.duckdb", contract=load_contract())
    yield from _landing_lines(landing)
    yield from (f"drift: {difference}" for difference in drift)
    yield f"{mapping.settings.title}: the exports fit the mapping."


def as_of(mapping: Office, day: date | None) -> Office:
    """The same office with another day of export, unless it is None. Raises `AuditError` if the period ends after it."""
    if day is None:
        return mapping
    if mapping.settings.period_to > day:
        raise AuditError(
            [
                Problem(
                    code="IIU102",
                    where=place(file="--as-of"),
                    what=f"the period ends on {mapping.settings.period_to}, after the day of the export, {day}",
                    expected="a day on or after the end of the period",
                    fix="Give a later day, or shorten `period` in office.yml",
                )
            ]
        )
    return replace(mapping, settings=replace(mapping.settings, as_of_date=day))


def find_keys(*, office: str, raw: Path | None, as_of_date: date | None, keys: Sequence[str]) -> Iterator[str]:
    """In which file and row of the exports the key of a worklist stands; nothing of what the row says.

    The exports are landed anew, in a folder that is thrown away: an audit keeps no way back. Raises `AuditError`.
    """
    from tempfile import TemporaryDirectory

    contract = load_contract()
    mapping = as_of(load_office(office_folder(office), contract), as_of_date)
    with TemporaryDirectory(prefix="iiu-find-") as folder:
        work = Path(folder)
        database = work / "audit.duckdb"
        land(office=mapping, contract=contract, raw=raw or default_raw(office), database=database, work=work)
        with open_database(database) as connection:
            for key in keys:
                places = {
                    place
                    for table in contract.values()
                    for column in table.columns.values()
                    if column.kind == "id"
                    for place in connection.execute(
                        f"""select distinct _source_file, _source_row from landed.{quoted(table.name)}
                        where {quoted(column.name)} = ?""",
                        [key],
                    ).fetchall()
                }
                yield from (f"{key}: {file}, row {row}" for file, row in sorted(places))
                if not places:
                    yield f"{key}: in no row of these exports, under the key and the day (--as-of) of this audit"


def _mart_lines(office: Office) -> Iterator[str]:
    """Which marts the mapping can have, and which columns the rest would need: those that open the most come first."""
    from pipeline.measures import missing_columns

    catalogue = pd.read_csv(CATALOGUE, dtype=str, keep_default_na=False)
    supplied = {f"{table}.{column}" for table, column in office.supplied}
    cannot = dict(office.settings.cannot_answer)
    for mart, measures in catalogue.groupby("mart", sort=False):
        missing = [missing_columns(needed, supplied) for needed in measures["required_columns"]]
        had = sum(1 for id_, m in zip(measures["measure_id"], missing, strict=True) if not m and id_ not in cannot)
        wanted = Counter(column for m in missing for column in m).most_common(6)
        needs = ", ".join(f"{column} ({n})" for column, n in wanted)
        yield f"{mart}: {had} of {len(measures)} measures" + (f"; the others need {needs}" if needs else "")


def run_audit(
    *,
    office: str,
    raw: Path | None,
    out: Path | None,
    as_of_date: date | None,
    progress: Progress,
    since: Path | None = None,
    master: str | None = None,
) -> dict[str, Any]:
    """Run the whole audit and return its run record. Raises `AuditError` with every problem; then nothing is written.

    `since` is the folder of an earlier audit of the same office: what has become of its findings is written as well.
    `master` is the URL of the Spark that builds the models, instead of DuckDB.
    """
    if master is not None:
        require_spark()
    folder = office_folder(office)
    mapping = as_of(load_office(folder, load_contract()), as_of_date)
    target = (out or default_out(office)).resolve()
    if target.exists() and not (target / "run.json").is_file() and not (target.is_dir() and not any(target.iterdir())):
        raise AuditError(
            [
                Problem(
                    code="IIU140",
                    where=place(file=str(target)),
                    what="holds something that is no audit",
                    expected="a new folder, or one that holds an audit",
                    fix="Choose another --out",
                )
            ]
        )
    progress.expect(target / "run.json")
    with replacing(target) as building:
        record = _Audit(mapping, raw, building, progress, since, master).run()
    progress.say(f"The audit of {mapping.settings.title} is in {target}")
    return record


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """The long tables, before the gate, and by name the tables that are for the unit alone."""

    measures: pd.DataFrame
    comparisons: pd.DataFrame
    adjusted: pd.DataFrame
    for_the_unit: dict[str, pd.DataFrame]


class _Audit:
    """One run. Each method is one step; what a step leaves for the next is an attribute."""

    def __init__(
        self,
        office: Office,
        raw: Path | None,
        building: Path,
        progress: Progress,
        since: Path | None,
        master: str | None,
    ) -> None:
        self.office = office
        self.earlier = None if since is None else _findings_of(since, office.settings.office)
        self.raw = raw
        self.master = master
        self.out = building
        self.work = building / "work"
        self.database = self.work / "audit.duckdb"
        self.progress = progress

    def run(self) -> dict[str, Any]:
        for name, mode in (("work", 0o700), ("restricted", 0o700), ("public", 0o777)):
            (self.out / name).mkdir(mode=mode)
        logging.getLogger("traitlets").setLevel(logging.ERROR)  # its remarks are not about the user's data
        step = self.progress.step
        raw = self._raw_folder()
        with step("land", "Landing the exports"):
            landing = land(
                office=self.office,
                contract=load_contract(),
                raw=raw,
                database=self.database,
                work=self.work,
                freeze=self.raw is None,
            )
        for line in _landing_lines(landing):
            self.progress.say("  " + line)
        with step("drift", "Comparing the last batch with those before it"):
            drift = find_drift(database=self.database, contract=load_contract())
        if drift:
            tables = len({difference.table for difference in drift})
            self.progress.say(
                f"  the last batch differs in {len(drift)} ways, in {tables} tables: `iiu check` says them, and restricted/drift.json"
            )
        with step("check_landed", "Checking what landed"):
            checks = self._validate("landed")
        with step("transform", "Building the marts"):
            from pipeline.transform import build

            built = build(database=self.database, work=self.work, master=self.master)
            from pipeline.own import count_own_measures

            self.own = count_own_measures(
                office_folder=self.office.folder, database=self.database, settings=self.office.settings
            )
        with step("check_marts", "Checking the marts"):
            checks += self._validate("marts")
        with step("control_totals", "Comparing with published figures"):
            totals = compare(office_folder=self.office.folder, database=self.database)
        for total in totals:
            self.progress.say(
                f"  {'=' if total.match else '!'} {total.id}: published {total.published}, ours {total.ours}"
            )
        with step("statistics", "Computing the measures"):
            found = self._statistics()
        for warning in self.saturations:
            self.progress.say(f"  {warning}")
        if landing.linkage:
            with step("linkage", "Counting again with persons taken for one more readily, and less so"):
                found = replace(found, for_the_unit=found.for_the_unit | self._linkage(landing, found.measures, raw))
        with step("disclosure", "Hiding what could identify a person"):
            from pipeline.disclose import publish, publish_adjusted

            published = publish(found.measures, found.comparisons)
            published = replace(published, comparisons=judge(published.comparisons))
            adjusted = publish_adjusted(found.adjusted, published.measures)
        with step("restricted", "Writing the restricted tables"):
            self._write_restricted(found, checks)
        record: dict[str, Any] = {
            "version": __version__,
            "engine": "duckdb" if self.master is None else "spark",
            "as_of_date": self.office.settings.as_of_date.isoformat(),
            "office": self.office.settings.office,
            "files": [
                {
                    "path": f.path,
                    "sha256": f.sha256,
                    "read": f.read,
                    "landed": f.landed,
                    "rejected": f.rejected,
                    "filtered": sum(f.filtered.values()),
                    "filtered_by_reason": f.filtered,
                }
                for f in landing.files
            ],
            "warnings": [*map(str, landing.warnings), *map(str, self.saturations)],
            "models": built.models,
            "dbt_tests_passed": built.tests_passed,
            "checks": _counted([c.status for c in checks], ("passed", "failed", "not_applicable", "error")),
            "measures": _counted(
                published.measures["status"].tolist(),
                ("ok", "suppressed", "unreliable", "not_estimable", "not_computable"),
            ),
            "control_totals": [asdict(total) for total in totals],
            "disclosure": published.proof,
            "findings": self._findings(published.measures, published.comparisons),
        }
        _write_json(self.out / "restricted" / "drift.json", [asdict(difference) for difference in drift])
        _write_json(self.out / "findings.json", record["findings"])
        restricted = self._findings(found.measures, found.comparisons)
        _write_json(self.out / "restricted" / "findings.json", restricted)
        with step("worklists", "Listing the cases behind the findings"):
            from pipeline.for_the_unit.worklists import write_worklists

            write_worklists(
                findings=restricted,
                declared=declared_worklists(self.office.settings.as_of_date),
                catalogue=self.counts.catalogue,
                database=self.database,
                out=self.out / "restricted" / "worklists",
                as_of=self.office.settings.as_of_date,
            )
        if self.earlier is not None:
            public_then, restricted_then = self.earlier
            judged_now = judged(published.measures, published.comparisons)
            _write_json(self.out / "findings_since.json", track(record["findings"], public_then, judged_now))
            judged_now = judged(found.measures, found.comparisons)
            _write_json(self.out / "restricted" / "findings_since.json", track(restricted, restricted_then, judged_now))
        self._publish(record, published, adjusted, checks)
        shutil.rmtree(self.work)
        if self.office.identifiers == "secret":
            settings = self.office.settings
            with step("seal", "Sealing the restricted files"):
                seal(self.out / "restricted", office=settings.office, as_of=settings.as_of_date)
        record["steps"] = self.progress.steps
        record["peak_memory_mb"] = peak_memory_mb()
        _write_json(self.out / "run.json", record)
        mismatched = [t for t in totals if not t.match]
        if mismatched:
            self.progress.say(f"{len(mismatched)} published figures do not match; see control_totals in run.json")
        return record

    def _raw_folder(self) -> Path:
        if self.raw is not None:
            return self.raw
        raw = default_raw(self.office.settings.office)
        if self.office.settings.office == EXAMPLE and not raw.is_dir():
            from pipeline.synth import write_county

            with self.progress.step("synthesise", "Making the Example County"):
                made = raw.with_name(f".{raw.name}.making")
                shutil.rmtree(made, ignore_errors=True)
                write_county(out=made, cases=EXAMPLE_CASES, seed=EXAMPLE_SEED)
                (made / "exports").replace(raw)
                shutil.rmtree(made)
        return raw

    def _validate(self, door: Literal["landed", "marts"]) -> list[Any]:
        from pipeline.validate import validate

        return validate(
            self.database,
            door=door,
            supplied=self.office.supplied,
            office_folder=self.office.folder,
        )

    def _statistics(self) -> Statistics:
        from pipeline.estimands import adjusted_table, load_estimands
        from pipeline.fixed_mix import changes_table, fixed_mix_table
        from pipeline.for_the_unit.knowledge import knowledge_table
        from pipeline.for_the_unit.race_sources import race_sources
        from pipeline.for_the_unit.unit_rates import unit_rates
        from pipeline.measures import (
            CITIZENSHIP_COLUMN,
            comparison_table,
            measure_table,
            saturations,
            with_bound_widths,
            with_clustered_p_values,
            with_saturations,
        )
        from pipeline.whose import read_whose

        settings, supplied = self.office.settings, self.office.supplied
        self.counts = read_counts(self.database)
        cells, catalogue = self.counts.cells, self.counts.catalogue
        measures = measure_table(cells, self.counts.values, catalogue, supplied, settings)
        own = {one.measure_id for one in self.own.saturations}  # these were looked at day by day
        self.saturations = [
            *self.own.saturations,
            *(s for s in saturations(cells, catalogue) if s.measure_id not in own),
        ]
        measures = with_saturations(measures, self.saturations)
        comparisons = with_clustered_p_values(comparison_table(measures, settings), catalogue, self.counts.clusters)
        estimands = (*load_estimands(), *self.own.estimands)
        whose = read_whose(self.database, catalogue, estimands)
        sources, hispanic_as_white = race_sources(self.database, catalogue)
        return Statistics(
            measures=with_bound_widths(measures, comparisons),
            comparisons=comparisons,
            adjusted=adjusted_table(
                cells,
                catalogue,
                estimands,
                settings,
                values=self.counts.values,
                whose=whose,
                with_citizenship=tuple(CITIZENSHIP_COLUMN.split(".")) in supplied,
            ),
            for_the_unit={
                "knowledge": knowledge_table(self.database, catalogue, settings),
                "race_sources": sources,
                "hispanic_as_white": hispanic_as_white,
                "unit_rates": unit_rates(cells, catalogue, whose, settings),
                "fixed_mix": fixed_mix_table(cells, catalogue, settings),
                "changes": changes_table(cells, catalogue, settings),
            },
        )

    def _linkage(self, landing: Landing, measures: pd.DataFrame, raw: Path) -> dict[str, pd.DataFrame]:
        from pipeline.for_the_unit.thresholds import list_doubtful, threshold_table
        from pipeline.measures import measure_table
        from pipeline.transform import build

        def measured(database: Path, work: Path) -> pd.DataFrame:
            build(database=database, work=work, master=self.master)
            counts = read_counts(database)
            settings, supplied = self.office.settings, self.office.supplied
            return measure_table(counts.cells, counts.values, counts.catalogue, supplied, settings)

        list_doubtful(landing.doubtful, database=self.database)
        moved = threshold_table(measures, office=self.office, raw=raw, work=self.work, measured=measured)
        return {"linkage": pd.DataFrame([asdict(one) for one in landing.linkage]), "linkage_measures": moved}

    def _findings(self, measures: pd.DataFrame, comparisons: pd.DataFrame) -> list[dict[str, Any]]:
        from pipeline.report.words import told

        as_of = self.office.settings.as_of_date
        return told(find(measures, comparisons, self.counts.catalogue, as_of=as_of), self.counts.catalogue)

    def _write_restricted(self, found: Statistics, checks: list[Any]) -> None:
        from pipeline.for_the_unit.cliffs import COUNTS, cliff_table

        folder = self.out / "restricted"
        connection = open_database(self.database, with_files=True)
        try:
            for table in _tables_of(connection, "marts"):
                # A fact's first column is its key; counts are ordered by all their labels.
                order = "all" if table.endswith(_COUNTS) else "1"
                _copy(connection, f"select * from marts.{quoted(table)} order by {order}", folder / f"{table}.parquet")
            _copy(connection, "select * from landed.rejects order by all", folder / "rejects.parquet")
            for name, frame in {
                "cliffs": cliff_table(connection.execute(COUNTS).fetchdf()),
                "measures": found.measures,
                "comparisons": found.comparisons,
                "adjusted": found.adjusted,
                **found.for_the_unit,
                "checks": pd.DataFrame([asdict(check) for check in checks]),
            }.items():
                _copy_frame(connection, frame, folder / f"{name}.parquet")
        finally:
            connection.close()

    def _publish(self, record: dict[str, Any], published: Any, adjusted: pd.DataFrame, checks: list[Any]) -> None:
        from pipeline.report.notebooks import run_notebooks
        from pipeline.report.release import refuse_leaks, write_package, write_sums
        from pipeline.report.site import build_site
        from pipeline.report.tables import PublicData, write_tables

        public = PublicData(
            measures=published.measures,
            comparisons=published.comparisons,
            adjusted=adjusted,
            estimands=self.own.estimands,
            catalogue=self.counts.catalogue,
            settings=self.office.settings,
            run=record,
            source=self.office.source,
            findings=record["findings"],
            policies=read_policies(self.database),
            synthetic=self.office.settings.office == EXAMPLE,
        )
        with self.progress.step("tables", "Writing the public tables"):
            written = write_tables(out=self.out / "public", public=public)
            published.tables.to_csv(self.out / "public" / "hidden.csv", index=False, lineterminator="\n")
        with self.progress.step("notebooks", "Running the notebooks"):
            notebooks = run_notebooks(out=self.out / "notebooks", data=self.out / "public")
        with self.progress.step("site", "Drawing the pages"):
            site = build_site(out=self.out / "site", public=replace(public, notebooks=notebooks.pages), written=written)
        for notice in dict.fromkeys((*notebooks.notices, *site.notices)):
            self.progress.say("  " + notice)
        with self.progress.step("release", "Packing the release, as a draft that nobody has approved"):
            listed = pd.DataFrame([asdict(check) for check in checks])
            write_package(out=self.out / "release", public=public, published=published, checks=listed, written=written)
            write_sums(self.out / "release")
        with self.progress.step("leaks", "Searching all that readers get for what must not be there"):
            folders = [self.out / name for name in ("public", "notebooks", "site", "release")]
            refuse_leaks(*folders, restricted=self.out / "restricted")


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What the statistics are made of: the cells, values and clusters of all marts, and the catalogue of measures."""

    cells: pd.DataFrame
    values: pd.DataFrame
    clusters: pd.DataFrame
    catalogue: pd.DataFrame


def inert_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Labels of exports with an apostrophe before what a spreadsheet would run as a formula when it opens a CSV."""
    labels = frame["stratum"].dropna().drop_duplicates()
    inert = labels.str.replace(r"^(?=\s*[=+\-@])", "'", regex=True)
    changed = inert.ne(labels)
    return frame.replace({"stratum": dict(zip(labels[changed], inert[changed], strict=True))})


def _texts_shared(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows, in which a text is one object wherever it stands: of millions of rows they would take gigabytes."""
    for name in frame.select_dtypes(["object", "str"]):
        codes, texts = pd.factorize(frame[name], use_na_sentinel=False)
        frame[name] = pd.Series(texts.to_numpy(dtype=object).take(codes), dtype=object)
    return frame


def read_counts(database: Path) -> Counts:
    """The counts of a built database; the catalogue in the order of its file, an empty cell as an empty text."""
    connection = open_database(database)
    try:
        tables = _tables_of(connection, "marts")
        cells, values, clusters = (
            pd.concat(
                [
                    _texts_shared(connection.execute(f"select * from marts.{quoted(t)} order by all").fetchdf())
                    for t in tables
                    if t.endswith(ending)
                ],
                ignore_index=True,
            )
            for ending in _COUNTS
        )
        catalogue = connection.execute("select * from reference.measures").fetchdf()
    finally:
        connection.close()
    order = {m: i for i, m in enumerate(pd.read_csv(CATALOGUE, usecols=["measure_id"])["measure_id"])}
    ordered = catalogue.fillna("").sort_values(
        "measure_id", key=lambda ids: ids.map(order), kind="stable", ignore_index=True
    )
    return Counts(
        cells=inert_labels(cells), values=inert_labels(values), clusters=inert_labels(clusters), catalogue=ordered
    )


def read_policies(database: Path) -> list[dict[str, str]]:
    """The versions of policies with the measures that they should move: about nobody, and without their keys."""
    connection = open_database(database)
    try:
        rows = connection.execute(
            """
            select title, cast(effective_from as varchar), coalesce(cast(effective_to as varchar), ''), measure_id,
                expected_direction, coalesce(comparison_measure_id, ''), coalesce(other_changes, '')
            from marts.mart_policy__targets order by effective_from, title, version, measure_id
            """
        ).fetchall()
    finally:
        connection.close()
    names = (
        *("title", "effective_from", "effective_to", "measure_id", "expected_direction", "comparison_measure_id"),
        "other_changes",
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _tables_of(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    rows = connection.execute(
        "select table_name from information_schema.tables where table_schema = ? order by table_name", [schema]
    ).fetchall()
    return [str(row[0]) for row in rows]


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    options = "format parquet, compression zstd" if path.suffix == ".parquet" else "format csv, header"
    connection.execute(f"copy ({query}) to {literal(str(path))} ({options})")


def _copy_frame(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, path: Path) -> None:
    connection.register("frame_to_write", frame)
    _copy(connection, "select * from frame_to_write", path)
    connection.unregister("frame_to_write")


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _findings_of(since: Path, office: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The public and the restricted findings of an earlier audit."""
    try:
        audited = json.loads((since / "run.json").read_text(encoding="utf-8"))["office"]
        with opened(since) as restricted:
            found = [json.loads((f / "findings.json").read_text(encoding="utf-8")) for f in (since, restricted)]
        # what has no id is no finding, and raises
        found = [[{**finding, "id": finding["id"]} for finding in findings] for findings in found]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AuditError(
            [
                Problem(
                    code="IIU141",
                    where=place(file=str(since)),
                    what="holds no findings of an audit",
                    expected="the folder of an earlier audit",
                    fix="Name another folder after --since",
                )
            ]
        ) from error
    if audited != office:
        raise AuditError(
            [
                Problem(
                    code="IIU141",
                    where=place(file=str(since)),
                    what=f"is an audit of [{audited}]",
                    expected=f"one of [{office}]",
                    fix="Name another folder after --since",
                )
            ]
        )
    return found[0], found[1]


def _counted(statuses: list[str], names: tuple[str, ...]) -> dict[str, int]:
    counts = Counter(statuses)
    return {name: counts.get(name, 0) for name in names}


def _landing_lines(landing: Landing) -> Iterator[str]:
    for count in landing.files:
        filtered = sum(count.filtered.values())
        yield f"{count.path}: read {count.read} = landed {count.landed} + rejected {count.rejected} + filtered {filtered}"
    for one in landing.linkage:
        yield (
            f"linkage at {one.threshold:g}{' (used)' if one.is_used else ''}: {one.identities} names with a birth are "
            f"{one.persons} persons, the largest of {one.largest}; {one.births} have more than one day of birth"
        )
    for warning in landing.warnings:
        yield str(warning)

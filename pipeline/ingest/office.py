"""An office as data: `office.yml` and `codes/*.csv`, read and checked, every problem reported together."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
from rapidfuzz import fuzz, process

from pipeline.config import AuditSettings
from pipeline.contract import Column, Contract
from pipeline.errors import AuditError, Problem, place
from pipeline.ingest.expression import NotAllowed, columns_of
from pipeline.ingest.located_yaml import LocatedYaml, Path_

OFFICES_FOLDER = Path(__file__).resolve().parent.parent / "offices"
SCHEMA = json.loads((Path(__file__).parent / "office.schema.json").read_text(encoding="utf-8"))

#: In a code table, the source text that stands for an empty cell.
BLANK = "(blank)"


def nearest(text: str, among: Iterator[str] | list[str] | tuple[str, ...] | frozenset[str]) -> str:
    """` Nearest: [X].` where one of the names is alike, else an empty text."""
    found = process.extractOne(text, sorted(among), scorer=fuzz.WRatio, processor=str.casefold, score_cutoff=60)
    return f"; nearest [{found[0]}]" if found else ""


def is_misspelt(text: str, among: Sequence[str]) -> bool:
    """Whether it is one of the names but for a letter or two; a short name within a long text is no such case."""
    return bool(process.extractOne(text, among, scorer=fuzz.ratio, processor=str.casefold, score_cutoff=80))


def normalise(text: str) -> str:
    """How a source text and a code table's `source` are compared: case and runs of white space do not count."""
    return " ".join(text.split()).casefold()


def date_formats(spec: Mapping[str, Any]) -> list[str]:
    """The formats of a date column, in order."""
    formats = spec.get("date", ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S"])
    return [formats] if isinstance(formats, str) else list(formats)


@dataclass(frozen=True, kw_only=True)
class CodeTable:
    """One `codes/<name>.csv`: source text to target, and further targets by the name of their column."""

    name: str
    targets: tuple[str, ...]
    exact: Mapping[str, Mapping[str, str | None]]
    patterns: tuple[tuple[re.Pattern[str], Mapping[str, str | None]], ...]
    lines: Mapping[str, int]

    def lookup(self, source: str | None) -> Mapping[str, str | None] | None:
        """The targets of one source text; None if the table does not know it. A blank that is not listed is not recorded."""
        if source is None:
            return self.exact.get(normalise(BLANK), dict.fromkeys(self.targets, "not_recorded"))
        found = self.exact.get(normalise(source))
        if found is not None:
            return found
        return next((targets for pattern, targets in self.patterns if pattern.search(source)), None)


#: The parts of a `linked` spec that are columns.
LINKED_BY = ("forename", "surname", "birth", "sex")


@dataclass(frozen=True, kw_only=True)
class ColumnMapping:
    """Where one column of the contract, or one extension column `x_...`, comes from."""

    table: str
    name: str
    spec: Mapping[str, Any]
    kind: str
    contract: Column | None
    where: str

    @property
    def required(self) -> bool:
        return self.contract is not None and self.contract.need == "required"

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The source columns it reads, in order."""
        if "column" in self.spec:
            names = [self.spec["column"]]
        elif "sql" in self.spec:
            names = sorted(columns_of(self.spec["sql"]))
        elif "linked" in self.spec:
            names = [self.spec["linked"][part] for part in LINKED_BY if part in self.spec["linked"]]
        else:
            names = [*self.spec.get("concat", ()), *self.spec.get("coalesce", ())]
        unit = self.spec.get("duration", {}).get("unit_column")
        return (*names, *([unit] if unit else []))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One way in which a file feeds a table: each source row (or each item in a cell) becomes at most one row."""

    table: str
    file: str
    number: int
    when: str | None
    each: Mapping[str, str] | None
    columns: tuple[ColumnMapping, ...]
    where: str

    @cached_property
    def reads(self) -> frozenset[str]:
        read = {name for column in self.columns for name in column.reads}
        if self.when:
            read |= columns_of(self.when)
        if self.each:
            read.add(self.each["column"])
        return frozenset(read)


@dataclass(frozen=True, kw_only=True)
class FileMapping:
    """One kind of file of the export. `path` is a glob below the batch folder."""

    name: str
    path: str
    format: Mapping[str, Any]
    null_markers: tuple[str, ...]
    renames: Mapping[str, str]
    optional: bool
    filters: tuple[tuple[str, str], ...]
    unused: Mapping[str, str]
    where: str


@dataclass(frozen=True, kw_only=True)
class Office:
    """The whole mapping, checked against the schema and the contract."""

    folder: Path
    settings: AuditSettings
    identifiers: str
    unmapped_tolerance: float
    rejected_tolerance: float
    linkage_threshold: float | None
    source: Mapping[str, str]
    notes: tuple[str, ...]
    files: Mapping[str, FileMapping]
    not_read: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...]
    code_tables: Mapping[str, CodeTable] = field(repr=False)

    def entries_of(self, file: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.file == file)

    @cached_property
    def supplied(self) -> frozenset[tuple[str, str]]:
        """The (table, column) pairs of the contract that this office's mapping fills."""
        return frozenset((e.table, c.name) for e in self.entries for c in e.columns if c.contract is not None)


def office_folder(office: str) -> Path:
    """The folder of an office: a name under `pipeline/offices/` or a path to a folder with an `office.yml`."""
    for candidate in (OFFICES_FOLDER / office, Path(office)):
        if (candidate / "office.yml").is_file():
            return candidate
    known = sorted(p.parent.name for p in OFFICES_FOLDER.glob("*/office.yml"))
    raise AuditError(
        [
            Problem(
                code="IIU100",
                where=place(file=office),
                what=f"no such office{nearest(office, known)}",
                expected=f"one of {', '.join(known)}, or a folder that holds an office.yml",
                fix="Draft one with `iiu new-office DIR --from EXPORTS`" if not Path(office).is_dir() else "",
            )
        ]
    )


def load_office(folder: Path, contract: Contract) -> Office:
    """Read and check a whole office. Raises `AuditError` with every problem found in it."""
    document = LocatedYaml(folder / "office.yml")
    problems = list(_schema_problems(document))
    if problems:
        raise AuditError(problems)
    return _Reader(folder, document, contract).read()


def _schema_problems(document: LocatedYaml) -> Iterator[Problem]:
    for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document.value):
        path: Path_ = tuple(error.absolute_path)
        what = error.message
        hint = ""
        if error.validator == "additionalProperties" and isinstance(error.schema, dict):
            allowed = list(error.schema.get("properties", ()))
            unknown = [key for key in error.instance if key not in allowed]
            what = f"[{'], ['.join(unknown)}] is no key of the mapping language here{nearest(unknown[0], allowed)}"
            hint = f"one of {', '.join(allowed)}"
            path = (*path, unknown[0])
        elif error.validator == "oneOf" and "column" in (*path[-3:], "columns") and isinstance(error.instance, dict):
            what = "the column needs exactly one source"
            hint = "one of column, constant, concat, coalesce, row, record, sql, linked"
        yield Problem(
            code="IIU102",
            where=document.place(path),
            what=what,
            expected=hint,
            fix="See pipeline/report/guides/en/add_your_office.md",
        )


class _Reader:
    """Turns the checked document into an `Office`, gathering problems on the way."""

    def __init__(self, folder: Path, document: LocatedYaml, contract: Contract) -> None:
        self.folder = folder
        self.document = document
        self.contract = contract
        self.problems: list[Problem] = []

    def report(
        self, code: str, path: Path_, what: str, *, expected: str = "", fix: str = "", column: str | None = None
    ) -> None:
        self.problems.append(
            Problem(code=code, where=self.document.place(path, column=column), what=what, expected=expected, fix=fix)
        )

    def read(self) -> Office:
        value = self.document.value
        code_tables = self._code_tables()
        files = {name: self._file(name, entry) for name, entry in value["files"].items()}
        entries = tuple(self._entries(value["tables"], files, code_tables))
        for name in files:
            if not any(entry.file == name for entry in entries):
                self.report(
                    "IIU108",
                    ("files", name),
                    f"the file [{name}] feeds no table",
                    fix="List it under `not_read` with a reason",
                )
        for entry in entries:
            overlap = entry.reads & set(files[entry.file].unused)
            for column in sorted(overlap):
                self.report(
                    "IIU109",
                    ("files", entry.file, "unused", column),
                    f"[{column}] is listed unused, yet {entry.where} reads it",
                    fix="Delete one of the two",
                )
        settings = self._settings()
        if self.problems:
            raise AuditError(self.problems)
        return Office(
            folder=self.folder,
            settings=settings,
            identifiers=value["identifiers"],
            unmapped_tolerance=value.get("unmapped_tolerance", 0.01),
            rejected_tolerance=value.get("rejected_tolerance", 0.01),
            linkage_threshold=value.get("linkage_threshold"),
            source=value["source"],
            notes=tuple(value.get("notes", ())),
            files=files,
            not_read=tuple((entry["path"], entry["reason"]) for entry in value.get("not_read", ())),
            entries=entries,
            code_tables=code_tables,
        )

    def _settings(self) -> AuditSettings:
        value = self.document.value
        days: dict[str, date] = {}
        for path in (("as_of_date",), ("period", "from"), ("period", "to")):
            text = value[path[0]] if len(path) == 1 else value[path[0]][path[1]]
            try:
                days[path[-1]] = date.fromisoformat(text)
            except ValueError:
                self.report("IIU102", path, f"[{text}] is no day of the calendar", expected="a date as 2024-12-31")
                days[path[-1]] = date(1900, 1, 1)
        if days["from"] > days["to"]:
            self.report("IIU102", ("period",), "the period ends before it begins", expected="from on or before to")
        if days["to"] > days["as_of_date"]:
            self.report(
                "IIU102",
                ("period",),
                "the period ends after the day of the export",
                expected="to on or before as_of_date",
            )
        races = self.contract["person_race"].columns["race_code"].values
        if value["reference"]["race"] not in races:
            self.report(
                "IIU102",
                ("reference", "race"),
                "is no race code of the contract",
                expected=f"one of {', '.join(races)}",
            )
        return AuditSettings(
            office=value["office"],
            title=value["title"],
            jurisdiction=value["jurisdiction"],
            as_of_date=days["as_of_date"],
            period_from=days["from"],
            period_to=days["to"],
            reference_race=value["reference"]["race"],
            reference_citizenship=value["reference"]["citizenship"],
            seed=value["seed"],
            cannot_answer=tuple(value.get("cannot_answer", {}).items()),
            finest_period=value.get("finest_period", "quarter"),
            totals=value.get("totals", "period"),
        )

    def _file(self, name: str, entry: Mapping[str, Any]) -> FileMapping:
        filters = []
        for i, rule in enumerate(entry.get("filters", ())):
            self._check_expression(rule["drop"], ("files", name, "filters", i, "drop"))
            filters.append((rule["drop"], rule["reason"]))
        return FileMapping(
            name=name,
            path=entry["path"],
            format=entry["format"],
            null_markers=tuple(entry.get("null_markers", ())),
            renames=entry.get("renames", {}),
            optional=entry.get("optional", False),
            filters=tuple(filters),
            unused=entry.get("unused", {}),
            where=self.document.place(("files", name)),
        )

    def _entries(
        self, tables: Mapping[str, Any], files: Mapping[str, FileMapping], code_tables: Mapping[str, CodeTable]
    ) -> Iterator[Entry]:
        number = 0
        for table_name, entries in tables.items():
            table = self.contract.get(table_name)
            if table is None:
                self.report(
                    "IIU103",
                    ("tables", table_name),
                    f"[{table_name}] is no table of the contract{nearest(table_name, list(self.contract))}",
                    expected="a table of models/contract",
                    fix="Rename it",
                )
                continue
            for i, entry in enumerate(entries):
                path: Path_ = ("tables", table_name, i)
                if entry["from"] not in files:
                    self.report(
                        "IIU103",
                        (*path, "from"),
                        f"[{entry['from']}] is no file of this office{nearest(entry['from'], list(files))}",
                        expected="a name under `files`",
                    )
                    continue
                if "when" in entry:
                    self._check_expression(entry["when"], (*path, "when"))
                columns = tuple(self._columns(table_name, path, entry, code_tables))
                given = {column.name for column in columns}
                needed = {n for n, c in table.columns.items() if c.need == "required"}
                for column in sorted(needed - given):
                    self.report(
                        "IIU107",
                        (*path, "columns"),
                        f"the required column [{table_name}.{column}] is not mapped",
                        expected=table.columns[column].description,
                        fix="Map it, or a constant, or {row: true} for a key",
                    )
                yield Entry(
                    table=table_name,
                    file=entry["from"],
                    number=number,
                    when=entry.get("when"),
                    each=entry.get("each"),
                    columns=columns,
                    where=self.document.place(path),
                )
                number += 1

    def _columns(
        self, table: str, path: Path_, entry: Mapping[str, Any], code_tables: Mapping[str, CodeTable]
    ) -> Iterator[ColumnMapping]:
        known = self.contract[table].columns
        for name, raw in entry["columns"].items():
            spec: Mapping[str, Any] = {"column": raw} if isinstance(raw, str) else raw
            here: Path_ = (*path, "columns", name)
            column = known.get(name)
            if column is None and not name.startswith("x_"):
                self.report(
                    "IIU103",
                    here,
                    f"[{name}] is no column of [{table}]{nearest(name, list(known))}",
                    expected=f"one of {', '.join(known)}",
                    fix="Rename it, or begin it with x_ to let it pass through as an extension",
                )
                continue
            if column is not None and "type" in spec:
                self.report(
                    "IIU102",
                    here,
                    "`type` is for extension columns",
                    expected=f"the contract's own type, {column.kind}",
                )
            if "sql" in spec and not self._check_expression(spec["sql"], (*here, "sql")):
                continue
            if "linked" in spec:
                self._check_readings((*here, "linked"), spec["linked"])
                person = ("person", "person_id")
                if column is None or (column.references or (table, name)) != person:
                    self.report("IIU103", here, f"[{name}] names no person", expected="`linked` under a person_id")
                    continue
            kind = column.kind if column is not None else spec.get("type", "text")
            self._check_readings(here, spec)
            self._check_codes(here, spec, column, code_tables)
            yield ColumnMapping(
                table=table, name=name, spec=spec, kind=kind, contract=column, where=self.document.place(here)
            )

    def _check_expression(self, expression: str, path: Path_) -> bool:
        try:
            columns_of(expression)
        except NotAllowed as error:
            self.report(
                "IIU106",
                path,
                f"the expression cannot be used: {error}",
                expected="a DuckDB scalar expression over this row's columns, without subqueries, files, settings or the clock",
            )
            return False
        return True

    def _check_readings(self, path: Path_, spec: Mapping[str, Any]) -> None:
        """Date formats and patterns are tried on nothing, so that a wrong one is a problem here and no failure later."""
        if "date" in spec:
            for text in date_formats(spec):
                try:
                    if not text.startswith("excel-"):
                        duckdb.execute("select try_strptime('', ?)", [text])
                except duckdb.Error:
                    self.report(
                        "IIU102",
                        (*path, "date"),
                        f"[{text}] is no date format",
                        expected="as %m/%d/%Y or %Y-%m-%d %H:%M:%S, or excel-1900, excel-1904 for days counted by Excel",
                    )
            if any("%y" in text for text in date_formats(spec)) and "two_digit_year_pivot" not in spec:
                self.report(
                    "IIU102",
                    path,
                    "has years of two digits, and nothing says in which century they are",
                    expected="two_digit_year_pivot: the last year of this century that they can mean, as 24",
                )
        if "extract" in spec:
            pattern, group = spec["extract"]["pattern"], int(spec["extract"].get("group", 0))
            try:
                duckdb.execute("select regexp_extract('', ?, ?)", [pattern, group])
            except duckdb.Error:
                self.report(
                    "IIU102",
                    (*path, "extract"),
                    f"[{pattern}] with group {group} is no regular expression that can be used",
                    expected="an RE2 expression with that many groups, at most 9",
                )

    def _check_codes(
        self, path: Path_, spec: Mapping[str, Any], column: Column | None, code_tables: Mapping[str, CodeTable]
    ) -> None:
        name = spec.get("codes")
        if name is None:
            constant = spec.get("constant")
            if column is not None and column.kind == "code" and constant is not None and constant not in column.allowed:
                self.report(
                    "IIU104",
                    path,
                    f"[{constant}] is no value of {column.table}.{column.name}{nearest(constant, column.allowed)}",
                    expected=f"one of {', '.join(column.allowed)}",
                )
            return
        table = code_tables.get(name)
        if table is None:
            self.report(
                "IIU104",
                path,
                f"there is no codes/{name}.csv{nearest(name, list(code_tables))}",
                expected="a file in the office's codes folder",
            )
            return
        take = spec.get("take", "target")
        if take not in table.targets:
            self.report(
                "IIU104",
                path,
                f"codes/{name}.csv has no column [{take}]{nearest(take, table.targets)}",
                expected=f"one of {', '.join(table.targets)}",
            )
        elif column is not None and column.kind == "code":
            rows = [*((s, t) for s, t in table.exact.items()), *((p.pattern, t) for p, t in table.patterns)]
            for source, targets in rows:
                target = targets[take]
                if target is not None and target not in column.allowed:
                    self.problems.append(
                        Problem(
                            code="IIU104",
                            where=place(file=f"codes/{name}.csv", line=table.lines[source], column=take),
                            what=f"[{target}] is no value of {column.table}.{column.name}{nearest(target, column.allowed)}",
                            expected=f"one of {', '.join(column.allowed)}",
                            fix="Correct the code table",
                        )
                    )

    def _code_tables(self) -> dict[str, CodeTable]:
        return {
            path.stem: table
            for path in sorted((self.folder / "codes").glob("*.csv"))
            if (table := self._code_table(path)) is not None
        }

    def _code_table(self, path: Path) -> CodeTable | None:
        shown = f"codes/{path.name}"

        def report(line: int | None, what: str, expected: str) -> None:
            self.problems.append(
                Problem(code="IIU105", where=place(file=shown, line=line), what=what, expected=expected)
            )

        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                reader = csv.DictReader(stream, strict=True)
                header = reader.fieldnames or []
                rows = [(reader.line_num, row) for row in reader]
        except (UnicodeDecodeError, csv.Error) as error:
            report(None, f"cannot be read ({error})", "a comma-separated UTF-8 file")
            return None
        if "source" not in header or "target" not in header:
            report(1, f"has the columns {', '.join(header)}", "at least source and target")
            return None
        targets = tuple(name for name in header if name not in ("source", "note", "match"))
        exact: dict[str, Mapping[str, str | None]] = {}
        patterns: list[tuple[re.Pattern[str], Mapping[str, str | None]]] = []
        lines: dict[str, int] = {}
        for line, row in rows:
            if None in row or None in row.values():
                report(line, "has another number of cells than the header", f"{len(header)} cells")
                continue
            values = {name: (row[name].strip() or None) for name in targets}
            match = (row.get("match") or "exact").strip()
            source = row["source"].strip()
            if match == "regex":
                try:
                    pattern = re.compile(source, re.IGNORECASE)
                except re.error as error:
                    report(line, f"[{source}] is no regular expression: {error}", "a Python regular expression")
                    continue
                patterns.append((pattern, values))
                lines[pattern.pattern] = line
            elif match != "exact":
                report(line, f"match is [{match}]", "exact or regex")
            elif normalise(source) in exact:
                report(
                    line,
                    f"[{source}] is mapped twice, also on line {lines[normalise(source)]}",
                    "each source text once",
                )
            else:
                exact[normalise(source)] = values
                lines[normalise(source)] = line
        return CodeTable(name=path.stem, targets=targets, exact=exact, patterns=tuple(patterns), lines=lines)

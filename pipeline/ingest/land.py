"""Land an office's exports: every source row becomes rows of the contract's tables, or is rejected or filtered with a
reason, and is counted. read = landed + rejected + filtered holds for each file, or the run stops.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
from rapidfuzz import fuzz, process

from pipeline.contract import LINEAGE, Contract
from pipeline.database import open_database
from pipeline.errors import AuditError, Problem, Severity, place
from pipeline.ingest.compile import CompiledColumn, EntryCompiler, cleaned, namespace
from pipeline.ingest.expression import columns_of
from pipeline.ingest.freeze import SourceFile, find_sources
from pipeline.ingest.keys import identifier_key, install_key
from pipeline.ingest.link import MARK, Doubtful, Threshold, link
from pipeline.ingest.office import CodeTable, Entry, Office, is_misspelt, nearest, normalise
from pipeline.ingest.read import RawTable, literal, quoted, read_file

#: An unmapped text is printed only if it is common or resembles a known code: else it could be a name that slipped in.
SHOWN_FROM = 5
#: A column with more distinct texts than this is no code.
MOST_CODES = 200_000
#: The columns of a lookup. A header is trimmed, so no export has a column that begins with a space.
_TEXT, _VALUE = '" text"', '" value"'
#: Which person each name that persons are known by stands for.
_LINKED = '" linked persons"'


@dataclass(kw_only=True)
class FileCount:
    """What became of the rows of one file. `filtered` counts by reason."""

    path: str
    batch: str
    sha256: str
    bytes: int
    read: int = 0
    landed: int = 0
    rejected: int = 0
    filtered: dict[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    mapping: str = ""

    @property
    def is_conserved(self) -> bool:
        return self.read == self.landed + self.rejected + sum(self.filtered.values())


@dataclass(frozen=True, kw_only=True)
class Landing:
    """The files with their counts, and what the analyst should know though the run goes on."""

    files: tuple[FileCount, ...]
    warnings: tuple[Problem, ...]
    linkage: tuple[Threshold, ...] = ()
    doubtful: tuple[Doubtful, ...] = ()


def land(
    *,
    office: Office,
    contract: Contract,
    raw: Path,
    database: Path,
    work: Path,
    freeze: bool = False,
    memory_limit: str | None = None,
) -> Landing:
    """Land all files of `raw` into the schema `landed` of `database`. Raises `AuditError` with every problem found.

    What does not fit into `memory_limit`, by default that of all steps, waits in `work`.
    """
    sources = find_sources(office, raw, freeze=freeze, work=work)
    connection = open_database(database, read_only=False, with_files=True)
    try:
        connection.execute(f"set temp_directory = {literal(str(work / 'spill'))}")
        if memory_limit is not None:
            connection.execute(f"set memory_limit = {literal(memory_limit)}")
        connection.execute("set enable_progress_bar = false")  # a notebook would show it
        settings = office.settings
        install_key(connection, identifier_key(settings.office, office.identifiers, settings.as_of_date))
        lander = _Lander(connection, office, contract, work)
        lander.create_tables()
        linkage, doubtful = lander.link_persons(sources)
        for number, source in enumerate(sources):
            lander.file(number, source)
        lander.finish()
    finally:
        connection.close()
    problems = tuple(dict.fromkeys(lander.problems))  # two entries may read the same bad cell
    if any(p.severity == "error" for p in problems):
        raise AuditError(problems)
    return Landing(files=tuple(lander.counts), warnings=problems, linkage=linkage, doubtful=doubtful)


class _Lander:
    def __init__(self, connection: duckdb.DuckDBPyConnection, office: Office, contract: Contract, work: Path) -> None:
        self._db = connection
        self._office = office
        self._contract = contract
        self._work = work
        self.problems: list[Problem] = []
        self.counts: list[FileCount] = []
        self._linked: str | None = None

    # --- the schema -----------------------------------------------------------------------------------------------

    def create_tables(self) -> None:
        """Every table of the contract, whether this office feeds it or not, with its extension columns."""
        self._db.begin()  # one transaction: each alone would wait for the disk
        self._db.execute("create schema if not exists landed")
        extensions: dict[str, dict[str, str]] = {}
        for entry in self._office.entries:
            for column in EntryCompiler(self._contract, entry, lambda name, _: quoted(name)).columns():
                if column.mapping.contract is None:
                    extensions.setdefault(entry.table, {})[column.mapping.name] = column.data_type
        for table in self._contract.values():
            columns = [f"{quoted(c.name)} {c.data_type}" for c in table.columns.values()]
            columns += [f"{quoted(c.name + '_raw')} varchar" for c in table.columns.values() if c.kind == "code"]
            columns += [f"{quoted(name)} {kind}" for name, kind in sorted(extensions.get(table.name, {}).items())]
            columns += ["_batch_id varchar", "_source_file varchar", "_source_row bigint"]
            self._db.execute(f"create or replace table landed.{quoted(table.name)} ({', '.join(columns)})")
        self._db.execute(
            """create or replace table landed.rejects (
                _batch_id varchar, _source_file varchar, _source_row bigint, kind varchar, table_name varchar,
                column_name varchar, source_column varchar, value_shape varchar, rule varchar, row_shape varchar)"""
        )
        self._db.execute("create or replace table landed.supplied (table_name varchar, column_name varchar)")
        supplied = sorted(self._office.supplied)
        if supplied:
            self._db.executemany("insert into landed.supplied values (?, ?)", supplied)
        s = self._office.settings
        self._db.execute(
            """create or replace table landed.audit_settings as select
                ?::varchar as office, ?::varchar as jurisdiction, ?::date as as_of_date, ?::date as period_from,
                ?::date as period_to, ?::varchar as reference_race, ?::varchar as reference_citizenship, ?::bigint as seed""",
            [
                s.office,
                s.jurisdiction,
                s.as_of_date,
                s.period_from,
                s.period_to,
                s.reference_race,
                s.reference_citizenship,
                s.seed,
            ],
        )
        self._db.commit()

    # --- persons without a number ---------------------------------------------------------------------------------

    def link_persons(self, sources: Sequence[SourceFile]) -> tuple[tuple[Threshold, ...], tuple[Doubtful, ...]]:
        """Read all files that know persons by name alone, before any lands, and give one key to each person found.
        Returns what each threshold makes of them, and by their keys those to be looked at.

        Names stay in temporary tables of this session. A file that cannot be read is told of when it lands.
        """
        linked = {e.file: c for e in self._office.entries for c in e.columns if "linked" in c.spec}
        if not linked:
            return (), ()
        namespace_of = namespace(self._contract, next(iter(linked.values())))
        texts: set[str] = set()
        for source in (s for s in sources if s.mapping.name in linked):
            try:
                raw = read_file(self._db, source, table="raw_linked", work=self._work)
                lander = self._lander_of(
                    source, raw, FileCount(path=source.shown, batch=source.batch, sha256="", bytes=0)
                )
                texts |= lander.identities()
            except duckdb.OutOfMemoryException:
                raise
            except (AuditError, duckdb.Error):
                continue
            finally:
                self._drop_all("raw_linked")
        found = link(sorted(texts), threshold=self._office.linkage_threshold)
        self._db.execute(f"create temp table {_LINKED} ({_TEXT} varchar, {_VALUE} varchar)")
        people = pa.table({"text": list(found.person_of), "person": list(found.person_of.values())})
        self._db.register("people", people)
        self._db.execute(f"insert into {_LINKED} select text, keyed({literal(namespace_of)}, person) from people")
        self._db.unregister("people")
        self._linked = namespace_of
        key = dict(self._db.execute(f"select {_TEXT}, {_VALUE} from {_LINKED}").fetchall())
        doubtful = [
            replace(one, person=key[one.person], nearest_person=key.get(one.nearest_person)) for one in found.doubtful
        ]
        return found.thresholds, tuple(sorted(doubtful, key=lambda one: one.person))  # not in the order of their names

    # --- one file -------------------------------------------------------------------------------------------------

    def file(self, number: int, source: SourceFile) -> None:
        count = FileCount(path=source.shown, batch=source.batch, sha256=source.sha256, bytes=source.bytes)
        self.counts.append(count)
        try:
            raw = read_file(self._db, source, table=f"raw_{number}", work=self._work)
        except AuditError as error:
            self.problems += error.problems
            return
        count.read = raw.records
        count.columns, count.mapping = raw.columns, source.mapping.name
        self.problems += raw.warnings
        entries = self._office.entries_of(source.mapping.name)
        self.problems += self._sent_twice(source, count, entries)
        header_problems = list(self._header_problems(source, raw, entries))
        self.problems += header_problems
        if not any(p.severity == "error" for p in header_problems):
            lander = self._lander_of(source, raw, count)
            try:
                lander.run()
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.Error as error:
                self.problems += lander.failures(error)
                return
            if not count.is_conserved:
                self.problems.append(
                    Problem(
                        code="IIU119",
                        where=place(file=source.shown),
                        what=f"read {count.read} rows, but landed {count.landed}, rejected {count.rejected}, filtered {sum(count.filtered.values())}",
                        expected="read = landed + rejected + filtered",
                        fix="This is a defect of the program; please report it",
                    )
                )
        self._drop_all(raw.name)

    def _sent_twice(self, source: SourceFile, count: FileCount, entries: Sequence[Entry]) -> Iterator[Problem]:
        """A file that is there before: rows with a key of the export take the place of their twins, others count twice."""
        if not any("row" in column.spec or "record" in column.spec for entry in entries for column in entry.columns):
            return
        for other in self.counts[:-1]:
            if count.read and (other.sha256, other.mapping) == (count.sha256, count.mapping):
                yield Problem(
                    code="IIU123",
                    where=place(file=source.shown),
                    what=f"holds the same bytes as {other.path}, and its rows have no key of the export: each would count twice",
                    expected="each export once",
                    fix="Delete one of the two",
                )

    def _lander_of(self, source: SourceFile, raw: RawTable, count: FileCount) -> _FileLander:
        entries = self._office.entries_of(source.mapping.name)
        return _FileLander(
            self._db, self._office, self._contract, source, raw, entries, count, self.problems, self._linked
        )

    def _drop_all(self, name: str) -> None:
        for ending in ("", "_numbered", "_rows", "_rejects", "_scans", "_steps"):
            self._drop(name + ending)
        self._drop("cells")

    def _drop(self, name: str) -> None:
        for kind in ("view", "table"):
            try:
                self._db.execute(f"drop {kind} if exists {quoted(name)}")
            except duckdb.CatalogException:
                continue  # it exists as the other kind

    def _header_problems(self, source: SourceFile, raw: RawTable, entries: Sequence[Entry]) -> Iterator[Problem]:
        """Every column that is read must be there; every column that is there must be read or listed unused."""
        known = {name.casefold() for name in raw.columns}
        used: set[str] = set()
        missing: dict[str, list[str]] = {}
        for entry in entries:
            prefix = f"{entry.each['as']}." if entry.each else None
            for name in sorted(entry.reads):
                if prefix and name.startswith(prefix):
                    continue
                used.add(name.casefold())
                if name.casefold() not in known:
                    missing.setdefault(name, []).append(entry.where)
        for name, (first, *others) in missing.items():
            yield Problem(
                code="IIU201",
                where=place(file=source.shown, line=1, column=name),
                what=f"the column is missing; {first} reads it"
                + (f", as do {', '.join(others)}" if others else "")
                + nearest(name, raw.columns),
                expected="the columns that office.yml maps",
                fix="If it was renamed, add the new header under `renames`; if it is gone for good, take it out of the mapping",
            )
        for drop, _ in source.mapping.filters:
            used |= {name.casefold() for name in columns_of(drop)}
        unused = {name.casefold() for name in source.mapping.unused}
        for name in raw.columns:
            if name.casefold() not in used | unused:
                yield Problem(
                    code="IIU202",
                    where=place(file=source.shown, line=1, column=name),
                    what=f"the column is neither mapped nor listed unused{nearest(name, [n for e in entries for n in e.reads] or ['-'])}",
                    expected="every column to be one or the other",
                    fix=f"Map it, or list it under files.{source.mapping.name}.unused with a reason",
                )

    # --- after all files ------------------------------------------------------------------------------------------

    def finish(self) -> None:
        for name in self._office.files:
            self.problems += _changed_headers([count for count in self.counts if count.mapping == name])
        self._db.execute("checkpoint")


class _FileLander:
    """Lands one raw table: filters, code tables, problems, then one insert per entry."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        office: Office,
        contract: Contract,
        source: SourceFile,
        raw: RawTable,
        entries: Sequence[Entry],
        count: FileCount,
        problems: list[Problem],
        linked: str | None,
    ) -> None:
        self._linked = linked
        self._db = connection
        self._office = office
        self._contract = contract
        self._source = source
        self._raw = raw
        self._entries = entries
        self._count = count
        self._problems = problems
        self._overrides: dict[tuple[str, tuple[str, ...]], str] = {}
        self._lookups: dict[tuple[int, str], str] = {}
        self._hashed: dict[str, str] = {}

    def run(self) -> None:
        compiled = {entry.number: self._compile(entry) for entry in self._entries}
        self._hash_once([column for entry in self._entries if not entry.each for column in compiled[entry.number]])
        self._create_cleaned()
        for entry in self._entries:
            self._check_items(entry)
        self._filter()
        for entry in self._entries:
            for column in compiled[entry.number]:
                if column.is_code:
                    self._create_lookup(entry, column)
        self._db.execute("create or replace temp table bad_rows (_row bigint)")
        for entry in self._entries:
            self._find_unreadable(entry, compiled[entry.number])
        self._db.execute("create or replace temp table rejected_rows as select distinct _row from bad_rows")
        rejected = self._db.execute("select count(*) from rejected_rows").fetchone()
        self._count.rejected = len(self._raw.rejects) + (int(rejected[0]) if rejected else 0)
        inserted = [self._insert(entry, compiled[entry.number]) for entry in self._entries]
        self._reject_rows()
        self._account(most_inserted=max(inserted))

    def identities(self) -> set[str]:
        """What the rows that are no filtered ones know persons by, where they know no number."""
        compiled = {entry.number: self._compile(entry) for entry in self._entries}
        self._create_cleaned()
        self._filter()
        return {
            text
            for entry in self._entries
            for column in compiled[entry.number]
            if "linked" in column.mapping.spec
            for (text,) in self._db.execute(
                f"select distinct {column.source} from {self._rows_of(entry)} as r where contains({column.source}, {literal(MARK)})"
            ).fetchall()
        }

    def failures(self, error: duckdb.Error) -> Iterator[Problem]:
        """Which expressions of office.yml fail on these rows. What DuckDB says of it may quote a cell, and is not repeated."""
        tried = [(f"the filter [{drop}]", drop, "cells") for drop, _ in self._source.mapping.filters]
        tried += [(entry.where, entry.when, "cells") for entry in self._entries if entry.when]
        tried += [
            (column.where, f"({column.spec['sql']})::varchar", self._rows_of(entry))
            for entry in self._entries
            for column in entry.columns
            if "sql" in column.spec
        ]
        found = False
        for where, expression, rows in tried:
            try:
                self._db.execute(f"select count({expression}) from {rows} as r").fetchone()
            except duckdb.Error as own:
                found = True
                yield self._failure(where, own)
        if not found:
            yield self._failure("its mapping", error)

    def _failure(self, where: str, error: duckdb.Error) -> Problem:
        return Problem(
            code="IIU203",
            where=place(file=self._source.shown),
            what=f"an expression fails on its rows: {where} ({type(error).__name__})",
            expected="an expression that gives a value, or null, for every row",
            fix="Use try_cast and try_strptime instead of cast and strptime",
        )

    def _compile(self, entry: Entry) -> tuple[CompiledColumn, ...]:
        def override(name: str, markers: Sequence[str]) -> str:
            key = (name, tuple(markers))
            self._overrides.setdefault(key, f"{name}|{len(self._overrides)}")
            return quoted(self._overrides[key])

        return EntryCompiler(self._contract, entry, override).columns()

    # --- the rows as clean text -----------------------------------------------------------------------------------

    def _hash_once(self, columns: Sequence[CompiledColumn]) -> None:
        """What several entries read as one identifier stands hashed in `cells`; but for expressions of the office's own, which
        may fail on rows that their entry does not see.
        """
        uses = Counter(c.value for c in columns if c.namespace is not None and "sql" not in c.mapping.spec)
        repeated = [value for value, n in uses.items() if n > 1]
        self._hashed = {value: f" {number} hashed" for number, value in enumerate(repeated)}

    def _create_cleaned(self) -> None:
        """`cells`: this file's rows as trimmed text with NULL for null markers; a table, since most are read several times.

        It lies in the database, where it is compressed: a temporary one of a large file would not fit into memory.
        """
        markers = self._source.mapping.null_markers
        columns = [f"{cleaned(quoted(name), markers)} as {quoted(name)}" for name in self._raw.columns]
        columns += [
            f"{cleaned(quoted(name), own)} as {quoted(alias)}" for (name, own), alias in self._overrides.items()
        ]
        hashed = [f"{value} as {quoted(alias)}" for value, alias in self._hashed.items()]
        self._db.execute(
            f"""create or replace table cells as select {", ".join(["*", *hashed])} from (
                select _row, {literal(self._source.batch)} as _batch_id, {literal(self._source.shown)} as _source_file,
                    {", ".join(columns)} from {quoted(self._raw.name)}) as r"""
        )

    def _rows_of(self, entry: Entry) -> str:
        """The rows an entry sees: the kept rows, or one row per item of a JSON cell; with its `when`."""
        rows = "(select * from cells where _row not in (select _row from filtered_rows))"
        if self._count.filtered == {}:
            rows = "cells"
        if entry.each:
            cell, name = quoted(entry.each["column"]), entry.each["as"]
            keys = self._item_keys(entry)
            fields = ", ".join(
                f"{quoted(key)} := {cleaned(f'_item ->> {literal(_json_path(key))}', self._source.mapping.null_markers)}"
                for key in keys
            )
            rows = f"""(select * exclude (_item), struct_pack({fields or "_nothing := null"}) as {quoted(name)} from (
                select *, unnest(_items) as _item, generate_subscripts(_items, 1) as _item_number from (
                    select *, case when json_valid({cell}) then json_extract({cell}, '$[*]') end as _items from {rows} as kept
                ) as listed) as items)"""
        return f"(select * from {rows} as kept where ({entry.when}))" if entry.when else rows

    def _item_keys(self, entry: Entry) -> list[str]:
        assert entry.each is not None
        prefix = entry.each["as"] + "."
        return sorted({name.removeprefix(prefix) for name in entry.reads if name.startswith(prefix)})

    def _check_items(self, entry: Entry) -> None:
        """Every key of the items is mapped or listed unused, as every column is."""
        if not entry.each:
            return
        cell, prefix = quoted(entry.each["column"]), entry.each["as"] + "."
        found = self._db.execute(
            f"""select distinct key from (select unnest(json_keys(item)) as key from (
                select unnest(json_extract({cell}, '$[*]')) as item from cells where json_valid({cell})) as items) as keys order by key"""
        ).fetchall()
        used = {name for e in self._entries if e.each and e.each == entry.each for name in e.reads}
        for (key,) in found:
            if prefix + key not in used and prefix + key not in self._source.mapping.unused:
                self._problems.append(
                    Problem(
                        code="IIU202",
                        where=place(file=self._source.shown, column=prefix + key),
                        what=f"the key of the JSON in [{entry.each['column']}] is neither mapped nor listed unused",
                        expected="every key to be one or the other",
                        fix=f'List "{prefix}{key}" under files.{self._source.mapping.name}.unused with a reason, or map it',
                    )
                )
        broken = self._db.execute(
            f"select count(*), min(_row) from cells where {cell} is not null and (not json_valid({cell}) or json_type({cell}) <> 'ARRAY')"
        ).fetchone()
        if broken and broken[0]:
            self._report_unreadable(entry.each["column"], "is no JSON array", broken[0], broken[1], required=False)

    def _filter(self) -> None:
        self._db.execute("create or replace temp table filtered_rows (_row bigint, reason varchar)")
        for drop, reason in self._source.mapping.filters:
            self._db.execute(
                f"""insert into filtered_rows select _row, {literal(reason)} from cells
                where ({drop}) and _row not in (select _row from filtered_rows)"""
            )
        self._count.filtered = {
            str(reason): int(n)
            for reason, n in self._db.execute(
                "select reason, count(*) from filtered_rows group by reason order by reason"
            ).fetchall()
        }

    # --- codes ----------------------------------------------------------------------------------------------------

    def _create_lookup(self, entry: Entry, column: CompiledColumn) -> None:
        """A table `source, target` with one row per distinct source text, so the join cannot multiply rows."""
        texts = self._db.execute(
            f"""select {column.source} as source, count(*) as n, min(_row) as first from {self._rows_of(entry)} as r
            group by all order by source limit {MOST_CODES + 1}"""
        ).fetchall()
        name = f"lookup_{entry.number}_{column.mapping.name}"
        self._lookups[entry.number, column.mapping.name] = name
        where = place(file=self._source.shown, column=", ".join(column.mapping.reads))
        if len(texts) > MOST_CODES:
            self._problems.append(
                Problem(
                    code="IIU206",
                    where=where,
                    what=f"has over {MOST_CODES} different texts, so it is no code",
                    expected="a column of codes",
                    fix="Map another column, or use `extract`",
                )
            )
            texts = []
        table = self._code_table(column)
        take = column.mapping.spec.get("take", "target")
        rows: list[tuple[str, str | None]] = []
        unmapped: list[tuple[str, int, int]] = []
        for source, n, first in texts:
            targets = table.lookup(source)
            if targets is None:
                unmapped.append((source, n, first))
            rows.append((source or "", "unmapped" if targets is None else targets[take]))
        self._db.execute(f"create or replace temp table {quoted(name)} ({_TEXT} varchar, {_VALUE} varchar)")
        if rows:
            # One statement: a row at a time would be slow for thousands of codes.
            self._db.execute(
                f"insert into {quoted(name)} select unnest(?::varchar[]), unnest(?::varchar[])",
                [[source for source, _ in rows], [target for _, target in rows]],
            )
        self._report_unmapped(table, unmapped, sum(n for _, n, _ in texts), where)

    def _code_table(self, column: CompiledColumn) -> CodeTable:
        if column.code_table is not None:
            return self._office.code_tables[column.code_table]
        assert column.mapping.contract is not None
        allowed = column.mapping.contract.allowed
        return CodeTable(
            name="", targets=("target",), exact={normalise(v): {"target": v} for v in allowed}, patterns=(), lines={}
        )

    def _report_unmapped(
        self, table: CodeTable, unmapped: Sequence[tuple[str, int, int]], total: int, where: str
    ) -> None:
        missing = sum(n for _, n, _ in unmapped)
        share = missing / total if total else 0.0
        severity: Severity = "error" if share > self._office.unmapped_tolerance else "warning"
        listed = sorted(unmapped, key=lambda item: (-item[1], item[0]))
        file = f"codes/{table.name}.csv" if table.name else "a code table"
        for source, n, first in listed[:20]:
            # a name that slipped into the column must not be printed, and resembles some short code
            is_shown = n >= SHOWN_FROM or is_misspelt(source, list(table.exact))
            text, hint = (source, nearest(source, list(table.exact))) if is_shown else (_shape(source), "")
            self._problems.append(
                Problem(
                    code="IIU205" if severity == "error" else "IIU204",
                    where=where,
                    severity=severity,
                    what=f"value [{text}] ({n} rows, first in row {first}) is not mapped{hint}",
                    expected=f"a value of {file} ({share:.1%} of the rows are unmapped, {self._office.unmapped_tolerance:.1%} are tolerated)",
                    fix=f"Add it to {file}",
                )
            )
        if len(listed) > 20:
            self._problems.append(
                Problem(
                    code="IIU204",
                    where=where,
                    severity="warning",
                    what=f"{len(listed) - 20} more values are not mapped ({sum(n for _, n, _ in listed[20:])} rows)",
                    fix=f"Add them to {file}",
                )
            )

    # --- what cannot be read --------------------------------------------------------------------------------------

    def _find_unreadable(self, entry: Entry, columns: Sequence[CompiledColumn]) -> None:
        """Count what cannot be read in one scan; only columns with a finding are scanned again for the rows."""
        conditions: list[tuple[CompiledColumn, str, str, bool]] = []
        for column in columns:
            essential = column.mapping.required
            if column.unreadable:
                conditions.append((column, column.unreadable, column.rule, essential))
            if essential and not column.is_code and "constant" not in column.mapping.spec:
                conditions.append((column, f"{column.source} is null", "is blank, and the column is required", True))
        if not conditions:
            return
        rows = self._rows_of(entry)
        counts = self._db.execute(
            f"select count(*), {', '.join(f'count(*) filter (where {c}), min(_row) filter (where {c})' for _, c, _, _ in conditions)} from {rows} as r"
        ).fetchone()
        assert counts is not None
        for i, (column, condition, rule, essential) in enumerate(conditions):
            n, first = int(counts[1 + 2 * i]), counts[2 + 2 * i]
            if not n:
                continue
            doubt = self._days_first(column, rows) if rule == column.rule else ""
            self._report_unreadable(", ".join(column.mapping.reads), rule + doubt, n, int(first), required=essential)
            if essential:
                self._db.execute(f"insert into bad_rows select _row from {rows} as r where {condition}")
            self._db.execute(
                f"""insert into landed.rejects select _batch_id, _source_file, _row, {literal("row" if essential else "cell")},
                    {literal(entry.table)}, {literal(column.mapping.name)}, {literal(", ".join(column.mapping.reads))},
                    {_shape_sql(column.source)}, {literal(rule)}, null from {rows} as r where {condition}"""
            )

    def _days_first(self, column: CompiledColumn, rows: str) -> str:
        """What to add where dates of the other order stand in the column: then those that both orders read are in doubt."""
        if column.other_order is None:
            return ""
        found = self._db.execute(
            f"""select count(*) filter (where ({column.unreadable}) and ({column.other_order})),
                count(*) filter (where not ({column.unreadable}) and ({column.other_order})) from {rows} as r"""
        ).fetchone()
        if not found or not found[0]:
            return ""
        return f"; {found[0]} of them would be one with day and month in the other order, as {found[1]} that were read would be too"

    def _report_unreadable(self, column: str, rule: str, n: int, first: int, *, required: bool) -> None:
        share = n / self._raw.records if self._raw.records else 0.0
        severe = share > self._office.rejected_tolerance
        outcome = "the rows are rejected" if required else "the rows are loaded without it"
        self._problems.append(
            Problem(
                code="IIU302" if severe else "IIU301",
                severity="error" if severe else "warning",
                where=place(file=self._source.shown, line=first, column=column),
                what=f"the value {rule} ({n} rows, {share:.1%} of the file, first in row {first}); {outcome}",
                expected=f"at most {self._office.rejected_tolerance:.1%} of the rows" if severe else "",
                fix="Correct the mapping of this column in office.yml, or `rejected_tolerance`"
                if severe
                else "An audit lists them in restricted/rejects.parquet",
            )
        )

    # --- into the contract ----------------------------------------------------------------------------------------

    def _insert(self, entry: Entry, columns: Sequence[CompiledColumn]) -> int:
        """Returns how many source rows landed by this entry; 0 where one source row may give several rows."""
        selected = ["_batch_id", "_source_file", "_row"]
        names = list(LINEAGE)
        joins: list[str] = []
        keep: list[str] = ["r._row not in (select _row from rejected_rows)"] if self._count.rejected else ["true"]
        for column in columns:
            name = column.mapping.name
            value = f"({column.value})::{column.data_type}"
            if column.is_code:
                lookup = self._lookups[entry.number, name]
                # One row per source text: the join keeps the number of rows.
                joins.append(f"left join {quoted(lookup)} on coalesce({column.source}, '') = {quoted(lookup)}.{_TEXT}")
                value = f"{quoted(lookup)}.{_VALUE}"
                if column.mapping.required:
                    keep.append(f"{value} is not null")  # an empty target in the code table: emit nothing
                elif column.mapping.contract is None:
                    value = f"{value}::{column.data_type}"
            elif column.value in self._hashed:
                value = quoted(self._hashed[column.value])
            if column.namespace is not None and column.namespace == self._linked:
                person = quoted(f"{name} linked")
                joins.append(f"left join {_LINKED} as {person} on {column.source} = {person}.{_TEXT}")
                value = f"coalesce({person}.{_VALUE}, {value})"
            names.append(name)
            selected.append(value)
            if column.mapping.kind == "code" and column.mapping.contract is not None:
                names.append(f"{name}_raw")
                selected.append("null" if "constant" in column.mapping.spec else column.source)
        row = self._db.execute(
            f"""insert into landed.{quoted(entry.table)} ({", ".join(quoted(n) for n in names)})
            select {", ".join(selected)} from {self._rows_of(entry)} as r {" ".join(joins)} where {" and ".join(keep)}"""
        ).fetchone()
        return int(row[0]) if row and not entry.each else 0

    def _reject_rows(self) -> None:
        """Keep each rejected row by its shape: letters as a, digits as 9, identifying columns as stars."""
        if not self._count.rejected:
            return
        identifying = {
            name
            for entry in self._entries
            for column in entry.columns
            for name in column.reads
            if column.kind in ("id", "text")
        } | set(self._source.mapping.unused)
        shapes = ", ".join(
            f"{literal(name)}, {literal('***') if name in identifying else _shape_sql(quoted(name))}"
            for name in self._raw.columns
        )
        self._db.execute(
            f"""update landed.rejects set row_shape = c.shape from (
                select _row, json_object({shapes})::varchar as shape from cells where _row in (select _row from rejected_rows)) as c
            where kind = 'row' and _source_row = c._row and _source_file = {literal(self._source.shown)}"""
        )
        if self._raw.rejects:
            # One statement: a row at a time would take minutes where most of a file is torn.
            self._db.execute(
                """insert into landed.rejects
                select ?, ?, unnest(?::bigint[]), 'reading', null, null, null, null, unnest(?::varchar[]), null""",
                [
                    self._source.batch,
                    self._source.shown,
                    [reject.row for reject in self._raw.rejects],
                    [reject.rule for reject in self._raw.rejects],
                ],
            )
            share = len(self._raw.rejects) / max(self._raw.records, 1)
            severe = share > self._office.rejected_tolerance
            by_rule: dict[str, list[int]] = {}
            for reject in self._raw.rejects:
                by_rule.setdefault(reject.rule, []).append(reject.row)
            for rule, rows in by_rule.items():
                self._problems.append(
                    Problem(
                        code="IIU302" if severe else "IIU301",
                        severity="error" if severe else "warning",
                        where=place(file=self._source.shown, line=rows[0]),
                        what=f"{rule} ({len(rows)} rows, first row {rows[0]}); the rows are rejected",
                        expected="records of the form that office.yml says, with as many cells as the header",
                        fix="Look at the row; check `format` in office.yml, or ask for the file again: it may be cut off",
                    )
                )

    def _account(self, *, most_inserted: int) -> None:
        sound = self._count.read - self._count.rejected - sum(self._count.filtered.values())
        if most_inserted == sound:  # one table took every sound row
            self._count.landed = sound
            return
        mine = f"_batch_id = {literal(self._source.batch)} and _source_file = {literal(self._source.shown)}"
        tables = sorted({entry.table for entry in self._entries})
        union = " union ".join(f"select _source_row from landed.{quoted(table)} where {mine}" for table in tables)
        landed = self._db.execute(f"select count(*) from ({union}) as u").fetchone()
        self._count.landed = int(landed[0]) if landed else 0
        # Rows that were sound, yet that no table takes: every `when` said no, or a code table says to emit nothing.
        idle = self._db.execute(
            f"""select count(*) from cells where _row not in (select _row from filtered_rows)
                and _row not in (select _row from rejected_rows) and _row not in (select _source_row from ({union}) as u)"""
        ).fetchone()
        if idle and idle[0]:
            self._count.filtered["no table takes this row"] = int(idle[0])


def _changed_headers(counts: Sequence[FileCount]) -> Iterator[Problem]:
    """Which columns came, went or seem to be renamed in a batch, beside the same file of the batch before."""
    for before, now in pairwise(counts):
        gone = [name for name in before.columns if name not in now.columns]
        come = [name for name in now.columns if name not in before.columns]
        if before.batch == now.batch or not (gone or come):
            continue
        renamed = [f"{old} to {new}" for old, new in _alike(gone, come)]
        said = [
            f"{what}: {', '.join(names)}"
            for what, names in (("gone", gone), ("new", come), ("perhaps renamed", renamed))
            if names
        ]
        yield Problem(
            code="IIU304",
            where=place(file=now.path, line=1),
            severity="warning",
            what=f"has other columns than {before.path}; {'; '.join(said)}",
            fix="Ask what changed; a renamed column goes under `renames`",
        )


def _alike(gone: Sequence[str], come: Sequence[str]) -> Iterator[tuple[str, str]]:
    for old in gone:
        found = (
            process.extractOne(old, come, scorer=fuzz.WRatio, processor=normalise, score_cutoff=75) if come else None
        )
        if found:
            yield old, found[0]


def _json_path(key: str) -> str:
    return "$." + json.dumps(key)


def _shape(text: str) -> str:
    return "".join("a" if c.isalpha() else "9" if c.isdigit() else c for c in text)[:40]


def _shape_sql(expression: str) -> str:
    return f"left(regexp_replace(regexp_replace({expression}, '\\p{{L}}', 'a', 'g'), '[0-9]', '9', 'g'), 40)"

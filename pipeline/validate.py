"""What must hold at the two doors: of the landed tables, and of the marts.

The checks are data (`expectations/*.yml`); this module draws them, and Great Expectations evaluates them over DuckDB.
Every check is one SQL condition over rows: true holds, false is a violation, null is not counted. So the checks of a
table are columns of one query, and are counted in one scan of it, inside the database.

No other module imports Great Expectations, and this one only when it evaluates: the import takes seconds.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal

import duckdb
import yaml
from jinja2 import Environment, StrictUndefined

from pipeline.contract import ROOT, load_contract
from pipeline.database import memory_limit
from pipeline.errors import AuditError, Problem
from pipeline.ingest.located_yaml import LocatedYaml, Path_
from pipeline.ingest.office import nearest

Door = Literal["landed", "marts"]
Category = Literal["conformance", "completeness", "plausibility"]
Status = Literal["passed", "failed", "not_applicable", "error"]

EXPECTATIONS_FOLDER = ROOT / "expectations"

#: Which files say what must hold at a door.
CATALOGUE: Mapping[Door, tuple[str, ...]] = {"landed": ("contract.yml", "plausibility.yml"), "marts": ("marts.yml",)}

#: Where the answers to the conditions of one suite stand, in memory, while they are counted.
_ANSWERS = "memory.main.answers"

#: What a rule must say, and what it may.
REQUIRED_KEYS = frozenset({"rule", "category", "description", "holds", "threshold", "note"})
OPTIONAL_KEYS = frozenset({"of", "columns", "tables", "rows", "needs", "only_when", "thresholds", "except"})


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """Why a check may fail for now. It ends on a day, and it must go once the check holds."""

    kind: str
    reason: str
    until: date


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition over rows. `threshold` is the percent of the counted rows that may violate it."""

    check_id: str
    table: str
    column: str
    description: str
    category: Category
    rows: str
    holds: str
    needs: tuple[tuple[str, str], ...]
    threshold: float
    note: str
    exemption: Exemption | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What came of one check. `percent` and `threshold` are percents of `denominator`, the rows it could be asked of.

    `not_applicable` says in `note` why it could not be asked; an empty denominator is never a pass. `query` lists the
    violations, for an analyst inside the office.
    """

    check_id: str
    door: Door
    table: str
    column: str
    description: str
    category: Category
    violated: int | None
    denominator: int | None
    percent: float | None
    threshold: float
    status: Status
    note: str
    query: str


def validate(
    database: Path,
    *,
    door: Door,
    supplied: AbstractSet[tuple[str, str]],
    office_folder: Path | None = None,
) -> list[CheckResult]:
    """All checks of one door, in the order of their ids.

    `supplied` are the (table, column) pairs of the contract which the office's mapping fills. `office_folder` may hold
    a `checks.yml` with the office's own thresholds, exemptions and rules; what is wrong in it raises `AuditError`.
    The database is opened read-only, and closed on return.
    """
    connection = duckdb.connect(config={"temp_directory": f"{database}.tmp", "memory_limit": memory_limit()})
    try:
        # Under a name of its own: the name of a file may be that of a schema.
        connection.execute(f"attach {_literal(str(database))} as audit (read_only)")
        connection.execute("use audit")
        # Whatever SQL a rule holds, it can read this database and nothing else of the machine.
        connection.execute("set enable_external_access = false")
        standing = _landed(connection, supplied) if door == "landed" else _marts(connection)
        checks = _drawn(_shipped_rules(door), standing)
        if office_folder is not None and (office_folder / "checks.yml").is_file():
            checks = _with_office(checks, LocatedYaml(office_folder / "checks.yml"), door, standing)
        checks = sorted(checks, key=lambda check: check.check_id)
        why_not = {check.check_id: standing.why_not(check) for check in checks}
        counted = _count(connection, [check for check in checks if why_not[check.check_id] is None])
        return [
            _result(check, door, why_not[check.check_id], counted.get(check.check_id), standing.as_of_date)
            for check in checks
        ]
    finally:
        connection.close()


# --- what stands at a door --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column as rules choose it and templates speak of it. A mart's columns have no more than a name."""

    name: str
    kind: str = ""
    need: str = ""
    unit: str | None = None
    values: str = ""
    parent: tuple[str, str] | None = None
    is_extension: bool = False

    @property
    def sql(self) -> str:
        return _quoted(self.name)


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """The tables at a door with their columns and keys, and which of them hold anything."""

    schema: str
    as_of_date: date
    columns: Mapping[str, Sequence[_Column]]
    keys: Mapping[str, Sequence[str]]
    filled: AbstractSet[str]
    not_supplied: AbstractSet[tuple[str, str]]
    words: Mapping[str, object]

    def why_not(self, check: Check) -> str | None:
        """Why a check cannot be asked here, or None."""
        for table, column in check.needs:
            if table not in self.filled:
                return f"The table {table} is empty."
            if (table, column) in self.not_supplied or column not in ("", *(c.name for c in self.columns[table])):
                return f"The office does not supply {table}.{column}."
        return None


def _landed(connection: duckdb.DuckDBPyConnection, supplied: AbstractSet[tuple[str, str]]) -> _Standing:
    contract = load_contract()
    found = _columns_of(connection, "landed")
    columns = {
        table.name: [
            _Column(
                name=column.name,
                kind=column.kind,
                need=column.need,
                unit=column.unit,
                values=", ".join(_literal(value) for value in column.allowed),
                parent=column.references,
            )
            for column in table.columns.values()
        ]
        + [
            _Column(name=name, kind="text" if kind == "VARCHAR" else "", is_extension=True)
            for name, kind in found[table.name]
            if name.startswith("x_")
        ]
        for table in contract.values()
    }
    return _standing(
        connection,
        "landed",
        columns,
        keys={table.name: table.key for table in contract.values()},
        not_supplied={(t.name, c) for t in contract.values() for c in t.columns} - supplied,
    )


def _marts(connection: duckdb.DuckDBPyConnection) -> _Standing:
    columns = {
        table: [_Column(name=name) for name, _ in columns]
        for table, columns in _columns_of(connection, "marts").items()
    }
    standing = _standing(connection, "marts", columns, keys={}, not_supplied=frozenset())
    found = connection.execute("select * from reference.measures order by measure_id")
    names = [column[0] for column in found.description]
    measures = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    counted = [m for m in measures if m["fact"] in columns and (m["denominator"] or m["numerator"])]
    return replace(standing, words={**standing.words, "measures": counted})


def _standing(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    columns: Mapping[str, Sequence[_Column]],
    *,
    keys: Mapping[str, Sequence[str]],
    not_supplied: AbstractSet[tuple[str, str]],
) -> _Standing:
    days = connection.execute("select as_of_date, period_from, period_to from landed.audit_settings").fetchall()[0]
    probes = " union all ".join(
        f"select {_literal(table)} where exists (from {schema}.{_quoted(table)})" for table in columns
    )
    return _Standing(
        schema=schema,
        as_of_date=days[0],
        columns=columns,
        keys=keys,
        filled={table for (table,) in connection.execute(probes).fetchall()} if probes else frozenset(),
        not_supplied=not_supplied,
        words={
            name: f"date '{day}'" for name, day in zip(("as_of_date", "period_from", "period_to"), days, strict=True)
        },
    )


def _columns_of(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, list[tuple[str, str]]]:
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in connection.execute(
        """select table_name, column_name, data_type from information_schema.columns
        where table_catalog = 'audit' and table_schema = ? order by table_name, ordinal_position""",
        [schema],
    ).fetchall():
        columns.setdefault(table, []).append((name, kind))
    return columns


# --- the catalogue ----------------------------------------------------------------------------------------------------


def _shipped_rules(door: Door) -> list[dict[str, Any]]:
    return [
        rule
        for name in CATALOGUE[door]
        for rule in yaml.safe_load((EXPECTATIONS_FOLDER / name).read_text(encoding="utf-8"))["rules"]
    ]


def _drawn(rules: Iterable[Mapping[str, Any]], standing: _Standing) -> list[Check]:
    """One check for each column, or each table, that a rule is about."""
    template = cache(Environment(undefined=StrictUndefined).from_string)

    def render(text: str, words: Mapping[str, object]) -> str:
        return template(text).render(words)

    checks = (
        _check(rule, standing, table, column, render)
        for rule in rules
        for table, columns in standing.columns.items()
        for column in _subjects(rule, table, columns)
    )
    return [check for check in checks if check.holds.strip()]


def _subjects(rule: Mapping[str, Any], table: str, columns: Sequence[_Column]) -> Iterator[_Column | None]:
    """The columns of a table that a rule is about; None stands for the table as a whole."""
    exceptions = rule.get("except", {})
    if any(fnmatchcase(table, pattern) for pattern in rule.get("tables", ())) and table not in exceptions:
        yield None
    for column in columns:
        full = f"{table}.{column.name}"
        is_named = any(fnmatchcase(full, pattern) for pattern in rule.get("columns", ()))
        if (is_named or _is_of(column, rule.get("of", {}))) and full not in exceptions:
            yield column


def _is_of(column: _Column, of: Mapping[str, Any]) -> bool:
    """Whether a column of the contract has every fact asked for."""
    if not of or column.is_extension:
        return False
    wants_parent = of.get("references", column.parent is not None)
    lists = {fact: of[fact] for fact in ("kind", "need", "unit") if fact in of}
    return wants_parent == (column.parent is not None) and all(getattr(column, f) in lists[f] for f in lists)


def _check(
    rule: Mapping[str, Any],
    standing: _Standing,
    table: str,
    column: _Column | None,
    render: Callable[[str, Mapping[str, object]], str],
) -> Check:
    name = column.name if column else ""
    full = f"{table}.{name}" if column else table
    key = standing.keys.get(table, ())
    parent = (column.parent if column else None) or ("", "")
    words = {
        **standing.words,
        "table": table,
        "column": name,
        "columns": standing.columns[table],
        "key": ", ".join(key),
        "parent_table": parent[0],
        "parent_column": parent[1],
    }
    sql = {**words, "column": _quoted(name), "key": ", ".join(_quoted(part) for part in key)}
    holds = render(rule["holds"], sql)
    if when := rule.get("only_when", {}).get(full):
        holds = f"case when {when} then {holds} end"
    rows = f"{standing.schema}.{_quoted(table)} as {_quoted(table)}"
    if "rows" in rule:
        rows = f"({render(rule['rows'], sql)}) as found"
    own = rule.get("thresholds", {}).get(full, rule)
    needs = [render(need, words).split(".") for need in rule.get("needs", ())]
    return Check(
        check_id=f"{full}.{rule['rule']}",
        table=table,
        column=name,
        description=render(rule["description"], words),
        category=rule["category"],
        rows=rows,
        holds=holds,
        needs=((table, name), *((parent_table, parent_column) for parent_table, parent_column in needs)),
        threshold=float(own["threshold"]),
        note=own["note"],
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- an office's own checks.yml ---------------------------------------------------------------------------------------


def _with_office(checks: Sequence[Check], document: LocatedYaml, door: Door, standing: _Standing) -> list[Check]:
    """The checks with the office's own thresholds, exemptions and rules. A table named mart_... belongs to the marts."""
    reader = _OfficeChecks(document, door, standing)
    result = {check.check_id: check for check in [*checks, *reader.rules()]}
    for check_id, threshold, note in reader.thresholds(result):
        result[check_id] = replace(result[check_id], threshold=threshold, note=note)
    for check_id, exemption in reader.exemptions(result):
        result[check_id] = replace(result[check_id], exemption=exemption)
    if reader.problems:
        raise AuditError(reader.problems)
    return list(result.values())


class _OfficeChecks:
    """Reads `checks.yml`: lists named thresholds, exemptions and rules. Collects every problem."""

    def __init__(self, document: LocatedYaml, door: Door, standing: _Standing) -> None:
        self._document = document
        self._door = door
        self._standing = standing
        self.problems: list[Problem] = []
        for key in document.value:
            if key not in ("thresholds", "exemptions", "rules"):
                self._problem((key,), f"[{key}] is no part of checks.yml", "thresholds, exemptions and rules")

    def rules(self) -> list[Check]:
        """The office's own checks at this door."""
        sound = []
        for path, rule in self._entries("rules", REQUIRED_KEYS, OPTIONAL_KEYS):
            subjects = [*rule.get("columns", ()), *rule.get("tables", ())]
            if not subjects:
                self._problem(path, "the rule is about nothing", "`columns` (table.column) or `tables`")
            elif rule["category"] not in ("conformance", "completeness", "plausibility"):
                self._problem((*path, "category"), f"[{rule['category']}]", "conformance, completeness or plausibility")
            elif self._is_here(subjects[0]) and self._number((*path, "threshold"), rule["threshold"]) is not None:
                sound.append(rule)
        return _drawn(sound, self._standing)

    def thresholds(self, known: Mapping[str, Check]) -> Iterator[tuple[str, float, str]]:
        """Check, threshold and the note behind it."""
        for path, entry in self._entries("thresholds", frozenset({"check", "threshold", "note"})):
            threshold = self._number((*path, "threshold"), entry["threshold"])
            if self._is_known(path, entry["check"], known) and threshold is not None:
                yield entry["check"], threshold, entry["note"]

    def exemptions(self, known: Mapping[str, Check]) -> Iterator[tuple[str, Exemption]]:
        """Check and exemption."""
        for path, entry in self._entries("exemptions", frozenset({"check", "kind", "reason", "until"})):
            if entry["kind"] not in ("does_not_apply", "broken_at_source"):
                self._problem((*path, "kind"), f"[{entry['kind']}]", "does_not_apply or broken_at_source")
                continue
            try:
                until = date.fromisoformat(entry["until"])
            except ValueError:
                self._problem((*path, "until"), f"[{entry['until']}] is no day", "a day as 2027-06-30")
                continue
            if self._is_known(path, entry["check"], known):
                yield entry["check"], Exemption(kind=entry["kind"], reason=entry["reason"], until=until)

    def _entries(
        self, part: str, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()
    ) -> Iterator[tuple[Path_, dict[str, Any]]]:
        for number, entry in enumerate(self._document.value.get(part) or ()):
            path: Path_ = (part, number)
            keys = set(entry) if isinstance(entry, dict) else set()
            if missing := sorted(required - keys):
                self._problem(path, f"[{', '.join(missing)}] is missing", ", ".join(sorted(required)))
            elif unknown := sorted(keys - required - optional):
                self._problem(
                    (*path, unknown[0]), f"[{unknown[0]}] is not understood", ", ".join(sorted(required | optional))
                )
            else:
                yield path, entry

    def _is_here(self, name: str) -> bool:
        return name.startswith("mart_") == (self._door == "marts")

    def _is_known(self, path: Path_, check_id: str, known: Mapping[str, Check]) -> bool:
        if self._is_here(check_id) and check_id not in known:
            self._problem(
                (*path, "check"), f"there is no check [{check_id}]{nearest(check_id, list(known))}", "the id of a check"
            )
        return check_id in known

    def _number(self, path: Path_, text: str) -> float | None:
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if 0 <= number <= 100:
            return number
        self._problem(path, f"[{text}] is no percent", "a number from 0 to 100")
        return None

    def _problem(self, path: Path_, what: str, expected: str) -> None:
        self.problems.append(
            Problem(
                code="IIU501",
                where=self._document.place(path),
                what=what,
                expected=expected,
                fix="Correct checks.yml; the checks are listed in the release and in expectations/",
            )
        )


# --- counting and judging ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Counted:
    holds: bool
    violated: int
    denominator: int


def _result(check: Check, door: Door, why_not: str | None, outcome: _Counted | str | None, as_of: date) -> CheckResult:
    """Judge one check. `why_not` says why it could not be asked; else `outcome` is what was counted, or what broke."""
    result = CheckResult(
        check_id=check.check_id,
        door=door,
        table=check.table,
        column=check.column,
        description=check.description,
        category=check.category,
        violated=None,
        denominator=None,
        percent=None,
        threshold=check.threshold,
        status="not_applicable",
        note=check.note,
        query=f"select * from {check.rows} where not ({check.holds})",
    )
    match outcome:
        case None:
            result = replace(result, note=why_not or "")
        case str():
            return replace(result, status="error", note=outcome)
        case _Counted(denominator=0):
            result = replace(result, violated=0, denominator=0, note="No row has what the check asks about.")
        case _Counted():
            result = replace(
                result,
                violated=outcome.violated,
                denominator=outcome.denominator,
                percent=100 * outcome.violated / outcome.denominator,
                status="passed" if outcome.holds else "failed",
            )
    if (exemption := check.exemption) is None:
        return result
    if result.status != "failed":
        return replace(result, status="failed", note=f"The exemption ({exemption.reason}) is not needed: remove it.")
    if exemption.until < as_of:
        return replace(result, note=f"The exemption ({exemption.reason}) ended on {exemption.until}.")
    return replace(
        result, status="not_applicable", note=f"Exempt until {exemption.until}, {exemption.kind}: {exemption.reason}"
    )


def _count(connection: duckdb.DuckDBPyConnection, checks: Sequence[Check]) -> dict[str, _Counted | str]:
    """Let Great Expectations evaluate all checks, those of one table as one suite. A text says what broke."""
    outcomes: dict[str, _Counted | str] = {}
    batches = _answers(connection) if checks else None
    for table in sorted({check.table for check in checks}):
        suite = [check for check in checks if check.table == table]
        if _ask(connection, suite) is None:
            outcomes |= _evaluate(batches, table, suite)
            continue
        for check in suite:  # one condition that breaks must not take the others with it
            broken = _ask(connection, [check])
            outcomes |= {check.check_id: broken} if broken else _evaluate(batches, table, [check])
    return outcomes


def _ask(connection: duckdb.DuckDBPyConnection, suite: Sequence[Check]) -> str | None:
    """Ask every condition of every row, into a table of answers with a column for each check. Returns what broke.

    The conditions over the table's own rows share a scan; those over other rows are put below, where the columns of
    the others are null and so not counted.
    """
    selects: dict[str, list[str]] = {}
    for number, check in enumerate(suite):
        selects.setdefault(check.rows, []).append(f"({check.holds})::boolean as c{number}")
    answers = " union all by name ".join(
        f"select {', '.join(columns)} from {rows}" for rows, columns in selects.items()
    )
    try:
        connection.execute(f"create or replace table {_ANSWERS} as {answers}")
    except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
        return f"The check does not fit the table: {str(error).splitlines()[0]}"
    except duckdb.Error as error:
        # Its words may quote a cell.
        return f"The check does not suit a value in the table ({type(error).__name__})."
    return None


def _evaluate(batches: Any, table: str, suite: Sequence[Check]) -> dict[str, _Counted | str]:
    """Evaluate the answers that stand in the table of answers."""
    gx, expect_to_hold, _ = _great_expectations()
    expectations = [
        expect_to_hold(
            column=f"c{number}",
            value_set=[True],
            mostly=round(1 - check.threshold / 100, 12),
            description=check.description,
            notes=check.note,
            meta={"check_id": check.check_id},
        )
        for number, check in enumerate(suite)
    ]
    outcome = batches.get_batch().validate(gx.ExpectationSuite(table, expectations=expectations), result_format="BASIC")
    return {result.expectation_config.meta["check_id"]: _counted(result) for result in outcome.results}


def _answers(connection: duckdb.DuckDBPyConnection) -> Any:
    """The table of answers as Great Expectations sees it: batches, anew each time."""
    gx, _, dialect = _great_expectations()
    dialect.audit = connection
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather be told that this is PostgreSQL
        source = context.data_sources.add_sql(
            "audit", connection_string="postgresql+duckdb://", create_temp_table=False
        )
    return source.add_query_asset("answers", query=f"select * from {_ANSWERS}").add_batch_definition_whole_table("all")


def _counted(result: Any) -> _Counted | str:
    if result.exception_info.get("raised_exception", True):
        return "Great Expectations could not evaluate the check."
    total, missing = result.result["element_count"], result.result["missing_count"]
    return _Counted(
        holds=bool(result.success), violated=int(result.result["unexpected_count"]), denominator=total - missing
    )


@cache
def _great_expectations() -> tuple[Any, Any, Any]:
    """Great Expectations, the one expectation that the audit has, and DuckDB as SQLAlchemy speaks to it."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types import base
    from sqlalchemy.dialects import registry
    from sqlalchemy.dialects.postgresql.base import PGDialect

    base.logger.setLevel(logging.WARNING)  # it tells of its temporary folders, whatever is asked of the library

    class ExpectToHold(gxe.ExpectColumnValuesToBeInSet):  # type: ignore[misc]
        """Counts the rows where a condition is false, and fetches none of them."""

        def get_validation_dependencies(self, *args: Any, **kwargs: Any) -> Any:
            dependencies = super().get_validation_dependencies(*args, **kwargs)
            dependencies.remove_metric_configuration(f"{self.map_metric}.unexpected_values")
            return dependencies

    class DuckDBDialect(PGDialect):
        """As far as reading needs it, under the name of postgresql, whose SQL Great Expectations then writes.

        Each use gets a cursor, which in DuckDB is a connection of its own: so a result outlives the return of its
        connection to the pool. As shipped Great Expectations reads results that late.
        """

        driver = "duckdb"
        supports_statement_cache = False
        audit: duckdb.DuckDBPyConnection

        @classmethod
        def import_dbapi(cls) -> Any:
            return duckdb

        def connect(self, *_: Any, **__: Any) -> Any:
            return self.audit.cursor()

        def initialize(self, _: Any) -> None: ...

        def do_begin(self, _: Any) -> None: ...

        def do_commit(self, _: Any) -> None: ...

        def do_rollback(self, _: Any) -> None: ...

    registry.impls["postgresql.duckdb"] = lambda: DuckDBDialect
    return gx, ExpectToHold, DuckDBDialect

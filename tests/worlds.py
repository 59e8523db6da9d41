"""Small worlds for tests of the models: rows in, one run of dbt, the built database out.

A world is written as `{table: [row, ...]}` in the words of the contract. Every contract table is created; columns that
no row names stay NULL and are not in `landed.supplied`, as with an office that does not record them. Put many
scenarios, keyed by person, in one world: what takes time is dbt's start, not the rows.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from pipeline.contract import LINEAGE, ROOT, Table, load_contract

Row = Mapping[str, Any]
World = Mapping[str, Sequence[Row]]

#: The last day of most worlds, a Tuesday.
AS_OF = date(2024, 12, 31)
#: How a NULL is written in `rows`.
NOTHING = "-"

_built: dict[str, duckdb.DuckDBPyConnection] = {}
_folder = TemporaryDirectory(prefix="iiu-worlds-")


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model, as dbt compiled it: its name with schema, what it reads, how it is kept and by which SQL."""

    name: str
    reads: frozenset[str]
    materialized: str
    sql: str


def build(
    world: World,
    *,
    as_of: date = AS_OF,
    period: tuple[date, date] = (date(2023, 1, 1), AS_OF),
    supplied: Sequence[tuple[str, str]] | None = None,
    select: Sequence[str] = (),
    data_tests: bool = True,
) -> duckdb.DuckDBPyConnection:
    """The database of a world after `dbt build`, read-only. The same world is built once a session.

    `supplied` lists the contract columns (table, column) that the office maps; by default those that some row names.
    `select` narrows the build, in dbt's words (`+mart_bail__cells`: that model and all it needs); without `data_tests`
    the models' own tests do not run. Lineage may be given in a row (`_batch_id`, `_source_file`, `_source_row`); else
    rows count up in batch `b1`.
    """
    key = hashlib.sha256(
        json.dumps([world, as_of, period, supplied, select, data_tests], default=str, sort_keys=True).encode()
    ).hexdigest()
    if key not in _built:
        # always under one name: dbt reads its project anew whenever a variable of the profile has changed
        path = Path(_folder.name) / "audit.duckdb"
        land(path, world, as_of=as_of, period=period, supplied=supplied)
        narrowed = ("--select", *select, "--indirect-selection", "cautious") if select else ()
        run_dbt(path, "build", *narrowed, *(() if data_tests else ("--exclude-resource-type", "test")))
        _built[key] = duckdb.connect(str(path.rename(path.with_stem(f"world_{len(_built)}"))), read_only=True)
    return _built[key]


def rebuild(world: World, *, as_of: date, period: tuple[date, date], marts: Sequence[str]) -> duckdb.DuckDBPyConnection:
    """The database of a world with the cells and values of some marts: within a second, by SQL that dbt has compiled.

    What dbt compiles depends on the contract and the reference tables, not on the rows. No test of a model runs. The
    connection is always the same one: each world takes the place of the one before.
    """
    database, models = _compiled()
    _land(database, world, as_of=as_of, period=period, supplied=None)
    needed = {f"marts.mart_{mart}__{table}" for mart in marts for table in ("cells", "values")}
    for model in reversed(models):
        if model.name in needed:
            needed |= model.reads
    for model in models:
        if model.name in needed and model.materialized == "table":
            database.execute(f"create or replace table {model.name} as {model.sql}")
    return database


def rebuild_landed(landed: Path, at: Path, *, threads: int) -> duckdb.DuckDBPyConnection:
    """The database, in a file `at`, of all that was landed in another one: by SQL that dbt has compiled, with so many threads.

    Its tables are cut into pieces of 2,048 rows, since DuckDB shares out whole pieces, and one is 122,880 rows otherwise.
    """
    compiled, models = _compiled()
    compiled.execute(f"attach '{at}' as empty (row_group_size 2048)")
    compiled.execute("copy from database audit to empty")
    compiled.execute("detach empty")
    database = duckdb.connect(config={"threads": threads})
    database.execute(f"attach '{at}' as audit (row_group_size 2048)")
    database.execute(f"attach '{landed}' as office (read_only)")
    database.execute("use audit")
    tables = database.execute(
        "from duckdb_tables() select table_name where database_name = 'office' and schema_name = 'landed'"
    )
    for (table,) in tables.fetchall():
        database.execute(f'create or replace table landed."{table}" as from office.landed."{table}"')
    for model in models:
        if model.materialized == "table":
            database.execute(f"create or replace table {model.name} as {model.sql}")
    return database


@cache
def _compiled() -> tuple[duckdb.DuckDBPyConnection, tuple[Model, ...]]:
    """A whole built database in memory, and its models in an order in which each follows what it reads."""
    path = Path(_folder.name) / "audit.duckdb"
    land(path, {}, as_of=AS_OF, period=(date(2023, 1, 1), AS_OF), supplied=None)
    results = run_dbt(path, "build", "--exclude-resource-type", "test")
    nodes = {r.node.unique_id: r.node for r in results if r.node.resource_type == "model"}
    database = duckdb.connect()
    database.execute("set threads = 1")  # so little that sharing it out costs more
    database.execute(f"attach '{path}' as built (read_only)")
    database.execute("attach ':memory:' as audit")
    database.execute("copy from database built to audit")
    database.execute("detach built")
    database.execute("use audit")
    path.unlink()
    names = {key: f"{node.schema}.{node.name}" for key, node in nodes.items()}
    models = tuple(
        Model(
            name=names[key],
            reads=frozenset(names[other] for other in node.depends_on.nodes if other in names),
            materialized=node.config.materialized,
            sql=node.compiled_code,
        )
        for key, node in nodes.items()
    )
    return database, models


def cells_of(built: duckdb.DuckDBPyConnection, measure: str, year: int) -> Any:
    """Numerator and denominator of a measure by stratum, in one year; without strata the pair alone."""
    found = built.execute(
        f"""
        select stratum, cast(sum(numerator) as bigint), cast(sum(denominator) as bigint)
        from marts.{_mart(built, measure)}__cells where measure_id = ? and quarter like ? group by stratum
        """,
        [measure, f"{year}-Q_"],
    ).fetchall()
    by_stratum = {stratum: (numerator, denominator) for stratum, numerator, denominator in found}
    return by_stratum.get("", by_stratum)


def values_of(built: duckdb.DuckDBPyConnection, measure: str, year: int) -> dict[tuple[int, str], int]:
    """How often each (value, outcome) of a measure was seen in one year."""
    found = built.execute(
        f"""
        select value, outcome, cast(sum(cases) as bigint)
        from marts.{_mart(built, measure)}__values where measure_id = ? and quarter like ? group by all
        """,
        [measure, f"{year}-Q_"],
    ).fetchall()
    return {(value, outcome): cases for value, outcome, cases in found}


def _mart(built: duckdb.DuckDBPyConnection, measure: str) -> str:
    found = built.execute("select 'mart_' || mart from reference.measures where measure_id = ?", [measure]).fetchone()
    assert found is not None, measure
    return str(found[0])


def silent_measures(built: duckdb.DuckDBPyConnection, *marts: str) -> list[str]:
    """The measures of some marts that have SQL and count no row of this world."""
    found = built.execute(
        """
        select measure_id from marts.mart_coverage join reference.measures using (measure_id)
        where counted = 0 and list_contains(?, mart) order by measure_id
        """,
        [list(marts)],
    ).fetchall()
    return [measure_id for (measure_id,) in found]


def wrongly_documented(built: duckdb.DuckDBPyConnection, *marts: str) -> list[str]:
    """The columns of the facts of some marts that stand either in the table or in its description, but not in both."""
    wrong = []
    for mart in marts:
        for model in yaml.safe_load((ROOT / "models" / "marts" / mart / f"{mart}.yml").read_text())["models"]:
            if not model["name"].endswith(("__cells", "__values", "__clusters")):
                actual = {c[0] for c in built.execute(f"select * from marts.{model['name']} limit 0").description}
                described = [column["name"] for column in model["columns"]]
                assert len(described) == len(set(described)), model["name"]
                wrong += [f"{model['name']}.{column}" for column in sorted(actual ^ set(described))]
    return wrong


def rows(text: str, **same: str) -> list[dict[str, str | None]]:
    """A table written out: names in the first line, cells parted by blanks, `-` for NULL; `same` goes into every row.

    A timestamp is written with a T: 2024-01-31T10:30.
    """
    names, *lines = (line.split() for line in text.strip().splitlines())
    for line in lines:
        assert len(line) == len(names), f"{len(line)} cells for {names}: {line}"
    return [
        {n: None if c == NOTHING else c for n, c in (same | dict(zip(names, line, strict=True))).items()}
        for line in lines
    ]


class Scenarios(defaultdict[str, list[Row]]):
    """A world written piece by piece, each beside the tests that it is for: `tests/conftest.py` builds `WORLD` of a module."""

    def __init__(self) -> None:
        super().__init__(list)

    def given(self, table: str, text: str, **same: str) -> None:
        """More rows of one table, as `rows` reads them."""
        self[table] += rows(text, **same)


def run_dbt(database: Path, *command: str) -> list[Any]:
    """Runs dbt in this process; what became of each node, in the order of their ends. Raises AssertionError with what
    failed, a test among them.
    """
    os.environ["IIU_DATABASE"] = str(database)
    result = dbtRunner().invoke(
        [
            *command,
            "--quiet",
            *("--project-dir", str(ROOT)),
            *("--profiles-dir", str(ROOT / "pipeline" / "dbt")),
            *("--target-path", str(Path(_folder.name) / "target")),
            *("--log-path", str(Path(_folder.name) / "logs")),
        ]
    )
    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()  # dbt holds the file open until its next run
        DuckDBConnectionManager._ENV = None
    if result.exception is not None:
        raise AssertionError(f"dbt {command[0]}: {result.exception}") from result.exception
    failed = [r for r in getattr(result.result, "results", []) if str(r.status) not in ("success", "pass", "skipped")]
    assert result.success, "\n".join(f"{r.node.name}: {r.message}" for r in failed)
    return list(getattr(result.result, "results", []))


def land(
    path: Path,
    world: World,
    *,
    as_of: date,
    period: tuple[date, date],
    supplied: Sequence[tuple[str, str]] | None,
) -> None:
    with duckdb.connect(str(path)) as database:
        _land(database, world, as_of=as_of, period=period, supplied=supplied)


def _land(
    database: duckdb.DuckDBPyConnection,
    world: World,
    *,
    as_of: date,
    period: tuple[date, date],
    supplied: Sequence[tuple[str, str]] | None,
) -> None:
    contract = load_contract()
    assert set(world) <= set(contract), f"not in the contract: {sorted(set(world) - set(contract))}"
    database.execute("create schema if not exists landed")
    for table in contract.values():
        _create(database, table)
        _insert(database, table, world.get(table.name, ()))
    named = {(t, c) for t, of_table in world.items() for row in of_table for c in row if c not in LINEAGE}
    database.execute("create or replace table landed.supplied (table_name varchar, column_name varchar)")
    for column in sorted(named if supplied is None else supplied):
        database.execute("insert into landed.supplied values (?, ?)", column)
    database.execute(
        """
        create or replace table landed.audit_settings as
        select 'world' as office, 'US-CA' as jurisdiction, $as_of as as_of_date,
            $first as period_from, $last as period_to,
            'white' as reference_race, 'citizen' as reference_citizenship, cast(1 as bigint) as seed
        """,
        {"as_of": as_of, "first": period[0], "last": period[1]},
    )


def _create(database: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = [f'"{c.name}" {c.data_type}' for c in table.columns.values()]
    columns += [f'"{c.name}_raw" varchar' for c in table.columns.values() if c.kind == "code"]
    columns += ["_batch_id varchar", "_source_file varchar", "_source_row bigint"]
    database.execute(f'create or replace table landed."{table.name}" ({", ".join(columns)})')


def _insert(database: duckdb.DuckDBPyConnection, table: Table, landing: Sequence[Row]) -> None:
    if not landing:
        return
    named = list(dict.fromkeys(column for row in landing for column in row if column not in LINEAGE))
    assert set(named) <= set(table.columns), f"{table.name} has no {sorted(set(named) - set(table.columns))}"
    lineage = {"_batch_id": "b1", "_source_file": f"{table.name}.csv"}
    whole = [lineage | {"_source_row": i} | dict(row) for i, row in enumerate(landing, start=2)]
    text = pa.table(
        {
            column: pa.array(
                [None if row.get(column) is None else str(row[column]) for row in whole],
                pa.string(),
            )
            for column in (*named, *LINEAGE)
        }
    )
    types = {c.name: c.data_type for c in table.columns.values()} | {"_source_row": "bigint"}
    casts = ", ".join(f'cast("{c}" as {types.get(c, "varchar")}) as "{c}"' for c in text.column_names)
    database.register("landing", text)
    database.execute(f'insert into landed."{table.name}" by name select {casts} from landing')
    database.unregister("landing")

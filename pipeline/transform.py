"""The only caller of dbt: builds and tests the models over a landed database, by DuckDB in this process or by Spark."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contract import ROOT
from pipeline.database import outgrows_memory
from pipeline.errors import AuditError, Problem, place

#: dbt's parse of the project for each engine, kept between runs; dbt checks by itself whether it still fits.
_PARSED = ROOT / ".cache" / "dbt"


@dataclass(frozen=True, kw_only=True)
class Built:
    """What dbt did: the number of models and seeds, of tests passed, and the compiled SQL of each model by name."""

    models: int
    tests_passed: int
    compiled: dict[str, str]


def build(*, database: Path, work: Path, master: str | None = None) -> Built:
    """Build all seeds and models and run all dbt tests. Raises `AuditError` naming each model or test that failed.

    `master` is the URL of the Spark that builds the models; without one DuckDB does. The tests are DuckDB's in any case.
    """
    results = _run("build", database=database, work=work) if master is None else _on_spark(master, database, work)
    return Built(
        models=sum(1 for r in results if r.node.resource_type in ("model", "seed")),
        tests_passed=sum(1 for r in results if r.node.resource_type in ("test", "unit_test") and r.status == "pass"),
        compiled={r.node.name: r.node.compiled_code for r in results if r.node.resource_type == "model"},
    )


def _on_spark(master: str, database: Path, work: Path) -> list[Any]:
    """The models built by Spark, from what DuckDB landed, into the database, and tested there."""
    from pipeline.spark import bring_back, hand_over, spark_session

    without_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    # the seeds whole; of the models their columns alone, in DuckDB's types
    emptied = _run("build", "--empty", *without_tests, database=database, work=work)
    warehouse = work / "warehouse"
    with spark_session(master=master, warehouse=warehouse):
        hand_over(database=database, folder=work / "handed_over")
        built = _run("run", target="spark", database=database, work=work)
    bring_back(database=database, warehouse=warehouse, models=[(r.node.schema, r.node.name) for r in built])
    for folder in ("handed_over", "warehouse"):
        shutil.rmtree(work / folder)
    tested = _run("test", database=database, work=work)
    return [*(r for r in emptied if r.node.resource_type == "seed"), *built, *tested]


def _run(*command: str, database: Path, work: Path, target: str = "duckdb") -> list[Any]:
    """Run a command of dbt; what became of each node. Raises `AuditError` naming each that failed."""
    folder = work / "dbt" / target
    folder.mkdir(parents=True, exist_ok=True)
    parsed = _PARSED / f"{target}.msgpack"
    if parsed.is_file():
        shutil.copyfile(parsed, folder / "partial_parse.msgpack")
    os.environ["IIU_DATABASE"] = str(database)
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    os.environ["DO_NOT_TRACK"] = "1"
    # dbt takes seconds to import
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    arguments = ["--quiet", "--log-level", "none", "--log-level-file", "none", *command, "--no-use-colors"]
    arguments += ["--no-write-json"]  # nothing reads the manifest, and dbt would write it twice
    if target == "duckdb" and outgrows_memory(database):
        # two models at a time share the memory, which is too little for the largest joins of an archive
        arguments += ["--threads", "1"]
    folders = {"project": ROOT, "profiles": ROOT / "pipeline" / "dbt"}
    for name, path in folders.items():
        arguments += [f"--{name}-dir", str(path)]
    arguments += ["--target", target, "--target-path", str(folder), "--log-path", str(folder)]
    with _without_garbage_collection():
        outcome = dbtRunner().invoke(arguments)
    if DuckDBConnectionManager._ENV is not None:  # dbt would hold the file open until its next run
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager._ENV = None
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise outcome.exception  # dbt hands it over as if the project were at fault
    if outcome.exception is not None:
        raise AuditError([_problem("the project", str(outcome.exception))])
    results = list(outcome.result or ())
    failed = [r for r in results if r.status not in ("success", "pass", "warn", "skipped", "no-op")]
    if failed:
        raise AuditError(_problem(r.node.name, r.message or str(r.status)) for r in failed)
    _keep_parse(folder / "partial_parse.msgpack", parsed)
    return results


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """dbt holds one large graph, which the collector would search through for each of some 800 nodes, in vain."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _keep_parse(made: Path, parsed: Path) -> None:
    try:
        parsed.parent.mkdir(parents=True, exist_ok=True)
        temporary = parsed.with_suffix(f".{os.getpid()}")
        shutil.copyfile(made, temporary)
        temporary.replace(parsed)
    except OSError:
        pass  # a read-only project only costs the next run some seconds


def _problem(name: str, message: str) -> Problem:
    return Problem(
        code="IIU401",
        where=place(file=name),
        what=" ".join(message.split())[:500],
        expected="every model to build and every test of its grain, keys and joins to pass",
        fix="The data break an assumption of this model; see its YAML. If the export is sound, please report it",
    )

"""The only caller of dbt: builds and tests the models over a landed database, in this process."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.contract import ROOT
from pipeline.errors import AuditError, Problem, place

#: dbt's parse of the project, kept between runs; dbt checks by itself whether it still fits.
_PARSED = ROOT / ".cache" / "dbt" / "partial_parse.msgpack"


@dataclass(frozen=True, kw_only=True)
class Built:
    """What dbt did: the number of models and seeds, of tests passed, and the compiled SQL of each model by name."""

    models: int
    tests_passed: int
    compiled: dict[str, str]


def build(*, database: Path, work: Path) -> Built:
    """Build all seeds and models and run all dbt tests. Raises `AuditError` naming each model or test that failed."""
    target = work / "dbt"
    target.mkdir(parents=True, exist_ok=True)
    if _PARSED.is_file():
        shutil.copyfile(_PARSED, target / _PARSED.name)
    os.environ["IIU_DATABASE"] = str(database)
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    os.environ["DO_NOT_TRACK"] = "1"
    # dbt takes seconds to import
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    arguments = ["--quiet", "--log-level", "none", "--log-level-file", "none", "build", "--no-use-colors"]
    arguments += ["--no-write-json"]  # nothing reads the manifest, and dbt would write it twice
    folders = {"project": ROOT, "profiles": ROOT / "pipeline" / "dbt"}
    for name, folder in folders.items():
        arguments += [f"--{name}-dir", str(folder)]
    arguments += ["--target-path", str(target), "--log-path", str(target)]
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
    _keep_parse(target)
    return Built(
        models=sum(1 for r in results if r.node.resource_type in ("model", "seed")),
        tests_passed=sum(1 for r in results if r.node.resource_type in ("test", "unit_test") and r.status == "pass"),
        compiled={r.node.name: r.node.compiled_code for r in results if r.node.resource_type == "model"},
    )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """dbt holds one large graph, which the collector would search through for each of some 800 nodes, in vain."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _keep_parse(target: Path) -> None:
    try:
        _PARSED.parent.mkdir(parents=True, exist_ok=True)
        temporary = _PARSED.with_suffix(f".{os.getpid()}")
        shutil.copyfile(target / _PARSED.name, temporary)
        temporary.replace(_PARSED)
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

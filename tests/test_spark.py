"""Apache Spark builds the same tables as DuckDB, row for row, though a worker is lost, and its own failures are told.

Where pyspark is absent the comparison is skipped: `make spark`, then `.venv-spark/bin/python -m pytest
tests/test_spark.py`.
"""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random

import duckdb
import pytest

from pipeline import spark, transform
from pipeline.cli import main
from pipeline.contract import ROOT
from pipeline.errors import AuditError
from pipeline.ingest.office import OFFICES_FOLDER
from tests import worlds
from tests.oracle import AS_OF, PERIOD, Draw
from tests.spark_cluster import Cluster, cluster, losing
from tests.test_consequences import CASES, County, _add_case, _add_stories
from tests.test_oracles import ORACLES
from tests.test_real_offices import DATA, OFFICES, land_office

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed: make spark"
)


class LegalCases(County):
    """The county of the consequences as rows by table, beside which others can stand."""

    def __init__(self) -> None:
        self.rows: dict[str, list[worlds.Row]] = {}

    def add(self, table: str, **values: object) -> None:
        self.rows.setdefault(table, []).append(values)


def world() -> dict[str, list[worlds.Row]]:
    """The random worlds of all oracles in one, with missing codes and days and keys that come twice, and the legal cases."""
    legal = LegalCases()
    for number, row in enumerate(CASES):
        _add_case(legal, number, row)
    _add_stories(legal)
    made = legal.rows
    for oracle in ORACLES.values():
        for table, landing in oracle.world(Draw(Random(20240630), 1, first=oracle.first)).items():
            made.setdefault(table, []).extend(landing)
    return made


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One connection to what both engines made of the same landed tables, and what dbt did on Spark."""

    both: duckdb.DuckDBPyConnection
    built: transform.Built

    def differing(self, table: str) -> list[tuple[object, ...]]:
        """The rows of a table (schema.name) that only one of the two holds, each as often as it does."""
        return self.both.execute(
            f"""(select 'spark', * from (from by_spark.{table} except all from by_duckdb.{table}))
            union all (select 'duckdb', * from (from by_duckdb.{table} except all from by_spark.{table}))"""
        ).fetchall()


@pytest.fixture(scope="module")
def by_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the database that was landed, and with what DuckDB built of it."""
    folder = tmp_path_factory.mktemp("duckdb")
    worlds.land(folder / "audit.duckdb", world(), as_of=AS_OF, period=PERIOD, supplied=None)
    return _build_by_duckdb(folder / "audit.duckdb", folder)


def _build_by_duckdb(landed: Path, folder: Path) -> Path:
    for copy in ("as_landed.duckdb", "built.duckdb"):
        shutil.copyfile(landed, folder / copy)
    worlds.run_dbt(folder / "built.duckdb", "build", "--exclude-resource-type", "test")
    return folder


def _build_by_spark(by_duckdb: Path, folder: Path, *, master: str) -> Pair:
    database = shutil.copyfile(by_duckdb / "as_landed.duckdb", folder / "by_spark.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        # what pays for large tables costs more than these: plans made anew while they run, code compiled for good
        settings = "--conf spark.sql.adaptive.enabled=false --conf spark.sql.shuffle.partitions=2"
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{settings} pyspark-shell")
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m")
        built = transform.build(database=database, work=folder, master=master)
    both = duckdb.connect()
    for engine, path in {"duckdb": by_duckdb / "built.duckdb", "spark": database}.items():
        both.execute(f"attach '{path}' as by_{engine} (read_only)")
    return Pair(both=both, built=built)


@pytest.fixture(scope="module", params=["on this machine", "on a cluster that loses one of two workers"])
def pair(request: pytest.FixtureRequest, by_duckdb: Path, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("spark")
    if request.param == "on this machine":
        return _build_by_spark(by_duckdb, folder, master="local[2]")
    halfway = len(list((ROOT / "models").rglob("*.sql"))) // 2
    with (
        cluster(tmp_path_factory.mktemp("cluster")) as two,
        losing(two, "127.0.0.2", when=lambda: len(list(folder.glob("warehouse/*/*/_SUCCESS"))) > halfway),
    ):
        return _build_by_spark(by_duckdb, folder, master=two.master)


@needs_spark
def test_every_model_holds_the_same_rows_in_the_same_types_on_both_engines(pair: Pair) -> None:
    _assert_alike(pair)


@pytest.mark.slow
@needs_spark
@pytest.mark.skipif(not DATA.is_dir(), reason=f"the public records are not in {DATA}")
@pytest.mark.parametrize("office", OFFICES)
def test_every_model_of_real_records_holds_the_same_rows_on_both_engines(office: str, tmp_path: Path) -> None:
    landed = land_office(OFFICES_FOLDER / office, DATA / office, tmp_path).database
    _assert_alike(_build_by_spark(_build_by_duckdb(landed, tmp_path), tmp_path, master="local[2]"))


def _assert_alike(pair: Pair) -> None:
    tables = pair.both.execute(
        """select table_schema || '.' || table_name from information_schema.tables
        where table_catalog = 'by_duckdb' and table_schema in ('staging', 'intermediate', 'marts') order by 1"""
    ).fetchall()
    assert len(tables) == len(pair.built.compiled)
    described = {
        engine: {t: pair.both.execute(f"describe by_{engine}.{t}").fetchall() for (t,) in tables}
        for engine in ("duckdb", "spark")
    }
    assert described["spark"] == described["duckdb"]
    assert [t for (t,) in tables if pair.differing(t)] == []


@needs_spark
def test_the_worlds_in_which_they_are_compared_leave_hardly_a_table_empty(pair: Pair) -> None:
    tables = pair.both.execute(
        """select table_schema || '.' || table_name from information_schema.tables
        where table_catalog = 'by_spark' and table_schema in ('staging', 'intermediate', 'marts') order by 1"""
    ).fetchall()
    empty = [t for (t,) in tables if not pair.both.execute(f"select 1 from by_spark.{t} limit 1").fetchall()]
    assert len(empty) <= 10, empty


def test_a_row_that_one_engine_holds_once_more_or_otherwise_is_a_difference() -> None:
    both = duckdb.connect()
    for engine, rows in {"duckdb": "(1, 'a'), (2, null)", "spark": "(1, 'a'), (1, 'a'), (2, '')"}.items():
        both.execute(f"attach ':memory:' as by_{engine}; create table by_{engine}.model as from (values {rows})")
    found = sorted(
        Pair(both=both, built=transform.Built(models=0, tests_passed=0, compiled={})).differing("model"), key=str
    )
    assert found == [("duckdb", 2, None), ("spark", 1, "a"), ("spark", 2, "")]


def test_a_worker_that_is_not_lost_before_the_end_was_not_lost_at_all() -> None:
    nobody = Cluster(master="", workers={})
    with pytest.raises(AssertionError, match="not at work"), losing(nobody, "127.0.0.2", when=lambda: False):
        pass


def test_without_spark_the_audit_says_what_to_install_before_it_lands_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spark.importlib.util, "find_spec", lambda name: None)
    out = tmp_path / "audit"
    assert main(["audit", "example_county", "--engine", "spark", "--out", str(out)]) == 1
    told = capsys.readouterr().err
    assert "IIU402" in told and "pyspark, dbt-spark" in told and "make spark" in told
    assert not out.exists()


def test_a_master_without_its_engine_is_a_wrong_use() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["audit", "example_county", "--master", "local[2]"])


@needs_spark
def test_a_master_that_is_none_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(AuditError, match=r"IIU403.*--master nowhere"),
        spark.spark_session(master="nowhere", warehouse=tmp_path),
    ):
        pass

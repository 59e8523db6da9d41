"""Apache Spark for the models: what landed goes to it as Parquet, and what it builds comes back to where DuckDB's would be.

Spark runs in a process of its own, started here and stopped here: on this machine, or as the driver of the cluster whose
master is named. A cluster must see the folder of the audit under the same path.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.contract import load_contract
from pipeline.database import open_database
from pipeline.errors import AuditError, Problem, place
from pipeline.ingest.read import literal, quoted

#: Spark on all cores of this machine.
LOCAL = "local[*]"

#: What the models mean by their SQL, whatever the cluster is set to.
_MEANING = {
    "spark.sql.ansi.enabled": "true",  # what DuckDB refuses, as a cast of a word to a number, is an error here too
    "spark.sql.parser.escapedStringLiterals": "true",  # a backslash in a literal is a backslash
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.default": "parquet",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",  # a timestamp is what the clock on the wall showed
}
#: All that leads outside, or to another run, is closed: no pages, no metastore, no bar over our own progress.
_CLOSED = {
    "spark.log.level": "ERROR",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def require_spark() -> None:
    """Raises `AuditError` (IIU402) where pyspark, dbt-spark or Java is missing."""
    missing = [
        package
        for package, module in {"pyspark": "pyspark", "dbt-spark": "dbt.adapters.spark"}.items()
        if importlib.util.find_spec(module) is None
    ]
    java = Path(os.environ.get("JAVA_HOME", "")) / "bin" / "java"
    if shutil.which("java") is None and not java.is_file():
        missing.append("Java")
    if missing:
        raise AuditError(
            [
                Problem(
                    code="IIU402",
                    where=place(file="--engine spark"),
                    what=f"{', '.join(missing)} cannot be found",
                    expected="pyspark and dbt-spark in this environment, and Java 17 or later",
                    fix="`make spark` makes an environment with both: run .venv-spark/bin/iiu. Java comes from the system",
                )
            ]
        )


@contextmanager
def spark_session(*, master: str, warehouse: Path) -> Iterator[None]:
    """The one Spark session of this process, which dbt-spark finds by itself; `warehouse` is where its tables lie.

    Raises `AuditError` (IIU402 where something is missing, IIU403 where Spark does not start).
    """
    require_spark()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # pandas 3, with which nothing here hands frames over
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("immigration-integrity-audit")
    settings = {**_MEANING, **_CLOSED, "spark.sql.warehouse.dir": _on_disk(warehouse)}
    if master.startswith(("local", "spark://127.0.0.1:")):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # nobody else has to reach the driver
    if master.startswith("local"):
        quarter = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
        settings["spark.driver.memory"] = f"{quarter >> 20}m"
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        try:
            session = builder.getOrCreate()
        except Exception as error:
            raise _did_not_start(master, error) from error
        try:
            if master.startswith("local"):  # a part of a table for each core; Spark's own 200 are for clusters
                session.conf.set("spark.sql.shuffle.partitions", str(session.sparkContext.defaultParallelism))
            yield
        finally:
            session.stop()
    finally:
        gateway = SparkContext._gateway
        SparkContext._gateway = SparkContext._jvm = None
        if gateway is not None:  # Java would stay until this process ends, and what comes next needs the memory
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait()


def hand_over(*, database: Path, folder: Path) -> None:
    """Write what landed, and the reference tables, as Parquet into a folder, and name them to Spark as DuckDB does."""
    from pyspark.sql import SparkSession

    session = SparkSession.active()
    folder.mkdir(parents=True)
    with open_database(database, with_files=True) as connection:
        landed = ["audit_settings", "supplied", *load_contract()]
        reference = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'reference' order by table_name"
        ).fetchall()
        for schema, tables in {"landed": landed, "reference": [name for (name,) in reference]}.items():
            session.sql(f"create database {schema}")
            for table in tables:
                path = folder / f"{schema}.{table}.parquet"
                connection.execute(f"copy {schema}.{quoted(table)} to {literal(str(path))} (format parquet)")
                session.sql(f"create table {schema}.`{table}` using parquet location {literal(_on_disk(path))}")


def bring_back(*, database: Path, warehouse: Path, models: Iterable[tuple[str, str]]) -> None:
    """Put the rows of models (schema, name) into the database, where their tables stand empty: in the types of those."""
    with open_database(database, read_only=False, with_files=True) as connection:
        connection.execute("set timezone = 'UTC'")
        for schema, name in models:
            model = f"{schema}.{quoted(name)}"
            columns = connection.execute(f"describe {model}").fetchall()
            typed = ", ".join(f"cast({quoted(column)} as {type_}) as {quoted(column)}" for column, type_, *_ in columns)
            files = literal(str(warehouse / f"{schema}.db" / name / "*.parquet"))
            connection.execute(f"create table brought_back as select {typed} from read_parquet({files})")
            [(kind,)] = connection.execute(
                "select table_type from information_schema.tables where table_schema = ? and table_name = ?",
                [schema, name],
            ).fetchall()
            connection.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {model}")
            connection.execute(f"create table {model} as from brought_back")
            connection.execute("drop table brought_back")


def _on_disk(path: Path) -> str:
    """A path that is not taken for one of the cluster's own file system."""
    return f"file://{path.resolve()}"


def _did_not_start(master: str, error: Exception) -> AuditError:
    return AuditError(
        [
            Problem(
                code="IIU403",
                where=place(file=f"--master {master}"),
                what=f"Spark does not start: {' '.join(str(error).split())[:300]}",
                expected="local[*], or the URL of a master that runs and can be reached from here",
                fix="See the log of the master; its version of Spark must be that of pyspark here",
            )
        ]
    )

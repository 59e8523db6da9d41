"""The database of an audit: what a step may hold, and what it can reach."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from dbt.cli.main import dbtRunner, dbtRunnerResult

from pipeline import transform
from pipeline.database import memory_limit, open_database


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "audit.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table cases as select i as case_id from range(3) as t(i)")
    (tmp_path / "private.csv").write_text("name\nAna\n", encoding="utf-8")
    return path


def test_no_step_holds_more_than_the_models_may(database: Path) -> None:
    with open_database(database) as connection:
        [(held,)] = connection.execute("select current_setting('memory_limit')").fetchall()
    assert (memory_limit(), held) == ("5GB", "4.6 GiB")
    with open_database(database, memory_share=0.6) as connection:
        [(held,)] = connection.execute("select current_setting('memory_limit')").fetchall()
    assert held == "2.7 GiB"


def test_a_query_of_an_office_reads_and_writes_no_file_of_the_machine(database: Path) -> None:
    files = database.with_name("private.csv"), database.with_name("taken.csv")
    with open_database(database) as connection:
        for query in (
            f"from read_csv('{files[0]}')",
            f"copy cases to '{files[1]}'",
            "set enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(query)
    with open_database(database, with_files=True) as connection:
        connection.execute(f"copy cases to '{files[1]}'")


def test_it_is_only_read_unless_a_step_says_that_it_writes(database: Path) -> None:
    with open_database(database) as connection, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        connection.execute("delete from cases")
    with open_database(database, read_only=False) as connection:
        connection.execute("delete from cases")


@pytest.mark.parametrize(("bytes_landed", "at_once"), [(5 * 10**9, None), (5 * 10**9 + 1, "1")])
def test_models_are_built_one_at_a_time_where_what_landed_is_more_than_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_landed: int, at_once: str | None
) -> None:
    """At ten million cases two of the largest joins, side by side, ended with "out of memory"."""
    database = tmp_path / "audit.duckdb"
    with database.open("wb") as file:
        file.truncate(bytes_landed)
    asked: list[str] = []

    def invoke(_: dbtRunner, arguments: list[str]) -> dbtRunnerResult:
        asked.extend(arguments)
        return dbtRunnerResult(success=True, result=[])

    monkeypatch.setattr(dbtRunner, "invoke", invoke)
    transform.build(database=database, work=tmp_path)
    assert (asked[asked.index("--threads") + 1] if "--threads" in asked else None) == at_once

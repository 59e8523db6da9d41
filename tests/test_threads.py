"""The marts have the same rows, floats to the last bit, on however many threads DuckDB counts."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.contract import load_contract
from pipeline.ingest.land import land
from pipeline.ingest.office import load_office, office_folder
from pipeline.synth import write_county
from tests.worlds import rebuild_landed


def rows_of(database: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Of each mart its number of rows and the sum of their hashes."""
    marts = database.execute(
        "from duckdb_tables() select table_name where database_name = 'audit' and schema_name = 'marts'"
    )
    return {
        mart: database.execute(f"select count(*), sum(hash(row)::hugeint) from marts.{mart} as row").fetchall()[0]
        for (mart,) in marts.fetchall()
    }


def test_the_marts_are_the_same_on_one_two_and_four_threads(tmp_path: Path) -> None:
    write_county(out=tmp_path, cases=1_000, seed=3)
    database, contract = tmp_path / "audit.duckdb", load_contract()
    office = load_office(office_folder("example_county"), contract)
    land(office=office, contract=contract, raw=tmp_path / "exports", database=database, work=tmp_path)
    found = {}
    for threads in (1, 2, 4):
        with rebuild_landed(database, tmp_path / f"{threads}.duckdb", threads=threads) as built:
            found[threads] = rows_of(built)
            ((pieces,),) = built.execute(
                "select max(row_group_id) from pragma_storage_info('landed.charge')"
            ).fetchall()
            assert pieces > 0, "one piece of rows is one thread's, so nothing would have been shared out"
    assert sum(rows for rows, _ in found[1].values()) > 50_000
    assert found[2] == found[1]
    assert found[4] == found[1]

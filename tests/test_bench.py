"""The scripts that the bench sets the audit beside count the same cells, so that their times are of the same work."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.ingest.keys import office_key
from pipeline.synth import write_county
from tests import rivals
from tests.bench import CELL, MEASURES, bare, csv_files


def test_sql_pandas_and_polars_count_the_same_cells(tmp_path: Path) -> None:
    write_county(out=tmp_path, cases=600, seed=11)
    files, key = csv_files(tmp_path / "exports"), office_key("example_county", "published")
    found = {}
    for name, count in {"sql": bare, "pandas": rivals.with_pandas, "polars": rivals.with_polars}.items():
        cells = tmp_path / f"{name}.parquet"
        count(files, key, cells)
        found[name] = duckdb.execute(f"select {CELL} from '{cells}' order by all").fetchall()
    assert {cell[0] for cell in found["sql"]} == set(MEASURES)
    assert sum(cell[-1] for cell in found["sql"] if cell[0] == "CHG-01") > 400
    assert found["pandas"] == found["sql"]
    assert found["polars"] == found["sql"]

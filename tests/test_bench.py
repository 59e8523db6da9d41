"""The scripts that the bench sets the audit beside count the same cells, so that their times are of the same work."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.ingest.keys import office_key
from pipeline.synth import write_county
from tests import rivals
from tests.bench import CELL, MEASURES, Cost, Result, _budget, bare, csv_files


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


def test_the_budget_reads_slope_start_and_growth_off_two_sizes() -> None:
    def result(cases: int, audit: float, sql: float) -> Result:
        costs = {"DuckDB": sql, "pandas": 2 * sql, "polars": sql}
        scripts = {name: Cost(seconds=1.0, cpu_seconds=cpu, megabytes=512) for name, cpu in costs.items()}
        whole = Cost(seconds=1.0, cpu_seconds=audit, megabytes=3072)
        return Result(cases=cases, exports=1, scripts=scripts, audit=whole, run={}, written={}, same=1, different={})

    # 100 s and a further 2 s for each thousand cases; the script 4 s for each thousand and nothing to begin with
    said = "\n".join(_budget([result(100_000, 300.0, 400.0), result(1_000_000, 2_100.0, 4_000.0)]))
    assert "100 and 2,000 more for each million cases" in said
    for found in ("1.5 times | 0.5 times", "120 | 100", "1.05 | 0.85", "8 at 10,000,000 | 3.0", "a third | 0.3 times"):
        assert f"| {found} |" in said

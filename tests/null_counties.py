"""How often the audit finds a gap where there is none: 200 counties, written to `tests/null_counties.md`.

    python -m tests.null_counties

One synthetic county in which nothing is planted is audited once. Then race and citizenship are dealt out anew among its
persons, 200 times: no decision can depend on them, and all that a person's cases, hearings and charges have in common
stays together, as it does in real records and as the intervals' arithmetic forgets. What is then found is false.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pandas as pd

from pipeline.audit import read_counts
from pipeline.contract import load_contract
from pipeline.findings import find
from pipeline.ingest.land import land
from pipeline.ingest.office import load_office, office_folder
from pipeline.measures import comparison_table, measure_table, with_clustered_p_values
from pipeline.stats.intervals import wilson
from pipeline.synth import NO_EFFECTS, write_county
from pipeline.transform import build

CASES, SEED, TIMES = 12_000, 20_250_101, 200
REPORT = Path(__file__).parent / "null_counties.md"


def main(times: int = TIMES) -> None:
    with TemporaryDirectory(prefix="iiu-null-") as name:
        folder = Path(name)
        write_county(out=folder / "county", cases=CASES, seed=SEED, effects=NO_EFFECTS)
        office = load_office(office_folder("example_county"), load_contract())
        database = folder / "audit.duckdb"
        raw = folder / "county" / "exports"
        land(office=office, contract=load_contract(), raw=raw, database=database, work=folder)
        build(database=database, work=folder)
        counts = read_counts(database)
        connection = duckdb.connect(str(database))
        facts = prepare(connection)
        queries = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("compiled/**/*__cells.sql"))]
        (of_clusters,) = (path.read_text(encoding="utf-8") for path in folder.rglob("compiled/**/mart_clusters.sql"))
        draw = np.random.default_rng(SEED)
        found: list[list[str]] = []
        for i in range(times):
            deal(connection, facts, draw)
            cells = pd.concat([connection.execute(query).fetchdf() for query in queries], ignore_index=True)
            clusters = connection.execute(of_clusters).fetchdf()
            measures = measure_table(cells, counts.values.head(0), counts.catalogue, office.supplied, office.settings)
            comparisons = comparison_table(measures, office.settings)
            gaps = find(measures, with_clustered_p_values(comparisons, counts.catalogue, clusters), counts.catalogue)
            found.append([gap["id"] for gap in gaps if gap["rule"] == "gap"])
            print(i + 1, sum(map(bool, found)), found[-1], file=sys.stderr, flush=True)
    REPORT.write_text(report(found), encoding="utf-8")


def prepare(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Puts the persons and the facts aside; the facts' names. All is of one quarter: findings look at the whole period."""
    facts = [
        str(name)
        for (name,) in connection.execute(
            """select table_name from information_schema.columns where table_schema = 'marts'
            group by table_name having count(*) filter (where column_name in ('person_id', 'race', 'citizenship')) = 3
            order by table_name"""
        ).fetchall()
    ]
    everybody = " union all ".join(f"select person_id, race, citizenship from marts.{fact}" for fact in facts)
    connection.execute(
        f"""create table persons as select person_id, max(race) as race,
            coalesce(max(citizenship) filter (where citizenship <> 'unknown'), 'unknown') as citizenship
        from ({everybody}) where person_id is not null group by person_id order by person_id"""
    )
    connection.execute("create schema facts")
    for fact in facts:
        connection.execute(f"create table facts.{fact} as from marts.{fact}")
    return facts


def deal(connection: duckdb.DuckDBPyConnection, facts: list[str], draw: np.random.Generator) -> None:
    """Gives every person the race and citizenship of another."""
    persons = connection.execute("from persons order by person_id").fetchdf()
    labels = persons[["race", "citizenship"]].to_numpy()[draw.permutation(len(persons))]
    dealt = persons.assign(race=labels[:, 0], citizenship=labels[:, 1])
    connection.register("dealt", dealt)
    for fact in facts:
        connection.execute(
            f"""create or replace table marts.{fact} as
            select f.* replace (
                case when f.quarter is not null then '2024-Q4' end as quarter,
                coalesce(d.race, f.race) as race, coalesce(d.citizenship, f.citizenship) as citizenship)
            from facts.{fact} as f left join dealt as d using (person_id)"""
        )
    connection.unregister("dealt")


def report(found: list[list[str]]) -> str:
    raised = sum(map(bool, found))
    interval = wilson(np.array([raised]), np.array([len(found)]))
    which = Counter(gap.split("|")[1] for one in found for gap in one)
    lines = [
        "# Counties where nothing is planted",
        "",
        f"Written by `python -m tests.null_counties`: {len(found)} times, race and citizenship were dealt out anew among the",
        f"persons of a synthetic county of {CASES:,} cases (seed {SEED}).",
        "",
        f"A finding of a gap was raised in {raised} of {len(found)}: {raised / len(found):.1%}, 95% interval "
        f"{interval.low[0]:.1%} to {interval.high[0]:.1%}. The declared rate is 5%.",
        "",
    ]
    if which:
        lines += ["False findings by measure: " + ", ".join(f"{m} {n}" for m, n in sorted(which.items())) + ".", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))

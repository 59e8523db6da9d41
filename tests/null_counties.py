"""How often the audit finds a gap where there is none: 200 counties, written to `tests/null_counties.md`.

    python -m tests.null_counties

One synthetic county in which nothing is planted is audited once. Then race and citizenship are dealt out anew among its
persons, 200 times: no decision can depend on them, and all that a person's cases, hearings and charges have in common
stays together, as it does in real records and as the intervals' arithmetic forgets. What is then found is false.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.audit import read_counts
from pipeline.contract import load_contract
from pipeline.findings import find
from pipeline.ingest.land import land
from pipeline.ingest.office import load_office, office_folder
from pipeline.measures import CLUSTER_SUMS, comparison_table, measure_table, with_clustered_p_values
from pipeline.stats.intervals import wilson
from pipeline.synth import NO_EFFECTS, write_county
from pipeline.transform import build

CASES, SEED, TIMES = 12_000, 20_250_101, 200
#: So many counties are computed at a time.
TOGETHER = 10
REPORT = Path(__file__).parent / "null_counties.md"
GROUPS = ["race", "citizenship"]


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
        queries = {
            ending: [path.read_text(encoding="utf-8") for path in sorted(folder.rglob(f"compiled/**/*__{ending}.sql"))]
            for ending in ("cells", "clusters")
        }
        with duckdb.connect(str(database)) as connection:
            persons = told_apart(connection)
            cells, clusters = (
                pd.concat([connection.execute(query).fetchdf() for query in asked], ignore_index=True)
                for asked in queries.values()
            )
    of_person = {
        "cells": Additive.of(cells, ["numerator", "denominator"], persons),
        "clusters": Additive.of(clusters, CLUSTER_SUMS, persons),
    }
    draw = np.random.default_rng(SEED)
    found: list[list[str]] = []
    while len(found) < times:
        # each county is a year of one long audit: its measures cost little more than those of one county
        years = range(2001, 2001 + min(TOGETHER, times - len(found)))
        settings = replace(
            office.settings,
            finest_period="year",
            period_from=date(years[0], 1, 1),
            period_to=date(years[-1], 12, 31),
        )
        groups = [persons[GROUPS].to_numpy()[draw.permutation(len(persons))] for _ in years]
        dealt = [of_person["cells"].dealt(of).assign(quarter=f"{y}-Q1") for y, of in zip(years, groups, strict=True)]
        cells_of_all = pd.concat(dealt, ignore_index=True).assign(offence_group="unknown")
        measures = measure_table(cells_of_all, counts.values.head(0), counts.catalogue, office.supplied, settings)
        for year, of in zip(years, groups, strict=True):
            comparisons = comparison_table(measures[measures["period"] == str(year)].assign(period="all"), settings)
            clusters = of_person["clusters"].dealt(of)
            comparisons = with_clustered_p_values(comparisons, counts.catalogue, clusters)
            gaps = find(measures.head(0), comparisons, counts.catalogue, as_of=settings.as_of_date)
            found.append([gap["id"] for gap in gaps])
            print(len(found), sum(map(bool, found)), found[-1], file=sys.stderr, flush=True)
    REPORT.write_text(report(found), encoding="utf-8")


def told_apart(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The persons with their race and citizenship. In the facts each now is a race of their own: all counts by race are
    counts by person. Rows about nobody keep their groups, written as one.
    """
    facts = dict(
        connection.execute(
            """select table_name, if(bool_or(column_name = 'person_id'), 'person_id', 'null')
            from information_schema.columns where table_schema = 'marts'
            group by table_name having count(*) filter (where column_name in ('quarter', 'race', 'uncounted_reason')) = 3
            order by table_name"""
        ).fetchall()
    )
    everybody = " union all ".join(
        f"select {person} as person_id, race, citizenship from marts.{fact}" for fact, person in facts.items()
    )
    persons = connection.execute(
        f"""select person_id, max(race) as race,
            coalesce(max(citizenship) filter (where citizenship <> 'unknown'), 'unknown') as citizenship
        from ({everybody}) where person_id is not null group by person_id order by person_id"""
    ).fetchdf()
    for fact, person in facts.items():
        connection.execute(
            f"""create or replace table marts.{fact} as
            select * replace (
                case when quarter is not null then '2024-Q4' end as quarter,
                coalesce(cast({person} as varchar), concat_ws('|', race, citizenship)) as race,
                'unknown' as citizenship)
            from marts.{fact}"""
        )
    return persons


@dataclass(frozen=True, kw_only=True)
class Additive:
    """Sums by measure, stratum and person that add up to those of any groups of persons.

    `key` holds the measures and strata, `at` which of them each row is of, `person` whose it is: a place among the
    persons and, behind them, among the groups of `nobody`.
    """

    key: pd.DataFrame
    nobody: NDArray[np.object_]
    at: NDArray[np.intp]
    person: NDArray[np.intp]
    sums: pd.DataFrame

    @classmethod
    def of(cls, rows: pd.DataFrame, sums: list[str], persons: pd.DataFrame) -> Additive:
        at, keys = pd.factorize(pd.MultiIndex.from_frame(rows[["measure_id", "stratum"]]))
        place = pd.Index(persons["person_id"].astype(str)).get_indexer(pd.Index(rows["race"]))
        of_nobody, groups = pd.factorize(rows["race"].where(place < 0))
        return cls(
            key=pd.DataFrame(list(keys), columns=["measure_id", "stratum"]),
            nobody=np.array([str(group).split("|") for group in groups], dtype=object).reshape(-1, 2),
            at=at,
            person=np.where(place < 0, len(persons) + of_nobody, place),
            sums=rows[sums],
        )

    def dealt(self, groups: NDArray[np.object_]) -> pd.DataFrame:
        """The sums by measure, stratum, race and citizenship, where each person has these groups."""
        label, labels = pd.factorize(pd.MultiIndex.from_arrays(list(np.vstack([groups, self.nobody]).T)))
        cell = self.at * len(labels) + label[self.person]
        size = len(self.key) * len(labels)
        there = np.flatnonzero(np.bincount(cell, minlength=size))
        summed = {name: np.bincount(cell, column, size)[there].astype(np.int64) for name, column in self.sums.items()}
        of_group = pd.DataFrame(list(labels), columns=GROUPS).iloc[there % len(labels)].reset_index(drop=True)
        return self.key.iloc[there // len(labels)].reset_index(drop=True).join(of_group).assign(**summed)


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

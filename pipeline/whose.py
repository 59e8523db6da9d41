"""Whose the cases are that the adjusted comparisons count: persons, who decided, and which agency had arrested.

Cells of counts cannot say that three cases are of one person, so limits from cells alone are too narrow where persons
return or prosecutors differ. What is read here stays in the process: no table of it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.database import open_database
from pipeline.estimands import Estimand, Whose
from pipeline.ingest.read import quoted

GROUPS = ("quarter", "race", "citizenship", "offence_group")
WHO = ("of_person", "by_unit", "by_prosecutor", "by_agency")
#: How much of the limit of memory the database may hold meanwhile: what is read for all facts takes as much again.
SHARE = 0.6
#: Who decided, by the column of a fact that leads there. Each has one row a key; the later ones join those before.
DECIDED = {
    "arrest_id": """select arrest_id, cast(null as varchar) as by_unit, cast(null as varchar) as by_prosecutor,
        agency_code as by_agency from staging.stg_arrests""",
    # a referral to at most one arrest
    "referral_id": """select referral_id, prosecutor_unit as by_unit, prosecutor_id as by_prosecutor, by_agency
        from staging.stg_referrals left join decided_by_arrest_id using (arrest_id)""",
    # a case to at most one referral
    "case_id": """select case_id, coalesce(prosecutor_unit, by_unit) as by_unit, by_prosecutor, by_agency
        from staging.stg_cases left join decided_by_referral_id using (referral_id)""",
}


def read_whose(database: Path, catalogue: pd.DataFrame, estimands: Iterable[Estimand]) -> dict[str, Whose]:
    """Of every rate and amount that some estimand asks about, by its id: whose its rows are."""
    held: dict[str, set[str]] = {}
    for estimand in estimands:
        for fact in estimand.facts:
            held.setdefault(fact, set()).update(of.column for of in estimand.hold_equal)
    found: dict[str, Whose] = {}
    with open_database(database, memory_share=SHARE) as connection:
        # once for all facts, since to find it in each took more memory than there is for ten million cases
        for key, decided in DECIDED.items():
            connection.execute(f"create temp table decided_by_{key} as {decided}")
        for fact, columns in held.items():
            measures = catalogue[catalogue["fact"].eq(fact) & catalogue["kind"].isin(["rate", "distribution"])]
            if len(measures):
                found |= _of_fact(connection, fact, sorted(columns - {*GROUPS, "year"}), measures)
    return found


def _of_fact(
    connection: duckdb.DuckDBPyConnection, fact: str, facts: list[str], measures: pd.DataFrame
) -> dict[str, Whose]:
    described = connection.execute(f"select * from marts.{quoted(fact)} limit 0").description
    source = _source(fact, [column[0] for column in described], facts)
    held = [f"held_{name}" for name in facts]
    rates, found = measures[measures["kind"].eq("rate")].to_dict("records"), {}
    if rates:
        who = _counted(connection, f"{counts_of(rates)} {source}", held)
        for i, measure in enumerate(rates):
            events, cases = _column(connection, f"k{i}"), _column(connection, f"n{i}")
            found[measure["measure_id"]] = Whose(**who, events=_narrow(events), cases=_narrow(cases))
    for measure in measures[measures["kind"].eq("distribution")].to_dict("records"):
        value = f"cast({measure['value']} as bigint)"
        who = _counted(
            connection,
            f"""{value} as amount, count(*) as cases {source}
            and {_population(measure)} and ({measure["value"]}) is not null""",
            held,
        )
        amount, cases = _column(connection, "amount"), _column(connection, "cases")
        found[measure["measure_id"]] = Whose(
            **who,
            events=_narrow(np.where(amount > 0, cases, 0)),
            cases=_narrow(cases),
            logs=np.log(np.where(amount > 0, amount, 1)) * cases,
        )
    return found


def _counted(connection: duckdb.DuckDBPyConnection, counts: str, held: list[str]) -> dict[str, Any]:
    """Leaves the table `counted`: counts by who and finest cell, in the order of these labels. Returns what numbers them.

    The labels stay in the database: there are as many as cases, and as text of Python they would take most of the memory.
    """
    by = [*GROUPS, *held]
    # in two steps, since to count and to sort at a time needs the memory of both
    connection.execute(f"create temp table unordered as select {', '.join([*WHO, *by])}, {counts} group by all")
    connection.execute("create or replace temp table counted as select * from unordered order by all")
    connection.execute("drop table unordered")
    # one by one, since each sorts all rows; a label that is not on file has the number -1
    cell, *whose = (
        _column(connection, f"cast({number} - 1 as integer)")
        for number in (
            f"dense_rank() over (order by {', '.join(by)})",
            *(f"if({name} is null, 0, dense_rank() over (order by {name}))" for name in WHO),
        )
    )
    cells = connection.execute(f"select distinct {', '.join(by)} from counted order by all").fetchdf()
    names = {
        f"{part}_names": tuple(
            str(name)
            for (name,) in connection.execute(
                f"select distinct by_{part} from counted where by_{part} is not null order by all"
            ).fetchall()
        )
        for part in ("unit", "agency")
    }
    person, unit, prosecutor, agency = map(_narrow, whose)
    return {
        "cells": cells.rename(columns=lambda name: name.removeprefix("held_")), "cell": cell, "person": person,
        "unit": unit, "prosecutor": prosecutor, "agency": agency, **names,
    }  # fmt: skip


def _column(connection: duckdb.DuckDBPyConnection, column: str) -> NDArray[Any]:
    """A column of `counted`, in its order."""
    (values,) = connection.execute(f"select {column} as value from counted order by rowid").fetchnumpy().values()
    return np.asarray(values)


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """In as few bytes as they need: of one person and cell there are mostly one or two, and of deciders some hundreds."""
    largest = int(values.max(initial=0))
    return values.astype(np.min_scalar_type(-1 - largest if values.min(initial=0) < 0 else largest))


def counts_of(rates: Iterable[Mapping[Any, Any]]) -> str:
    """The columns of a query over a fact that count the events (k0, k1, ...) and the cases (n0, n1, ...) of its rates."""
    return ", ".join(
        f"count(*) filter (where {_population(m)} and ({m['numerator']})) as k{i}, "
        f"count(*) filter (where {_population(m)} and ({m['numerator']}) is not null) as n{i}"
        for i, m in enumerate(rates)
    )


def counted_rates(
    connection: duckdb.DuckDBPyConnection, rates: pd.DataFrame, *, needs: set[str], labels: str, where: str = "true"
) -> dict[str, pd.DataFrame]:
    """Of each rate whose fact has the columns `needs`, by its id and in their order: `events` and `cases` by some labels.

    The rates of a fact are counted in one pass over its rows that lie in a quarter.
    """
    held = dict(
        connection.execute(
            "select table_name, list(column_name) from information_schema.columns where table_schema = 'marts' group by all"
        ).fetchall()
    )
    found: dict[str, pd.DataFrame] = {}
    for fact, measures in rates.groupby("fact", sort=False):
        if needs <= set(held.get(fact, ())):
            asked = measures.to_dict("records")
            counted = connection.execute(
                f"""select {labels}, {counts_of(asked)} from marts.{quoted(str(fact))}
                where quarter is not null and {where} group by all"""
            ).fetchdf()
            for i, measure in enumerate(asked):
                found[measure["measure_id"]] = counted.rename(columns={f"k{i}": "events", f"n{i}": "cases"})
    return {measure_id: found[measure_id] for measure_id in rates["measure_id"] if measure_id in found}


def _population(measure: Mapping[Any, Any]) -> str:
    return f"({measure['denominator'] or 'true'})"


def _source(fact: str, columns: list[str], facts: list[str]) -> str:
    """The rows of a fact with who they are of, and who decided: as its case says, then its referral, then its arrest."""
    key = f"cast({quoted(columns[0])} as varchar)"
    person = f"coalesce(cast(person_id as varchar), {key})" if "person_id" in columns else key
    leads = [name for name in reversed(DECIDED) if name in columns]
    found = {by: ", ".join([*(f"of_{lead}.{by}" for lead in leads), "null"]) for by in WHO[1:]}
    who = "".join(f", coalesce({places}) as {by}" for by, places in found.items())
    held = "".join(
        f", coalesce(cast({quoted(name) if name in columns else 'null'} as varchar), 'not_recorded') as held_{name}"
        for name in facts
    )
    # a row of the fact to at most one case, referral and arrest, so that none is doubled
    joins = " ".join(
        f"left join decided_by_{lead} as of_{lead} on cast(asked.{lead} as varchar) = of_{lead}.{lead}"
        for lead in leads
    )
    return f"""from (
        select asked.*{who}
        from (select *, {person} as of_person{held} from marts.{quoted(fact)} where quarter is not null) as asked
        {joins}
    ) where true"""

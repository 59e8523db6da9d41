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


def read_whose(database: Path, catalogue: pd.DataFrame, estimands: Iterable[Estimand]) -> dict[str, Whose]:
    """Of every rate and amount that some estimand asks about, by its id: whose its rows are."""
    held: dict[str, set[str]] = {}
    for estimand in estimands:
        for fact in estimand.facts:
            held.setdefault(fact, set()).update(of.column for of in estimand.hold_equal)
    found: dict[str, Whose] = {}
    with open_database(database) as connection:
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
    connection.execute(
        f"create or replace temp table counted as select {', '.join([*WHO, *by])}, {counts} group by all order by all"
    )
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
    person, unit, prosecutor, agency = whose
    return {
        "cells": cells.rename(columns=lambda name: name.removeprefix("held_")), "cell": cell, "person": person,
        "unit": unit, "prosecutor": prosecutor, "agency": agency, **names,
    }  # fmt: skip


def _column(connection: duckdb.DuckDBPyConnection, column: str) -> NDArray[Any]:
    """A column of `counted`, in its order."""
    (values,) = connection.execute(f"select {column} as value from counted order by rowid").fetchnumpy().values()
    return np.asarray(values)


def _narrow(counts: NDArray[np.int64]) -> NDArray[np.unsignedinteger[Any]]:
    """In as few bytes as the largest needs: of one person and cell there are mostly one or two."""
    return counts.astype(np.min_scalar_type(counts.max(initial=0)))


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
    """The rows of a fact with who they are of; who decided is found over the case and the referral that a row names."""
    key = f"cast({quoted(columns[0])} as varchar)"
    person = f"coalesce(cast(person_id as varchar), {key})" if "person_id" in columns else key
    case, referral, arrest = (
        name if name in columns else "cast(null as varchar)" for name in ("case_id", "referral_id", "arrest_id")
    )
    held = "".join(
        f", coalesce(cast({quoted(name) if name in columns else 'null'} as varchar), 'not_recorded') as held_{name}"
        for name in facts
    )
    # a case, referral and arrest have one row each, so no row of the fact is doubled
    return f"""from (
        select asked.*, coalesce(cases.prosecutor_unit, referrals.prosecutor_unit) as by_unit,
            referrals.prosecutor_id as by_prosecutor, arrests.agency_code as by_agency
        from (
            select *, {person} as of_person, {case} as of_case, {referral} as of_referral, {arrest} as of_arrest{held}
            from marts.{quoted(fact)} where quarter is not null
        ) as asked
        left join staging.stg_cases as cases on asked.of_case = cases.case_id
        left join staging.stg_referrals as referrals
            on coalesce(asked.of_referral, cases.referral_id) = referrals.referral_id
        left join staging.stg_arrests as arrests on coalesce(asked.of_arrest, referrals.arrest_id) = arrests.arrest_id
    ) where true"""

"""What an office's records can be asked beyond the catalogue: its own `measures.yml`, counted as every measure is.

The file declares rows (a query each, over what landed and the models), measures of these rows, and the adjusted
comparisons of them (`facts` and `estimands`, as in `data/reference/estimands.yml`). Each becomes a fact among the
marts, cells of counts and a row of the catalogue, so that measures, gate, pages and release know no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pandas as pd

from pipeline.config import AuditSettings
from pipeline.contract import ROOT
from pipeline.database import open_database
from pipeline.errors import AuditError, Problem
from pipeline.estimands import Estimand, load_estimands
from pipeline.ingest.located_yaml import LocatedYaml, Path_
from pipeline.ingest.read import literal, quoted
from pipeline.measures import Saturation, saturation
from pipeline.whose import GROUPS

FILE = "measures.yml"
#: The mart that an office's own measures stand in; each of its facts is `mart_own__<rows>`.
MART = "own"
#: The groups of all facts: the models' own macros, so that an office's rows are told apart by the same rules.
MACROS = ROOT / "pipeline" / "dbt" / "macros" / "groups.sql"
SCHEMAS = {"stg": "staging", "int": "intermediate"}
KINDS = {"rate": ("numerator",), "distribution": ("value",)}
WORDS = ("title", "definition", "counted_unit", "numerator_text", "denominator_text")
_NEEDED = ("person_id", "decided_on")
_ADDED = (*GROUPS, "citizenship_latest", "uncounted_reason")


@dataclass(frozen=True, kw_only=True)
class Own:
    """What was counted: the declared adjusted comparisons, and measures whose youngest cases all have the outcome."""

    estimands: tuple[Estimand, ...] = ()
    saturations: tuple[Saturation, ...] = ()


def count_own_measures(*, office_folder: Path, database: Path, settings: AuditSettings) -> Own:
    """Counts the office's own measures into a built database. Raises `AuditError` with all that is wrong in the file."""
    path = office_folder / FILE
    if not path.is_file():
        return Own()
    document = LocatedYaml(path)
    connection = open_database(database, read_only=False)
    try:
        problems = list(_problems(document))
        if not problems:
            problems = list(_make_facts(connection, document))
        if not problems:
            problems = list(_count(connection, document, settings))
        if problems:
            raise AuditError(problems)
        found = tuple(_saturations(connection, document, settings))
    finally:
        connection.close()
    return Own(estimands=load_estimands(path, prefix=f"mart_{MART}__"), saturations=found)


def _problems(document: LocatedYaml) -> Iterator[Problem]:
    value = document.value
    for key in ("rows", "measures"):
        if not isinstance(value.get(key), dict):
            yield _problem(document, (key,), f"[{key}] is missing", "a mapping by name")
            return
    for name, measure in value["measures"].items():
        at = ("measures", name)
        if measure.get("rows") not in value["rows"]:
            yield _problem(document, at, f"rows [{measure.get('rows')}] are not declared", ", ".join(value["rows"]))
        if measure.get("kind") not in KINDS:
            yield _problem(document, at, f"kind [{measure.get('kind')}] is not known", " or ".join(KINDS))
            continue
        for key in (*WORDS, "unit", *KINDS[measure["kind"]]):
            if not measure.get(key):
                yield _problem(document, at, f"[{key}] is missing", "what the catalogue says of every measure")
        window = measure.get("window")
        if window is not None and set(window) != {"from", "length"}:
            yield _problem(document, (*at, "window"), "is no window", "from: a column, length: as 2 years")


def _make_facts(connection: duckdb.DuckDBPyConnection, document: LocatedYaml) -> Iterator[Problem]:
    """One table for each kind of rows, in the groups in which all facts stand."""
    groups = _macros()
    for name, query in document.value["rows"].items():
        try:
            columns = [c[0] for c in connection.execute(f"select * from ({query}) limit 0").description]
        except duckdb.Error as error:
            yield _problem(document, ("rows", name), str(error).splitlines()[0], "a query that runs")
            continue
        lacking = [c for c in _NEEDED if c not in columns]
        taken = [c for c in _ADDED if c in columns]
        if lacking or taken:
            what = f"has no column {', '.join(lacking)}" if lacking else f"has a column {', '.join(taken)} of its own"
            yield _problem(document, ("rows", name), what, f"{', '.join(_NEEDED)}; {', '.join(_ADDED)} are added")
            continue
        category = "asked.offence_category" if "offence_category" in columns else "null"
        connection.execute(
            f"""create or replace table marts.{quoted(f"mart_{MART}__{name}")} as
            select asked.*, {groups.groups_on("asked.decided_on")}
            from ({query}) as asked {groups.join_groups("asked.person_id", category)}
            order by 1"""
        )


def _macros() -> Any:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.globals["ref"] = lambda model: f"{SCHEMAS.get(model.partition('_')[0], 'reference')}.{model}"
    return environment.from_string(MACROS.read_text(encoding="utf-8")).module


def _count(connection: duckdb.DuckDBPyConnection, document: LocatedYaml, settings: AuditSettings) -> Iterator[Problem]:
    """The cells, values and clusters of all measures, and their rows of the catalogue."""
    facts = sorted({str(f["column"]) for f in document.value.get("facts", {}).values()} - {*_ADDED, "year"})
    cells, values, clusters, listed = [], [], [], []
    for name, measure in document.value["measures"].items():
        fact = f"mart_{MART}__{measure['rows']}"
        held = {c[0] for c in connection.execute(f"select * from marts.{quoted(fact)} limit 0").description}
        columns = [
            f"coalesce(cast({quoted(f)} as varchar), 'not_recorded')" if f in held else "'not_recorded'" for f in facts
        ]
        group = ", ".join(
            [f"{literal(name)} as measure_id", *GROUPS, "'' as stratum"]
            + [f"{column} as {quoted(f)}" for f, column in zip(facts, columns, strict=True)]
        )
        population = _population(measure, settings)
        counted = f"from marts.{quoted(fact)} where quarter is not null and {population}"
        if measure["kind"] == "rate":
            event = f"({measure['numerator']})"
            counted += f" and {event} is not null"
            cells.append(
                f"select {group}, count(*) filter (where {event}) as numerator, count(*) as denominator {counted} group by all"
            )
            clusters.append(
                f"""select {literal(name)} as measure_id, race, citizenship, '' as stratum, count(*) as persons,
                cast(sum(k * k) as bigint) as events_squared, cast(sum(k * n) as bigint) as events_times_cases,
                cast(sum(n * n) as bigint) as cases_squared
                from (select person_id, race, citizenship, count(*) filter (where {event}) as k, count(*) as n
                {counted} group by all) group by all"""
            )
        else:
            value = f"({measure['value']})"
            values.append(
                f"""select {group}, cast({value} as bigint) as value, 'event' as outcome, count(*) as cases
                {counted} and {value} is not null group by all"""
            )
        listed.append(_catalogue_row(name, measure, fact, population))
    parts = {f"mart_{MART}__cells": cells, f"mart_{MART}__values": values, f"mart_{MART}__clusters": clusters}
    try:
        for table, queries in parts.items():
            if queries:
                connection.execute(
                    f"create or replace table marts.{quoted(table)} as {' union all '.join(queries)} order by all"
                )
    except duckdb.Error as error:
        yield _problem(document, ("measures",), str(error).splitlines()[0], "expressions over the columns of the rows")
        return
    rows = pd.DataFrame(listed)
    connection.register("own_rows", rows)
    connection.execute("delete from reference.measures where measure_id in (select measure_id from own_rows)")
    connection.execute("insert into reference.measures by name select * from own_rows")
    connection.unregister("own_rows")


def _population(measure: Mapping[str, Any], settings: AuditSettings) -> str:
    """Who is counted. Whoever had not the whole window up to the day of the export is in no part of a rate."""
    population = f"({measure.get('denominator', 'true')})"
    if "window" in measure:
        window = measure["window"]
        ends = f"{quoted(str(window['from']))} + interval {literal(str(window['length']))}"
        population += f" and {ends} <= date {literal(settings.as_of_date.isoformat())}"
    return population


def _catalogue_row(name: str, measure: Mapping[str, Any], fact: str, population: str) -> dict[str, str]:
    said = {key: " ".join(str(measure[key]).split()) for key in WORDS}
    code = {key: str(measure.get(key, "")) for key in ("numerator", "value")}
    empty = dict.fromkeys(("outcome", "stratum", "required_columns", "proposal", "equivalent"), "")
    return {
        "measure_id": name, "mart": MART, "fact": fact, "kind": measure["kind"], "unit": measure["unit"],
        "denominator": population, "direction": "neutral", "source_quote": str(measure.get("source", "")),
        **said, **code, **empty,
    }  # fmt: skip


def _saturations(
    connection: duckdb.DuckDBPyConnection, document: LocatedYaml, settings: AuditSettings
) -> Iterator[Saturation]:
    """Rates that all of the youngest cases counted meet, by day of entry."""
    for name, measure in document.value["measures"].items():
        if measure["kind"] != "rate":
            continue
        entered, event = str(measure.get("window", {}).get("from", "decided_on")), f"({measure['numerator']})"
        by_day = connection.execute(
            f"""select {quoted(entered)} as entered, count(*) filter (where {event}) as events, count(*) as cases
            from marts.{quoted(f"mart_{MART}__{measure['rows']}")}
            where {quoted(entered)} is not null and {_population(measure, settings)} and {event} is not null
            group by all order by all"""
        ).fetchdf()
        found = saturation(name, by_day["entered"].dt.date.tolist(), by_day["events"], by_day["cases"])
        if found is not None:
            yield found


def _problem(document: LocatedYaml, path: Path_, what: str, expected: str) -> Problem:
    return Problem(code="IIU150", where=document.place(path), what=what, expected=expected, fix=f"Correct {FILE}")

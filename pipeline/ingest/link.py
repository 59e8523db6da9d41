"""The same person in records that have no number of a person: by name, birth and sex, while they land.

Names are met here alone, in the memory of the run. What leaves is a key for each record, as of any other identifier, and
a count of what other thresholds would have joined. There is no linkage to any list from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from pipeline.errors import AuditError, Problem, place

MODEL = Path(__file__).with_name("linkage.yml")
#: Between the parts of an identity; no cell holds it.
MARK = "\x1f"


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """What a threshold of the match probability makes of the identities: so many persons.

    `joined` are identities that share a person with another; `births` are persons with more than one day of birth.
    """

    threshold: float
    is_used: bool
    identities: int
    persons: int
    joined: int
    largest: int
    births: int


@dataclass(frozen=True, kw_only=True)
class Doubtful:
    """A person to be looked at: another of the compared thresholds would part its identities or join others to them, or it
    has more than one day of birth.

    `weakest` is the least probability that holds its identities together, None where it has one; `nearest` the greatest
    that one of them is one person with an identity of `nearest_person`, None below the loosest threshold.
    """

    person: str
    identities: int
    births: int
    weakest: float | None
    nearest: float | None
    nearest_person: str | None


@dataclass(frozen=True, kw_only=True)
class Linked:
    """`person_of` gives for each identity the one that stands for its person, as it does in `doubtful`."""

    person_of: Mapping[str, str]
    thresholds: tuple[Threshold, ...]
    doubtful: tuple[Doubtful, ...] = ()


@cache
def model() -> dict[str, Any]:
    """The declared model."""
    return dict(yaml.safe_load(MODEL.read_text(encoding="utf-8")))


def link(identities: Sequence[str], *, threshold: float | None = None) -> Linked:
    """Which identities are one person's. An identity is forename, surname, birth as 2024-12-31 and sex, with MARK between.

    The same identities in any order give the same persons. Raises `AuditError` (IIU122) without the extra `linkage`.
    """
    if len(identities) < 2:
        return Linked(person_of={text: text for text in identities}, thresholds=())
    try:
        from splink import DuckDBAPI, Linker
    except ImportError as error:
        problem = Problem(
            code="IIU122",
            where=place(file="office.yml"),
            what="persons are to be linked by name and birth, and Splink is not installed",
            expected="the extra `linkage`",
            fix="pip install '.[linkage]'",
        )
        raise AuditError([problem]) from error
    used = model()["threshold"] if threshold is None else threshold
    connection = duckdb.connect()
    try:
        connection.register("texts", pa.table({"text": sorted(identities)}))
        connection.execute(
            f"""create table identity as with parts as (select text, string_split(text, chr({ord(MARK)})) as part from texts),
            plain as (
                select text, regexp_replace(upper(strip_accents(part[1])), '[^A-Z]', '', 'g') as forename,
                    regexp_replace(upper(strip_accents(part[2])), '[^A-Z]', '', 'g') as surname,
                    replace(part[3], '-', '') as birth, nullif(upper(left(part[4], 1)), '') as sex
                from parts
            )
            select row_number() over (order by text) as unique_id, *, forename || ' ' || surname as full_name,
                least(forename, surname) || ' ' || greatest(forename, surname) as both_names
            from plain"""
        )
        api = DuckDBAPI(connection)
        linker = Linker(api.register("identity"), _settings(len(identities)), log_level=None)
        least = min(used, *model()["compared"])
        pairs = linker.inference.predict(threshold_match_probability=least).physical_name
        connection.execute(
            f"""create table pair as select unique_id_l as a, unique_id_r as b, match_probability as p from {pairs}"""
        )
        found = {t: _persons(connection, t) for t in sorted({used, *model()["compared"]})}
        rows = connection.execute("select text, birth from identity order by unique_id").fetchall()
        compared = connection.execute("select a - 1 as a, b - 1 as b, p from pair").fetchdf()
    finally:
        connection.close()
    texts, births = [row[0] for row in rows], [row[1] for row in rows]
    return Linked(
        person_of={text: texts[person] for text, person in zip(texts, found[used], strict=True)},
        thresholds=tuple(_threshold(t, t == used, persons, births) for t, persons in found.items()),
        doubtful=tuple(_doubtful(compared, texts, births, found[used], strictest=max(found))),
    )


def ends(used: float) -> list[float]:
    """The loosest and the strictest of the compared thresholds, but for the one that is used."""
    return sorted({min(model()["compared"]), max(model()["compared"])} - {used})


def _settings(identities: int) -> dict[str, Any]:
    def levels(name: str, declared: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        null = "sex_l is null or sex_r is null" if name == "sex" else "false"
        made: list[dict[str, Any]] = [
            {"sql_condition": null, "label_for_charts": "not recorded", "is_null_level": True}
        ]
        for level in declared:
            one = {"sql_condition": level.get("sql", "ELSE"), "label_for_charts": level["label"]}
            one |= {"m_probability": level["m"], "u_probability": level["u"]}
            if "of" in level:
                one |= {"tf_adjustment_column": level["of"], "tf_adjustment_weight": 1.0}
            made.append(one)
        return made

    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "comparisons": [
            {"output_column_name": name, "comparison_levels": levels(name, declared)}
            for name, declared in model()["comparisons"].items()
        ],
        "blocking_rules_to_generate_predictions": [f"l.{c} = r.{c}" for c in model()["compared_where"]],
        "probability_two_random_records_match": 1 / identities,  # each has one other, on average
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def _persons(connection: duckdb.DuckDBPyConnection, threshold: float) -> list[int]:
    """For each identity the first, from 0, of those it is connected with by pairs at or above the threshold."""
    found = connection.execute("select a - 1 as a, b - 1 as b from pair where p >= ?", [threshold]).fetchnumpy()
    counted = connection.execute("select count(*) from identity").fetchone()
    size = int(counted[0]) if counted else 0
    a, b = (np.asarray(found[side], dtype=np.int64) for side in ("a", "b"))
    _, labels = connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(size, size)), directed=False)
    first: dict[int, int] = {}
    return [first.setdefault(int(label), number) for number, label in enumerate(labels)]


def _threshold(threshold: float, is_used: bool, persons: Sequence[int], births: Sequence[str]) -> Threshold:
    sizes: dict[int, int] = {}
    of_person: dict[int, set[str]] = {}
    for person, birth in zip(persons, births, strict=True):
        sizes[person] = sizes.get(person, 0) + 1
        of_person.setdefault(person, set()).add(birth)
    return Threshold(
        threshold=threshold,
        is_used=is_used,
        identities=len(persons),
        persons=len(sizes),
        joined=sum(n for n in sizes.values() if n > 1),
        largest=max(sizes.values()),
        births=sum(1 for days in of_person.values() if len(days) > 1),
    )


def _doubtful(
    pairs: pd.DataFrame, texts: Sequence[str], births: Sequence[str], persons: Sequence[int], *, strictest: float
) -> Iterator[Doubtful]:
    """`pairs` holds the places of two identities, `a` and `b`, and `p`, that they are one person's."""
    person = np.asarray(persons)
    people = pd.DataFrame({"person": person, "birth": births}).groupby("person")["birth"].agg(["size", "nunique"])
    of_a, of_b = person[pairs["a"]], person[pairs["b"]]
    inside = pairs[of_a == of_b]
    # the links that hold a person together at the highest probabilities: the cheapest tree, where a cost is never 0
    tree = minimum_spanning_tree(
        coo_matrix((2 - inside["p"], (inside["a"], inside["b"])), shape=(len(person),) * 2)
    ).tocoo()
    people["weakest"] = (2 - pd.Series(tree.data)).groupby(person[tree.row]).min()
    across = pd.concat(
        [pd.DataFrame({"person": one, "other": other, "p": pairs["p"]})[of_a != of_b] for one, other in ((of_a, of_b), (of_b, of_a))]
    )  # fmt: skip
    nearest = across.sort_values(["person", "p", "other"], ascending=[True, False, True]).groupby("person").first()
    people = people.join(nearest).reset_index()
    for row in people[people["nunique"].gt(1) | people["weakest"].lt(strictest) | people["p"].notna()].to_dict(
        "records"
    ):
        is_near = pd.notna(row["p"])
        yield Doubtful(
            person=texts[row["person"]],
            identities=row["size"],
            births=row["nunique"],
            weakest=round(row["weakest"], 6) if pd.notna(row["weakest"]) else None,
            nearest=round(row["p"], 6) if is_near else None,
            nearest_person=texts[int(row["other"])] if is_near else None,
        )

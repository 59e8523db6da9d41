"""From an arrest to its end: each step, what the records lose on the way, and shares that multiply.

The scenarios are one table that reads as a list of arrests and what should be said of each. A second implementation in
slow, plain Python stands in `tests/oracle_pipeline.py`.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import duckdb
import pytest

from tests import oracle_pipeline
from tests.oracle import Draw
from tests.worlds import World, build, cells_of, rows, wrongly_documented

AS_OF = date(2024, 12, 31)
PERIOD = (date(2015, 1, 1), AS_OF)
SELECT = ("+mart_pipeline__cells",)

#: arrest, its referral's decision, days from arrest to: filing, disposition (and its type), sentence (and its type)
STORIES = rows(
    """
    arrest     day         decision     filed  disposed  type          sentenced  sentence   expected                followed_as
    let_go     2020-01-01  -            -      -         -             -          -          -                       followed
    declined   2020-01-01  declined     -      -         -             -          -          referred                followed
    waiting    2020-01-01  pending      -      -         -             -          -          referred                followed
    dismissed  2020-01-01  filed        2      90        dismissed_da  -          -          charged                 followed
    open       2020-01-01  filed        2      -         -             -          -          charged                 followed
    late       2020-01-01  filed        2      800       plea_guilty   800        jail       charged                 followed
    fined      2020-01-01  filed        2      90        plea_nolo     90         fine       convicted,plea          followed
    jailed     2020-01-01  filed        2      90        plea_guilty   90         jail       custody,plea            followed
    tried      2020-01-01  filed        2      90        verdict_guilty 120       prison     custody                 followed
    recent     2023-06-01  filed        2      90        plea_guilty   90         jail       custody,plea            too_recent
    last_day   2023-01-01  filed        2      90        plea_guilty   90         jail       custody,plea            followed
    no_case    2020-01-01  filed        -      -         -             -          -          referred                case_not_on_file
    redacted   2020-01-01  redacted     -      -         -             -          -          referred                decision_not_on_record
    blurred    2020-01-01  filed        2      90        redacted      -          -          charged                 outcome_not_on_record
    undated    2020-01-01  filed        2      ?         plea_guilty   -          -          charged                 outcome_not_on_record
    unpunished 2020-01-01  filed        2      90        plea_guilty   -          -          convicted,plea          sentence_not_on_record
    no_kind    2020-01-01  filed        2      90        plea_guilty   90         redacted   convicted,plea          sentence_not_on_record
    """
)
STEPS = {"referred": 1, "charged": 2, "convicted": 3, "custody": 4}


def world_of_stories() -> World:
    world: dict[str, list[dict[str, Any]]] = {
        t: [] for t in ("arrest", "referral", "case_", "disposition", "sentence", "charge")
    }
    for story in STORIES:
        name, day = story["arrest"], date.fromisoformat(str(story["day"]))

        def on(days: str | None, day: date = day) -> date | None:
            return None if days in (None, "?") else day + timedelta(days=int(days))

        world["arrest"].append({"arrest_id": name, "person_id": name, "arrest_at": f"{day} 10:00:00"})
        if story["decision"]:
            world["referral"].append(
                {
                    "referral_id": name,
                    "arrest_id": name,
                    "person_id": name,
                    "received_at": day,
                    "decision": story["decision"],
                }
            )
        if story["filed"]:
            world["case_"].append(
                {"case_id": name, "person_id": name, "referral_id": name, "filed_on": on(story["filed"])}
            )
            world["charge"].append({"charge_id": name, "case_id": name, "version_no": 1, "stage": "filed"})
        if story["type"]:
            world["disposition"].append(
                {
                    "disposition_id": name,
                    "charge_id": name,
                    "disposed_on": on(story["disposed"]),
                    "type": story["type"],
                }
            )
        if story["sentenced"]:
            world["sentence"].append(
                {
                    "sentence_id": name,
                    "charge_id": name,
                    "sentenced_on": on(story["sentenced"]),
                    "sentence_type": story["sentence"],
                }
            )
    return world


@pytest.fixture(scope="module")
def stories() -> duckdb.DuckDBPyConnection:
    return build(world_of_stories(), as_of=AS_OF, period=PERIOD, select=SELECT)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story["arrest"]))
def test_an_arrest_is_followed_to_its_end_or_to_where_the_records_lose_it(
    stories: duckdb.DuckDBPyConnection, story: dict[str, str | None]
) -> None:
    found = stories.execute(
        """
        select is_referred, is_charged, is_convicted, is_sentenced_to_custody, is_convicted_by_plea, followed
        from marts.mart_pipeline where arrest_id = ?
        """,
        [story["arrest"]],
    ).fetchone()
    assert found is not None
    expected = (story["expected"] or "").split(",")
    reached = STEPS.get(expected[0], 0)
    # a step that the records leave open is neither reached nor missed; all before it is known
    known = [step for step, answer in enumerate(found[:4], start=1) if answer is not None]
    assert [found[step - 1] for step in known] == [step <= reached for step in known]
    assert found[4] == ("plea" in expected)
    assert found[5] == story["followed_as"]
    assert len(known) == 4 or story["followed_as"] not in ("followed", "too_recent")


def test_what_is_lost_is_counted_and_not_taken_for_an_answer(stories: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(stories, "PIP-01", 2020) == {"followed": (9, 9), "link_missing": (6, 6)}
    assert cells_of(stories, "PIP-01a", 2020) == {
        "case_not_on_file": (1, 1),
        "decision_not_on_record": (1, 1),
        "outcome_not_on_record": (2, 2),
        "sentence_not_on_record": (2, 2),
    }
    assert cells_of(stories, "PIP-01", 2023) == {"followed": (1, 1), "too_recent": (1, 1)}


def test_each_followed_arrest_stands_at_the_last_step_it_reached(stories: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(stories, "PIP-04", 2020) == {
        "not_charged": (3, 3),
        "charged_without_conviction": (3, 3),
        "convicted_without_custody": (1, 1),
        "sentenced_to_custody": (2, 2),
    }
    assert cells_of(stories, "PIP-06", 2020) == {
        "not_convicted": (6, 6),
        "convicted_by_plea": (2, 2),
        "convicted_otherwise": (1, 1),
    }


#: measure, its last part, and the steps whose shares multiply to it
CHAINS = [
    ("PIP-04", "sentenced_to_custody", ["is_charged", "is_convicted", "is_sentenced_to_custody"]),
    ("PIP-05", "held_and_released", ["is_charged", "is_held", "is_released_before_end"]),
    ("PIP-06", "convicted_by_plea", ["is_charged", "is_convicted", "is_convicted_by_plea"]),
]


@pytest.fixture(scope="module")
def random_world() -> duckdb.DuckDBPyConnection:
    made = oracle_pipeline.world(Draw(Random(3)))
    return build(made, as_of=date(2025, 3, 31), period=oracle_pipeline.PERIOD, select=SELECT)


@pytest.mark.parametrize(("measure", "last", "steps"), CHAINS)
def test_the_shares_of_the_steps_multiply_to_the_share_of_all_arrests_in_every_quarter(
    random_world: duckdb.DuckDBPyConnection, measure: str, last: str, steps: list[str]
) -> None:
    cells = random_world.execute(
        "select quarter, stratum, numerator from marts.mart_pipeline__cells where measure_id = ?",
        [measure],
    ).fetchall()
    arrests = random_world.execute(
        f"""
        select quarter, {", ".join(steps)} from marts.mart_pipeline
        where is_followed and quarter is not null
        """
    ).fetchall()
    counted: dict[Any, Counter[str]] = {}
    for cell, stratum, number in cells:
        counted.setdefault(cell, Counter())[stratum] += number
    compared = 0
    for cell, parts in counted.items():
        product, inside = Fraction(1), [row[1:] for row in arrests if row[0] == cell]
        for step in range(len(steps)):
            reached = [row for row in inside if row[step]]
            product *= Fraction(len(reached), len(inside)) if inside else 0
            inside = reached
        assert product == Fraction(parts[last], parts.total()), cell
        compared += product not in (0, 1)
    assert compared > 1


def test_every_measure_counts_something_and_every_column_is_described(random_world: duckdb.DuckDBPyConnection) -> None:
    catalogue = random_world.execute("select measure_id from reference.measures where mart = 'pipeline'").fetchall()
    counted = random_world.execute("select distinct measure_id from marts.mart_pipeline__cells").fetchall()
    assert sorted(counted) == sorted(catalogue)
    assert wrongly_documented(random_world, "pipeline") == []

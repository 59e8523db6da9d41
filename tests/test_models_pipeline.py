"""From an arrest to its end: each step, what the records lose on the way, and shares that multiply.

The scenarios are one table that reads as a list of arrests and what should be said of each. Behind it stands a second
implementation in slow, plain Python, over a random world.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

import duckdb
import pytest

from pipeline.contract import UNKNOWNS, load_contract
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


@cache
def world(seed: int = 3) -> World:
    """Some hundreds of arrests and all that may come of them, with links that lead nowhere and days that are missing."""
    draw = Random(seed)
    contract = load_contract()

    def code(table: str, column: str, *, unknown: float = 0.1) -> str:
        values = contract[table].columns[column].values
        return draw.choice(list(UNKNOWNS)) if draw.random() < unknown else draw.choice(values)

    def maybe(value: Any, missing: float = 0.1) -> Any:
        return None if draw.random() < missing else value

    def day(days: int = 1500) -> date:
        return date(2020, 1, 1) + timedelta(days=draw.randrange(days))

    def after(of: date, days: int) -> date:
        return of + timedelta(days=draw.randrange(-2, days))

    persons = [f"p{i}" for i in range(60)]
    made: dict[str, list[dict[str, Any]]] = {
        "arrest": [
            {"arrest_id": f"a{i}", "person_id": draw.choice(persons), "arrest_at": datetime.combine(day(), datetime.min.time())}
            for i in range(400)
        ],
        "person_race": [{"person_id": p, "race_code": draw.choice(["white", "black"]), "race_source": "self"} for p in persons],
        "citizenship_assertion": [
            {"assertion_id": p, "person_id": p, "value": draw.choice(["us_citizen", "noncitizen"]), "source": "self", "asserted_at": day(400)}
            for p in persons[:40]
        ],
    }  # fmt: skip
    arrests = {row["arrest_id"]: row for row in made["arrest"]}
    made["referral"] = [
        {
            "referral_id": f"r{i}",
            "person_id": draw.choice(persons),
            "arrest_id": maybe(f"a{draw.randrange(420)}"),
            "received_at": day(),
            "decision": "filed" if draw.random() < 0.6 else code("referral", "decision", unknown=0.3),
        }
        for i in range(420)
    ]
    made["case_"] = []
    for i in range(380):
        referral = draw.choice(made["referral"])
        arrest = arrests.get(referral["arrest_id"] or "")
        start = arrest["arrest_at"].date() if arrest else day()
        filed = after(start, 60)
        made["case_"].append(
            {
                "case_id": f"c{i}",
                "person_id": referral["person_id"],
                "referral_id": maybe(referral["referral_id"]),
                "filed_on": maybe(filed, 0.05),
                "closed_on": maybe(after(filed, 900), 0.5),
            }
        )
    made["charge"] = [
        {"charge_id": f"h{i}", "case_id": f"c{draw.randrange(400)}", "version_no": 1, "stage": "filed"}
        for i in range(400)
    ]
    kinds = ["dismissed_da", "acquitted", "plea_guilty", "plea_guilty", "plea_nolo", "verdict_guilty"]
    made["disposition"] = [
        {
            "disposition_id": f"d{i}",
            "charge_id": f"h{draw.randrange(400)}",
            "case_id": maybe(f"c{draw.randrange(380)}", 0.6),
            "disposed_on": maybe(day(2200)),
            "type": draw.choice(kinds) if draw.random() < 0.9 else draw.choice(list(UNKNOWNS)),
            "is_conviction_state": maybe(draw.random() < 0.5, 0.9),
        }
        for i in range(420)
    ]
    made["sentence"] = [
        {
            "sentence_id": f"s{i}",
            "case_id": f"c{draw.randrange(400)}",
            "sentenced_on": maybe(day(2200)),
            "sentence_type": code("sentence", "sentence_type"),
            "suspended_days": maybe(draw.choice([0, 30]), 0.5),
        }
        for i in range(500)
    ]
    made["custody_stay"] = []
    for i in range(400):
        arrest = draw.choice(made["arrest"])
        booked = arrest["arrest_at"] + timedelta(days=draw.choice([0, 0, 1, 5, 100]))
        made["custody_stay"].append(
            {
                "stay_id": f"t{i}",
                "person_id": arrest["person_id"],
                "case_id": maybe(f"c{draw.randrange(400)}", 0.4),
                "booked_at": booked,
                "released_at": maybe(booked + timedelta(days=draw.randrange(200))),
                "release_type": draw.choice(["bail", "ror", "supervised", "sentence_complete", "transfer_ice"]),
            }
        )
    made["ice_contact"] = [
        {
            "contact_id": f"i{i}",
            "person_id": draw.choice(persons),
            "case_id": maybe(f"c{draw.randrange(380)}", 0.6),
            "stay_id": maybe(f"t{draw.randrange(400)}", 0.6),
            "at": datetime.combine(day(2000), datetime.min.time()),
            "at_precision": draw.choice(["day", "month"]),
            "type": code("ice_contact", "type"),
        }
        for i in range(300)
    ]
    return made


REACHING = ("detainer", "notification_request", "interview", "arrest", "transfer")
GUILTY = ("plea_guilty", "plea_nolo", "verdict_guilty")
Known = bool | None


def any_of(answers: list[Known]) -> Known:
    """True if any is, else unknown if any is, else false."""
    return True if True in answers else None if None in answers else False


class Oracle:
    """Each arrest, read as the catalogue's definitions say."""

    def __init__(self, made: World) -> None:
        self.made = made
        self.cases = {row["case_id"]: row for row in made["case_"]}
        charges = {row["charge_id"]: row["case_id"] for row in made["charge"]}
        self.by_case: dict[tuple[str, str | None], list[Any]] = {}
        for table in ("disposition", "sentence"):
            for row in made[table]:
                case = row["case_id"] or charges.get(row.get("charge_id"))
                self.by_case.setdefault((table, case), []).append(row)

    def of(self, table: str, case: str) -> list[Any]:
        return self.by_case.get((table, case), [])

    def closed(self, case: str) -> date | None:
        days = [r["disposed_on"] for r in self.of("disposition", case) if r["disposed_on"]]
        return self.cases[case]["closed_on"] or (max(days) if days else None)

    def convicts(self, row: Any) -> Known:
        if row["is_conviction_state"] is not None:
            return bool(row["is_conviction_state"])
        return None if row["type"] in UNKNOWNS else row["type"] in GUILTY

    def convicted(self, case: str, until: date) -> Known:
        found = self.of("disposition", case)
        if any(self.convicts(r) and r["disposed_on"] and r["disposed_on"] <= until for r in found):
            return True
        if any(self.convicts(r) is None or (self.convicts(r) and not r["disposed_on"]) for r in found):
            return None
        closed = self.closed(case)
        if not any(r["disposed_on"] for r in found) and closed is not None and closed <= until:
            return None
        return False

    def sentenced(self, case: str, until: date) -> Known:
        """A term of custody by that day, over all sentences of the case; its day is that of the first."""
        kinds: list[Known] = []
        for r in self.of("sentence", case):
            kind = r["sentence_type"]
            if kind in ("prison", "jail", "time_served") or (r["suspended_days"] or 0) > 0:
                kinds.append(True)
            elif kind in ("fine", "community_service", "probation"):
                kinds.append(False)
            else:
                kinds.append(None)
        days = [r["sentenced_on"] for r in self.of("sentence", case) if r["sentenced_on"]]
        # a sentence whose kind nobody wrote down is no custody where another's kind is known, and open where none is
        answer = any_of(kinds) if kinds else None
        if answer:
            return min(days) <= until if days else None
        return answer

    def stays(self, arrest: Any) -> list[Any]:
        on = arrest["arrest_at"].date()
        cases = {c for c, row in self.cases.items() if self.arrest_of(row) == arrest["arrest_id"]}
        return [
            s
            for s in self.made["custody_stay"]
            if (s["case_id"] in cases if s["case_id"] else
                s["person_id"] == arrest["person_id"] and on <= s["booked_at"].date() <= on + timedelta(days=1))
        ]  # fmt: skip

    def arrest_of(self, case: Any) -> str | None:
        return next((r["arrest_id"] for r in self.made["referral"] if r["referral_id"] == case["referral_id"]), None)

    def held(self, stay: Any, until: date) -> bool:
        case = self.cases.get(stay["case_id"] or "")
        if case is None:
            return False
        first = [stay["booked_at"].date(), *([case["filed_on"] + timedelta(days=2)] if case["filed_on"] else [])]
        released = stay["released_at"].date() if stay["released_at"] else None
        last = [day for day in (released, self.closed(case["case_id"]), until) if day]
        return bool(max(first) <= min(last))

    def released(self, stay: Any, until: date) -> bool:
        case = self.cases.get(stay["case_id"] or "")
        if case is None or not stay["released_at"] or stay["release_type"] not in ("bail", "ror", "supervised"):
            return False
        on, closed = stay["released_at"].date(), self.closed(case["case_id"])
        return on <= until and (closed is None or on <= closed)

    def reached_by_ice(self, arrest: Any, until: date) -> bool:
        on, stays = arrest["arrest_at"].date(), self.stays(arrest)
        for contact in self.made["ice_contact"]:
            if contact["type"] not in REACHING:
                continue
            day = contact["at"].date()
            known = contact["at_precision"] != "month"
            case = self.cases.get(contact["case_id"] or "")
            if case is not None and self.arrest_of(case) == arrest["arrest_id"] and on <= day <= until:
                return True
            for stay in stays:
                if contact["stay_id"]:
                    is_of_stay = contact["stay_id"] == stay["stay_id"]
                else:
                    end = stay["released_at"].date() if stay["released_at"] else date.max
                    is_of_stay = (
                        known and contact["person_id"] == stay["person_id"] and stay["booked_at"].date() <= day <= end
                    )
                if is_of_stay and (not known or on <= day <= until):
                    return True
        return False

    def arrest(self, arrest: Any) -> dict[str, Any]:
        until = arrest["arrest_at"].date() + timedelta(days=730)
        referrals = [r for r in self.made["referral"] if r["arrest_id"] == arrest["arrest_id"]]
        charged: list[Known] = []
        convicted: list[Known] = []
        custody: list[Known] = []
        plea = False
        lost = undated = False
        for referral in referrals:
            cases = [c for c in self.cases.values() if c["referral_id"] == referral["referral_id"]]
            if not cases:
                gone = referral["decision"] == "filed"
                lost |= gone
                answer = None if gone or referral["decision"] in UNKNOWNS else False
                charged.append(answer)
                convicted.append(answer)
                custody.append(answer)
            for case in cases:
                undated |= case["filed_on"] is None
                is_charged = None if case["filed_on"] is None else case["filed_on"] <= until
                is_convicted = self.convicted(case["case_id"], until) if is_charged else is_charged
                charged.append(is_charged)
                convicted.append(is_convicted)
                custody.append(self.sentenced(case["case_id"], until) if is_convicted else is_convicted)
                plea |= bool(is_convicted) and any(
                    r["type"] in ("plea_guilty", "plea_nolo") and r["disposed_on"] and r["disposed_on"] <= until
                    for r in self.of("disposition", case["case_id"])
                )
        answers = [any_of(charged), any_of(convicted), any_of(custody)]
        if until > AS_OF:
            followed = "too_recent"
        elif answers[0] is None:
            followed = (
                "case_not_on_file" if lost else "filing_day_not_on_record" if undated else "decision_not_on_record"
            )
        elif answers[1] is None:
            followed = "outcome_not_on_record"
        else:
            followed = "sentence_not_on_record" if answers[2] is None else "followed"
        stays = self.stays(arrest)
        held = bool(answers[0]) and any(self.held(s, until) for s in stays)
        return {
            "followed": followed,
            "is_referred": bool(referrals),
            "is_charged": answers[0],
            "is_convicted": answers[1],
            "is_sentenced_to_custody": answers[2],
            "is_held": held,
            "is_released_before_end": held and any(self.released(s, until) for s in stays),
            "is_convicted_by_plea": plea,
            "has_ice_contact": self.reached_by_ice(arrest, until),
        }  # fmt: skip


@pytest.fixture(scope="module")
def random_world() -> duckdb.DuckDBPyConnection:
    return build(world(), as_of=AS_OF, period=PERIOD, select=SELECT)


def test_every_arrest_agrees_with_a_slow_reading_of_the_definitions(random_world: duckdb.DuckDBPyConnection) -> None:
    oracle = Oracle(world())
    expected = {row["arrest_id"]: oracle.arrest(row) for row in world()["arrest"]}
    found = random_world.execute("select * from marts.mart_pipeline order by arrest_id").fetchdf()
    found = found.astype(object).where(found.notna(), None).set_index("arrest_id")
    wrong = {
        (arrest, column): (found.loc[arrest, column], answer)
        for arrest, answers in expected.items()
        for column, answer in answers.items()
        if found.loc[arrest, column] != answer
    }
    assert wrong == {}
    told = Counter(answers["followed"] for answers in expected.values())
    assert len(told) == 7 and told["followed"] > 50, told
    for column in next(iter(expected.values())):
        assert len({answers[column] for answers in expected.values()}) > 1, column


@pytest.mark.parametrize(("measure", "last", "steps"), CHAINS)
def test_the_shares_of_the_steps_multiply_to_the_share_of_all_arrests_in_every_cell(
    random_world: duckdb.DuckDBPyConnection, measure: str, last: str, steps: list[str]
) -> None:
    cells = random_world.execute(
        "select (quarter, race, citizenship), stratum, numerator from marts.mart_pipeline__cells where measure_id = ?",
        [measure],
    ).fetchall()
    arrests = random_world.execute(
        f"""
        select (quarter, race, citizenship), {", ".join(steps)} from marts.mart_pipeline
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
    assert compared > 5


def test_a_record_that_names_nothing_on_file_is_counted_as_not_linked(
    random_world: duckdb.DuckDBPyConnection,
) -> None:
    made = world()
    arrests, referrals = (
        {r[key] for r in made[t]} for t, key in (("arrest", "arrest_id"), ("referral", "referral_id"))
    )
    found = dict(
        random_world.execute(
            "select link, (count(*) filter (where is_linked), count(*)) from marts.mart_pipeline__links group by link"
        ).fetchall()
    )
    assert found["referral_to_arrest"] == (sum(r["arrest_id"] in arrests for r in made["referral"]), 420)
    assert found["case_to_referral"] == (sum(r["referral_id"] in referrals for r in made["case_"]), 380)
    assert all(0 < linked < total for linked, total in found.values()), found
    assert len(found) == 5


def test_every_measure_counts_something_and_every_column_is_described(random_world: duckdb.DuckDBPyConnection) -> None:
    catalogue = random_world.execute("select measure_id from reference.measures where mart = 'pipeline'").fetchall()
    counted = random_world.execute("select distinct measure_id from marts.mart_pipeline__cells").fetchall()
    assert sorted(counted) == sorted(catalogue)
    assert wrongly_documented(random_world, "pipeline") == []

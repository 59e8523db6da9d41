"""A second implementation of some measures, in slow and plain Python, over a random world.

Written from the definitions in the catalogue, not from the SQL; it must agree cell by cell.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import pytest

from pipeline.contract import ROOT, UNKNOWNS, load_contract
from tests.worlds import build

AS_OF = date(2024, 6, 30)
PERIOD = (date(2022, 1, 1), date(2024, 3, 31))
#: measure, quarter, race, citizenship, offence group and what is counted -> how often
Counts = Counter[tuple[Any, ...]]
Groups = tuple[str, str, str, str]


@cache
def world(seed: int = 20240630) -> dict[str, list[dict[str, Any]]]:
    """Some 2,000 rows with every value of every code used, unknowns among them, and dates beyond both ends."""
    draw = Random(seed)
    columns = load_contract()

    def code(table: str, column: str, *, unknown: float = 0.15) -> str:
        values = columns[table].columns[column].values
        return draw.choice(list(UNKNOWNS)) if draw.random() < unknown else draw.choice(values)

    def day(first: date = date(2021, 10, 1), days: int = 1000) -> date:
        return first + timedelta(days=draw.randrange(days))

    def maybe(value: Any, missing: float = 0.2) -> Any:
        return None if draw.random() < missing else value

    persons = [f"p{i:03}" for i in range(90)]
    cases = [f"c{i:03}" for i in range(220)]
    made: dict[str, list[dict[str, Any]]] = {
        "citizenship_assertion": [
            {
                "assertion_id": f"a{i}",
                "person_id": draw.choice(persons),
                "value": code("citizenship_assertion", "value"),
                "source": code("citizenship_assertion", "source"),
                "asserted_at": day(),
                "permission": code("citizenship_assertion", "permission", unknown=0.6),
            }
            for i in range(150)
        ],
        "person_race": [
            {
                "person_id": person,
                "race_code": code("person_race", "race_code"),
                "race_source": source,
            }
            for person in persons
            for source in draw.sample(["self", "court", "jail"], draw.randrange(4))
        ],
        "referral": [
            {
                "referral_id": f"r{i}",
                "person_id": draw.choice(persons),
                "received_at": day(),
                "decision": code("referral", "decision"),
                "decision_date": maybe(day(), 0.1),
                "offence_category": code("referral", "offence_category"),
            }
            for i in range(300)
        ],
        "case_": [
            {
                "case_id": case,
                "person_id": draw.choice(persons),
                "filed_on": maybe(day(), 0.05),
            }
            for case in cases
        ],
        "charge": [
            {
                "charge_id": f"h{i}",
                "case_id": draw.choice(cases),
                "version_no": version,
                "stage": stage,
                "severity": code("charge", "severity", unknown=0.08),
                "severity_rank": maybe(draw.randrange(4), 0.5),
                "offence_category": code("charge", "offence_category"),
                "is_enhancement": maybe(draw.random() < 0.15, 0.1),
                "is_primary": maybe(draw.random() < 0.3, 0.3),
            }
            for i in range(400)
            for version, stage in enumerate(draw.choice(LIVES), start=1)
        ],
        "bail_event": [
            {
                "bail_event_id": f"b{i}",
                "case_id": draw.choice(cases),
                "at": datetime.combine(day(), datetime.min.time()) + timedelta(minutes=draw.randrange(1440)),
                "immigration_argument": code("bail_event", "immigration_argument"),
            }
            for i in range(200)
        ],
        "diversion_referral": [
            {
                "diversion_id": f"d{i}",
                "person_id": draw.choice(persons),
                "case_id": maybe(draw.choice(cases), 0.4),
                "program_code": "p",
                "offence_category": code("diversion_referral", "offence_category"),
                "referred_on": maybe(day()),
                "enrolled_on": maybe(day(), 0.3),
                "requires_plea": maybe(draw.random() < 0.5),
                "requires_admission": maybe(draw.random() < 0.5),
            }
            for i in range(200)
        ],
        "custody_stay": [],
        "ice_contact": [
            {
                "contact_id": f"i{i}",
                "person_id": maybe(draw.choice(persons), 0.1),
                "stay_id": maybe(f"s{draw.randrange(250)}", 0.8),
                "at": datetime.combine(day(), datetime.min.time()) + timedelta(minutes=draw.randrange(1440)),
                "at_precision": code("ice_contact", "at_precision"),
                "type": draw.choice(["detainer", "detainer", "detainer", "arrest"]),
                "outcome": code("ice_contact", "outcome"),
            }
            for i in range(500)
        ],
    }
    for i in range(250):
        booked = datetime.combine(day(), datetime.min.time()) + timedelta(minutes=draw.randrange(1440))
        made["custody_stay"].append(
            {
                "stay_id": f"s{i}",
                "person_id": draw.choice(persons),
                "case_id": maybe(draw.choice(cases), 0.4),
                "booked_at": booked,
                "released_at": maybe(booked + timedelta(minutes=draw.randrange(-1440, 90 * 1440)), 0.15),
                "release_type": code("custody_stay", "release_type", unknown=0.3),
                "offence_category": code("custody_stay", "offence_category"),
            }
        )
    # exports repeat themselves: a later batch holds other values for a fifth of the rows
    for table, found in made.items():
        key = load_contract()[table].key
        again = [dict(draw.choice(found)) for _ in range(len(found) // 5)]
        for row in again:
            for column in row:
                if column not in key and column != "version_no" and draw.random() < 0.5:
                    row[column] = draw.choice(found)[column]
        made[table] = [{**row, "_batch_id": "b1"} for row in found] + [{**row, "_batch_id": "b2"} for row in again]
    return made


#: the versions a charge may go through
LIVES = (
    ["filed"],
    ["referred", "filed"],
    ["filed", "amended"],
    ["arrested", "referred"],
    ["disposed"],
    ["amended", "filed"],
)
CLASSES = {
    "felony": 3,
    "wobbler_felony": 3,
    "misdemeanor": 2,
    "wobbler_misdemeanor": 2,
    "violation_infraction": 1,
}


class Oracle:
    """Reads the world as the definitions say."""

    def __init__(self, made: Mapping[str, list[dict[str, Any]]]) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}
        for table, found in made.items():
            codes = [c.name for c in load_contract()[table].columns.values() if c.kind == "code"]
            last = {tuple(row[k] for k in load_contract()[table].key): row for row in found}
            self.tables[table] = [{**dict.fromkeys(codes, "not_recorded"), **row} for row in last.values()]
        with (ROOT / "data" / "reference" / "offence_groups.csv").open() as file:
            self.offence_groups = {row["offence_category"]: row["offence_group"] for row in csv.DictReader(file)}
        self.cases = {row["case_id"]: row for row in self.tables["case_"]}
        self.charges: dict[str, list[dict[str, Any]]] = {}
        lives: dict[str, list[dict[str, Any]]] = {}
        for row in self.tables["charge"]:
            lives.setdefault(row["charge_id"], []).append(row)
        for life in lives.values():
            in_court = sorted(
                (v for v in life if v["stage"] not in ("arrested", "referred")),
                key=lambda v: v["version_no"],
            )
            filed = [v for v in in_court if v["stage"] == "filed"] or in_court
            if filed:
                self.charges.setdefault(filed[0]["case_id"], []).append(filed[0])

    def groups(self, person: str | None, on: date | None, offence: str) -> Groups | None:
        """Quarter, race, citizenship on the day, offence group; None outside the period."""
        if on is None or not PERIOD[0] <= on <= PERIOD[1]:
            return None
        races = {r["race_code"] for r in self.tables["person_race"] if r["person_id"] == person} - set(UNKNOWNS)
        race = "unknown"
        if "hispanic_latino" in races:
            race = "hispanic_latino"
        elif len(races) == 1:
            race = races.pop()
        elif races:
            race = "multiracial"
        said = set()
        for row in self.tables["citizenship_assertion"]:
            usable = row["source"] not in UNKNOWNS and row["source"] != "booking_birth_country"
            if row["person_id"] == person and row["asserted_at"] <= on and usable and row["permission"] != "withheld":
                said |= {
                    "us_citizen": {"citizen"},
                    "us_national": {"citizen"},
                    "noncitizen": {"noncitizen"},
                }.get(row["value"], set())
        citizenship = said.pop() if len(said) == 1 else "unknown"
        quarter = f"{on.year}-Q{(on.month + 2) // 3}"
        return quarter, race, citizenship, self.offence_groups.get(offence, "unknown")

    def top_offence(self, case: str | None) -> str:
        charges = self.charges.get(case or "", []) if case in self.cases else []
        # an unknown rank comes after all known ones
        ordered = sorted(
            charges,
            key=lambda c: (
                bool(c["is_enhancement"]),
                not c["is_primary"],
                (1, 0) if c["severity_rank"] is None else (0, -c["severity_rank"]),
                -CLASSES.get(c["severity"], 0),
                c["charge_id"],
            ),
        )
        return str(ordered[0]["offence_category"]) if ordered else "not_recorded"

    def of_case(self, case: str | None, on: date | None) -> Groups | None:
        person = self.cases[case]["person_id"] if case in self.cases else None
        return self.groups(person, on, self.top_offence(case))

    def own_or_case(self, case: str | None, own: str) -> str:
        top = self.top_offence(case)
        return own if top in UNKNOWNS else top


def filing(oracle: Oracle) -> Iterator[tuple[Groups | None, tuple[Any, ...]]]:
    for row in oracle.tables["referral"]:
        if row["decision"] in ("filed", "declined", "diverted"):
            groups = oracle.groups(row["person_id"], row["decision_date"], row["offence_category"])
            yield groups, ("", row["decision"] == "filed")


def felonies(oracle: Oracle) -> Iterator[tuple[Groups | None, tuple[Any, ...]]]:
    for case, row in oracle.cases.items():
        charges = [c for c in oracle.charges.get(case, []) if c["is_enhancement"] is not True]
        if charges and all(c["severity"] in CLASSES for c in charges):
            yield (
                oracle.of_case(case, row["filed_on"]),
                (
                    "",
                    any(c["severity"] in ("felony", "wobbler_felony") for c in charges),
                ),
            )


def arguments(oracle: Oracle) -> Iterator[tuple[Groups | None, tuple[Any, ...]]]:
    for row in oracle.tables["bail_event"]:
        if row["immigration_argument"] not in (*UNKNOWNS, "not_coded"):
            yield (
                oracle.of_case(row["case_id"], row["at"].date()),
                ("", row["immigration_argument"] != "none"),
            )


def pleas_up_front(oracle: Oracle) -> Iterator[tuple[Groups | None, tuple[Any, ...]]]:
    for row in oracle.tables["diversion_referral"]:
        answers = [row["requires_plea"], row["requires_admission"]]
        if row["enrolled_on"] is not None and None not in answers:
            on = row["referred_on"] or row["enrolled_on"]
            offence = oracle.own_or_case(row["case_id"], row["offence_category"])
            yield oracle.groups(row["person_id"], on, offence), ("", any(answers))


def detained_by_ice(oracle: Oracle) -> Iterator[tuple[Groups | None, tuple[Any, ...]]]:
    # known only to the month, a detainer belongs to the stay it names and to no other
    detainers = [
        r
        for r in oracle.tables["ice_contact"]
        if r["type"] == "detainer" and (r["stay_id"] or r["at_precision"] != "month")
    ]
    for stay in oracle.tables["custody_stay"]:
        end = stay["released_at"].date() if stay["released_at"] else date.max
        lodged = any(
            d["stay_id"] == stay["stay_id"]
            if d["stay_id"]
            else d["person_id"] == stay["person_id"] and stay["booked_at"].date() <= d["at"].date() <= end
            for d in detainers
        )
        offence = oracle.own_or_case(stay["case_id"], stay["offence_category"])
        yield (
            oracle.groups(stay["person_id"], stay["booked_at"].date(), offence),
            ("", lodged),
        )


def detainer_outcomes(
    oracle: Oracle,
) -> Iterator[tuple[Groups | None, tuple[Any, ...]]]:
    stays = {row["stay_id"]: row for row in oracle.tables["custody_stay"]}
    for row in oracle.tables["ice_contact"]:
        if row["type"] == "detainer":
            stay = stays.get(row["stay_id"])
            offence = "not_recorded" if stay is None else oracle.own_or_case(stay["case_id"], stay["offence_category"])
            yield (
                oracle.groups(row["person_id"], row["at"].date(), offence),
                (row["outcome"], True),
            )


@pytest.mark.parametrize(
    ("measure", "mart", "of"),
    [
        ("CHG-01", "charging", filing),
        ("CHG-05", "charging", felonies),
        ("BAIL-04", "bail", arguments),
        ("DIV-04", "diversion", pleas_up_front),
        ("ICE-01", "ice_contact", detained_by_ice),
        ("ICE-03", "ice_contact", detainer_outcomes),
    ],
)
def test_cells_agree_with_a_second_implementation(
    measure: str,
    mart: str,
    of: Callable[[Oracle], Iterator[tuple[Groups | None, tuple[str, bool]]]],
) -> None:
    numerators: Counts = Counter()
    denominators: Counts = Counter()
    for groups, (stratum, is_event) in of(Oracle(world())):
        if groups is not None:
            numerators[(*groups, stratum)] += is_event
            denominators[(*groups, stratum)] += 1
    found = (
        build(world(), as_of=AS_OF, period=PERIOD)
        .execute(
            f"""
            select quarter, race, citizenship, offence_group, stratum, numerator, denominator
            from marts.mart_{mart}__cells where measure_id = ?
            """,
            [measure],
        )
        .fetchall()
    )
    assert {row[:5]: row[5:] for row in found} == {
        cell: (numerators[cell], denominators[cell]) for cell in denominators
    }
    assert len(found) > 30


def charge_counts(oracle: Oracle) -> Iterator[tuple[Groups | None, tuple[int, str]]]:
    for case, row in oracle.cases.items():
        count = sum(c["is_enhancement"] is not True for c in oracle.charges.get(case, []))
        if count:
            yield oracle.of_case(case, row["filed_on"]), (count, "event")


def releases(oracle: Oracle) -> Iterator[tuple[Groups | None, tuple[int, str]]]:
    outcomes = {
        "bail": "event",
        "ror": "event",
        "supervised": "event",
        "transfer_ice": "ice_transfer",
        "sentence_complete": "disposition",
        "dismissed": "disposition",
        "transfer_prison": "disposition",
        "transfer_other": "other",
        "death": "other",
    }
    for row in oracle.tables["custody_stay"]:
        if row["released_at"] is None and row["release_type"] in outcomes:
            continue  # ended, but on an unknown day
        end = AS_OF if row["released_at"] is None else row["released_at"].date()
        days = (end - row["booked_at"].date()).days
        if days >= 0:
            outcome = (
                "censored" if row["released_at"] is None else outcomes.get(row["release_type"], "release_unspecified")
            )
            offence = oracle.own_or_case(row["case_id"], row["offence_category"])
            yield (
                oracle.groups(row["person_id"], row["booked_at"].date(), offence),
                (days, outcome),
            )


@pytest.mark.parametrize(
    ("measure", "mart", "of"),
    [("CHG-08", "charging", charge_counts), ("BAIL-08", "bail", releases)],
)
def test_values_agree_with_a_second_implementation(
    measure: str,
    mart: str,
    of: Callable[[Oracle], Iterator[tuple[Groups | None, tuple[int, str]]]],
) -> None:
    expected: Counts = Counter((*groups, *value) for groups, value in of(Oracle(world())) if groups is not None)
    found = (
        build(world(), as_of=AS_OF, period=PERIOD)
        .execute(
            f"""
            select quarter, race, citizenship, offence_group, value, outcome, cases
            from marts.mart_{mart}__values where measure_id = ?
            """,
            [measure],
        )
        .fetchall()
    )
    assert {row[:6]: row[6] for row in found} == dict(expected)
    assert len(found) > 30

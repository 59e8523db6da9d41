"""A second implementation of measures of custody, declination, charge movement and data quality, in slow, plain Python.

Written from the definitions in the catalogue, not from the SQL; over a random world it must agree cell by cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import pytest

from pipeline.contract import UNKNOWNS, load_contract
from tests.test_models_oracle import AS_OF, CLASSES, PERIOD, Counts, Groups, Oracle, world
from tests.worlds import build

Row = dict[str, Any]
Found = Iterator[tuple[Groups | None, tuple[Any, ...]]]


@cache
def wider(seed: int = 9) -> dict[str, list[Row]]:
    """The random world of test_models_oracle.py, with what these measures need beside it."""
    draw = Random(seed)
    contract = load_contract()

    def code(table: str, column: str, *, unknown: float = 0.15) -> str:
        values = contract[table].columns[column].values
        return draw.choice(list(UNKNOWNS)) if draw.random() < unknown else draw.choice(values)

    def day(first: date = date(2021, 10, 1), days: int = 1000) -> date:
        return first + timedelta(days=draw.randrange(days))

    def moment(of: datetime, hours: int) -> datetime:
        return of + timedelta(minutes=draw.randrange(-600, hours * 60))

    def maybe(value: Any, missing: float = 0.2) -> Any:
        return None if draw.random() < missing else value

    made = {table: [dict(row) for row in found] for table, found in world().items()}
    for row in made["custody_stay"]:
        row["release_eligible_at"] = maybe(moment(row["booked_at"], 300), 0.3)
        row["booked_at_precision"] = code("custody_stay", "booked_at_precision", unknown=0.5)
        row["eligible_reason"] = code("custody_stay", "eligible_reason")
    for row in made["ice_contact"]:
        row["type"] = draw.choice(["detainer", "detainer", "interview", "notification", "arrest"])
        row["outcome_at"] = maybe(moment(row["at"], 600), 0.5)
    for row in made["referral"]:
        row["severity"] = code("referral", "severity")
    made["arrest"] = [
        {
            "arrest_id": f"t{i}",
            "person_id": row["person_id"],
            "arrest_at": row["received_at"],
            "custody_action": code("arrest", "custody_action"),
        }
        for i, row in enumerate(made["referral"][:200])
    ]
    made["arrest_charge"] = [
        {
            "arrest_charge_id": f"u{i}",
            "arrest_id": f"t{draw.randrange(200)}",
            "severity": code("arrest_charge", "severity"),
            "offence_category": code("arrest_charge", "offence_category"),
        }
        for i in range(400)
    ]
    charges = sorted({row["charge_id"] for row in made["charge"]})
    made["disposition"] = [
        {
            "disposition_id": f"y{i}",
            "charge_id": draw.choice(charges),
            "disposed_on": maybe(day(), 0.05),
            "type": draw.choice(
                ["dismissed_da", "acquitted", "plea_guilty", "plea_guilty", "verdict_guilty", "redacted"]
            ),
            "is_conviction_state": maybe(draw.random() < 0.5, 0.9),
        }
        for i in range(420)
    ]
    made["policy"] = [
        {
            "policy_id": "P",
            "version": 1,
            "title": "t",
            "effective_from": date(2022, 3, 1),
            "effective_to": date(2022, 12, 31),
        },
        {"policy_id": "P", "version": 2, "title": "t", "effective_from": date(2023, 2, 1), "effective_to": None},
        {"policy_id": "Q", "version": 1, "title": "t", "effective_from": date(2022, 6, 1), "effective_to": None},
    ]
    made["policy_rule"] = [
        {"rule_id": "1", "policy_id": "P", "offence_category": "theft", "severity": "misdemeanor", "action": "decline"},
        {"rule_id": "2", "policy_id": "P", "offence_category": "traffic", "severity": None, "action": "decline"},
        {
            "rule_id": "3",
            "policy_id": "Q",
            "offence_category": None,
            "severity": "violation_infraction",
            "action": "decline",
        },
        {"rule_id": "4", "policy_id": "Q", "offence_category": "fraud", "severity": None, "action": "memo"},
    ]
    made["policy_application"] = [
        {
            "application_id": f"x{i}",
            "referral_id": f"r{draw.randrange(300)}",
            "policy_id": draw.choice(["P", "Q", "R"]),
            "covered": maybe(draw.random() < 0.6),
            "decided_at": day(),
        }
        for i in range(60)
    ]
    return made


def dated(oracle: Oracle, table: str, key: str) -> dict[str, Row]:
    return {row[key]: row for row in oracle.tables[table]}


def exact(at: datetime | None, precision: str) -> datetime | None:
    """A time where it is known to the minute: midnight means that only the day was written down."""
    if at is None or precision in ("day", "month"):
        return None
    return at if precision == "minute" or at.time() != datetime.min.time() else None


def any_true(answers: list[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


# Custody -----------------------------------------------------------------------------------------------------------


def is_held(stay: Row) -> bool:
    return stay["released_at"] is None and stay["release_type"] in UNKNOWNS


def contacts_of(oracle: Oracle, stay: Row) -> list[Row]:
    end = stay["released_at"].date() if stay["released_at"] else date.max
    return [
        c
        for c in oracle.tables["ice_contact"]
        if (c["stay_id"] == stay["stay_id"] if c["stay_id"] else
            c["person_id"] == stay["person_id"] and c["at_precision"] != "month"
            and stay["booked_at"].date() <= c["at"].date() <= end)
    ]  # fmt: skip


def stay_groups(oracle: Oracle, stay: Row, on: date | None) -> Groups | None:
    return oracle.groups(stay["person_id"], on, oracle.own_or_case(stay["case_id"], stay["offence_category"]))


def stays_ended(oracle: Oracle) -> Found:
    for stay in oracle.tables["custody_stay"]:
        end = AS_OF if is_held(stay) else stay["released_at"] and stay["released_at"].date()
        if end and end >= stay["booked_at"].date():
            days = (end - stay["booked_at"].date()).days
            yield stay_groups(oracle, stay, stay["booked_at"].date()), (days, "censored" if is_held(stay) else "event")


def stays_found_by_ice(oracle: Oracle) -> Found:
    for stay in oracle.tables["custody_stay"]:
        booked = stay["booked_at"].date()
        end = AS_OF if is_held(stay) else stay["released_at"] and stay["released_at"].date()
        reached = [c for c in contacts_of(oracle, stay) if c["type"] in ("detainer", "interview", "arrest")]
        undated = any(c["at_precision"] == "month" for c in reached)
        first = min((c["at"].date() for c in reached), default=None)
        if reached and not undated and not (stay["released_at"] and first > end):
            end, outcome = first, "event"
        elif undated:
            continue
        else:
            outcome = "censored" if is_held(stay) else "released"
        if end and end >= booked:
            yield stay_groups(oracle, stay, booked), ((end - booked).days, outcome)


def release_four_hours_late(oracle: Oracle) -> Found:
    for stay in oracle.tables["custody_stay"]:
        due_at, precision = stay["release_eligible_at"], stay["booked_at_precision"]
        due = exact(due_at, precision)
        end = datetime.combine(AS_OF, datetime.min.time()) if is_held(stay) else exact(stay["released_at"], precision)
        if due is None or end is None or end < due:
            continue
        hours = (end - due) // timedelta(hours=1)
        if is_held(stay) and hours < 4:
            continue
        in_force: list[bool | None] = []
        for c in contacts_of(oracle, stay):
            if c["type"] == "detainer":
                lodged = exact(c["at"], c["at_precision"])
                known = c["at_precision"] != "month"
                if c["outcome_at"] and c["outcome_at"] < due_at:
                    in_force.append(False)
                elif lodged:
                    in_force.append(lodged <= due)
                elif known and c["at"].date() != due_at.date():
                    in_force.append(c["at"].date() < due_at.date())
                else:
                    in_force.append(None)
        stratum = {True: "detainer", False: "no_detainer_on_file", None: "not_recorded"}[any_true(in_force)]
        yield stay_groups(oracle, stay, due_at.date()), (stratum, hours >= 4)


def held_at_quarter_end(oracle: Oracle) -> Found:
    ends = [date(y, m, d) for y in (2022, 2023) for m, d in ((3, 31), (6, 30), (9, 30), (12, 31))] + [date(2024, 3, 31)]
    pleas: dict[str, date] = {}
    for row in oracle.tables["disposition"]:
        convicted = row["is_conviction_state"]
        if convicted is None:
            convicted = row["type"] in ("plea_guilty", "verdict_guilty")
        case = next(
            (case for case, charges in oracle.charges.items() for c in charges if c["charge_id"] == row["charge_id"]),
            None,
        )
        if convicted and case and row["disposed_on"]:
            pleas[case] = min(row["disposed_on"], pleas.get(case, date.max))
    for end in ends:
        latest: dict[str, Row] = {}
        for stay in oracle.tables["custody_stay"]:
            inside = is_held(stay) or (stay["released_at"] and stay["released_at"].date() > end)
            other = latest.get(stay["person_id"])
            if (
                stay["booked_at"].date() <= end
                and inside
                and (other is None or (stay["booked_at"], stay["stay_id"]) > (other["booked_at"], other["stay_id"]))
            ):
                latest[stay["person_id"]] = stay
        for stay in latest.values():
            status = "no_case_on_file"
            if stay["case_id"] in oracle.cases:
                status = "convicted" if pleas.get(stay["case_id"], date.max) <= end else "not_convicted"
            yield stay_groups(oracle, stay, end), (status, None)


# Declination -------------------------------------------------------------------------------------------------------


def covered(oracle: Oracle, referral: Row) -> bool | None:
    noted = [
        a["covered"] for a in oracle.tables["policy_application"]
        if a["referral_id"] == referral["referral_id"] and a["policy_id"] in ("P", "Q")
    ]  # fmt: skip
    if any(answer is not None for answer in noted):
        return any_true(noted)
    answers: list[bool | None] = []
    for rule in oracle.tables["policy_rule"]:
        in_force = any(
            p["policy_id"] == rule["policy_id"]
            and p["effective_from"] <= referral["decision_date"]
            and (p["effective_to"] is None or referral["decision_date"] <= p["effective_to"])
            for p in oracle.tables["policy"]
        )
        asked = [(rule[c], referral[c]) for c in ("offence_category", "severity") if rule[c] not in (None, *UNKNOWNS)]
        if rule["action"] == "decline" and in_force:
            if any(of != asks for asks, of in asked if of not in UNKNOWNS):
                answers.append(False)
            else:
                answers.append(None if any(of in UNKNOWNS for _, of in asked) else True)
    return any_true(answers)


def coverage(oracle: Oracle) -> Found:
    for row in oracle.tables["referral"]:
        if row["decision"] in ("filed", "declined", "diverted") and row["decision_date"]:
            answer = covered(oracle, row)
            if answer is not None:
                yield oracle.groups(row["person_id"], row["decision_date"], row["offence_category"]), ("", answer)


def kept(oracle: Oracle) -> Found:
    for row in oracle.tables["referral"]:
        if row["decision"] in ("filed", "declined") and row["decision_date"] and covered(oracle, row):
            groups = oracle.groups(row["person_id"], row["decision_date"], row["offence_category"])
            yield groups, ("", row["decision"] == "declined")


# Charge movement ---------------------------------------------------------------------------------------------------


def outcomes(oracle: Oracle) -> Iterator[tuple[str, date, dict[str, bool | None]]]:
    """Each closed case, its last day, and for each of its offences whether it was convicted."""
    for case, charges in oracle.charges.items():
        found: dict[str, bool | None] = {}
        days = []
        for charge in charges:
            answers: list[bool | None] = []
            for row in oracle.tables["disposition"]:
                if row["charge_id"] == charge["charge_id"]:
                    days.append(row["disposed_on"])
                    known = None if row["type"] in UNKNOWNS else row["type"] in ("plea_guilty", "verdict_guilty")
                    answers.append(known if row["is_conviction_state"] is None else row["is_conviction_state"])
            if charge["is_enhancement"] is not True:
                found[charge["charge_id"]] = any_true(answers) if answers else None
        known_days = [day for day in days if day is not None]
        if case in oracle.cases and known_days and found:
            yield case, max(known_days), found


def last_class(oracle: Oracle, charge: str) -> int | None:
    """The class of the last version that stood in court."""
    versions = [
        r for r in oracle.tables["charge"] if r["charge_id"] == charge and r["stage"] not in ("arrested", "referred")
    ]
    return CLASSES.get(max(versions, key=lambda v: v["version_no"])["severity"])


def felonies_end(oracle: Oracle) -> Found:
    names = {3: "felony", 2: "misdemeanor", 1: "violation_infraction", None: "class_not_recorded"}
    for case, closed, found in outcomes(oracle):
        filed = [CLASSES.get(c["severity"]) for c in oracle.charges[case] if c["is_enhancement"] is not True]
        if None in filed or 3 not in filed:
            continue
        convicted = any_true(list(found.values()))
        if convicted:
            classes = [last_class(oracle, charge) for charge, answer in found.items() if answer]
            end = names[3 if 3 in classes else None if None in classes else max(c for c in classes if c)]
        else:
            end = "no_conviction" if convicted is False else "outcome_not_recorded"
        yield oracle.of_case(case, closed), (end, True)


def charges_dropped(oracle: Oracle) -> Found:
    for case, closed, found in outcomes(oracle):
        if any_true(list(found.values())):
            for answer in found.values():
                if answer is not None:
                    yield oracle.of_case(case, closed), ("", not answer)


# Data quality ------------------------------------------------------------------------------------------------------


def known_late(oracle: Oracle) -> Found:
    """Bail hearings alone: of people known as noncitizens today, those of whom it was not yet known."""
    for row in oracle.tables["bail_event"]:
        case = oracle.cases.get(row["case_id"])
        latest = oracle.groups(case["person_id"], PERIOD[1], "") if case else None
        # what is on file on the day of the export is more than at the end of the period
        said = {
            {"us_citizen": "citizen", "us_national": "citizen", "noncitizen": "noncitizen"}.get(a["value"])
            for a in oracle.tables["citizenship_assertion"]
            if case and a["person_id"] == case["person_id"] and a["asserted_at"] <= AS_OF and a["permission"] != "withheld"
            and a["source"] not in (*UNKNOWNS, "booking_birth_country")
        } - {None}  # fmt: skip
        if latest and said == {"noncitizen"}:
            groups = oracle.of_case(row["case_id"], row["at"].date())
            yield groups, ("bail", groups is not None and groups[2] != "noncitizen")


@pytest.mark.parametrize(
    ("measure", "mart", "of"),
    [
        ("CUS-02", "custody", release_four_hours_late),
        ("CUS-08", "custody", held_at_quarter_end),
        ("DEC-01", "declination", coverage),
        ("DEC-02", "declination", kept),
        ("OVC-01a", "charge_movement", felonies_end),
        ("OVC-03", "charge_movement", charges_dropped),
        ("DQ-04", "data_quality", known_late),
    ],
)
def test_cells_agree_with_a_second_implementation(measure: str, mart: str, of: Callable[[Oracle], Found]) -> None:
    numerators: Counts = Counter()
    denominators: Counts = Counter()
    for groups, (stratum, is_event) in of(Oracle(wider())):
        if groups is not None:
            numerators[(*groups, stratum)] += 1 if is_event is None else is_event
            denominators[(*groups, stratum)] += is_event is not None
    found = (
        build(wider(), as_of=AS_OF, period=PERIOD)
        .execute(
            f"""
            select quarter, race, citizenship, offence_group, stratum, numerator, denominator
            from marts.mart_{mart}__cells where measure_id = ? and (measure_id <> 'DQ-04' or stratum = 'bail')
            """,
            [measure],
        )
        .fetchall()
    )
    assert {row[:5]: row[5:] for row in found} == {
        cell: (numerators[cell], denominators[cell]) for cell in denominators
    }
    assert len(found) > 10


@pytest.mark.parametrize(("measure", "of"), [("CUS-01", stays_ended), ("CUS-04", stays_found_by_ice)])
def test_values_agree_with_a_second_implementation(measure: str, of: Callable[[Oracle], Found]) -> None:
    expected: Counts = Counter((*groups, *value) for groups, value in of(Oracle(wider())) if groups is not None)
    found = (
        build(wider(), as_of=AS_OF, period=PERIOD)
        .execute(
            """
            select quarter, race, citizenship, offence_group, value, outcome, cases
            from marts.mart_custody__values where measure_id = ?
            """,
            [measure],
        )
        .fetchall()
    )
    assert {row[:6]: row[6] for row in found} == dict(expected)
    assert len(found) > 20

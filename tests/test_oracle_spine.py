"""A second implementation of measures of charging, bail, diversion and contact with ICE, over random worlds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings

from pipeline.contract import UNKNOWNS
from tests.oracle import (
    CLASSES,
    PATIENT,
    SMALL,
    Definition,
    Draw,
    Found,
    Groups,
    Oracle,
    Row,
    Tables,
    any_true,
    custody_stays,
    disagreements,
    draws,
    people_and_cases,
    sent_again,
)


def world(draw: Draw) -> Tables:
    """People and cases, and what these measures need beside them."""
    made = people_and_cases(draw)
    made["referral"] = [
        {
            "referral_id": f"r{i}",
            "person_id": draw.one_of("p", 90),
            "decision": draw.code("referral", "decision"),
            "decision_date": draw.maybe(draw.day(), 0.1),
            "decline_reason": draw.code("referral", "decline_reason"),
            "offence_category": draw.code("referral", "offence_category"),
        }
        for i in draw.many(300)
    ]
    made["bail_event"] = [
        {
            "bail_event_id": f"b{i}",
            "case_id": draw.one_of("c", 220),
            "at": draw.moment(),
            "da_request_type": draw.choice(["cash", "detention", draw.code("bail_event", "da_request_type")]),
            "da_request_amount": (asked := draw.maybe(draw.choice([0, 500, 1000, "1000.50"]))),
            "set_type": draw.choice(["cash", "detention", draw.code("bail_event", "set_type")]),
            "set_amount": draw.choice([asked, draw.maybe(draw.choice([0, 500, 1000]))]),
            "immigration_argument": draw.code("bail_event", "immigration_argument"),
        }
        for i in draw.many(300)
    ]
    made["diversion_referral"] = [
        {
            "diversion_id": f"d{i}",
            "person_id": draw.one_of("p", 90),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.4),
            "program_code": "p",
            "offence_category": draw.code("diversion_referral", "offence_category"),
            "stage": draw.code("diversion_referral", "stage"),
            "referred_on": draw.maybe(draw.day()),
            "eligible_on": draw.maybe(draw.day(), 0.3),
            "screened_on": draw.maybe(draw.day(), 0.5),
            "offered_on": draw.maybe(draw.day(), 0.5),
            "accepted_on": draw.maybe(draw.day(), 0.5),
            "enrolled_on": draw.maybe(draw.day(), 0.5),
            "completed_on": draw.maybe(draw.day(), 0.6),
            "requires_plea": draw.yes(),
            "requires_admission": draw.yes(),
            "admission_in_court": draw.yes(),
            "judge_ordered_restraint": draw.yes(),
            "outcome": draw.choice(["completed", draw.code("diversion_referral", "outcome")]),
            "state_disposition": draw.choice(["dismissed", draw.code("diversion_referral", "state_disposition")]),
            "ineligible_reason": draw.code("diversion_referral", "ineligible_reason", unknown=0.6),
            "refusal_reason": draw.code("diversion_referral", "refusal_reason", unknown=0.4),
            "fee": draw.maybe(draw.choice([0, 20])),
        }
        for i in draw.many(250)
    ]
    made["custody_stay"] = custody_stays(draw)
    made["ice_contact"] = [
        {
            "contact_id": f"i{i}",
            "person_id": draw.maybe(draw.one_of("p", 90), 0.1),
            "stay_id": draw.maybe(draw.one_of("s", 250), 0.8),
            "at": draw.moment(),
            "at_precision": draw.code("ice_contact", "at_precision"),
            "type": draw.choice(["detainer", "detainer", "arrest", draw.code("ice_contact", "type")]),
            "direction": draw.code("ice_contact", "direction"),
            "initiator": draw.choice(["da", draw.code("ice_contact", "initiator")]),
            "channel": draw.code("ice_contact", "channel"),
            "location_type": draw.choice(["courthouse_near", draw.code("ice_contact", "location_type")]),
            "judicial_warrant": draw.code("ice_contact", "judicial_warrant"),
            "criminal_history": draw.code("ice_contact", "criminal_history"),
            "policy_compliant": draw.yes(),
            "outcome": draw.code("ice_contact", "outcome"),
        }
        for i in draw.many(500)
    ]
    return sent_again(draw, made)


# Charging ----------------------------------------------------------------------------------------------------------


def decided(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["referral"]:
        if row["decision"] in ("filed", "declined", "diverted"):
            yield oracle.groups(row["person_id"], row["decision_date"], row["offence_category"]), row


def filed(oracle: Oracle) -> Found:
    for groups, row in decided(oracle):
        yield groups, ("", row["decision"] == "filed")


def declined(oracle: Oracle) -> Found:
    for groups, row in decided(oracle):
        yield groups, ("", row["decision"] == "declined")


def declined_for(oracle: Oracle) -> Found:
    for groups, row in decided(oracle):
        if row["decision"] == "declined":
            yield groups, (row["decline_reason"], True)


def felonies(oracle: Oracle) -> Found:
    for case, row in oracle.cases.items():
        charges = [c for c in oracle.charges.get(case, []) if c["is_enhancement"] is not True]
        if charges and all(c["severity"] in CLASSES for c in charges):
            answer = any(c["severity"] in ("felony", "wobbler_felony") for c in charges)
            yield oracle.of_case(case, row["filed_on"]), ("", answer)


def charge_counts(oracle: Oracle) -> Found:
    for case, row in oracle.cases.items():
        count = sum(c["is_enhancement"] is not True for c in oracle.charges.get(case, []))
        if count:
            yield oracle.of_case(case, row["filed_on"]), ("", count, "event")


# Bail --------------------------------------------------------------------------------------------------------------


def hearings(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["bail_event"]:
        yield oracle.of_case(row["case_id"], row["at"].date()), row


def asked_for(oracle: Oracle) -> Found:
    for groups, row in hearings(oracle):
        yield groups, (row["da_request_type"], True)


def asked_for_custody(oracle: Oracle) -> Found:
    for groups, row in hearings(oracle):
        if row["da_request_type"] not in UNKNOWNS:
            yield groups, ("", row["da_request_type"] == "detention")


def custody_ordered(oracle: Oracle) -> Found:
    for groups, row in hearings(oracle):
        if row["da_request_type"] == "detention" and row["set_type"] not in UNKNOWNS:
            yield groups, ("", row["set_type"] == "detention")


def asked_to_hold(oracle: Oracle) -> Found:
    for groups, row in hearings(oracle):
        if row["da_request_type"] not in UNKNOWNS:
            yield groups, ("", row["da_request_type"] in ("cash", "detention"))


def amounts_asked(oracle: Oracle) -> Found:
    for groups, row in hearings(oracle):
        if row["da_request_type"] == "cash" and row["da_request_amount"] is not None:
            yield groups, ("", int(float(row["da_request_amount"])), "event")


def set_as_asked(oracle: Oracle) -> Found:
    for groups, row in hearings(oracle):
        both = [row["da_request_amount"], row["set_amount"]]
        if row["da_request_type"] == row["set_type"] == "cash" and None not in both:
            yield groups, ("", float(both[0]) == float(both[1]))


def arguments(oracle: Oracle) -> Found:
    for groups, row in hearings(oracle):
        if row["immigration_argument"] not in (*UNKNOWNS, "not_coded"):
            yield groups, ("", row["immigration_argument"] != "none")


def releases(oracle: Oracle) -> Found:
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
        end = oracle.as_of if row["released_at"] is None else row["released_at"].date()
        days = (end - row["booked_at"].date()).days
        if days >= 0:
            ended = outcomes.get(row["release_type"], "release_unspecified")
            offence = oracle.own_or_case(row["case_id"], row["offence_category"])
            groups = oracle.groups(row["person_id"], row["booked_at"].date(), offence)
            yield groups, ("", days, "censored" if row["released_at"] is None else ended)


# Diversion ---------------------------------------------------------------------------------------------------------

STEPS = ("screened_on", "offered_on", "accepted_on", "enrolled_on", "completed_on")


def diversions(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    """Each referral on the day of the first step that was written down."""
    for row in oracle.tables["diversion_referral"]:
        days = [row[c] for c in ("referred_on", "eligible_on", *STEPS)]
        on = next((day for day in days if day is not None), None)
        offence = oracle.own_or_case(row["case_id"], row["offence_category"])
        yield oracle.groups(row["person_id"], on, offence), row


def reached(row: Row, step: str) -> bool:
    """A later step shows that the earlier ones were taken."""
    return any(row[later] is not None for later in STEPS[STEPS.index(step) :])


def step_after(here: str, next_step: str) -> Definition:
    def taken(oracle: Oracle) -> Found:
        for groups, row in diversions(oracle):
            if row[here] is not None:
                yield groups, ("", reached(row, next_step))

    return taken


def completed(oracle: Oracle) -> Found:
    for groups, row in diversions(oracle):
        if row["outcome"] not in (*UNKNOWNS, "open"):
            yield groups, ("", row["outcome"] == "completed")


def pleas_up_front(oracle: Oracle) -> Found:
    for groups, row in diversions(oracle):
        answers = [row["requires_plea"], row["requires_admission"]]
        if reached(row, "enrolled_on") and None not in answers:
            yield groups, ("", any(answers))


def federal_conviction(row: Row) -> str:
    """8 USC 1101(a)(48)(A): a plea or an admission in court, and some restraint ordered by a judge."""
    admission = row["admission_in_court"]
    if admission is None and row["requires_admission"] is False:
        admission = False
    admitted = any_true([row["requires_plea"], admission])
    parts = [admitted, row["judge_ordered_restraint"]]
    return "ruled_out" if False in parts else "cannot_be_ruled_out" if None in parts else "both_parts_met"


def dismissed_here(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for groups, row in diversions(oracle):
        if row["outcome"] == "completed" and row["state_disposition"] == "dismissed":
            yield groups, row


def dismissed_here_by_parts(oracle: Oracle) -> Found:
    for groups, row in dismissed_here(oracle):
        yield groups, (federal_conviction(row), True)


def diverted_at(oracle: Oracle) -> Found:
    for groups, row in diversions(oracle):
        yield groups, (row["stage"], True)


def excluded_for(oracle: Oracle) -> Found:
    for groups, row in diversions(oracle):
        if row["ineligible_reason"] not in UNKNOWNS:
            yield groups, (row["ineligible_reason"], True)


def offer_refused_for_plea(oracle: Oracle) -> Found:
    for groups, row in diversions(oracle):
        if row["offered_on"] is not None and (reached(row, "accepted_on") or row["refusal_reason"] not in UNKNOWNS):
            yield groups, ("", row["refusal_reason"] in ("plea_required", "immigration_consequences"))


def fees(oracle: Oracle) -> Found:
    for groups, row in diversions(oracle):
        if reached(row, "enrolled_on") and row["fee"] is not None:
            yield groups, ("", row["fee"] > 0)


# ICE ---------------------------------------------------------------------------------------------------------------


def detained_by_ice(oracle: Oracle) -> Found:
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
        yield oracle.groups(stay["person_id"], stay["booked_at"].date(), offence), ("", lodged)


def contacts(oracle: Oracle, *types: str) -> Iterator[tuple[Groups | None, Row]]:
    stays = {row["stay_id"]: row for row in oracle.tables["custody_stay"]}
    for row in oracle.tables["ice_contact"]:
        if not types or row["type"] in types:
            stay = stays.get(row["stay_id"])
            offence = "not_recorded" if stay is None else oracle.own_or_case(stay["case_id"], stay["offence_category"])
            yield oracle.groups(row["person_id"], row["at"].date(), offence), row


def detainer_outcomes(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle, "detainer"):
        yield groups, (row["outcome"], True)


def held_past_release(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle, "detainer"):
        if row["outcome"] not in UNKNOWNS:
            yield groups, ("", row["outcome"] == "honoured_extra_hold")


def by_office(row: Row) -> bool:
    return bool(row["direction"] == "outbound" and row["initiator"] == "da")


def begun_by_office(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle):
        if by_office(row):
            yield groups, ("", None)


def begun_within_policy(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle):
        if by_office(row) and row["policy_compliant"] is not None:
            yield groups, ("", row["policy_compliant"])


def begun_about_a_person(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle):
        if by_office(row) and row["person_id"] is not None:
            yield groups, ("", None)


def told_by(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle):
        if row["direction"] == "outbound":
            yield groups, (row["channel"], True)


def warrants_at_the_courthouse(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle, "arrest"):
        near = row["location_type"] in ("courthouse_inside", "courthouse_near")
        if near and row["judicial_warrant"] not in UNKNOWNS:
            yield groups, ("", row["judicial_warrant"] == "yes")


def without_conviction(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle, "detainer"):
        if row["criminal_history"] not in UNKNOWNS:
            yield groups, ("", row["criminal_history"] != "conviction")


def on_citizens(oracle: Oracle) -> Found:
    for groups, row in contacts(oracle, "detainer"):
        if "citizen" in oracle.said_of(row["person_id"], oracle.as_of):
            yield groups, ("", None)


MEASURES: dict[str, Definition] = {
    "CHG-01": filed,
    "CHG-02": declined,
    "CHG-02a": declined_for,
    "CHG-05": felonies,
    "CHG-08": charge_counts,
    "BAIL-01": asked_for,
    "BAIL-02": amounts_asked,
    "BAIL-02b": set_as_asked,
    "BAIL-03": asked_for_custody,
    "BAIL-03a": custody_ordered,
    "BAIL-04": arguments,
    "BAIL-08": releases,
    "BAIL-13": asked_to_hold,
    "DIV-01": step_after("eligible_on", "offered_on"),
    "DIV-02": step_after("eligible_on", "screened_on"),
    "DIV-02a": step_after("screened_on", "offered_on"),
    "DIV-02b": step_after("offered_on", "accepted_on"),
    "DIV-02c": step_after("accepted_on", "enrolled_on"),
    "DIV-02d": completed,
    "DIV-03": diverted_at,
    "DIV-04": pleas_up_front,
    "DIV-05a": dismissed_here_by_parts,
    "DIV-07": excluded_for,
    "DIV-10": offer_refused_for_plea,
    "DIV-14": fees,
    "ICE-01": detained_by_ice,
    "ICE-03": detainer_outcomes,
    "ICE-03a": held_past_release,
    "ICE-04": begun_by_office,
    "ICE-04b": begun_within_policy,
    "ICE-04c": begun_about_a_person,
    "ICE-05b": warrants_at_the_courthouse,
    "ICE-07": told_by,
    "ICE-10": without_conviction,
    "ICE-14": on_citizens,
}


def differing(random: Random, size: float, *, at_least: int = 0) -> list[tuple[object, ...]]:
    made = world(Draw(random, size))
    return disagreements(made, Oracle(made), MEASURES, at_least=at_least)


def test_the_measures_agree_with_a_second_implementation() -> None:
    assert differing(Random(20240630), 1, at_least=20) == []


@settings(max_examples=10, **PATIENT)
@given(random=draws)
def test_no_small_world_is_found_in_which_they_differ(random: Random) -> None:
    assert differing(random, SMALL) == []


@pytest.mark.slow
@settings(max_examples=300, **PATIENT)
@given(random=draws)
def test_no_small_world_is_found_in_a_long_search(random: Random) -> None:
    assert differing(random, SMALL) == []

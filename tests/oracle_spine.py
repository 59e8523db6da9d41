"""A second implementation of measures of charging, bail, diversion and contact with ICE, over random worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.contract import UNKNOWNS
from tests.oracle import (
    CLASSES,
    GUILTY,
    REACHED,
    Definition,
    Draw,
    Found,
    Groups,
    Oracle,
    Row,
    SecondImplementation,
    Tables,
    any_true,
    count,
    custody_stays,
    days_between,
    exact,
    hours_between,
    is_held,
    is_of_defendant,
    known,
    mix,
    people_and_cases,
    rate,
    sent_again,
    values,
)


def world(draw: Draw) -> Tables:
    """People and cases, and what these measures need beside them."""
    made = people_and_cases(draw)
    for charge in made["charge"]:
        charge |= {
            "referral_id": draw.maybe(draw.one_of("r", 300), 0.3) if charge["stage"] == "referred" else None,
            "lineage_id": draw.maybe(f"l{draw.below(400)}", 0.5),
            "code": draw.maybe(draw.choice(["PC", "HS"]), 0.1),
            "section": draw.maybe(draw.choice("12")),
            "subdivision": draw.maybe("a", 0.7),
            "amend_reason": draw.choice(["immigration_language", draw.code("charge", "amend_reason")]),
            "prior_pleaded": draw.yes(0.1),
        }
    for case in made["case_"]:
        case |= {
            "referral_id": draw.maybe(draw.one_of("r", 300), 0.3),
            "closed_on": draw.maybe(draw.day(), 0.7),
        }
    made["custody_stay"] = [
        {**stay, "booked_at_precision": draw.code("custody_stay", "booked_at_precision", unknown=0.5)}
        for stay in custody_stays(draw)
    ]
    made["arrest"] = [
        {
            "arrest_id": f"t{i}",
            "person_id": draw.one_of("p", 90),
            "arrest_at": draw.moment(),
            "arrest_at_precision": draw.choice(["minute", draw.code("arrest", "arrest_at_precision")]),
            "custody_action": draw.choice(["booked", draw.code("arrest", "custody_action")]),
        }
        for i in draw.many(250)
    ]
    made["arrest_charge"] = [
        {
            "arrest_charge_id": f"u{i}",
            "arrest_id": draw.one_of("t", 250),
            "severity": draw.code("arrest_charge", "severity"),
            "offence_category": draw.code("arrest_charge", "offence_category"),
        }
        for i in draw.many(250)
    ]
    made["referral"] = [
        {
            "referral_id": f"r{i}",
            "person_id": draw.one_of("p", 90),
            "arrest_id": draw.maybe(draw.one_of("t", 250), 0.3),
            "decision": draw.code("referral", "decision"),
            "decision_date": draw.maybe(draw.day(), 0.1),
            "decline_reason": draw.code("referral", "decline_reason"),
            "offence_category": draw.code("referral", "offence_category"),
            "severity": draw.code("referral", "severity", unknown=0.3),
        }
        for i in draw.many(300)
    ]
    made["hearing"] = [
        {
            "hearing_id": f"g{i}",
            "case_id": draw.choice(made["custody_stay"])["case_id"] or draw.one_of("c", 230),
            "at": draw.moment(minutes=draw.choice([(0, 1440), (0, 1440), (0, 1440), (0, 1)])),
            "kind": draw.code("hearing", "kind"),
            "role": draw.choice(["defendant", "defendant", draw.code("hearing", "role")]),
            "appeared": draw.yes(0.1),
            "nonappearance_reason": draw.choice(["fta", "removed", draw.code("hearing", "nonappearance_reason")]),
        }
        for i in draw.many(500)
    ]
    made["disposition"] = [
        {
            "disposition_id": f"y{i}",
            "charge_id": draw.one_of("h", 420),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.7),
            "disposed_on": draw.maybe(draw.day(), 0.05),
            "type": draw.choice(["dismissed_da", "dismissed_court", "acquitted", *GUILTY, "redacted"]),
            "reason": draw.choice(["removed_or_ice_custody", draw.code("disposition", "reason", unknown=0.5)]),
            "is_conviction_state": draw.yes(0.9),
        }
        for i in draw.many(300)
    ]
    made["sentence"] = [
        {
            "sentence_id": f"z{i}",
            "charge_id": draw.one_of("h", 420),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.5),
            "sentenced_on": draw.day(),
            "sentence_type": draw.choice(["probation", draw.code("sentence", "sentence_type")]),
            "probation_months": draw.maybe(draw.choice([0, 12]), 0.6),
        }
        for i in draw.many(200)
    ]
    made["reporting_total"] = [
        {"source": source, "period": period, "measure": "m", "total": draw.below(99)}
        for source in ("ice_detainers", "other")
        for period in ("2022", "2023", "2022-Q3", "2023-Q4", "FY2023", *(f"2023-{month:02}" for month in range(1, 13)))
    ]
    made["bail_event"] = [
        {
            "bail_event_id": f"b{i}",
            "case_id": (stay := draw.choice(made["custody_stay"]))["case_id"] or draw.one_of("c", 220),
            "at": (at := draw.choice([draw.moment(stay["booked_at"], (0, 5 * 1440)), draw.moment(minutes=(0, 1))])),
            "da_request_type": draw.choice(["cash", "detention", draw.code("bail_event", "da_request_type")]),
            "da_request_amount": (asked := draw.maybe(draw.choice([0, 500, 1000, "1000.50"]))),
            "set_type": draw.choice(["cash", "detention", draw.code("bail_event", "set_type")]),
            "set_amount": draw.choice([asked, draw.maybe(draw.choice([0, 500, 501, 1000, 10000, 10001, "5000.5"]))]),
            "immigration_argument": draw.code("bail_event", "immigration_argument"),
            "posted_at": draw.maybe(draw.moment(at, (-600, 3 * 1440)), 0.3),
        }
        for i in draw.many(300)
    ]
    made["diversion_referral"] = [
        {
            "diversion_id": f"d{i}",
            "person_id": draw.one_of("p", 90),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.4),
            "referral_id": draw.maybe(draw.one_of("r", 300), 0.4),
            "program_code": f"q{draw.below(100)}",
            "program_type": draw.code("diversion_referral", "program_type"),
            "offence_category": draw.code("diversion_referral", "offence_category"),
            "stage": draw.choice(["pre_charge", draw.code("diversion_referral", "stage")]),
            "referred_on": draw.maybe(draw.day()),
            "eligible_on": draw.maybe(draw.day(), 0.3),
            "screened_on": draw.maybe(draw.day(), 0.5),
            "offered_on": draw.maybe(draw.day(), 0.5),
            "accepted_on": draw.maybe(draw.day(), 0.5),
            "enrolled_on": draw.maybe(draw.day(), 0.5),
            "completed_on": draw.maybe(draw.day(), 0.6),
            "terminated_on": draw.maybe(draw.day(), 0.7),
            "language_needed": draw.choice(["spa", "Spa", "eng", None]),
            "language_provided": draw.choice(["spa", "eng", None]),
            "failure_reason": draw.choice(["nonpayment", draw.code("diversion_referral", "failure_reason")]),
            "requires_plea": draw.yes(),
            "requires_admission": draw.yes(),
            "admission_in_court": draw.yes(),
            "judge_ordered_restraint": draw.yes(),
            "outcome": draw.choice(["completed", "failed", draw.code("diversion_referral", "outcome")]),
            "state_disposition": draw.choice(["dismissed", draw.code("diversion_referral", "state_disposition")]),
            "ineligible_reason": draw.code("diversion_referral", "ineligible_reason", unknown=0.6),
            "refusal_reason": draw.code("diversion_referral", "refusal_reason", unknown=0.4),
            "fee": draw.maybe(draw.choice([0, 20])),
        }
        for i in draw.many(250)
    ]
    made["ice_contact"] = [
        {
            "contact_id": f"i{i}",
            "person_id": draw.maybe(draw.one_of("p", 90), 0.1),
            "stay_id": draw.maybe(draw.one_of("s", 250), 0.8),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.8),
            "at": draw.moment(),
            "at_precision": draw.choice(["minute", "minute", draw.code("ice_contact", "at_precision")]),
            "type": draw.choice(
                [
                    "detainer",
                    "detainer",
                    "arrest",
                    "transfer",
                    "writ",
                    "information_request",
                    draw.code("ice_contact", "type"),
                ]
            ),
            "direction": draw.code("ice_contact", "direction"),
            "initiator": draw.choice(["da", "da", "state_prison", draw.code("ice_contact", "initiator")]),
            "channel": draw.code("ice_contact", "channel"),
            "location_type": draw.choice(["courthouse_near", draw.code("ice_contact", "location_type")]),
            "role": draw.code("ice_contact", "role"),
            "publicised": draw.chance(0.04),
            "lift_reason": draw.choice(["usc_claim", draw.code("ice_contact", "lift_reason")]),
            "outcome_at": draw.maybe(draw.moment(), 0.6),
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
            yield (
                oracle.groups(row["person_id"], row["decision_date"], oracle.referred_offence(row["referral_id"])),
                row,
            )


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
        days = [row[c] for c in ("referred_on", "eligible_on", *STEPS, "terminated_on")]
        on = next((day for day in days if day is not None), None)
        yield oracle.groups(row["person_id"], on, diverted_offence(oracle, row)), {**row, "on": on}


def diverted_offence(oracle: Oracle, row: Row) -> str:
    own = row["offence_category"]
    if row["referral_id"] in oracle.referrals and known(oracle.referred_offence(row["referral_id"])):
        own = oracle.referred_offence(row["referral_id"])
    return oracle.own_or_case(row["case_id"], own)


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
            case = row["case_id"] or (stay["case_id"] if stay else None)
            of_stay = oracle.own_or_case(stay["case_id"], stay["offence_category"]) if stay else "not_recorded"
            offence = oracle.own_or_case(case, of_stay)
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


# Referrals, arrests and allegations -----------------------------------------------------------------------------------


def detainers_of(oracle: Oracle, person: str | None) -> list[Row]:
    """Known at least to the day."""
    return [
        c
        for c in oracle.tables["ice_contact"]
        if c["type"] == "detainer" and c["at_precision"] != "month" and person and c["person_id"] == person
    ]


def referrals(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for key, row in oracle.referrals.items():
        arrest = oracle.arrests.get(row["arrest_id"])
        arrested, decided_on = arrest and arrest["arrest_at"].date(), row["decision_date"]
        lodged = [
            c["at"].date() for c in detainers_of(oracle, row["person_id"]) if arrested and c["at"].date() >= arrested
        ]
        within_week = before = None
        if arrested and arrested + timedelta(days=7) <= oracle.as_of:
            within_week = any(day <= arrested + timedelta(days=7) for day in lodged)
        if arrested and decided_on and arrested <= decided_on:
            before = any(day < decided_on for day in lodged)
        gravest = oracle.gravest_of_arrest(row["arrest_id"])
        severity = known(row["severity"]) or (gravest["severity"] if gravest else "not_recorded")
        asked = [d for d in oracle.tables["diversion_referral"] if d["referral_id"] == key]
        asked = [d for d in asked if d["stage"] in ("pre_arrest", "pre_charge")]
        answers = [refused_for_id(d) for d in asked]
        yield (
            oracle.groups(row["person_id"], decided_on, oracle.referred_offence(key)),
            {
                "declined": row["decision"] == "declined",
                "within_week": within_week,
                "before": before,
                "asked_below_felony": bool(asked) and CLASSES.get(severity, 3) < 3,
                "refused_for_id": None if None in answers else any(answers),
            },
        )


def refused_for_id(diversion: Row) -> bool | None:
    if known(diversion["ineligible_reason"]):
        return bool(diversion["ineligible_reason"] == "residence_or_id")
    offered = [diversion[c] for c in ("offered_on", "accepted_on", "enrolled_on")]
    return False if any(offered) else None


def arrests(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    found = []
    for key, row in oracle.arrests.items():
        matters = [r for r in oracle.referrals.values() if r["arrest_id"] == key]
        ids = {r["referral_id"] for r in matters}
        cases = [case for case, c in oracle.cases.items() if c["referral_id"] in ids]
        heard = min((oracle.first_appearances[c] for c in cases if c in oracle.first_appearances), default=None)
        out_of_court = not cases and all(r["decision"] in ("declined", "diverted") for r in matters)
        found.append((key, row, matters, heard, out_of_court))
    heard_at = [heard for _, _, matters, heard, _ in found if matters and heard]
    timed = 2 * sum(exact(at) is not None for at in heard_at) >= len(heard_at)
    for key, row, matters, heard, out_of_court in found:
        began, hours = exact(row["arrest_at"], row["arrest_at_precision"]), None
        if heard:
            hours = hours_between(began, exact(heard))
        elif not out_of_court and timed:
            hours = hours_between(began, midnight(oracle.as_of))
        decisions = [r["decision_date"] for r in matters if r["decision"] in ("filed", "declined", "diverted")]
        first = min((day for day in decisions if day), default=None)
        days = None
        if first or None not in decisions:
            days = days_between(row["arrest_at"].date(), first or oracle.as_of)
        action = known(row["custody_action"])
        classes = [CLASSES.get(c["severity"]) for c in oracle.arrest_charges[key]]
        yield (
            oracle.groups(row["person_id"], row["arrest_at"].date(), oracle.arrested_offence(key)),
            {
                "referred": bool(matters),
                "in_custody": action and action in ("booked", "transported"),
                "days": days,
                "decided": first is not None,
                "hours": hours,
                "heard": None if out_of_court and not heard else heard is not None,
                "below_felony": bool(classes) and None not in classes and 3 not in classes,
            },
        )


def midnight(on: date) -> datetime:
    return datetime.combine(on, datetime.min.time())


def days_to_decision(oracle: Oracle) -> Found:
    for groups, row in arrests(oracle):
        if row["referred"] and row["days"] is not None:
            yield groups, ("", row["days"], "event" if row["decided"] else "censored")


def hours_to_court(oracle: Oracle) -> Found:
    for groups, row in arrests(oracle):
        if row["in_custody"] and row["referred"] and None not in (row["hours"], row["heard"]):
            yield groups, ("", row["hours"], "event" if row["heard"] else "censored")


def waited(hours: int) -> Definition:
    def found(oracle: Oracle) -> Found:
        for groups, row in arrests(oracle):
            if row["in_custody"] and row["referred"] and row["hours"] is not None:
                longer = row["hours"] >= hours
                if row["heard"] or longer:
                    yield groups, ("", longer)

    return found


def allegations(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    """What was referred against what was filed, by the same allegation."""
    versions: dict[str, list[Row]] = {}
    for row in oracle.tables["charge"]:
        if row["stage"] in ("referred", "filed", "amended"):
            versions.setdefault(row["lineage_id"] or row["charge_id"], []).append(row)
    found = []
    for rows in versions.values():
        referred = min(
            (r for r in rows if r["stage"] == "referred"),
            key=lambda r: (-r["version_no"], r["charge_id"]),
            default=None,
        )
        filed = min(
            (r for r in rows if r["stage"] == "filed"), key=lambda r: (r["version_no"], r["charge_id"]), default=None
        )
        if referred or filed:
            case = (filed or {}).get("case_id") or (referred or {}).get("case_id")
            matter = (referred or {}).get("referral_id") or oracle.cases.get(case, {}).get("referral_id")
            reasons = [known(r["amend_reason"]) for r in rows if r["stage"] == "amended"]
            found.append((referred, filed, case, matter, [reason for reason in reasons if reason]))
    with_referred = {matter for referred, _, _, matter, _ in found if referred and matter}
    for referred, filed, case, matter, reasons in found:
        decision = oracle.referrals.get(matter)
        movement = None
        if decision and decision["decision"] in ("filed", "declined", "diverted"):
            if referred and filed:
                movement = moved(referred, filed)
            elif referred:
                movement = "dropped"
            elif matter in with_referred:
                movement = "added"
        person = oracle.cases[case]["person_id"] if case in oracle.cases else (decision or {}).get("person_id")
        on = (decision or {}).get("decision_date") or oracle.cases.get(case, {}).get("filed_on")
        offence = str((referred or filed or {})["offence_category"])
        if decision:
            offence = oracle.referred_offence(matter)
        elif case in oracle.cases:
            offence = oracle.top_offence(case)
        yield (
            oracle.groups(person, on, offence),
            {
                "referred": bool(referred),
                "filed": bool(filed),
                "movement": movement,
                "as_referred": movement == "filed_as_referred" if movement not in (None, "unknown") else None,
                "added": movement == "added",
                "wobbler": filed is not None and filed["severity"].startswith("wobbler"),
                "as_felony": filed is not None and filed["severity"] == "wobbler_felony",
                "amended": bool(reasons),
                "struck": "immigration_language" in reasons,
            },
        )


def moved(referred: Row, filed: Row) -> str:
    ranks = [referred["severity_rank"], filed["severity_rank"]]
    if None in ranks:
        ranks = [CLASSES.get(referred["severity"]), CLASSES.get(filed["severity"])]
    if None in ranks:
        return "unknown"
    if ranks[0] != ranks[1]:
        return "raised" if ranks[1] > ranks[0] else "lowered"
    sides = [(referred[column], filed[column]) for column in ("section", "code", "subdivision")]
    differ = [None not in side and side[0] != side[1] for side in sides]
    if differ[0] or differ[1]:
        return "changed_in_class"
    if None in sides[0] or (sides[1][0] is None) != (sides[1][1] is None):
        return "unknown"
    return "changed_in_class" if differ[2] else "filed_as_referred"


def filed_cases(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for case, row in oracle.cases.items():
        charges = oracle.charges.get(case, [])
        marks, priors = ([c[column] for c in charges] for column in ("is_enhancement", "prior_pleaded"))
        if any(mark is not True for mark in marks):
            yield (
                oracle.of_case(case, row["filed_on"]),
                {
                    "enhancements": None if None in marks else sum(marks),
                    "prior": None if None in priors else any(priors),
                },
            )


# Bail, stays and appearances ------------------------------------------------------------------------------------------


def bail_hearings(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for groups, row in hearings(oracle):
        person = oracle.cases[row["case_id"]]["person_id"] if row["case_id"] in oracle.cases else None
        is_open = any(
            c["at"] < row["at"] and (c["outcome_at"] is None or row["at"] <= c["outcome_at"])
            for c in detainers_of(oracle, person)
        )
        asked = amount(row["da_request_amount"]) if row["da_request_type"] == "cash" else None
        given = amount(row["set_amount"]) if row["set_type"] == "cash" else None
        coded = row["immigration_argument"] not in (*UNKNOWNS, "not_coded")
        kind = known(row["da_request_type"])
        yield (
            groups,
            {
                **row,
                "detainer": "detainer_open" if is_open else "no_detainer_on_file",
                "asked": asked,
                "given": given,
                "above": None if asked is None or given is None else given - asked,
                "coded": coded,
                "to_hold": kind and kind in ("cash", "detention"),
            },
        )


def amount(value: Any) -> float | None:
    return None if value is None else float(value)


def stays(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    found = [(stay, *first_detainer(oracle, stay)) for stay in oracle.tables["custody_stay"]]
    timed = 2 * sum(at is not None for *_, at in found) >= sum(on is not None for _, _, on, _ in found)
    for stay, lodged, _, lodged_at in found:
        booked, released = stay["booked_at"].date(), stay["released_at"] and stay["released_at"].date()
        began = exact(stay["booked_at"], stay["booked_at_precision"])
        end = exact(stay["released_at"], stay["booked_at_precision"])
        if is_held(stay) and began:
            end = midnight(oracle.as_of)
        events = [
            b
            for b in oracle.tables["bail_event"]
            if stay["case_id"]
            and b["case_id"] == stay["case_id"]
            and booked <= b["at"].date() <= (released or date.max)
        ]
        cash = sorted((b["at"], b["bail_event_id"], amount(b["set_amount"])) for b in events if b["set_type"] == "cash")
        amounts = [a for _, _, a in cash if a is not None]
        posted = min(
            (b["posted_at"] for b in events if b["posted_at"] and b["posted_at"].date() >= booked), default=None
        )
        to_detainer, outcome = None, "event" if lodged else "censored" if is_held(stay) else "released"
        if lodged:
            to_detainer = hours_between(began, lodged_at)
        elif timed:
            to_detainer = hours_between(began, end)
        ending = known(stay["release_type"]) or ("unknown" if released else None)
        yield (
            oracle.groups(stay["person_id"], booked, oracle.own_or_case(stay["case_id"], stay["offence_category"])),
            {
                **stay,
                "held": is_held(stay),
                "cash": bool(cash),
                "band": band(amounts[0]) if amounts else None,
                "on_cash": hours_between(exact(cash[0][0]), end) if cash else None,
                "posted": posted is not None,
                "after_posting": hours_between(exact(posted), end),
                "detainer": lodged,
                "with_detainer": "detainer" if lodged else "no_detainer_on_file",
                "to_detainer": to_detainer,
                "to_detainer_outcome": outcome,
                "ending": ending or "held_or_not_recorded",
                "to_ice": None if ending in (None, "unknown") else ending == "transfer_ice",
                "era": "interim_and_later_priorities",
            },
        )


def first_detainer(oracle: Oracle, stay: Row) -> tuple[bool, date | None, datetime | None]:
    """Whether one was lodged, and on which day and at what time the first was, as far as all are known."""
    lodged = [c for c in oracle.contacts_of(stay) if c["type"] == "detainer"]
    if not lodged or any(c["at_precision"] == "month" for c in lodged):
        return bool(lodged), None, None
    on = min(c["at"].date() for c in lodged)
    times = [exact(c["at"], c["at_precision"]) for c in lodged if c["at"].date() == on]
    return True, on, None if None in times else min(at for at in times if at)


def band(dollars: float) -> str:
    return next((f"up_to_{top}" for top in (500, 1000, 5000, 10000) if dollars <= top), "above_10000")


def held_on(column: str, hours: int) -> tuple[Callable[[Row], bool], Callable[[Row], bool | None]]:
    """Who was held so long, and of whom it can be said already."""

    def longer(row: Row) -> bool | None:
        if row[column] is None:
            return None
        return bool(row[column] >= hours)

    return lambda row: not row["held"] or bool(longer(row)), longer


def still_held(oracle: Oracle, hours: int) -> Found:
    asked, longer = held_on("on_cash", hours)
    yield from rate(stays, longer, where=lambda row: row["cash"] and asked(row), by="band")(oracle)


def held_after_posting(oracle: Oracle) -> Found:
    asked, longer = held_on("after_posting", 24)
    yield from rate(stays, longer, where=lambda row: row["posted"] and asked(row), by="with_detainer")(oracle)


def hours_to_detainer(oracle: Oracle) -> Found:
    for groups, row in stays(oracle):
        if row["to_detainer"] is not None:
            yield groups, ("", row["to_detainer"], row["to_detainer_outcome"])


def pretrial_releases(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for groups, stay in stays(oracle):
        out, case = stay["released_at"] and stay["released_at"].date(), stay["case_id"]
        if stay["release_type"] not in ("bail", "ror", "supervised") or out is None or case not in oracle.cases:
            continue
        closed = oracle.ends[case]["closed_on"]
        if closed and closed < out:
            continue
        due = [
            h
            for h in oracle.tables["hearing"]
            if h["case_id"] == case
            and is_of_defendant(h)
            and out < h["at"].date() <= min(closed or oracle.as_of, oracle.as_of)
        ]
        failed, through_ice = ([missed(h, *reasons) for h in due] for reasons in (("fta",), GONE))
        again = [a["arrest_at"].date() for a in oracle.arrests.values() if a["person_id"] == stay["person_id"]]
        next_arrest = min((day for day in again if day > out), default=None)
        until = min(day for day in (next_arrest, closed, oracle.as_of) if day)
        ninety = out + timedelta(days=90)
        came = next_arrest is not None and next_arrest <= until
        yield (
            groups,
            {
                "due": bool(due),
                "failed": None if None in failed else any(failed),
                "through_ice": None if None in through_ice else any(through_ice),
                "within_90_days": (came and (next_arrest or date.max) <= ninety) if ninety <= oracle.as_of else None,
                "days": days_between(out, until),
                "outcome": "event" if came else "disposition" if closed and closed <= until else "censored",
            },
        )


GONE = ("in_ice_custody", "removed")


def missed(hearing: Row, *reasons: str) -> bool | None:
    if hearing["appeared"]:
        return False
    return hearing["nonappearance_reason"] in reasons if known(hearing["nonappearance_reason"]) else None


def days_to_rearrest(oracle: Oracle) -> Found:
    for groups, row in pretrial_releases(oracle):
        if row["days"] is not None:
            yield groups, ("", row["days"], row["outcome"])


def appearances(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    near = [
        c
        for c in oracle.tables["ice_contact"]
        if c["type"] == "arrest" and c["location_type"] in COURTHOUSE and c["at_precision"] != "month"
    ]
    known_days = {c["at"].date() for c in near if c["publicised"]}
    for row in oracle.tables["hearing"]:
        on = row["at"].date()
        person = oracle.cases[row["case_id"]]["person_id"] if row["case_id"] in oracle.cases else None
        of_defendant = is_of_defendant(row)
        about = [day for day in known_days if day != on and abs((day - on).days) <= 30]
        sides = {"before" if on < day else "after" for day in about}
        yield (
            oracle.groups(person if of_defendant else None, on, oracle.top_offence(row["case_id"])),
            {
                "of_defendant": of_defendant,
                "failed": missed(row, "fta"),
                "through_ice": missed(row, *GONE),
                "arrested": any(person and c["person_id"] == person and c["at"].date() == on for c in near),
                "side": sides.pop() if len(sides) == 1 else None,
            },
        )


COURTHOUSE = ("courthouse_inside", "courthouse_near")


def first_in_court(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for case, at in oracle.first_appearances.items():
        if case in oracle.cases:
            on, person, plea = at.date(), oracle.cases[case]["person_id"], oracle.ends[case]["first_plea_on"]
            detained = any(
                s["person_id"] == person
                and s["booked_at"].date() <= on
                and (is_held(s) or (s["released_at"] and s["released_at"].date() > on + timedelta(days=1)))
                for s in oracle.tables["custody_stay"]
            )
            pleaded: dict[int, bool | None] = {}
            for days in (7, 30):
                told = on + timedelta(days=days) <= oracle.as_of and (plea is None or plea >= on)
                told = told and not oracle.ends[case]["plea_left_open"]
                pleaded[days] = (plea is not None and plea <= on + timedelta(days=days)) if told else None
            held = "detained" if detained else "not_detained"
            yield oracle.of_case(case, on), {"held": held, "within_7": pleaded[7], "within_30": pleaded[30]}


# Diversion and contact with ICE ---------------------------------------------------------------------------------------


def described_diversions(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for groups, row in diversions(oracle):
        ended = row["completed_on"] or row["terminated_on"]
        appeared = None
        if row["case_id"] and row["offered_on"] and ended and row["offered_on"] <= ended:
            appeared = sum(
                h["case_id"] == row["case_id"] and is_of_defendant(h) and row["offered_on"] <= h["at"].date() <= ended
                for h in oracle.tables["hearing"]
            )
        met = any(
            c["person_id"] == row["person_id"]
            and c["type"] in REACHED
            and c["at_precision"] != "month"
            and row["enrolled_on"]
            and row["enrolled_on"] <= c["at"].date() <= (ended or date.max)
            for c in oracle.tables["ice_contact"]
        )
        admission = row["admission_in_court"]
        if admission is None and row["requires_admission"] is False:
            admission = False
        parts = [any_true([row["requires_plea"], admission]), row["judge_ordered_restraint"]]
        needed, given = row["language_needed"], row["language_provided"]
        answers = [row["requires_plea"], row["requires_admission"]]
        ended_here = row["state_disposition"] not in (*UNKNOWNS, "open")
        failure = known(row["failure_reason"])
        yield (
            groups,
            {
                **row,
                "completed": row["outcome"] == "completed",
                "dismissed": row["state_disposition"] == "dismissed" if ended_here else None,
                "convicted": None if None in parts else all(parts),
                "appearances": appeared,
                "foreign": reached(row, "enrolled_on") and (needed or "eng") not in ("eng",),
                "understood": None if None in (needed, given) else needed.lower() == given.lower(),
                "in_court_programme": reached(row, "enrolled_on") and row["program_type"] in COURTS,
                "up_front": None if None in answers else any(answers),
                "met": met,
                "failed": row["outcome"] == "failed",
                "for_money": failure and failure == "nonpayment",
            },
        )


COURTS = ("drug_court", "mental_health_court", "domestic_violence_court", "veterans")


def programmes_moved(oracle: Oracle) -> Found:
    days: dict[str, list[tuple[date, bool]]] = {}
    for _, row in diversions(oracle):
        if row["on"] and row["stage"] in ("pre_arrest", "pre_charge", "pre_plea", "post_plea", "deferred_judgment"):
            after = row["stage"] in ("post_plea", "deferred_judgment")
            days.setdefault(row["program_code"], []).append((row["on"], after))
    for found in days.values():
        last = max((on for on, after in found if after), default=None)
        since = [on for on, _ in found if last and on > last]
        if since:
            yield oracle.nobody(min(since)), ("", None)


def stops(oracle: Oracle) -> Found:
    offences = set()
    for groups, row in diversions(oracle):
        if row["stage"] == "pre_arrest" and known(diverted_offence(oracle, row)):
            offences.add(diverted_offence(oracle, row))
            yield groups, ("", True)
    for key, row in oracle.arrests.items():
        offence = oracle.arrested_offence(key)
        if offence in offences and row["custody_action"] != "diverted":
            yield oracle.groups(row["person_id"], row["arrest_at"].date(), offence), ("", False)


def described_contacts(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    of_stay = {row["stay_id"]: row["case_id"] for row in oracle.tables["custody_stay"]}
    for groups, row in contacts(oracle):
        case = row["case_id"] or of_stay.get(row["stay_id"])
        first = [
            oracle.ends[c]["first_conviction_on"] for c, r in oracle.cases.items() if r["person_id"] == row["person_id"]
        ]
        convicted = min((day for day in first if day), default=date.max)
        outcome = known(row["outcome"])
        inbound = row["direction"] == "inbound"
        yield (
            groups,
            {
                **row,
                "detainer": row["type"] == "detainer",
                "arrest": row["type"] == "arrest",
                "at_courthouse": row["type"] == "arrest" and row["location_type"] in COURTHOUSE,
                "case_stage": stage_of(oracle, case, row["at"].date()),
                "by_office": by_office(row),
                "outbound": row["direction"] == "outbound",
                "from_prison": row["type"] == "transfer" and row["initiator"] == "state_prison",
                "unconvicted": None if row["person_id"] is None else row["at"].date() < convicted,
                "unconvicted_by_ice": known(row["criminal_history"]) and row["criminal_history"] != "conviction",
                "on_citizen": row["type"] == "detainer" and "citizen" in oracle.said_of(row["person_id"], oracle.as_of),
                "cancelled": outcome and (outcome == "cancelled_by_ice" or row["lift_reason"] == "usc_claim"),
                "refused": outcome and outcome == "declined",
                "writ": row["type"] == "writ",
                "request": inbound and row["type"] in REQUESTS,
                "demand": inbound and row["type"] in (*REQUESTS, *DEMANDS),
                "warranted": known(row["judicial_warrant"]) and row["judicial_warrant"] == "yes",
            },
        )


REQUESTS = ("access_request", "subpoena", "information_request")
DEMANDS = ("detainer", "notification_request", "interview", "arrest")


def stage_of(oracle: Oracle, case: str | None, on: date) -> str:
    filed = oracle.cases.get(case or "", {}).get("filed_on")
    if filed is None:
        return "no_case_on_file"
    end = oracle.ends[str(case)]
    if on < filed:
        return "before_filing"
    if end["first_conviction_on"] and on >= end["first_conviction_on"]:
        return "after_conviction"
    if end["closed_on"] and on >= end["closed_on"]:
        return "after_case_closed"
    heard = oracle.first_appearances.get(str(case))
    return "before_first_appearance" if heard and on < heard.date() else "case_pending"


def ended_matters(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for key, row in oracle.referrals.items():
        if row["decision"] == "declined":
            groups = oracle.groups(row["person_id"], row["decision_date"], oracle.referred_offence(key))
            arrested = arrested_after(oracle, row["person_id"], row["decision_date"])
            yield groups, {"unconvicted": True, "arrested": arrested, "removed": None}
    for case, row in oracle.cases.items():
        end = oracle.ends[case]
        if end["closed_on"]:
            arrested = arrested_after(oracle, row["person_id"], end["closed_on"])
            unconvicted = end["without_conviction"]
            groups = oracle.of_case(case, end["closed_on"])
            yield groups, {"unconvicted": unconvicted, "arrested": arrested, "removed": end["removed"]}


def arrested_after(oracle: Oracle, person: str, on: date | None) -> bool | None:
    if on is None or on + timedelta(days=30) > oracle.as_of:
        return None
    return any(
        c["type"] == "arrest" and c["at_precision"] != "month" and c["person_id"] == person
        and on <= c["at"].date() <= on + timedelta(days=30)
        for c in oracle.tables["ice_contact"]
    )  # fmt: skip


def probation(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    charges = {c["charge_id"]: case for case, found in oracle.charges.items() for c in found}
    for row in oracle.tables["sentence"]:
        if row["sentence_type"] == "probation" or (row["probation_months"] or 0) > 0:
            case, on = row["case_id"] or charges.get(row["charge_id"]), row["sentenced_on"]
            person = oracle.cases[case]["person_id"] if case in oracle.cases else None
            year = [
                c
                for c in oracle.tables["ice_contact"]
                if person and c["person_id"] == person and c["at_precision"] != "month"
                and on <= c["at"].date() <= on + timedelta(days=365)
            ]  # fmt: skip
            told = any(c["initiator"] == "probation" and c["direction"] == "outbound" for c in year)
            caught = any(c["type"] == "arrest" and c["location_type"] == "probation_office" for c in year)
            over = on + timedelta(days=365) <= oracle.as_of
            yield oracle.of_case(case, on), {"told": told if over else None, "caught": caught if over else None}


def published_by_ice(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    months = {"Q1": 1, "Q2": 4, "Q3": 7, "Q4": 10}
    for row in oracle.tables["reporting_total"]:
        year, _, part = row["period"].partition("-")
        if row["source"] == "ice_detainers" and year.isdigit():
            month = 1 if not part else months.get(part) or int(part)
            length = 12 if not part else 3 if part in months else 1
            ours = sum(
                c["type"] == "detainer" and c["at"].year == int(year) and month <= c["at"].month < month + length
                for c in oracle.tables["ice_contact"]
            )
            yield oracle.nobody(date(int(year), month, 1)), {"more": ours - row["total"]}


def cash(row: Row) -> bool:
    return bool(row["da_request_type"] == "cash")


MEASURES: dict[str, Definition] = {
    "CHG-01": filed,
    "CHG-02": declined,
    "CHG-02a": declined_for,
    "CHG-03": rate(allegations, "as_referred", where="referred"),
    "CHG-03a": mix(allegations, "movement", where="movement"),
    "CHG-05": felonies,
    "CHG-05a": rate(allegations, "as_felony", where="wobbler"),
    "CHG-08": charge_counts,
    "CHG-08a": values(filed_cases, "enhancements"),
    "CHG-09": days_to_decision,
    "CHG-09a": hours_to_court,
    "CHG-09b": waited(24),
    "CHG-09c": waited(48),
    "CHG-09d": waited(72),
    "CHG-10": rate(allegations, "struck", where="amended"),
    "CHG-11": rate(referrals, "within_week", where="declined"),
    "CHG-11a": rate(referrals, "before", where="declined"),
    "CHG-13": rate(referrals, "refused_for_id", where="asked_below_felony"),
    "CHG-15": rate(filed_cases, "prior"),
    "OVC-05": rate(allegations, "added", where=lambda row: row["filed"] and row["movement"]),
    "CUS-09": rate(
        arrests, lambda row: None if row["in_custody"] is None else not row["in_custody"], where="below_felony"
    ),
    "BAIL-01": asked_for,
    "BAIL-02": amounts_asked,
    "BAIL-02a": values(bail_hearings, "above"),
    "BAIL-02b": set_as_asked,
    "BAIL-02c": values(bail_hearings, "given"),
    "BAIL-03": asked_for_custody,
    "BAIL-03a": custody_ordered,
    "BAIL-04": arguments,
    "BAIL-04a": mix(bail_hearings, "immigration_argument", where="coded"),
    "BAIL-04b": rate(bail_hearings, "coded"),
    "BAIL-06": lambda oracle: still_held(oracle, 24),
    "BAIL-06a": lambda oracle: still_held(oracle, 48),
    "BAIL-07": mix(stays, "ending"),
    "BAIL-08": releases,
    "BAIL-09": rate(bail_hearings, "to_hold", by="detainer"),
    "BAIL-09a": values(bail_hearings, "asked", by="detainer"),
    "BAIL-10": rate(pretrial_releases, "failed", where="due"),
    "BAIL-10a": rate(pretrial_releases, "through_ice", where="due"),
    "BAIL-11": rate(pretrial_releases, "within_90_days"),
    "BAIL-11a": days_to_rearrest,
    "BAIL-12": rate(first_in_court, "within_7", by="held"),
    "BAIL-12a": rate(first_in_court, "within_30", by="held"),
    "BAIL-13": asked_to_hold,
    "BAIL-14": held_after_posting,
    "BAIL-15": rate(appearances, "through_ice", where="of_defendant"),
    "DIV-01": step_after("eligible_on", "offered_on"),
    "DIV-02": step_after("eligible_on", "screened_on"),
    "DIV-02a": step_after("screened_on", "offered_on"),
    "DIV-02b": step_after("offered_on", "accepted_on"),
    "DIV-02c": step_after("accepted_on", "enrolled_on"),
    "DIV-02d": completed,
    "DIV-02e": rate(described_diversions, "dismissed", where="completed"),
    "DIV-03": diverted_at,
    "DIV-04": pleas_up_front,
    "DIV-05": rate(described_diversions, "convicted", where=lambda row: row["completed"] and row["dismissed"]),
    "DIV-05a": dismissed_here_by_parts,
    "DIV-06": programmes_moved,
    "DIV-07": excluded_for,
    "DIV-08": values(described_diversions, "appearances"),
    "DIV-09": rate(described_diversions, "understood", where="foreign"),
    "DIV-10": offer_refused_for_plea,
    "DIV-11": rate(described_diversions, "up_front", where="in_court_programme", by="program_type"),
    "DIV-12": stops,
    "DIV-13": rate(described_diversions, "met", where="enrolled_on"),
    "DIV-14": fees,
    "DIV-14a": rate(described_diversions, "for_money", where="failed"),
    "ICE-01": detained_by_ice,
    "ICE-02": mix(described_contacts, "case_stage", where="detainer"),
    "ICE-03": detainer_outcomes,
    "ICE-03a": held_past_release,
    "ICE-04": begun_by_office,
    "ICE-04a": mix(described_contacts, "type", where="by_office"),
    "ICE-04b": begun_within_policy,
    "ICE-04c": begun_about_a_person,
    "ICE-05": count(described_contacts, where="at_courthouse", by="role"),
    "ICE-05a": rate(appearances, "arrested", where="of_defendant"),
    "ICE-05b": warrants_at_the_courthouse,
    "ICE-06": rate(ended_matters, "arrested", where="unconvicted"),
    "ICE-07": told_by,
    "ICE-07a": rate(described_contacts, "policy_compliant", where="outbound"),
    "ICE-08": rate(probation, "told"),
    "ICE-08a": rate(probation, "caught"),
    "ICE-09": count(described_contacts, where="from_prison"),
    "ICE-10": without_conviction,
    "ICE-10a": rate(described_contacts, "unconvicted", where="detainer"),
    "ICE-10b": rate(described_contacts, "unconvicted_by_ice", where="arrest"),
    "ICE-12": rate(stays, "detainer", by="era"),
    "ICE-13": hours_to_detainer,
    "ICE-14": on_citizens,
    "ICE-14a": rate(described_contacts, "cancelled", where="on_citizen"),
    "ICE-15": rate(appearances, "failed", where="side", by="side"),
    "ICE-16": rate(ended_matters, "removed"),
    "ICE-16a": count(described_contacts, where="writ"),
    "ICE-17": rate(described_contacts, "refused", where="request"),
    "ICE-17a": mix(described_contacts, "type", where="request"),
    "ICE-18": rate(described_contacts, "warranted", where="demand"),
    "ICE-19": rate(arrests, "in_custody"),
    "ICE-19a": rate(stays, "to_ice", where="detainer"),
    "ICE-19b": rate(stays, "to_ice"),
    "ICE-20": values(published_by_ice, "more"),
}
ORACLE = SecondImplementation(world=world, reads=Oracle, measures=MEASURES)

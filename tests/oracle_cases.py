"""A second implementation of measures of custody, declination, charge movement and data quality, over random worlds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from pipeline.contract import UNKNOWNS
from tests.oracle import (
    CLASSES,
    GUILTY,
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
    known,
    mix,
    people_and_cases,
    rate,
    sent_again,
    unit_costs,
    values,
)


def world(draw: Draw) -> Tables:
    """People and cases, and what these measures need beside them."""
    made = people_and_cases(draw)
    for charge in made["charge"]:
        charge["section"] = draw.maybe(draw.choice("12"), 0.1)
    for case in made["case_"]:
        case["referral_id"] = draw.maybe(draw.one_of("r", 320), 0.3)
    made["referral"] = [
        {
            "referral_id": f"r{i}",
            "person_id": draw.one_of("p", 90),
            "arrest_id": draw.maybe(draw.one_of("t", 220), 0.1),
            "received_at": draw.day(),
            "decision": draw.choice(["declined", draw.code("referral", "decision")]),
            "decision_date": draw.maybe(draw.day(), 0.1),
            "offence_category": draw.code("referral", "offence_category"),
            "severity": draw.code("referral", "severity"),
        }
        for i in draw.many(300)
    ]
    made["bail_event"] = [
        {
            "bail_event_id": f"b{i}",
            "case_id": draw.one_of("c", 220),
            "at": draw.moment(),
            "da_request_type": draw.choice(["cash", draw.code("bail_event", "da_request_type")]),
            "da_request_amount": draw.maybe(draw.choice([-1, 0, 500]), 0.3),
            "set_type": draw.choice(["cash", draw.code("bail_event", "set_type")]),
            "set_amount": draw.maybe(draw.choice([-1, 0, 500]), 0.3),
        }
        for i in draw.many(200)
    ]
    made["hearing"] = [
        {"hearing_id": f"g{i}", "case_id": draw.one_of("c", 230), "at": draw.moment()} for i in draw.many(100)
    ]
    made["custody_stay"] = [
        {
            **stay,
            "release_eligible_at": draw.maybe(draw.moment(stay["booked_at"], (-600, 300 * 60)), 0.3),
            "booked_at_precision": draw.code("custody_stay", "booked_at_precision", unknown=0.5),
            "eligible_reason": draw.code("custody_stay", "eligible_reason"),
            "release_mechanism": draw.choice(["parole", draw.code("custody_stay", "release_mechanism")]),
            "imm_advice_at": draw.maybe(draw.day(200, stay["booked_at"].date()), 0.5),
        }
        for stay in custody_stays(draw)
    ]
    made["custody_hold"] = [
        {
            "hold_id": f"k{i}",
            "stay_id": draw.one_of("s", 250),
            "type": draw.choice(["ice_detainer", "ice_detainer", draw.code("custody_hold", "type")]),
            "hold_from": draw.maybe(draw.moment(), 0.6),
            "hold_to": draw.maybe(draw.moment(), 0.6),
        }
        for i in draw.many(150)
    ]
    made["sentence"] = [
        {
            "sentence_id": f"z{i}",
            "charge_id": draw.one_of("h", 420),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.5),
            "sentenced_on": draw.day(300, date(2023, 4, 1)),
            "sentence_type": draw.choice(["jail", draw.code("sentence", "sentence_type")]),
            "imposed_unit": draw.choice(["days", draw.code("sentence", "imposed_unit")]),
            "imposed_value": draw.maybe(draw.choice([1, 30]), 0.2),
            "executed_days": draw.maybe(draw.choice([0, 0, 5, 30]), 0.1),
            "concurrent_group": draw.maybe(draw.choice("xy"), 0.5),
            "modified_from": draw.maybe("z0", 0.8),
            "modified_reason": draw.choice(["legal_defect", draw.code("sentence", "modified_reason")]),
        }
        for i in draw.many(500)
    ]
    made["warrant"] = [
        {
            "warrant_id": f"w{i}",
            "person_id": draw.maybe(draw.one_of("p", 90)),
            "issued_on": draw.day(2500, date(2014, 1, 1)),
            "offence_category": draw.code("warrant", "offence_category"),
            "vacated_on": draw.maybe(draw.day(1400, date(2020, 6, 1)), 0.4),
            "reason": draw.code("warrant", "reason"),
        }
        for i in draw.many(150)
    ]
    made["unit_cost"] = unit_costs(draw, "jail_day", "jail_hour", "prosecution_hour", "low_level_case_hours")
    made["ice_contact"] = [
        {
            "contact_id": f"i{i}",
            "person_id": draw.maybe(draw.one_of("p", 90), 0.1),
            "stay_id": draw.maybe(draw.one_of("s", 250), 0.8),
            "at": (at := draw.moment()),
            "at_precision": draw.code("ice_contact", "at_precision"),
            "type": draw.choice(["detainer", "detainer", "detainer", "interview", "notification", "arrest"]),
            "outcome_at": draw.maybe(draw.moment(at, (-600, 600 * 60)), 0.5),
        }
        for i in draw.many(500)
    ]
    made["arrest"] = [
        {
            "arrest_id": f"t{i}",
            "person_id": draw.one_of("p", 90),
            "arrest_at": draw.moment(),
            "custody_action": draw.code("arrest", "custody_action"),
        }
        for i in draw.many(200)
    ]
    made["arrest_charge"] = [
        {
            "arrest_charge_id": f"u{i}",
            "arrest_id": draw.one_of("t", 200),
            "severity": draw.code("arrest_charge", "severity"),
            "offence_category": draw.code("arrest_charge", "offence_category"),
        }
        for i in draw.many(400)
    ]
    made["disposition"] = [
        {
            "disposition_id": f"y{i}",
            "charge_id": draw.one_of("h", 400),
            "disposed_on": draw.maybe(draw.day(), 0.05),
            "type": draw.choice(
                ["dismissed_da", "acquitted", "plea_guilty", "plea_guilty", "verdict_guilty", "redacted"]
            ),
            "is_conviction_state": draw.yes(0.9),
            "advisal": draw.code("disposition", "advisal"),
        }
        for i in draw.many(800)
    ]
    whole = sent_again(draw, made)
    whole["policy"] = [
        {
            "policy_id": policy,
            "version": version,
            "title": "t",
            "effective_from": first,
            "effective_to": last,
            "public_url": draw.maybe("https://office.example", 0.5),
        }
        for policy, version, first, last in (
            ("P", 1, date(2022, 3, 1), date(2022, 12, 31)),
            ("P", 2, date(2023, 2, 1), None),
            ("Q", 1, date(2022, 6, 1), None),
            ("L", 1, date(2022, 6, 1), None),
        )
    ]
    whole["policy_rule"] = [
        {"rule_id": rule, "policy_id": policy, "offence_category": offence, "severity": severity, "action": action}
        for rule, policy, offence, severity, action in (
            ("1", "P", "theft", "misdemeanor", "decline"),
            ("2", "P", "traffic", None, "decline"),
            ("3", "Q", None, "violation_infraction", "decline"),
            ("4", "Q", "fraud", None, "memo"),
            ("5", "L", "theft", None, "low_level_list"),
            ("6", "L", None, "misdemeanor", "low_level_list"),
            ("7", "Q", None, "misdemeanor", "no_cash_bail"),
            ("8", "L", "fraud", "felony", "no_cash_bail"),
            *(
                (f"9{i}", "Q", offence, None, "decline")
                for i, offence in enumerate(
                    ("drug_sale", "fraud", "assault", "sexual", "robbery", "homicide", "burglary", "weapons")
                )
            ),
        )
    ]
    whole["policy_application"] = [
        {
            "application_id": f"x{i}",
            "case_id": draw.maybe(draw.one_of("c", 220)),
            "referral_id": draw.maybe(draw.one_of("r", 300), 0.4),
            "policy_id": draw.choice(["P", "Q", "R"]),
            "covered": draw.maybe(draw.chance(0.6)),
            "complied": draw.yes(),
            "factor": draw.code("policy_application", "factor"),
            "fact_source": draw.choice(
                ["voluntary_defence_disclosure", draw.code("policy_application", "fact_source")]
            ),
            "approved_by_role": draw.maybe("chief"),
            "approved_at": draw.maybe(draw.day()),
            "decided_at": draw.day(),
        }
        for i in draw.many(250)
    ]
    return whole


# Custody -----------------------------------------------------------------------------------------------------------


def stay_groups(oracle: Oracle, stay: Row, on: date | None) -> Groups | None:
    return oracle.groups(stay["person_id"], on, oracle.own_or_case(stay["case_id"], stay["offence_category"]))


def stays_ended(oracle: Oracle) -> Found:
    for stay in oracle.tables["custody_stay"]:
        end = oracle.as_of if is_held(stay) else stay["released_at"] and stay["released_at"].date()
        if end and end >= stay["booked_at"].date():
            days = (end - stay["booked_at"].date()).days
            yield (
                stay_groups(oracle, stay, stay["booked_at"].date()),
                (
                    "",
                    days,
                    "censored" if is_held(stay) else "event",
                ),
            )


def stays_found_by_ice(oracle: Oracle) -> Found:
    for stay in oracle.tables["custody_stay"]:
        booked = stay["booked_at"].date()
        end = oracle.as_of if is_held(stay) else stay["released_at"] and stay["released_at"].date()
        reached = [c for c in oracle.contacts_of(stay) if c["type"] in ("detainer", "interview", "arrest")]
        undated = any(c["at_precision"] == "month" for c in reached)
        first = min((c["at"].date() for c in reached), default=None)
        if reached and not undated and not (stay["released_at"] and first > end):
            end, outcome = first, "event"
        elif undated:
            continue
        else:
            outcome = "censored" if is_held(stay) else "released"
            outcome = "event" if stay["release_type"] == "transfer_ice" else outcome
        if end and end >= booked:
            yield stay_groups(oracle, stay, booked), ("", (end - booked).days, outcome)


def ended_or_due(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    """Each stay whose release was due, or which ended: what held the person then, and how long."""
    for stay in oracle.tables["custody_stay"]:
        due_at, precision = stay["release_eligible_at"], stay["booked_at_precision"]
        released, held = stay["released_at"], is_held(stay)
        if not due_at and held:
            continue
        end = datetime.combine(oracle.as_of, datetime.min.time()) if held else exact(released, precision)
        detainer, other = holds_when_due(oracle, stay) if due_at else (None, None)
        alone = False if detainer is False or other else None if None in (detainer, other) else True
        names = {True: "detainer", False: "no_detainer_on_file", None: None}
        mechanism = known(stay["release_mechanism"])
        ending = known(stay["release_type"]) or ("unknown" if released else None)
        on = (due_at or released) and (due_at or released).date()
        yield (
            stay_groups(oracle, stay, on),
            {
                "due": due_at is not None,
                "held": held,
                "hours": hours_between(exact(due_at, precision), end),
                "detainer": names[detainer],
                "alone": bool(due_at) and alone,
                "mechanism": None if held or mechanism == "none" else mechanism,
                "advised": released
                and (stay["imm_advice_at"] is not None and stay["imm_advice_at"] <= released.date()),
                "to_ice": None if ending in (None, "unknown") else ending == "transfer_ice",
            },
        )


def holds_when_due(oracle: Oracle, stay: Row) -> tuple[bool | None, bool | None]:
    """Whether a detainer was in force when release was due, and whether another hold lay on the stay from then on."""
    due_at, due = stay["release_eligible_at"], exact(stay["release_eligible_at"], stay["booked_at_precision"])
    ice: list[bool | None] = []
    for c in oracle.contacts_of(stay):
        if c["type"] == "detainer":
            lodged = exact(c["at"], c["at_precision"])
            if c["outcome_at"] and c["outcome_at"] < due_at:
                ice.append(False)
            elif lodged and due:
                ice.append(lodged <= due)
            elif c["at_precision"] != "month" and c["at"].date() != due_at.date():
                ice.append(c["at"].date() < due_at.date())
            else:
                ice.append(None)
    other: list[bool | None] = []
    for hold in oracle.tables["custody_hold"]:
        if hold["stay_id"] == stay["stay_id"]:
            kind, over = known(hold["type"]), hold["hold_to"] is not None and hold["hold_to"] < due_at
            late = [hold["hold_from"] is not None and day is not None and hold["hold_from"] > day
                    for day in (due_at, stay["released_at"])]  # fmt: skip
            ice.append(False if over or late[0] else kind and kind == "ice_detainer")
            other.append(False if over or late[1] else kind and kind != "ice_detainer")
    return any_true(ice), any_true(other)


def released_late(hours: int) -> Definition:
    def longer(row: Row) -> bool | None:
        return None if row["hours"] is None else row["hours"] >= hours

    return rate(ended_or_due, longer, where=lambda row: row["due"] and (not row["held"] or longer(row)), by="detainer")


def hours_late(*, alone: bool) -> Definition:
    def found(oracle: Oracle) -> Found:
        for groups, row in ended_or_due(oracle):
            if row["due"] and row["hours"] is not None and (row["alone"] or not alone):
                stratum = "" if alone else row["detainer"] or "not_recorded"
                yield groups, (stratum, row["hours"], "censored" if row["held"] else "event")

    return found


def stays_by_reason(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for stay in oracle.tables["custody_stay"]:
        ending = known(stay["release_type"])
        to_ice = ending and ending == "transfer_ice"
        yield stay_groups(oracle, stay, stay["booked_at"].date()), {**stay, "to_ice": to_ice}


def modifications(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["sentence"]:
        if row["modified_from"] is not None:
            reason = known(row["modified_reason"])
            yield (
                oracle.of_case(case_of(oracle, row), row["sentenced_on"]),
                {"for_defect": reason and reason == "legal_defect"},
            )


def case_of(oracle: Oracle, row: Row) -> str | None:
    """The case that a sentence names, else that of its charge."""
    return row["case_id"] or next(
        (case for case, charges in oracle.charges.items() for c in charges if c["charge_id"] == row["charge_id"]), None
    )


def snapshots(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for end in quarter_ends():
        held: dict[str, list[Row]] = {}
        for stay in oracle.tables["custody_stay"]:
            inside = is_held(stay) or (stay["released_at"] and stay["released_at"].date() > end)
            if stay["booked_at"].date() <= end and inside:
                held.setdefault(stay["person_id"], []).append(stay)
        for stays in held.values():
            answers = [
                None if c["at_precision"] == "month" else c["at"].date() <= end
                for stay in stays
                for c in oracle.contacts_of(stay)
                if c["type"] == "detainer" and (c["outcome_at"] is None or c["outcome_at"].date() > end)
            ]
            latest = max(stays, key=lambda s: (s["booked_at"], s["stay_id"]))
            yield stay_groups(oracle, latest, end), {"detainer": any_true(answers)}


def quarter_ends() -> list[date]:
    return [date(y, m, d) for y in (2022, 2023) for m, d in ((3, 31), (6, 30), (9, 30), (12, 31))] + [date(2024, 3, 31)]


def held_at_quarter_end(oracle: Oracle) -> Found:
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
    for end in quarter_ends():
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


def ruled(oracle: Oracle, action: str, on: date | None, offence: str, severity: str) -> bool | None:
    """Whether some rule in force on a day, of any day where none is given, covers an offence."""
    answers: list[bool | None] = []
    for rule in oracle.tables["policy_rule"]:
        in_force = any(
            p["policy_id"] == rule["policy_id"]
            and (on is None or (p["effective_from"] <= on and (p["effective_to"] is None or on <= p["effective_to"])))
            for p in oracle.tables["policy"]
        )
        if rule["action"] == action and in_force:
            answers.append(covers(rule, offence, severity))
    return any_true(answers)


def covers(rule: Row, offence: str, severity: str) -> bool | None:
    said = {"offence_category": offence, "severity": severity}
    asked = [(rule[c], said[c]) for c in said if rule[c] not in (None, *UNKNOWNS)]
    if any(of != asks for asks, of in asked if of not in UNKNOWNS):
        return False
    return None if any(of in UNKNOWNS for _, of in asked) else True


def considered(oracle: Oracle, referral: str) -> list[Row]:
    """The policies to decline that the office noted for a matter."""
    return [
        a
        for a in oracle.tables["policy_application"]
        if a["policy_id"] in ("P", "Q")
        and (a["referral_id"] or oracle.cases.get(a["case_id"], {}).get("referral_id")) == referral
    ]


def matters(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for key, row in oracle.referrals.items():
        on, noted = row["decision_date"], considered(oracle, key)
        gravest = oracle.gravest_of_arrest(row["arrest_id"])
        severity = known(row["severity"]) or (gravest["severity"] if gravest else "not_recorded")
        covered = any_true([a["covered"] for a in noted])
        if all(a["covered"] is None for a in noted):
            covered = ruled(oracle, "decline", on, oracle.referred_offence(key), severity) if on else None
        filed_on = [c["filed_on"] for c in oracle.cases.values() if c["referral_id"] == key and c["filed_on"]]
        approved = [a["approved_at"] for a in noted if a["approved_at"] and a["approved_by_role"]]
        due, arrest = min(filed_on, default=on), oracle.arrests.get(row["arrest_id"])
        within_week, week = None, arrest and arrest["arrest_at"].date() + timedelta(days=7)
        if arrest and week <= oracle.as_of:
            lodged = [
                c["at"].date()
                for c in oracle.tables["ice_contact"]
                if c["type"] == "detainer" and c["at_precision"] != "month" and c["person_id"] == row["person_id"]
            ]
            within_week = any(arrest["arrest_at"].date() <= day <= week for day in lodged)
        either = row["decision"] in ("filed", "declined")
        yield (
            oracle.groups(row["person_id"], on, oracle.referred_offence(key)),
            {
                "decided": row["decision"] in ("filed", "declined", "diverted"),
                "covered": covered,
                "declined": row["decision"] == "declined" if either else None,
                "filed": row["decision"] == "filed" if either else None,
                "approved": bool(approved) and due is not None and min(approved) <= due,
                "within_week": within_week,
            },
        )


def pending_cases(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    """Pending when the first version of the first policy that covers their top charge took effect."""
    for case, row in oracle.cases.items():
        top, closed = oracle.top_charge(case), oracle.ends[case]["closed_on"]
        starts = [
            min(p["effective_from"] for p in oracle.tables["policy"] if p["policy_id"] == rule["policy_id"])
            for rule in oracle.tables["policy_rule"]
            if top and rule["action"] == "decline" and covers(rule, top["offence_category"], top["severity"])
        ]
        since = [d for d in starts if row["filed_on"] and row["filed_on"] < d and (closed is None or closed >= d)]
        if since:
            start, half_a_year = min(since), min(since) + timedelta(days=180)
            answer = None
            if half_a_year <= oracle.as_of:
                answer = closed is not None and closed <= half_a_year and oracle.ends[case]["dismissed"]
            yield oracle.of_case(case, start), {"dismissed": answer}


def applications(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["policy_application"]:
        if row["policy_id"] in ("P", "Q"):
            referral, case = oracle.referrals.get(row["referral_id"]), oracle.cases.get(row["case_id"])
            offence = oracle.top_offence(row["case_id"])
            if referral and known(oracle.referred_offence(row["referral_id"])):
                offence = oracle.referred_offence(row["referral_id"])
            person = (referral or case or {"person_id": None})["person_id"]
            source = known(row["fact_source"])
            yield (
                oracle.groups(person, row["decided_at"], offence),
                {
                    "for_factor": row["complied"] is True and known(row["factor"]),
                    "factor": row["factor"],
                    "on_fact": row["complied"] is True and source,
                    "volunteered": source == "voluntary_defence_disclosure",
                },
            )


def covered_arrests(oracle: Oracle) -> Found:
    for key, row in oracle.arrests.items():
        gravest = oracle.gravest_of_arrest(key)
        starts = [
            p["effective_from"]
            for rule in oracle.tables["policy_rule"]
            for p in oracle.tables["policy"]
            if gravest and rule["action"] == "decline" and rule["policy_id"] == p["policy_id"]
            and covers(rule, gravest["offence_category"], gravest["severity"])
        ]  # fmt: skip
        if starts:
            on = row["arrest_at"].date()
            side = "before_policy" if on < min(starts) else "since_policy"
            yield oracle.groups(row["person_id"], on, oracle.arrested_offence(key)), (side, None)


def old_warrants(oracle: Oracle) -> Found:
    for row in oracle.tables["warrant"]:
        for year in (2022, 2023, 2024):
            begins, ends, issued = date(year, 1, 1), date(year + 1, 1, 1), row["issued_on"]
            old = (issued.year + 5, issued.month, issued.day) <= (year, 1, 1)
            vacated = row["vacated_on"]
            if old and (vacated is None or vacated >= begins) and oracle.as_of >= ends - timedelta(days=1):
                groups = oracle.groups(row["person_id"], begins, row["offence_category"])
                if vacated is None or vacated >= ends:
                    yield groups, ("", False)
                elif known(row["reason"]):
                    yield groups, ("", row["reason"] not in ("served", "deceased"))


def rules_in_force(oracle: Oracle) -> Found:
    end = min(oracle.period[1], oracle.as_of)
    latest: dict[str, Row] = {}
    for p in oracle.tables["policy"]:
        if p["effective_from"] <= end and (p["effective_to"] is None or end <= p["effective_to"]):
            latest[p["policy_id"]] = max(latest.get(p["policy_id"], p), p, key=lambda v: v["version"])
    for rule in oracle.tables["policy_rule"]:
        if rule["action"] == "decline" and rule["policy_id"] in latest:
            yield oracle.nobody(end), ("", latest[rule["policy_id"]]["public_url"] is not None)


# The office's own lists, and what they cost ----------------------------------------------------------------------------


def listed_cases(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for case, row in oracle.cases.items():
        top, on = oracle.top_charge(case), row["filed_on"]
        if top and on:
            listed = ruled(oracle, "low_level_list", on, top["offence_category"], top["severity"])
            hours, hour = unit_cost(oracle, "low_level_case_hours", on), unit_cost(oracle, "prosecution_hour", on)
            cost = None if hours is None or hour is None else hours * hour
            yield oracle.of_case(case, on), {"listed": listed, "cost": cost}


def no_cash_hearings(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["bail_event"]:
        top, on = oracle.top_charge(row["case_id"]), row["at"].date()
        if top:
            asked = known(row["da_request_type"])
            yield (
                oracle.of_case(row["case_id"], on),
                {
                    "covered": ruled(oracle, "no_cash_bail", on, top["offence_category"], top["severity"]),
                    "no_cash": asked and asked != "cash",
                },
            )


def unit_cost(oracle: Oracle, item: str, on: date) -> Decimal | None:
    """As published for a year; the office's own before any other."""
    published = [r for r in oracle.tables["unit_cost"] if (r["item"], r["year"]) == (item, on.year) and r["source_url"]]
    first = min(published, key=lambda r: r["jurisdiction"] != "US-CA", default=None)
    return Decimal(first["amount"]) if first else None


def stay_costs(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    late = {
        stay["stay_id"]: row
        for stay, (_, row) in zip(
            (s for s in oracle.tables["custody_stay"] if s["release_eligible_at"] or not is_held(s)),
            ended_or_due(oracle),
            strict=True,
        )
    }
    for stay in oracle.tables["custody_stay"]:
        booked, row = stay["booked_at"].date(), late.get(stay["stay_id"], {"alone": False, "hours": None})
        end = oracle.as_of if is_held(stay) else stay["released_at"] and stay["released_at"].date()
        closed = oracle.ends[stay["case_id"]]["closed_on"] if stay["case_id"] in oracle.cases else None
        days = None
        if end and closed and closed < booked:
            days = 0
        elif end and (stay["case_id"] or stay["release_type"] not in ("sentence_complete", "transfer_prison")):
            days = days_between(booked, min(end, closed or end))
        day, hour = unit_cost(oracle, "jail_day", booked), unit_cost(oracle, "jail_hour", booked)
        yield (
            stay_groups(oracle, stay, booked),
            {
                "before_end": None if days is None or day is None else days * day,
                "alone": row["alone"],
                "beyond": None if row["hours"] is None or hour is None else row["hours"] * hour,
            },
        )


# Charge movement ---------------------------------------------------------------------------------------------------


def outcomes(oracle: Oracle) -> Iterator[tuple[str, date, dict[str, bool | None]]]:
    """Each closed case, its last day, and for each of its offences whether it was convicted."""
    for case, charges in oracle.charges.items():
        found: dict[str, bool | None] = {}
        for charge in charges:
            answers: list[bool | None] = []
            for row in oracle.tables["disposition"]:
                if row["charge_id"] == charge["charge_id"]:
                    known = None if row["type"] in UNKNOWNS else row["type"] in ("plea_guilty", "verdict_guilty")
                    answers.append(known if row["is_conviction_state"] is None else row["is_conviction_state"])
            if charge["is_enhancement"] is not True:
                found[charge["charge_id"]] = any_true(answers) if answers else None
        closed = oracle.ends[case]["closed_on"] if case in oracle.cases else None
        if closed and found:
            yield case, closed, found


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


def versions_in_court(oracle: Oracle, charge: str) -> Row:
    """The last version."""
    return max(
        (r for r in oracle.tables["charge"] if r["charge_id"] == charge and r["stage"] not in ("arrested", "referred")),
        key=lambda r: r["version_no"],
    )


def closed_cases(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    jail = days_in_jail_and_to_serve(oracle)
    for case, closed, found in outcomes(oracle):
        convicted, top = any_true(list(found.values())), oracle.top_charge(case)
        assert top is not None
        last = [versions_in_court(oracle, charge) for charge, answer in found.items() if answer]
        ranks, classes = ([v["severity_rank"] for v in last], [CLASSES.get(v["severity"]) for v in last])
        rank = max(r for r in ranks if r is not None) if ranks and None not in ranks else None
        grade = 3 if 3 in classes else max(c for c in classes if c) if classes and None not in classes else None
        pair = (top["severity_rank"], rank)
        if None in pair:
            pair = (CLASSES.get(top["severity"]), grade)
        movement = None
        if convicted and None not in pair:
            movement = "lowered" if pair[1] < pair[0] else "same" if pair[1] == pair[0] else "raised"
        filed = [CLASSES.get(c["severity"]) for c in oracle.charges[case] if c["is_enhancement"] is not True]
        felony = None if not convicted else True if grade == 3 else None if grade is None else False
        days, serve = jail.get(case, (None, None))
        over = None if days is None or serve is None else days - serve
        yield (
            oracle.of_case(case, closed),
            {
                "convicted": convicted,
                "movement": movement,
                "lowered": movement and movement == "lowered",
                "as_felony": None not in filed and 3 in filed,
                "of_felony": False if convicted is False else felony,
                "top": top_convicted(oracle, top, found),
                "over": over,
                "longer": None if over is None else over > 0,
            },
        )


def top_convicted(oracle: Oracle, top: Row, found: dict[str, bool | None]) -> bool | None:
    """Of the top charge, under the section filed and in no lower class."""
    convicted, last = found.get(top["charge_id"]), versions_in_court(oracle, top["charge_id"])
    classes, sections = ([CLASSES.get(v["severity"]) for v in (top, last)], [v["section"] for v in (top, last)])
    parts = [
        convicted,
        None if None in classes else classes[1] >= classes[0],
        None if None in sections else sections[0] == sections[1],
    ]
    if convicted is None or False in parts:
        return None if convicted is None else False
    return None if None in parts else True


def days_in_jail_and_to_serve(oracle: Oracle) -> dict[str, tuple[int | None, int | None]]:
    """In the stays that name a case, before its sentence; and by it, where both ways to read it lead to the same."""
    by_case: dict[str, list[Row]] = {}
    for row in oracle.tables["sentence"]:
        case = case_of(oracle, row)
        if row["modified_from"] is None and case:
            by_case.setdefault(case, []).append(row)
    found = {}
    for case, rows in by_case.items():
        sentenced = min(row["sentenced_on"] for row in rows)
        terms = [(row["concurrent_group"], to_serve(row)) for row in rows]
        stays = []
        for stay in oracle.tables["custody_stay"]:
            if stay["case_id"] == case and stay["booked_at"].date() < sentenced:
                end = sentenced if is_held(stay) else stay["released_at"] and stay["released_at"].date()
                stays.append(days_between(stay["booked_at"].date(), end and min(end, sentenced)))
        days = [d for d in stays if d is not None]
        found[case] = (sum(days) if len(days) == len(stays) else None, one_answer(terms))
    return found


def to_serve(row: Row) -> int | None:
    without = row["imposed_value"] is None and row["sentence_type"] in ("probation", "fine", "community_service")
    return 0 if row["executed_days"] is None and without else row["executed_days"]


def one_answer(terms: list[tuple[str | None, int | None]]) -> int | None:
    """Those served together count once; the others may be served with any other, or after it."""
    if any(days is None for _, days in terms):
        return None
    groups: dict[str, int] = {}
    alone = []
    for mark, days in terms:
        if mark is None:
            alone.append(days or 0)
        else:
            groups[mark] = max(groups.get(mark, 0), days or 0)
    at_most = sum(groups.values()) + sum(alone)
    at_least = max([*groups.values(), *alone]) if alone else sum(groups.values())
    return at_most if at_most == at_least else None


def charges_of_closed_cases(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for case, closed, found in outcomes(oracle):
        ends: dict[str, list[Row]] = {c["charge_id"]: [] for c in oracle.charges[case]}
        for row in oracle.tables["disposition"]:
            if row["charge_id"] in ends:
                ends[row["charge_id"]].append(row)
        pleaded = any_true([ended_in(ends[charge], "plea_guilty") for charge in found])
        for charge in oracle.charges[case]:
            rows = ends[charge["charge_id"]]
            convicted = [
                row["is_conviction_state"] if row["is_conviction_state"] is not None
                else known(row["type"]) and row["type"] in GUILTY
                for row in rows
            ]  # fmt: skip
            answer = any_true(convicted) if rows else None
            yield (
                oracle.of_case(case, closed),
                {
                    "offence": charge["is_enhancement"] is not True,
                    "enhancement_of_plea": charge["is_enhancement"] is True and pleaded,
                    "not_convicted": None if answer is None else not answer,
                    "submitted": ended_in(rows, "verdict_guilty", "acquitted"),
                    "proven": ended_in(rows, "verdict_guilty"),
                },
            )


def ended_in(ends: list[Row], *types: str) -> bool | None:
    return any_true([known(row["type"]) and row["type"] in types for row in ends]) if ends else None


# Data quality ------------------------------------------------------------------------------------------------------


def decisions(oracle: Oracle) -> Iterator[tuple[str, str, str | None, date | None, str]]:
    """Stage, record, person, day and offence of each arrest, filing, bail hearing, first plea and first sentence."""
    for arrest in oracle.tables["arrest"]:
        key = arrest["arrest_id"]
        yield "arrest", key, arrest["person_id"], arrest["arrest_at"].date(), oracle.arrested_offence(key)
    for case, row in oracle.cases.items():
        yield "filing", case, row["person_id"], row["filed_on"], oracle.top_offence(case)
        plea = oracle.ends[case]["first_plea_on"]
        if plea:
            yield "plea", case, row["person_id"], plea, oracle.top_offence(case)
    for row in oracle.tables["bail_event"]:
        person = oracle.cases[row["case_id"]]["person_id"] if row["case_id"] in oracle.cases else None
        yield "bail", row["bail_event_id"], person, row["at"].date(), oracle.top_offence(row["case_id"])
    for case, sentences in first_sentences(oracle):
        on = min(s["sentenced_on"] for s in sentences)
        yield "sentence", case, oracle.cases[case]["person_id"], on, oracle.top_offence(case)


def not_known(oracle: Oracle) -> Found:
    for stage, _, person, on, offence in decisions(oracle):
        groups = oracle.groups(person, on, offence)
        yield groups, (stage, groups is not None and groups[2] == "unknown")


def known_late(oracle: Oracle) -> Found:
    """Of people known as noncitizens today, the decisions on whose day it was not yet known."""
    for stage, _, person, on, offence in decisions(oracle):
        if oracle.said_of(person, oracle.as_of) == {"noncitizen"}:
            groups = oracle.groups(person, on, offence)
            yield groups, (stage, groups is not None and groups[2] != "noncitizen")


def first_sentences(oracle: Oracle) -> Iterator[tuple[str, list[Row]]]:
    by_case: dict[str, list[Row]] = {}
    for row in oracle.tables["sentence"]:
        case = case_of(oracle, row)
        if row["modified_from"] is None and case in oracle.cases:
            by_case.setdefault(str(case), []).append(row)
    yield from by_case.items()


def is_complete(oracle: Oracle, stage: str, key: str) -> bool:
    """Whether the record of a decision holds what most measures of its stage need."""
    if stage == "arrest":
        return None not in (known(oracle.arrests[key]["custody_action"]), known(oracle.arrested_offence(key)))
    if stage == "filing":
        top = oracle.top_charge(key)
        return top is not None and None not in (known(top["severity"]), known(top["offence_category"]), top["section"])
    if stage == "bail":
        row = next(r for r in oracle.tables["bail_event"] if r["bail_event_id"] == key)
        asked = row["da_request_type"] != "cash" or row["da_request_amount"] is not None
        given = row["set_type"] != "cash" or row["set_amount"] is not None
        return None not in (known(row["da_request_type"]), known(row["set_type"])) and asked and given
    if stage == "plea":
        charges = {c["charge_id"] for c in oracle.charges.get(key, [])}
        pleas = [d for d in oracle.tables["disposition"] if d["charge_id"] in charges and d["type"] == "plea_guilty"]
        return any(known(d["advisal"]) for d in pleas)
    return all(
        known(s["sentence_type"])
        and (
            s["sentence_type"] not in ("prison", "jail")
            or s["imposed_unit"] == "life"
            or (s["imposed_value"] is not None and known(s["imposed_unit"]))
        )
        for s in dict(first_sentences(oracle))[key]
    )


def staged(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for stage, key, person, on, offence in decisions(oracle):
        yield oracle.groups(person, on, offence), {"stage": stage, "complete": is_complete(oracle, stage, key)}


def persons(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    met: dict[str, list[tuple[date, str, str]]] = {}
    names = {"filing": "case", "plea": "plea", "sentence": "sentence", "arrest": "arrest", "bail": "bail"}
    for stage, key, person, on, offence in decisions(oracle):
        if person:
            met.setdefault(person, []).append((on or date.max, f"{names[stage]} {key}", offence))
    for person, days in met.items():
        on, _, offence = min(days)
        said = [
            a
            for a in oracle.tables["citizenship_assertion"]
            if a["person_id"] == person and a["value"] in ("us_citizen", "us_national", "noncitizen")
            and a["source"] not in (*UNKNOWNS, "booking_birth_country") and a["permission"] != "withheld"
        ]  # fmt: skip
        values = {a["value"] == "noncitizen" for a in said}
        groups = oracle.groups(person, None if on == date.max else on, offence)
        yield (
            groups,
            {
                "two": len({a["source"] for a in said}) >= 2,
                "contradicted": len(values) > 1,
                "citizen": False in values,
                "detainer": any(
                    c["type"] == "detainer" and c["person_id"] == person for c in oracle.tables["ice_contact"]
                ),
                "without_race": groups is not None and groups[1] == "unknown",
            },
        )


def linked_cases(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    held = {stay["case_id"] for stay in oracle.tables["custody_stay"]}
    heard = {row["case_id"] for row in oracle.tables["hearing"]}
    for case, row in oracle.cases.items():
        arrest = oracle.referrals.get(row["referral_id"], {}).get("arrest_id")
        links = {"to_arrest": arrest in oracle.arrests, "to_stay": case in held, "to_hearing": case in heard}
        yield oracle.of_case(case, row["filed_on"]), links


def checked_records(oracle: Oracle) -> Iterator[tuple[Groups | None, Row]]:
    for key, row in oracle.referrals.items():
        if row["decision_date"]:
            groups = oracle.groups(row["person_id"], row["received_at"], oracle.referred_offence(key))
            yield groups, {"check": "decided_before_received", "no": row["decision_date"] < row["received_at"]}
    for row in oracle.tables["disposition"]:
        case = case_of(oracle, {"case_id": None, **row})
        filed = oracle.cases.get(case, {}).get("filed_on")
        if filed and row["disposed_on"]:
            yield oracle.of_case(case, filed), {"check": "disposed_before_filed", "no": row["disposed_on"] < filed}
    for stay in oracle.tables["custody_stay"]:
        if stay["released_at"]:
            groups = stay_groups(oracle, stay, stay["booked_at"].date())
            yield groups, {"check": "released_before_booked", "no": stay["released_at"] < stay["booked_at"]}
    for row in oracle.tables["bail_event"]:
        amounts = [a for a in (row["da_request_amount"], row["set_amount"]) if a is not None]
        if amounts:
            below = any(float(a) < 0 for a in amounts)
            yield oracle.of_case(row["case_id"], row["at"].date()), {"check": "amount_below_zero", "no": below}


def learned_from(oracle: Oracle) -> Found:
    for row in oracle.tables["citizenship_assertion"]:
        yield oracle.groups(row["person_id"], row["asserted_at"], "not_recorded"), (row["source"], True)


MEASURES: dict[str, Definition] = {
    "CUS-01": stays_ended,
    "CUS-02": released_late(4),
    "CUS-02a": released_late(24),
    "CUS-02b": released_late(48),
    "CUS-02c": hours_late(alone=False),
    "CUS-03": hours_late(alone=True),
    "CUS-03a": count(ended_or_due, where=lambda row: row["alone"] and (row["hours"] or 0) >= 1),
    "CUS-04": stays_found_by_ice,
    "CUS-05": rate(stays_by_reason, "to_ice", by="eligible_reason"),
    "CUS-05a": rate(ended_or_due, "to_ice", where="mechanism"),
    "CUS-06": mix(ended_or_due, "mechanism", where="mechanism"),
    "CUS-06a": rate(modifications, "for_defect"),
    "CUS-07": rate(ended_or_due, "advised", where="mechanism"),
    "CUS-08": held_at_quarter_end,
    "CUS-08a": rate(snapshots, "detainer"),
    "DEC-01": rate(matters, "covered", where="decided"),
    "DEC-02": rate(matters, "declined", where="covered"),
    "DEC-03": rate(matters, "approved", where=lambda row: row["covered"] and row["filed"]),
    "DEC-04": rate(matters, "filed", where="covered"),
    "DEC-05": rate(pending_cases, "dismissed"),
    "DEC-06": mix(applications, "factor", where="for_factor"),
    "DEC-07": covered_arrests,
    "DEC-08": old_warrants,
    "DEC-09": rate(matters, "within_week", where=lambda row: row["covered"] and row["declined"]),
    "DEC-10": rate(applications, "volunteered", where="on_fact"),
    "DEC-11": rules_in_force,
    "CHG-04": rate(listed_cases, "listed"),
    "BAIL-05": rate(no_cash_hearings, "no_cash", where="covered"),
    "BUD-02": values(stay_costs, "before_end"),
    "BUD-03": values(listed_cases, "cost", where="listed"),
    "BUD-07": values(stay_costs, "beyond", where="alone"),
    "OVC-01": rate(closed_cases, "of_felony", where="as_felony"),
    "OVC-01a": felonies_end,
    "OVC-02": rate(closed_cases, "lowered", where="convicted"),
    "OVC-02a": mix(closed_cases, "movement", where="convicted"),
    "OVC-03": charges_dropped,
    "OVC-04": rate(closed_cases, "top"),
    "OVC-06": rate(charges_of_closed_cases, "proven", where="submitted"),
    "OVC-06a": rate(charges_of_closed_cases, "submitted", where="offence"),
    "OVC-10": rate(closed_cases, "longer", where="convicted"),
    "OVC-10a": values(closed_cases, "over", where=lambda row: row["convicted"] and row["longer"]),
    "OVC-11": rate(charges_of_closed_cases, "not_convicted", where="enhancement_of_plea"),
    "DQ-01": not_known,
    "DQ-02": learned_from,
    "DQ-03": rate(persons, "contradicted", where="two"),
    "DQ-03a": rate(persons, "detainer", where="citizen"),
    "DQ-04": known_late,
    "DQ-06": rate(persons, "without_race"),
    "DQ-07": rate(linked_cases, "to_arrest"),
    "DQ-07a": rate(linked_cases, "to_stay"),
    "DQ-07b": rate(linked_cases, "to_hearing"),
    "DQ-08": rate(staged, "complete", by="stage"),
    "DQ-11": rate(checked_records, "no", by="check"),
}
ORACLE = SecondImplementation(world=world, reads=Oracle, measures=MEASURES)

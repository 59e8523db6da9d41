"""A second implementation of measures of policies, victims, the point person, the community, lawyers and cost."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from pipeline.contract import ROOT, UNKNOWNS
from tests.oracle import (
    PATIENT,
    SMALL,
    Definition,
    Draw,
    Found,
    Groups,
    Oracle,
    Row,
    Tables,
    disagreements,
    draws,
    people_and_cases,
)


def world(draw: Draw) -> Tables:
    """People and cases, and the registers that hang on them."""
    made = people_and_cases(draw)
    made["referral"] = [
        {
            "referral_id": f"r{i}",
            "person_id": draw.one_of("p", 90),
            "offence_category": draw.code("referral", "offence_category"),
        }
        for i in draw.many(300)
    ]
    made["policy"] = [
        {
            "policy_id": f"P{i}",
            "version": version,
            "title": "t",
            "proposal_no": draw.maybe(draw.below(12) + 1),
            "stage": draw.code("policy", "stage"),
            "effective_from": (start := draw.day(900)),
            "effective_to": draw.maybe(start + timedelta(days=draw.below(500)), 0.4),
            "adopted_form": draw.code("policy", "adopted_form"),
            "signoff_required": draw.yes(),
            "reviewed_on": draw.maybe(draw.day(1100)),
        }
        for i in draw.many(12)
        for version in (1, 2)[: draw.choice([1, 2])]
    ]
    made["policy_application"] = [
        {
            "application_id": f"A{i}",
            "case_id": draw.maybe(draw.one_of("c", 220)),
            "referral_id": draw.maybe(draw.one_of("r", 300), 0.5),
            "policy_id": draw.one_of("P", 14),
            "covered": draw.maybe(draw.chance(0.8)),
            "complied": draw.yes(),
            "deviation_reason": draw.code("policy_application", "deviation_reason", unknown=0.3),
            "factor": draw.code("policy_application", "factor", unknown=0.3),
            "decided_at": (decided := draw.maybe(draw.day(), 0.1)),
            "approved_at": None if decided is None else draw.after(decided, 8),
        }
        for i in draw.many(250)
    ]
    made["remediation"] = [
        {
            "finding_id": f"F{i}",
            "found_on": (found := draw.day()),
            "due_on": draw.after(found, 150),
            "closed_on": draw.after(found, 150),
        }
        for i in draw.many(60)
    ]
    made["victim_certification"] = [
        {
            "request_id": f"V{i}",
            "form": draw.code("victim_certification", "form", unknown=0.05),
            "received_at": (received := draw.day()),
            "decided_at": draw.after(received, 60),
            "decision": draw.code("victim_certification", "decision"),
            "in_proceedings": draw.yes(),
            "crime_category": draw.code("victim_certification", "crime_category"),
        }
        for i in draw.many(200)
    ]
    made["point_person_request"] = [
        {
            "request_id": f"Q{i}",
            "case_id": draw.maybe(draw.one_of("c", 220), 0.15),
            "received_at": (received := draw.day()),
            "acknowledged_at": draw.after(received, 6),
            "closed_at": draw.after(received, 40),
            "requester_type": draw.code("point_person_request", "requester_type", unknown=0.3),
        }
        for i in draw.many(250)
    ]
    made["community_recommendation"] = [
        {
            "recommendation_id": f"C{i}",
            "received_at": (received := draw.day()),
            "answered_at": draw.after(received, 180),
            "adopted": draw.yes(),
        }
        for i in draw.many(80)
    ]
    made["correction"] = [
        {"correction_id": f"E{i}", "reported_on": (found := draw.day()), "fixed_on": draw.after(found, 40)}
        for i in draw.many(60)
    ]
    made["defender_aggregate"] = [
        {"quarter": f"{year}-Q{q}", "cases": draw.below(9), "padilla_consults": draw.below(9)}
        for year in (2021, 2022, 2023)
        for q in (1, 2, 3, 4)
    ]
    made["clemency_request"] = [
        {
            "clemency_id": f"K{i}",
            "kind": draw.code("clemency_request", "kind"),
            "received_at": (received := draw.day()),
            "letter_given": draw.yes(),
            "answered_at": draw.after(received, 90),
        }
        for i in draw.many(60)
    ]
    made["unit_cost"] = [
        {
            "jurisdiction": jurisdiction,
            "item": item,
            "year": year,
            "amount": f"{draw.below(20_000) / 100:.2f}",
            "source_url": draw.maybe("https://county.example", 0.3),
        }
        for jurisdiction in ("US-CA", "US-AA")
        for item in ("jail_day", "prison_day")
        for year in (2022, 2023, 2024)
    ]
    made["sentence"] = [
        {
            "sentence_id": f"S{i}",
            "charge_id": draw.one_of("h", 420),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.4),
            "sentenced_on": draw.day(),
            "da_recommended_type": draw.choice(["jail", "prison", draw.code("sentence", "da_recommended_type")]),
            "da_recommended_days": draw.maybe(draw.below(900)),
            "concurrent_group": draw.maybe(draw.choice("xy"), 0.5),
            "modified_from": draw.maybe("S0", 0.85),
        }
        for i in draw.many(400)
    ]
    return made


class Registers(Oracle):
    """Reads the registers as the definitions say."""

    def policy_of(self, policy: str, on: date | None) -> Row | None:
        """The latest version of a policy in force on a day."""
        if on is None:
            return None
        versions = [
            row
            for row in self.tables["policy"]
            if row["policy_id"] == policy and row["effective_from"] <= on <= (row["effective_to"] or date.max)
        ]
        return max(versions, key=lambda row: row["version"], default=None)

    def quarter_ends(self) -> list[date]:
        days = (
            self.period[0] + timedelta(days=i)
            for i in range((min(self.period[1], self.as_of) - self.period[0]).days + 1)
        )
        return [d for d in days if (d + timedelta(days=1)).day == 1 and d.month % 3 == 0]

    def unit_cost(self, item: str, year: int) -> float | None:
        published = [
            row for row in self.tables["unit_cost"] if (row["item"], row["year"]) == (item, year) and row["source_url"]
        ]
        own = [row for row in published if row["jurisdiction"] == "US-CA"] or published
        return float(own[0]["amount"]) if own else None

    def exceptions(self) -> Found:
        for groups, row, stage in self._applications():
            if row["covered"] and row["complied"] is False:
                yield groups, (stage, row["approved_at"] is not None)

    def followed(self) -> Found:
        for groups, row, stage in self._applications():
            if row["covered"] and row["complied"] is not None:
                yield groups, (stage, row["complied"])

    def _applications(self) -> Iterator[tuple[Groups | None, Row, str]]:
        referrals = {row["referral_id"]: row for row in self.tables["referral"]}
        for row in self.tables["policy_application"]:
            policy = self.policy_of(row["policy_id"], row["decided_at"])
            referral = referrals.get(row["referral_id"])
            case = self.cases.get(row["case_id"])
            offence = self.top_offence(row["case_id"])
            if referral is not None and referral["offence_category"] not in UNKNOWNS:
                offence = referral["offence_category"]
            person = (referral or case or {"person_id": None})["person_id"]
            yield self.groups(person, row["decided_at"], offence), row, policy["stage"] if policy else "not_recorded"

    def written(self) -> Found:
        for policy, on in self._in_force():
            if policy["adopted_form"] not in UNKNOWNS:
                yield self.nobody(on), ("", policy["adopted_form"] in ("written_public", "written_internal"))

    def covered_proposals(self) -> Found:
        for on in self.quarter_ends():
            for proposal in range(1, 13):
                forms = {p["adopted_form"] for p, day in self._in_force() if day == on and p["proposal_no"] == proposal}
                if forms & {"written_public", "written_internal"}:
                    yield self.nobody(on), (f"proposal_{proposal}", True)
                elif not forms & set(UNKNOWNS):
                    yield self.nobody(on), (f"proposal_{proposal}", False)

    def _in_force(self) -> Iterator[tuple[Row, date]]:
        for on in self.quarter_ends():
            for policy in sorted({row["policy_id"] for row in self.tables["policy"]}):
                if (row := self.policy_of(policy, on)) is not None:
                    yield row, on

    def closed_on_time(self) -> Found:
        for row in self.tables["remediation"]:
            if row["due_on"] is None:
                continue
            if row["closed_on"] is not None and row["closed_on"] <= row["due_on"]:
                yield self.nobody(row["found_on"]), ("", True)
            elif row["due_on"] < self.as_of:
                yield self.nobody(row["found_on"]), ("", False)

    def certified(self) -> Found:
        for row in self.tables["victim_certification"]:
            if row["decision"] in ("certified", "denied"):
                groups = self.nobody(row["received_at"], row["crime_category"])
                yield groups, (row["form"], row["decision"] == "certified")

    def certified_in_time(self) -> Found:
        for row in self.tables["victim_certification"]:
            answers = {self._in_time(row, in_proceedings) for in_proceedings in self._either(row["in_proceedings"])}
            if len(answers) == 1 and None not in answers:
                yield self.nobody(row["received_at"], row["crime_category"]), ("", *answers)

    @staticmethod
    def _either(answer: bool | None) -> tuple[bool, ...]:
        return (True, False) if answer is None else (answer,)

    def _in_time(self, row: Mapping[str, Any], in_proceedings: bool) -> bool | None:
        with (ROOT / "data" / "reference" / "certification_deadlines.csv").open() as file:
            laws = [
                law
                for law in csv.DictReader(file)
                if law["form"] == row["form"]
                and law["from_date"] <= row["received_at"].isoformat() <= (law["to_date"] or "9999")
            ]
        if not laws or row["decision"] == "withdrawn":
            return None
        begins = row["received_at"]
        if in_proceedings and laws[0]["in_proceedings_from_next_business_day"] == "true":
            begins += timedelta(days=1)
            while begins.isoweekday() > 5:
                begins += timedelta(days=1)
        due = begins + timedelta(days=int(laws[0]["days_in_proceedings" if in_proceedings else "days"]))
        if row["decided_at"] is not None:
            return bool(row["decided_at"] <= due)
        is_open = row["decision"] in ("pending", "not_recorded")
        return False if is_open and due < self.as_of else None

    def days_to_certification(self) -> Found:
        for row in self.tables["victim_certification"]:
            is_open = row["decided_at"] is None and row["decision"] in ("pending", "not_recorded")
            end = self.as_of if is_open else row["decided_at"]
            if end is not None and end >= row["received_at"]:
                outcome = "withdrawn" if row["decision"] == "withdrawn" else "event"
                groups = self.nobody(row["received_at"], row["crime_category"])
                yield groups, ("", (end - row["received_at"]).days, "censored" if is_open else outcome)

    def acknowledged(self) -> Found:
        for row in self.tables["point_person_request"]:
            due = row["received_at"]
            for _ in range(2):
                due += timedelta(days=1)
                while due.isoweekday() > 5:
                    due += timedelta(days=1)
            on = row["acknowledged_at"]
            if (on is None and due >= self.as_of) or (on is not None and on < row["received_at"]):
                continue
            yield self.of_case(row["case_id"], row["received_at"]), ("", on is not None and on <= due)

    def days_to_answer(self) -> Found:
        for row in self.tables["point_person_request"]:
            days = ((row["closed_at"] or self.as_of) - row["received_at"]).days
            if days >= 0:
                outcome = "event" if row["closed_at"] else "censored"
                yield self.of_case(row["case_id"], row["received_at"]), ("", days, outcome)

    def asked_from_outside(self) -> Found:
        for case, row in self.cases.items():
            who = {r["requester_type"] for r in self.tables["point_person_request"] if r["case_id"] == case}
            if who - {"ada", *UNKNOWNS}:
                yield self.of_case(case, row["filed_on"]), ("not_recorded", True)
            elif not who & set(UNKNOWNS):
                yield self.of_case(case, row["filed_on"]), ("not_recorded", False)

    def answered(self) -> Found:
        for row in self.tables["community_recommendation"]:
            in_time = row["answered_at"] is not None and (row["answered_at"] - row["received_at"]).days <= 90
            if in_time or (self.as_of - row["received_at"]).days >= 90:
                yield self.nobody(row["received_at"]), ("", in_time)

    def adopted(self) -> Found:
        for row in self.tables["community_recommendation"]:
            if row["answered_at"] is not None and row["adopted"] is not None:
                yield self.nobody(row["received_at"]), ("", row["adopted"])

    def days_to_reply(self) -> Found:
        yield from self._waits("community_recommendation", "received_at", "answered_at")

    def days_to_fix(self) -> Found:
        yield from self._waits("correction", "reported_on", "fixed_on")

    def days_to_letter(self) -> Found:
        yield from self._waits("clemency_request", "received_at", "answered_at")

    def _waits(self, table: str, begins: str, ends: str) -> Found:
        for row in self.tables[table]:
            days = ((row[ends] or self.as_of) - row[begins]).days
            if days >= 0:
                yield self.nobody(row[begins]), ("", days, "event" if row[ends] else "censored")

    def letters(self) -> Found:
        for row in self.tables["clemency_request"]:
            # a request that waits for an answer is not refused
            if row["letter_given"] or (row["letter_given"] is False and row["answered_at"] is not None):
                yield self.nobody(row["received_at"]), (row["kind"], row["letter_given"])

    def weighed(self) -> Found:
        for groups, row, _ in self._applications():
            if row["factor"] not in UNKNOWNS and row["complied"] is not None:
                yield groups, (row["factor"], row["complied"])

    def advised(self) -> Found:
        for row in self.tables["defender_aggregate"]:
            begins = date(int(row["quarter"][:4]), 3 * int(row["quarter"][-1]) - 2, 1)
            for i in range(row["cases"]):
                yield self.nobody(begins), ("", i < row["padilla_consults"])

    def recommended_cost(self) -> Found:
        charges = {c["charge_id"]: case for case, found in self.charges.items() for c in found}
        together: dict[Any, list[tuple[Any, Row]]] = {}
        for row in self.tables["sentence"]:
            if row["modified_from"] is None:
                case = row["case_id"] or charges.get(row["charge_id"])
                group = (case or row["sentence_id"], row["concurrent_group"] or row["sentence_id"])
                together.setdefault(group, []).append((case, row))
        for found in together.values():
            longest = min(found, key=lambda f: (-(f[1]["da_recommended_days"] or -1), f[1]["sentence_id"]))
            case, row = longest
            if row["da_recommended_days"] is not None and row["da_recommended_type"] in ("jail", "prison"):
                rate = self.unit_cost(f"{row['da_recommended_type']}_day", row["sentenced_on"].year)
                if rate is not None:
                    cost = int(row["da_recommended_days"] * round(rate * 100)) // 100
                    yield self.of_case(case, row["sentenced_on"]), (row["da_recommended_type"], cost, "event")


MEASURES: dict[str, Definition] = {
    "POL-01": Registers.written,
    "POL-02": Registers.covered_proposals,
    "POL-05": Registers.exceptions,
    "POL-05d": Registers.followed,
    "POL-10": Registers.closed_on_time,
    "FED-04": Registers.weighed,
    "VIC-02": Registers.certified,
    "VIC-03": Registers.certified_in_time,
    "VIC-03a": Registers.days_to_certification,
    "PPT-02": Registers.acknowledged,
    "PPT-03": Registers.days_to_answer,
    "PPT-07": Registers.asked_from_outside,
    "COM-02": Registers.answered,
    "COM-02a": Registers.adopted,
    "COM-02b": Registers.days_to_reply,
    "COM-05": Registers.days_to_fix,
    "REP-01": Registers.advised,
    "REP-04": Registers.letters,
    "REP-04a": Registers.days_to_letter,
    "BUD-01": Registers.recommended_cost,
}


def differing(random: Random, size: float, *, at_least: int = 0) -> list[tuple[object, ...]]:
    made = world(Draw(random, size))
    return disagreements(made, Registers(made), MEASURES, at_least=at_least)


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

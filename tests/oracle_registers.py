"""A second implementation of measures of policies, victims, the point person, the community, lawyers and cost."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from pipeline.contract import ROOT, UNKNOWNS
from tests.oracle import (
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
    known,
    mix,
    people_and_cases,
    rate,
    unit_costs,
    values,
)

ENGLISH = ("eng", "en", "english")
STAGES = (
    "referral", "charging", "bail", "diversion", "plea", "sentencing", "post_conviction", "custody", "ice_contact",
    "victim",
)  # fmt: skip


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
            "model": draw.code("policy", "model"),
            "presumptive_or_mandatory": draw.code("policy", "presumptive_or_mandatory"),
            "signoff_required": draw.yes(),
            "reviewed_on": draw.maybe(draw.day(1100)),
        }
        for i in draw.many(40)
        for version in (1, 2)[: draw.choice([1, 2])]
    ]
    made["policy_application"] = [
        {
            "application_id": f"A{i}",
            "case_id": draw.maybe(draw.one_of("c", 220)),
            "referral_id": draw.maybe(draw.one_of("r", 300), 0.5),
            "policy_id": draw.one_of("P", 42),
            "covered": draw.maybe(draw.chance(0.8)),
            "complied": draw.yes(),
            "deviation_reason": draw.code("policy_application", "deviation_reason", unknown=0.3),
            "factor": draw.code("policy_application", "factor", unknown=0.3),
            "decided_at": (decided := draw.maybe(draw.day(), 0.1)),
            "approved_at": None if decided is None else draw.after(decided, 8),
        }
        for i in draw.many(250)
    ]
    made["policy_measure"] = [
        {"policy_id": draw.one_of("P", 42), "measure_id": f"M-{i}", "expected_direction": "up"} for i in draw.many(200)
    ]
    made["legislative_position"] = [
        {
            "position_id": f"L{i}",
            "bill": "b",
            "topic": draw.choice(["misdemeanor_364", draw.code("legislative_position", "topic")]),
            "position": draw.code("legislative_position", "position"),
            "taken_on": draw.maybe(draw.day()),
        }
        for i in draw.many(120)
    ]
    made["training"] = [
        {
            "training_id": f"T{i}",
            "held_on": draw.day(),
            "topic": draw.code("training", "topic"),
            "attended_count": draw.maybe(draw.below(7)),
            "prosecutor_count": draw.maybe(draw.below(7)),
        }
        for i in draw.many(20)
    ]
    made["remediation"] = [
        {
            "finding_id": f"F{i}",
            "owner_role": draw.maybe("chief"),
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
            "denial_reason": draw.code("victim_certification", "denial_reason"),
            "written_denial": draw.yes(),
            "language": draw.maybe(draw.choice(["spa", "eng"])),
            "language_served": draw.maybe(draw.choice(["spa", "SPA", "eng"])),
            "recert": draw.yes(),
            "is_defendant_overlap": draw.yes(),
            "in_proceedings": draw.yes(),
            "crime_category": draw.code("victim_certification", "crime_category"),
        }
        for i in draw.many(200)
    ]
    made["hotline_call"] = [
        {
            "quarter": quarter,
            "language": language,
            "topic": topic,
            "calls": draw.maybe(draw.below(5), 0.1),
            "referrals": draw.maybe(draw.below(5)),
            "cases_opened": draw.maybe(draw.below(3)),
        }
        for quarter in ("2021-Q4", "2022-Q2", "2023-Q1", "2023", "2024-Q1")
        for language in ("eng", "English", "spa", "por")
        for topic in ("fraud", "other", "not_recorded")
        if draw.chance(0.7)
    ]
    made["status_inquiry"] = [
        {"inquiry_id": f"I{i}", "at": draw.day(), "made_by": draw.code("status_inquiry", "made_by")}
        for i in draw.many(40)
    ]
    made["disposition"] = [
        {
            "disposition_id": f"D{i}",
            "charge_id": draw.one_of("h", 420),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.7),
            "disposed_on": draw.maybe(draw.day(), 0.05),
            "type": draw.choice(["dismissed_da", "dismissed_court", "plea_guilty", "acquitted"]),
            "reason": draw.choice(["victim_unavailable", "proof", draw.code("disposition", "reason")]),
        }
        for i in draw.many(150)
    ]
    made["reporting_total"] = [
        {"source": source, "period": period, "measure": measure, "total": draw.below(40)}
        for source in ("legislature_pc_679_10", "other")
        for period in ("2021", "2022", "2023", "2023-Q1")
        for measure in (
            "Requests received",
            "Requests for a U visa",
            "signed",
            "signed by a chief",
            "Denied",
            "pending",
        )
    ]
    made["point_person_request"] = [
        {
            "request_id": f"Q{i}",
            "case_id": draw.maybe(draw.one_of("c", 220), 0.15),
            "received_at": (received := draw.day()),
            "acknowledged_at": draw.after(received, 6),
            "closed_at": draw.after(received, 40),
            "requester_type": draw.code("point_person_request", "requester_type", unknown=0.3),
            "stage": draw.code("point_person_request", "stage"),
            "topic": draw.code("point_person_request", "topic"),
            "outcome": draw.code("point_person_request", "outcome"),
            "escalated": draw.yes(),
            "upheld": draw.yes(),
            "documents_demanded": draw.yes(),
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
    made["community_event"] = [
        {
            "event_id": f"G{i}",
            "held_on": draw.day(),
            "type": draw.choice(["record_clearing", draw.code("community_event", "type")]),
            "languages": draw.maybe(draw.choice(["eng", "English; eng", "eng;spa", "spa", "En"])),
            "attendance": draw.maybe(draw.below(90)),
            "persons_served": draw.maybe(draw.below(30)),
            "petitions_filed": draw.maybe(draw.below(30)),
        }
        for i in draw.many(80)
    ]
    made["publication"] = [
        {
            "output_id": f"O{i}",
            "quarter": draw.choice([f"{year}-Q{q}" for year in range(2017, 2024) for q in (1, 2, 3, 4)]),
            "published_on": draw.maybe(draw.day(), 0.1),
            "language": draw.choice(["eng", "eng", "EN", "spa", None]),
        }
        for i in draw.many(60)
    ]
    made["hr_aggregate"] = [
        {"year": year, "category": category, "staff_count": draw.maybe(draw.below(9))}
        for year in (2021, 2022, 2023, 2024)
        for category in ("asian", "white", "other")
    ]
    made["fund_aggregate"] = [
        {
            "quarter": f"{year}-Q{q}",
            "requested": draw.maybe(draw.below(9), 0.1),
            "served": draw.maybe(draw.below(9)),
            "excluded_criminal_history": draw.maybe(draw.below(3)),
            "fields_collected": draw.maybe(draw.below(9), 0.1),
            "fields_not_minimal": draw.maybe(draw.below(9)),
        }
        for year in (2021, 2022, 2023)
        for q in (1, 2, 3, 4)
    ]
    made["budget_line"] = [
        {
            "budget_line_id": f"B{i}",
            "fiscal_year": draw.choice([2021, 2022, 2023, 2024]),
            "line": draw.code("budget_line", "line"),
            "amount": draw.maybe(f"{draw.below(90_000) / 100:.2f}"),
            "participatory": draw.yes(),
            "immigration_condition": draw.yes(),
            "purpose": draw.code("budget_line", "purpose"),
        }
        for i in draw.many(500)
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
    made["unit_cost"] = unit_costs(draw, "jail_day", "prison_day")
    made["sentence"] = [
        {
            "sentence_id": f"S{i}",
            "charge_id": draw.one_of("h", 420),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.4),
            "sentenced_on": draw.day(),
            "da_recommended_type": draw.choice(["jail", "prison", draw.code("sentence", "da_recommended_type")]),
            "da_recommended_days": draw.maybe(draw.below(900)),
            "da_cost_stated": draw.maybe(f"{draw.below(90_000) / 100:.2f}", 0.5),
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

    # The registers row by row -----------------------------------------------------------------------------------------

    def certifications(self) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["victim_certification"]:
            yield self.nobody(row["received_at"], row["crime_category"]), row

    def calls(self) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["hotline_call"]:
            for i in range(row["calls"] or 0):
                referred = None if row["referrals"] is None else i < row["referrals"]
                foreign = row["language"].lower() not in ENGLISH
                yield self.nobody(quarter_day(row["quarter"])), {**row, "referred": referred, "foreign": foreign}

    def frauds(self) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["hotline_call"]:
            for _ in range(row["cases_opened"] or 0):
                yield self.nobody(quarter_day(row["quarter"])), row

    def inquiries(self) -> Iterator[tuple[Groups | None, Row]]:
        yield from self.listed("status_inquiry", "at")

    def dismissed_cases(self) -> Iterator[tuple[Groups | None, Row]]:
        charges = {c["charge_id"]: case for case, found in self.charges.items() for c in found}
        cases: dict[str, list[Row]] = {}
        for row in self.tables["disposition"]:
            case = row["case_id"] or charges.get(row["charge_id"])
            if row["type"] in ("dismissed_da", "dismissed_court") and case:
                cases.setdefault(case, []).append(row)
        for case, found in cases.items():
            reasons = [known(row["reason"]) for row in found]
            absent = any_true([r and r in ("victim_unavailable", "witness_unavailable") for r in reasons])
            last = max((row["disposed_on"] for row in found if row["disposed_on"]), default=None)
            yield self.of_case(case, last), {"absent": absent}

    def reported(self) -> Iterator[tuple[Groups | None, Row]]:
        forms = [row for row in self.tables["victim_certification"] if row["form"] == "i918b"]
        for row in self.tables["reporting_total"]:
            if row["source"] != "legislature_pc_679_10" or len(row["period"]) != 4:
                continue
            year = int(row["period"])
            ours = {
                "requests": sum(f["received_at"].year == year for f in forms),
                "signed": sum(f["decision"] == "certified" and in_year(f["decided_at"], year) for f in forms),
                "denied": sum(f["decision"] == "denied" and in_year(f["decided_at"], year) for f in forms),
            }.get(row["measure"].lower().split()[0])
            equal = None if ours is None else ours == row["total"]
            yield self.nobody(date(year, 12, 31)), {"equal": equal}

    def requests(self) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["point_person_request"]:
            yield self.of_case(row["case_id"], row["received_at"]), row

    def cases_asked_about(self) -> Iterator[tuple[Groups | None, Row]]:
        for case, row in self.cases.items():
            who = {r["requester_type"] for r in self.tables["point_person_request"] if r["case_id"] == case}
            by_office = True if "ada" in who else None if who & set(UNKNOWNS) else False
            yield self.of_case(case, row["filed_on"]), {"by_office": by_office}

    def policies_in_force(self) -> Iterator[tuple[Groups | None, Row]]:
        for row, on in self._in_force():
            public = None if row["adopted_form"] in UNKNOWNS else row["adopted_form"] == "written_public"
            reviewed, last = row["reviewed_on"], on == self.quarter_ends()[-1]
            age = (on - reviewed).days if last and reviewed and reviewed <= on else None
            yield self.nobody(on), {**row, "public": public, "age": age}

    def stages(self) -> Iterator[tuple[Groups | None, Row]]:
        for on in self.quarter_ends():
            for stage in STAGES:
                forms = {p["adopted_form"] for p, day in self._in_force() if day == on and p["stage"] == stage}
                written = bool(forms & {"written_public", "written_internal"})
                yield (
                    self.nobody(on),
                    {"stage": stage, "written": written or (None if forms & set(UNKNOWNS) else False)},
                )

    def versions(self) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["policy"]:
            yield self.nobody(row["effective_from"]), {**row, "near": self._is_near(row["effective_from"])}

    def targets(self) -> Iterator[tuple[Groups | None, Row]]:
        for policy in self.tables["policy"]:
            start: date = policy["effective_from"]
            for target in self.tables["policy_measure"]:
                if target["policy_id"] == policy["policy_id"]:
                    month = 3 * ((start.month - 1) // 3) + 1
                    begins = date(start.year, month, 1)
                    full = begins if begins == start else add_months(begins, 3)
                    before = begins >= add_months(self.period[0], 12)
                    since = full <= add_months(self.period[1] + timedelta(days=1), -12)
                    row = {"year_each": before and since, "alone": not self._is_near(start)}
                    yield self.nobody(start), row

    @staticmethod
    def _is_near(on: date) -> bool:
        days = []
        for file, column in (("legal_events", "event_date"), ("eras", "from_date")):
            with (ROOT / "data" / "reference" / f"{file}.csv").open(encoding="utf-8") as lines:
                days += [
                    date.fromisoformat(row[column])
                    for row in csv.DictReader(lines)
                    if row.get("jurisdiction", "US") in ("US", "US-CA")
                ]
        return any(abs((day - on).days) <= 90 for day in days)

    def applied(self) -> Iterator[tuple[Groups | None, Row]]:
        for groups, row, _ in self._applications():
            on = row["decided_at"]
            early = row["approved_at"] is not None and on is not None and row["approved_at"] <= on
            in_force = None if on is None else self.policy_of(row["policy_id"], on) is not None
            departed = bool(row["covered"]) and row["complied"] is False
            reasoned = row["deviation_reason"] not in UNKNOWNS
            unlisted = None if in_force is None else not in_force
            yield groups, {**row, "early": early, "unlisted": unlisted, "departed": departed, "reasoned": reasoned}

    def seats(self) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["training"]:
            for i in range(row["prosecutor_count"] or 0):
                attended = None if row["attended_count"] is None else i < row["attended_count"]
                yield self.nobody(row["held_on"]), {**row, "attended": attended}

    def bills(self) -> Iterator[tuple[Groups | None, Row]]:
        yield from self.listed("legislative_position", "taken_on")

    def findings(self) -> Iterator[tuple[Groups | None, Row]]:
        for groups, row in self.listed("remediation", "found_on"):
            yield groups, {**row, "owned": None not in (row["owner_role"], row["due_on"])}

    def days_to_mend(self) -> Found:
        yield from self._waits("remediation", "found_on", "closed_on")

    def events(self) -> Iterator[tuple[Groups | None, Row]]:
        for groups, row in self.listed("community_event", "held_on"):
            spoken = None if row["languages"] is None else {x.strip().lower() for x in row["languages"].split(";")}
            yield groups, {**row, "foreign": None if spoken is None else bool(spoken - set(ENGLISH))}

    def publications(self) -> Iterator[tuple[Groups | None, Row]]:
        for groups, row in self.listed("publication", "published_on"):
            ended = add_months(quarter_day(row["quarter"]) or date.max, 3) - timedelta(days=1)
            late = None if row["published_on"] is None else (row["published_on"] - ended).days
            late = None if late is None or late < 0 else late
            yield groups, {**row, "late": late, "punctual": None if late is None else late <= 90}

    def published_quarters(self) -> Iterator[tuple[Groups | None, Row]]:
        for quarter in sorted({row["quarter"] for row in self.tables["publication"]}):
            rows = [row for row in self.tables["publication"] if row["quarter"] == quarter]
            first = min((row["published_on"] for row in rows if row["published_on"]), default=None)
            foreign = any_true([None if r["language"] is None else r["language"].lower() not in ENGLISH for r in rows])
            yield self.nobody(first), {"foreign": foreign}

    def staff(self) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["hr_aggregate"]:
            for _ in range(row["staff_count"] or 0):
                yield self.nobody(date(row["year"], 1, 1)), row

    def asked_of_the_fund(self) -> Iterator[tuple[Groups | None, Row]]:
        yield from self._counted("requested", "served", "excluded_criminal_history")

    def fields_of_the_fund(self) -> Iterator[tuple[Groups | None, Row]]:
        yield from self._counted("fields_collected", "fields_not_minimal")

    def _counted(self, of: str, *among: str) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["fund_aggregate"]:
            for i in range(row[of] or 0):
                counted = {column: None if row[column] is None else i < row[column] for column in among}
                yield self.nobody(quarter_day(row["quarter"])), counted

    def budget(self) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables["budget_line"]:
            amount = None if row["amount"] is None else float(row["amount"])
            allocated = {True: "participatory", False: "otherwise", None: None}[row["participatory"]]
            terms = {True: "with_immigration_condition", False: "without_immigration_condition", None: None}
            of_grant = terms[row["immigration_condition"]]
            on = date(row["fiscal_year"], 1, 1)
            yield self.nobody(on), {**row, "dollars": amount, "allocated": allocated, "terms": of_grant}

    def recommended(self) -> Iterator[tuple[Groups | None, Row]]:
        charges = {c["charge_id"]: case for case, found in self.charges.items() for c in found}
        for row in self.tables["sentence"]:
            if row["modified_from"] is None and row["da_recommended_type"] not in UNKNOWNS:
                case = row["case_id"] or charges.get(row["charge_id"])
                yield self.of_case(case, row["sentenced_on"]), {"stated": row["da_cost_stated"] is not None}

    def listed(self, table: str, on: str) -> Iterator[tuple[Groups | None, Row]]:
        for row in self.tables[table]:
            yield self.nobody(row[on]), row


def quarter_day(quarter: str) -> date | None:
    """The first day of a quarter, of a text that names one."""
    return date(int(quarter[:4]), 3 * int(quarter[-1]) - 2, 1) if len(quarter) == 7 else None


def add_months(on: date, months: int) -> date:
    month = on.year * 12 + on.month - 1 + months
    return date(month // 12, month % 12 + 1, on.day)


def in_year(on: date | None, year: int) -> bool:
    return on is not None and on.year == year


def is_certified(row: Row) -> bool | None:
    return row["decision"] == "certified" if row["decision"] in ("certified", "denied") else None


def same_language(row: Row) -> bool | None:
    both = (row["language"], row["language_served"])
    return None if None in both else both[0].lower() == both[1].lower()


def on_line(line: str) -> Callable[[Row], bool]:
    return lambda row: bool(row["line"] == line)


def is_denied(row: Row) -> bool:
    return bool(row["decision"] == "denied")


def is_clearing(row: Row) -> bool:
    return bool(row["type"] == "record_clearing")


def supports_364_days(row: Row) -> bool:
    return bool(row["topic"] == "misdemeanor_364" and row["position"] == "support")


R = Registers
MEASURES: dict[str, Definition] = {
    "POL-01": R.written,
    "POL-01a": rate(R.policies_in_force, "public"),
    "POL-01b": mix(R.policies_in_force, "presumptive_or_mandatory"),
    "POL-01c": mix(R.policies_in_force, "model"),
    "POL-01d": rate(R.policies_in_force, "signoff_required"),
    "POL-02": R.covered_proposals,
    "POL-02a": rate(R.stages, "written", by="stage"),
    "POL-03": rate(R.targets, "year_each"),
    "POL-04": rate(R.targets, "alone", where="year_each"),
    "POL-05": R.exceptions,
    "POL-05a": rate(R.applied, "early", where="departed"),
    "POL-05b": rate(R.applied, "reasoned", where="departed"),
    "POL-05c": mix(R.applied, "deviation_reason", where="departed"),
    "POL-05d": R.followed,
    "POL-05e": rate(R.applied, "unlisted"),
    "POL-06": rate(R.seats, "attended", by="topic"),
    "POL-07": values(R.policies_in_force, "age"),
    "POL-09": mix(R.bills, "position"),
    "POL-09a": count(R.bills, where=supports_364_days),
    "POL-10": R.closed_on_time,
    "POL-10a": rate(R.findings, "owned"),
    "POL-10b": R.days_to_mend,
    "POL-11": rate(R.versions, "near"),
    "FED-04": R.weighed,
    "VIC-01": mix(R.certifications, "form"),
    "VIC-02": R.certified,
    "VIC-03": R.certified_in_time,
    "VIC-03a": R.days_to_certification,
    "VIC-04": mix(R.certifications, "denial_reason", where=is_denied),
    "VIC-04a": rate(R.certifications, "written_denial", where=is_denied),
    "VIC-05": rate(R.certifications, is_certified, where="recert"),
    "VIC-06": rate(R.certifications, same_language),
    "VIC-07": mix(R.calls, "topic"),
    "VIC-07a": rate(R.calls, "foreign"),
    "VIC-07b": rate(R.calls, "referred"),
    "VIC-07c": count(R.frauds),
    "VIC-08": rate(R.dismissed_cases, "absent"),
    "VIC-09": count(R.inquiries),
    "VIC-09a": mix(R.inquiries, "made_by"),
    "VIC-10": rate(R.certifications, is_certified, where="is_defendant_overlap"),
    "VIC-11": rate(R.reported, "equal"),
    "PPT-01": mix(R.requests, "requester_type"),
    "PPT-01a": mix(R.requests, "stage"),
    "PPT-01b": mix(R.requests, "topic"),
    "PPT-02": R.acknowledged,
    "PPT-03": R.days_to_answer,
    "PPT-04": mix(R.requests, "outcome", where="closed_at"),
    "PPT-05": rate(R.requests, "upheld", where="escalated"),
    "PPT-06": rate(R.cases_asked_about, "by_office"),
    "PPT-07": R.asked_from_outside,
    "PPT-08": rate(R.requests, "documents_demanded", by="stage"),
    "COM-01": mix(R.events, "type"),
    "COM-01a": rate(R.events, "foreign"),
    "COM-01b": values(R.events, "attendance"),
    "COM-02": R.answered,
    "COM-02a": R.adopted,
    "COM-02b": R.days_to_reply,
    "COM-03": rate(R.publications, "punctual"),
    "COM-03a": values(R.publications, "late"),
    "COM-04": rate(R.published_quarters, "foreign"),
    "COM-05": R.days_to_fix,
    "COM-06": mix(R.staff, "category"),
    "REP-01": R.advised,
    "REP-02": rate(R.asked_of_the_fund, "served"),
    "REP-02a": rate(R.asked_of_the_fund, "excluded_criminal_history"),
    "REP-03": rate(R.fields_of_the_fund, "fields_not_minimal"),
    "REP-04": R.letters,
    "REP-04a": R.days_to_letter,
    "PCR-10": count(R.events, where=is_clearing),
    "PCR-10a": values(R.events, "persons_served", where=is_clearing),
    "PCR-10b": values(R.events, "petitions_filed", where=is_clearing),
    "PCR-12": R.letters,
    "PCR-12a": R.days_to_letter,
    "BUD-01": R.recommended_cost,
    "BUD-04": values(R.budget, "dollars", where=on_line("iiu")),
    "BUD-04a": values(R.budget, "dollars", where=on_line("office_total")),
    "BUD-05": values(R.budget, "dollars", where=on_line("discretionary"), by="allocated"),
    "BUD-06": values(R.budget, "dollars", where=on_line("grant"), by="terms"),
    "BUD-08": values(R.budget, "dollars", where=on_line("reinvestment"), by="purpose"),
    "BUD-09": rate(R.recommended, "stated"),
}
ORACLE = SecondImplementation(world=world, reads=Registers, measures=MEASURES)

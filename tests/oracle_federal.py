"""A second implementation of the federal priorities of 2014, over random worlds of that time.

By elimination: of each conviction, the gravest and the mildest that the record allows it to be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

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
    people_and_cases,
)

PERIOD = (date(2014, 10, 1), date(2017, 6, 30))
IN_FORCE = (date(2015, 1, 5), date(2017, 2, 19))
NO_CONVICTION = ("dismissed_da", "dismissed_court", "acquitted", "mistrial")
#: What a conviction is to the memorandum.
NOTHING, MISDEMEANOR, SIGNIFICANT, FELONY = range(4)


def world(draw: Draw) -> Tables:
    made = people_and_cases(draw)
    made["disposition"] = [
        {
            "disposition_id": f"d{i}",
            "charge_id": draw.one_of("h", 400),
            "disposed_on": draw.maybe(draw.day(), 0.05),
            "type": draw.choice([*GUILTY, *NO_CONVICTION, "transferred", "redacted"]),
        }
        for i in draw.many(300)
    ]
    made["sentence"] = [
        {
            "sentence_id": f"s{i}",
            "charge_id": draw.one_of("h", 400),
            "sentenced_on": draw.day(),
            "sentence_type": draw.code("sentence", "sentence_type"),
            "executed_days": draw.maybe(draw.choice([0, 89, 90]), 0.6),
            "imposed_unit": (unit := draw.choice(["days", "months", "years", "not_recorded"])),
            "imposed_value": draw.maybe(draw.choice([89, 90, 120] if unit == "days" else [2, 3, 4]), 0.2),
            "suspended_days": draw.maybe(draw.choice([0, 0, 30]), 0.3),
        }
        for i in draw.many(150)
    ]
    made["ice_contact"] = [
        {
            "contact_id": f"i{i}",
            "person_id": draw.maybe(draw.one_of("p", 90), 0.1),
            "at": draw.moment(),
            "type": draw.choice(["detainer", "detainer", "arrest"]),
            "criminal_history": draw.code("ice_contact", "criminal_history"),
            "probable_cause_basis": draw.code("ice_contact", "probable_cause_basis"),
        }
        for i in draw.many(600)
    ]
    return made


class Priorities(Oracle):
    """Reads convictions as immigration law does, and detainers as the memorandum does."""

    def __init__(self, made: Tables) -> None:
        super().__init__(made, as_of=date(2017, 9, 30), period=PERIOD)
        self.versions: dict[str, list[Row]] = defaultdict(list)
        for row in self.tables["charge"]:
            if not row["is_enhancement"]:
                self.versions[row["charge_id"]].append(row)
        self.convictions = list(self._convictions())

    def _convictions(self) -> Iterator[tuple[str | None, str | None, date, list[int]]]:
        """Person, case and day of what is or may be a conviction, and what it may be to the memorandum."""
        ends: dict[str, list[Row]] = defaultdict(list)
        for row in self.tables["disposition"]:
            ends[row["charge_id"]].append(row)
        for charge, rows in ends.items():
            version = max(self.versions[charge], key=lambda v: v["version_no"], default=None)
            severity = CLASSES.get(version["severity"]) if version else None

            def weight(row: Row, severity: int | None = severity) -> int:
                if row["type"] not in (*GUILTY, *NO_CONVICTION):
                    return 1  # nobody can say
                if row["type"] in NO_CONVICTION:
                    return 0
                return 2 if severity == 1 else 3  # whether an infraction is a crime depends on how it was tried

            gravest = min(rows, key=lambda row: (-weight(row), row["disposed_on"] or date.max, row["disposition_id"]))
            on, case = gravest["disposed_on"], version["case_id"] if version else None
            if version is None or weight(gravest) == 0:
                continue
            undone = any(weight(row) == 0 and row["disposed_on"] and on and row["disposed_on"] > on for row in rows)
            kinds = list(self._kinds(version, severity))
            if weight(gravest) < 3 or undone or on is None:
                kinds.append(NOTHING)
            # without a day it may have been before any detainer, or after
            yield self.cases[case]["person_id"] if case in self.cases else None, case, on or date.min, kinds

    def _kinds(self, version: Row, severity: int | None) -> Iterator[int]:
        offence = version["offence_category"]
        ninety_days = self._ninety_days(version["charge_id"])
        for possible in (3, 2, 1) if severity is None else (severity,):
            if possible == 3:
                yield NOTHING if offence == "immigration" else FELONY
            elif possible == 1:
                yield NOTHING
            else:
                significant = offence in (
                    "domestic_violence", "sexual", "burglary", "drug_sale", "driving_under_influence"
                )  # fmt: skip
                if significant or ninety_days is not False or offence in ("weapons", *UNKNOWNS):
                    yield SIGNIFICANT
                if not significant and ninety_days is not True:
                    yield NOTHING if offence in ("traffic", "immigration") else MISDEMEANOR

    def _ninety_days(self, charge: str) -> bool | None:
        answers: list[bool | None] = []
        for row in self.tables["sentence"]:
            if row["charge_id"] == charge and row["sentence_type"] in ("prison", "jail", "time_served"):
                value, unit, suspended = row["imposed_value"], row["imposed_unit"], row["suspended_days"]
                if row["executed_days"] is not None:
                    answers.append(row["executed_days"] >= 90)
                elif unit == "days":
                    answers.append(None if None in (value, suspended) else value - suspended >= 90)
                elif suspended != 0 or unit in UNKNOWNS:
                    answers.append(None)
                elif unit == "years":
                    answers.append(True)
                else:  # three months may be 89 days
                    answers.append(None if value in (None, 3) else value > 3)
        return any_true(answers)

    def priority(self, detainer: Row) -> str:
        known = [
            (case, kinds)
            for person, case, on, kinds in self.convictions
            if detainer["person_id"] is not None and person == detainer["person_id"] and on <= detainer["at"].date()
        ]
        worst, best = (self._ranked([(case, of(kinds)) for case, kinds in known]) for of in (max, min))
        if best != "none_on_record":
            return best
        unsaid = detainer["criminal_history"] == "conviction" and not known
        if worst != best or unsaid or detainer["person_id"] is None:
            return "undeterminable"
        return "undeterminable" if detainer["probable_cause_basis"] == "final_order" else best

    @staticmethod
    def _ranked(convictions: list[tuple[str | None, int]]) -> str:
        kinds = [kind for _, kind in convictions]
        if FELONY in kinds:
            return "priority_1"
        cases = {case for case, kind in convictions if kind in (MISDEMEANOR, SIGNIFICANT)}
        return "priority_2" if SIGNIFICANT in kinds or len(cases) >= 3 else "none_on_record"

    def classed(self) -> Iterator[tuple[Groups | None, str]]:
        for row in self.tables["ice_contact"]:
            on = row["at"].date()
            if row["type"] == "detainer" and IN_FORCE[0] <= on <= IN_FORCE[1]:
                yield self.groups(row["person_id"], on, "not_recorded"), self.priority(row)

    def priorities(self) -> Found:
        for groups, priority in self.classed():
            yield groups, (priority, True)

    def outside(self) -> Found:
        for groups, priority in self.classed():
            if priority != "undeterminable":
                yield groups, ("", priority == "none_on_record")


MEASURES: dict[str, Definition] = {"FED-01": Priorities.outside, "ICE-11": Priorities.priorities}
ORACLE = SecondImplementation(world=world, reads=Priorities, measures=MEASURES, first=date(2014, 9, 1))

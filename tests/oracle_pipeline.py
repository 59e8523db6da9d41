"""A second implementation of what became of each arrest, over random worlds: one arrest at a time, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from pipeline.contract import UNKNOWNS
from tests.oracle import (
    GUILTY,
    REACHED,
    Definition,
    Draw,
    Groups,
    Oracle,
    Row,
    SecondImplementation,
    Tables,
    any_true,
    custody_stays,
    is_held,
    known,
    mix,
    people_and_cases,
    rate,
    sent_again,
)

PERIOD = (date(2021, 10, 1), date(2023, 12, 31))
CUSTODY = ("prison", "jail", "time_served")


def world(draw: Draw) -> Tables:
    """People and cases; most records name the one before them, and some name one that is not on file."""
    made = people_and_cases(draw)
    for case in made["case_"]:
        case |= {"referral_id": draw.maybe(draw.one_of("r", 320), 0.1), "closed_on": draw.maybe(draw.day(), 0.6)}
    made["arrest"] = [
        {"arrest_id": f"t{i}", "person_id": draw.one_of("p", 90), "arrest_at": draw.moment(draw.day(800))}
        for i in draw.many(300)
    ]
    made["referral"] = [
        {
            "referral_id": f"r{i}",
            "person_id": draw.one_of("p", 90),
            "arrest_id": draw.maybe(draw.one_of("t", 320), 0.1),
            "received_at": draw.day(),
            "decision": draw.choice(["filed", "filed", draw.code("referral", "decision")]),
            "offence_category": draw.code("referral", "offence_category"),
        }
        for i in draw.many(300)
    ]
    made["disposition"] = [
        {
            "disposition_id": f"y{i}",
            "charge_id": draw.one_of("h", 420),
            "case_id": draw.maybe(draw.one_of("c", 230), 0.6),
            "disposed_on": draw.maybe(draw.day(), 0.05),
            "type": draw.choice(["dismissed_da", "acquitted", *GUILTY, "plea_guilty", "redacted"]),
            "is_conviction_state": draw.yes(0.9),
        }
        for i in draw.many(300)
    ]
    made["sentence"] = [
        {
            "sentence_id": f"z{i}",
            "charge_id": draw.one_of("h", 420),
            "case_id": draw.maybe(draw.one_of("c", 230), 0.4),
            "sentenced_on": draw.day(),
            "sentence_type": draw.choice(["jail", "probation", draw.code("sentence", "sentence_type")]),
            "suspended_days": draw.maybe(draw.choice([0, 0, 30]), 0.3),
            "modified_from": draw.maybe("z0", 0.9),
        }
        for i in draw.many(400)
    ]
    made["custody_stay"] = [
        {**stay, "release_type": draw.choice(["bail", stay["release_type"]])} for stay in custody_stays(draw)
    ]
    made["ice_contact"] = [
        {
            "contact_id": f"i{i}",
            "person_id": draw.maybe(draw.one_of("p", 90), 0.1),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.6),
            "stay_id": draw.maybe(draw.one_of("s", 250), 0.6),
            "at": draw.moment(),
            "at_precision": draw.code("ice_contact", "at_precision"),
            "type": draw.choice(["detainer", "arrest", draw.code("ice_contact", "type")]),
        }
        for i in draw.many(300)
    ]
    return sent_again(draw, made)


class Pipeline(Oracle):
    """Follows each arrest for two years."""

    def __init__(self, made: Tables) -> None:
        super().__init__(made, as_of=date(2025, 3, 31), period=PERIOD)
        self.case_of = {c["charge_id"]: case for case, charges in self.charges.items() for c in charges}

    def arrested(self) -> Iterator[tuple[Groups | None, Row]]:
        for key, row in self.arrests.items():
            on = row["arrest_at"].date()
            until = on + timedelta(days=730)
            referrals = [r for r in self.referrals.values() if r["arrest_id"] == key]
            ways = [way for referral in referrals for way in self._ways(referral, until)]
            charged, convicted, sentenced = (any_true([way[step] for way in ways]) for step in range(3))
            followed = "followed"
            if until > self.as_of:
                followed = "too_recent"
            elif charged is None:
                lost = [self._lost(referral) for referral in referrals]
                order = ("case_not_on_file", "filing_day_not_on_record")
                followed = next((link for link in order if link in lost), "decision_not_on_record")
            elif convicted is None:
                followed = "outcome_not_on_record"
            elif sentenced is None:
                followed = "sentence_not_on_record"
            cases = [case for r in referrals for case in self._cases(r)]
            stays = self._stays(key, row, cases)
            held = any_true([self._is_held_through(stay, until) for stay in stays]) if charged else False
            out = any_true([self._is_out_before_end(stay, until) for stay in stays]) if held else False
            if followed == "followed" and None in (held, out):
                followed = "release_not_on_record"
            plea = bool(convicted) and any(self._by_plea(case, until) for case in cases)
            met = self._met_by_ice(stays, cases, on, until)
            told = followed == "followed"
            yield (
                self.groups(row["person_id"], on, self.arrested_offence(key)),
                {
                    "person": row["person_id"],
                    "order": (on, key),
                    "fate": followed if followed in ("followed", "too_recent") else "link_missing",
                    "link": followed,
                    "referred": bool(referrals),
                    "step": told and self._step(charged, convicted, sentenced),
                    "jail": told and self._jail(charged, held, out),
                    "conviction": told and self._conviction(convicted, plea),
                    "met": met if told else None,
                },
            )

    @staticmethod
    def _step(charged: bool | None, convicted: bool | None, sentenced: bool | None) -> str:
        if sentenced:
            return "sentenced_to_custody"
        if convicted:
            return "convicted_without_custody"
        return "charged_without_conviction" if charged else "not_charged"

    @staticmethod
    def _jail(charged: bool | None, held: bool | None, out: bool | None) -> str:
        if out:
            return "held_and_released"
        if held:
            return "held_to_the_end"
        return "charged_and_not_held" if charged else "not_charged"

    @staticmethod
    def _conviction(convicted: bool | None, plea: bool) -> str:
        if plea:
            return "convicted_by_plea"
        return "convicted_otherwise" if convicted else "not_convicted"

    def _cases(self, referral: Row) -> list[str]:
        return [case for case, row in self.cases.items() if row["referral_id"] == referral["referral_id"]]

    def _lost(self, referral: Row) -> str:
        cases = self._cases(referral)
        if not cases:
            return "case_not_on_file" if referral["decision"] == "filed" else ""
        return "filing_day_not_on_record" if any(self.cases[case]["filed_on"] is None for case in cases) else ""

    def _ways(self, referral: Row, until: date) -> Iterator[tuple[bool | None, bool | None, bool | None]]:
        """Whether a referral led, by a day, to charges, a conviction, a sentence of custody."""
        cases = self._cases(referral)
        if not cases:
            open_ = referral["decision"] == "filed" or referral["decision"] in UNKNOWNS
            yield (None, None, None) if open_ else (False, False, False)
        for case in cases:
            filed = self.cases[case]["filed_on"]
            charged = None if filed is None else filed <= until
            convicted = self._is_convicted(case, until) if charged else charged
            yield charged, convicted, self._is_sentenced(case, until) if convicted else convicted

    def _is_convicted(self, case: str, until: date) -> bool | None:
        end = self.ends[case]
        if end["first_conviction_on"] and end["first_conviction_on"] <= until:
            return True
        closed = end["closed_on"] and end["closed_on"] <= until
        return None if end["left_open"] or (end["last_disposed_on"] is None and closed) else False

    def _is_sentenced(self, case: str, until: date) -> bool | None:
        rows = [
            s
            for s in self.tables["sentence"]
            if s["modified_from"] is None and (s["case_id"] or self.case_of.get(s["charge_id"])) == case
        ]
        custody = any_true([self._is_custody(s) for s in rows]) if rows else None
        return min(s["sentenced_on"] for s in rows) <= until if custody else custody

    @staticmethod
    def _is_custody(sentence: Row) -> bool | None:
        kind = known(sentence["sentence_type"])
        if kind in CUSTODY or (sentence["suspended_days"] or 0) > 0:
            return True
        return False if kind in ("probation", "fine", "community_service") else None

    def _by_plea(self, case: str, until: date) -> bool:
        filed, plea = self.cases[case]["filed_on"], self.ends[case]["first_plea_on"]
        charged = filed is not None and filed <= until
        return bool(charged and self._is_convicted(case, until) and plea and plea <= until)

    def _stays(self, arrest: str, row: Row, cases: list[str]) -> list[Row]:
        """Those that name a case of the arrest; those that name none, and began on its day or the day after."""
        days = [row["arrest_at"].date(), row["arrest_at"].date() + timedelta(days=1)]
        return [
            stay
            for stay in self.tables["custody_stay"]
            if (stay["case_id"] in cases if stay["case_id"] else
                stay["person_id"] == row["person_id"] and stay["booked_at"].date() in days)
        ]  # fmt: skip

    def _is_held_through(self, stay: Row, until: date) -> bool | None:
        """On the second day after filing or later, while the case was open; a stay without a case says nothing."""
        if stay["case_id"] not in self.cases:
            return False
        filed, closed = self.cases[stay["case_id"]]["filed_on"], self.ends[stay["case_id"]]["closed_on"]
        booked, released = stay["booked_at"].date(), stay["released_at"] and stay["released_at"].date()
        begins = max(booked, (filed or date.min) + timedelta(days=2))
        if begins > min(closed or until, until):
            return False
        if released or is_held(stay):
            return released is None or begins <= released
        return True if booked == begins else None

    def _is_out_before_end(self, stay: Row, until: date) -> bool | None:
        if stay["case_id"] not in self.cases or stay["release_type"] not in ("bail", "ror", "supervised"):
            return False
        out, closed = stay["released_at"] and stay["released_at"].date(), self.ends[stay["case_id"]]["closed_on"]
        return None if out is None else out <= until and (closed is None or out <= closed)

    def _met_by_ice(self, stays: list[Row], cases: list[str], on: date, until: date) -> bool:
        reached = [
            (c, stay)
            for stay in [*stays, None]
            for c in (self.contacts_of(stay) if stay else self.tables["ice_contact"])
            if c["type"] in REACHED and (stay or c["case_id"] in cases)
        ]
        return any(
            (stay is not None and c["at_precision"] == "month") or on <= c["at"].date() <= until for c, stay in reached
        )

    def persons(self) -> Iterator[tuple[Groups | None, Row]]:
        """The first arrest of each person that lies in the period and is followed."""
        rows = sorted(self.arrested(), key=lambda found: found[1]["order"])
        seen = set()
        for groups, row in rows:
            if groups is not None and row["fate"] == "followed" and row["person"] not in seen:
                seen.add(row["person"])
                yield groups, row

    def links(self) -> Iterator[tuple[Groups | None, Row]]:
        for key, row in self.referrals.items():
            groups = self.groups(row["person_id"], row["received_at"], self.referred_offence(key))
            yield groups, {"link": "referral_to_arrest", "found": row["arrest_id"] in self.arrests}
        for case, row in self.cases.items():
            found = row["referral_id"] in self.referrals
            yield self.of_case(case, row["filed_on"]), {"link": "case_to_referral", "found": found}
        for stay in self.tables["custody_stay"]:
            offence = self.own_or_case(stay["case_id"], stay["offence_category"])
            groups = self.groups(stay["person_id"], stay["booked_at"].date(), offence)
            yield groups, {"link": "stay_to_case", "found": stay["case_id"] in self.cases}
        for table, on in (("disposition", "disposed_on"), ("sentence", "sentenced_on")):
            for row in self.tables[table]:
                case = row["case_id"] or self.case_of.get(row["charge_id"])
                yield self.of_case(case, row[on]), {"link": f"{table}_to_case", "found": case in self.cases}


P = Pipeline
MEASURES: dict[str, Definition] = {
    "PIP-01": mix(P.arrested, "fate"),
    "PIP-01a": mix(P.arrested, "link", where=lambda row: row["fate"] == "link_missing"),
    "PIP-02": rate(P.links, "found", by="link"),
    "PIP-03": rate(P.arrested, "referred"),
    "PIP-04": mix(P.arrested, "step", where="step"),
    "PIP-05": mix(P.arrested, "jail", where="jail"),
    "PIP-06": mix(P.arrested, "conviction", where="conviction"),
    "PIP-07": rate(P.arrested, "met"),
    "PIP-08": mix(P.persons, "step"),
}
ORACLE = SecondImplementation(world=world, reads=Pipeline, measures=MEASURES)

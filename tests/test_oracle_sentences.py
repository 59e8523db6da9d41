"""A second implementation of measures of pleas, sentences and relief after conviction, over random worlds."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings

from pipeline.contract import UNKNOWNS
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

GUILTY = ("plea_guilty", "plea_nolo", "verdict_guilty")
ENDED = ("dismissed_da", "dismissed_court", "acquitted", "pretrial_probation")
NO_END = ("transferred", "mistrial", "other")
TERMS = {
    "days": [90, 180, 184, 270, 335, 363, 364, 365, 366, 400],
    "months": [6, 9, 11, 12, 13],
    "years": [1, 2],
}


def world(draw: Draw) -> Tables:
    """People and cases, with how charges ended, sentences, memos, offers and motions."""
    made = people_and_cases(draw)
    made["disposition"] = [
        {
            "disposition_id": f"d{i}",
            "charge_id": draw.one_of("h", 400),
            "disposed_on": draw.maybe(draw.day(), 0.05),
            "type": draw.choice([*GUILTY, *ENDED, *NO_END, *UNKNOWNS]),
            "is_conviction_state": draw.yes(0.9),
        }
        for i in draw.many(500)
    ]
    made["sentence"] = [
        {
            "sentence_id": f"s{i}",
            "charge_id": draw.one_of("h", 400),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.5),
            "sentenced_on": draw.day(),
            "sentence_type": draw.code("sentence", "sentence_type"),
            "imposed_unit": (unit := draw.choice(["days", "days", "days", "months", "years", "life", "not_recorded"])),
            "imposed_value": draw.maybe(draw.choice(TERMS.get(unit, [None])), 0.1),
            "suspended_days": draw.maybe(draw.choice([0, 0, 30, 365]), 0.4),
            "da_recommended_days": draw.maybe(draw.choice([0, 90, 364, 365]), 0.5),
            "modified_from": draw.maybe(draw.one_of("s", 600), 0.9),
        }
        for i in draw.many(600)
    ]
    made["justification_memo"] = [
        {
            "memo_id": f"m{i}",
            "case_id": draw.one_of("c", 220),
            "written_at": draw.maybe(draw.day(60), 0.1),
            "approved_by_role": draw.maybe("chief", 0.3),
            "approved_at": draw.maybe(draw.day(60), 0.3),
            "recommendation_at": draw.maybe(draw.day(60), 0.1),
        }
        for i in draw.many(150)
    ]
    made["plea_offer"] = [
        {
            "offer_id": f"o{i}",
            "case_id": draw.one_of("c", 220),
            "made_at": (made_at := draw.day()),
            "made_by": draw.code("plea_offer", "made_by"),
            "imm_considered": draw.code("plea_offer", "imm_considered"),
            "imm_considered_at": draw.after(made_at, 3, 0.5),
            "imm_raised_by_defence": draw.yes(),
            "outcome": draw.code("plea_offer", "outcome"),
            "answered_at": draw.after(made_at, 60, 0.4),
            "expires_on": draw.after(made_at, 30, 0.5),
        }
        for i in draw.many(700)
    ]
    made["post_conviction_motion"] = [
        {
            "motion_id": f"n{i}",
            "case_id": draw.one_of("c", 220),
            "person_id": draw.maybe(draw.one_of("p", 90)),
            "type": draw.code("post_conviction_motion", "type"),
            "filed_at": (filed := draw.day()),
            "conviction_final_date": draw.maybe(draw.day(365, date(2009, 10, 1))),
            "da_position": draw.code("post_conviction_motion", "da_position"),
            "position_at": draw.after(filed, 90, 0.5),
            "outcome": draw.code("post_conviction_motion", "outcome"),
            "outcome_at": draw.after(filed, 300, 0.5),
        }
        for i in draw.many(500)
    ]
    return made


class Sentences(Oracle):
    """Reads the world as the definitions say, sentences among it."""

    def __init__(self, made: Tables) -> None:
        super().__init__(made)
        self.case_of = {c["charge_id"]: case for case, charges in self.charges.items() for c in charges}
        self.versions: dict[str, list[Row]] = defaultdict(list)
        for row in self.tables["charge"]:
            if row["is_enhancement"] is not True:
                self.versions[row["charge_id"]].append(row)

    def case_of_sentence(self, sentence: Row) -> str | None:
        case = sentence["case_id"] or self.case_of.get(sentence["charge_id"])
        return case if case in self.cases else None


def custody(sentence: Row) -> bool | None:
    """Is the sentence one of custody, suspended or not? None where the record leaves it open."""
    kind, suspended = sentence["sentence_type"], sentence["suspended_days"]
    if kind in ("prison", "jail", "time_served") or (suspended or 0) > 0:
        return True
    if kind in ("fine", "community_service") or (kind == "probation" and suspended == 0):
        return False
    return None


def firsts(oracle: Sentences) -> list[Row]:
    return [s for s in oracle.tables["sentence"] if s["modified_from"] is None]


def a_day_short(oracle: Sentences) -> Found:
    for s in firsts(oracle):
        term = (s["imposed_value"], s["imposed_unit"])
        if custody(s) and term in [(364, "days"), (365, "days"), (12, "months"), (1, "years")]:
            groups = oracle.of_case(oracle.case_of_sentence(s), s["sentenced_on"])
            yield groups, ("since_cap_of_364_days", term == (364, "days"))


def whole_months(oracle: Sentences) -> Found:
    for s in firsts(oracle):
        value, unit = s["imposed_value"], s["imposed_unit"]
        months = {("years", 1): 12, ("days", 270): 9, ("days", 335): 11, ("days", 365): 12}.get((unit, value))
        if unit == "months" and value is not None and 9 <= value <= 15:
            months = value
        if custody(s) and months is not None:
            yield oracle.of_case(oracle.case_of_sentence(s), s["sentenced_on"]), ("", months == 12)


def by_case(oracle: Sentences) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for s in firsts(oracle):
        if (case := oracle.case_of_sentence(s)) is not None:
            found[case].append(s)
    return found


def carceral(oracle: Sentences) -> Found:
    for case, sentences in by_case(oracle).items():
        kinds = [custody(s) or (False if s["sentence_type"] == "probation" else custody(s)) for s in sentences]
        if True in kinds or None not in kinds:
            yield oracle.of_case(case, min(s["sentenced_on"] for s in sentences)), ("", True in kinds)


def memos(oracle: Sentences) -> Found:
    for case, sentences in by_case(oracle).items():
        if all(s["da_recommended_days"] is None for s in sentences):
            continue
        of_case = [m for m in oracle.tables["justification_memo"] if m["case_id"] == case]

        def in_time(memo: Row) -> bool | None:
            written, signed, due = memo["written_at"], memo["approved_at"], memo["recommendation_at"]
            if written is not None and due is not None and written > due:
                return False
            if None in (written, due):
                return None
            if signed is None:
                return False if memo["approved_by_role"] is None else None
            return bool(signed <= due)

        answers = [in_time(m) for m in of_case]
        if True in answers or None not in answers:
            yield oracle.of_case(case, min(s["sentenced_on"] for s in sentences)), ("", True in answers)


def federal_conviction_alone(oracle: Sentences) -> Found:
    charges: dict[str, list[Row]] = defaultdict(list)
    for row in oracle.tables["disposition"]:
        charges[row["charge_id"]].append(row)
    for charge, ends in charges.items():
        last = max(ends, key=lambda d: (d["disposed_on"] or date.min, d["disposition_id"]))
        here = last["is_conviction_state"]
        if here is None:
            here = {**dict.fromkeys(GUILTY, True), **dict.fromkeys(ENDED, False)}.get(last["type"])

        def gravity(end: Row) -> int:
            return 2 if end["type"] in GUILTY else 0 if end["type"] in (*ENDED, "mistrial") else 1

        gravest = min(ends, key=lambda d: (-gravity(d), d["disposed_on"] or date.max, d["disposition_id"]))
        if here is None or (here is False and gravity(gravest) == 1):
            continue
        versions = sorted(oracle.versions.get(charge, []), key=lambda v: v["version_no"])
        case = versions[-1]["case_id"] if versions else None
        case = case if case in oracle.cases else None
        own = versions[-1]["offence_category"] if versions else "not_recorded"
        person = oracle.cases[case]["person_id"] if case else None
        offence = oracle.top_offence(case) if own in UNKNOWNS else own
        yield oracle.groups(person, gravest["disposed_on"], offence), ("", not here and gravity(gravest) == 2)


def considered(oracle: Sentences) -> Found:
    for o in oracle.tables["plea_offer"]:
        if o["made_by"] == "da" and o["imm_raised_by_defence"] and o["imm_considered"] not in UNKNOWNS:
            entered = o["imm_considered_at"] or o["made_at"]
            answer = o["imm_considered"] == "yes" and entered <= o["made_at"]
            yield oracle.of_case(o["case_id"], o["made_at"]), ("", answer)


def deferred_to(oracle: Sentences) -> Found:
    for o in oracle.tables["plea_offer"]:
        asked = o["made_by"] == "defence" and o["imm_raised_by_defence"]
        if asked and o["outcome"] in ("accepted", "rejected", "countered"):
            yield oracle.of_case(o["case_id"], o["made_at"]), ("", o["outcome"] == "accepted")


def answered(oracle: Sentences) -> Found:
    for o in oracle.tables["plea_offer"]:
        if o["made_by"] != "defence" or not o["imm_raised_by_defence"]:
            continue
        if o["answered_at"] is not None:
            end, outcome = o["answered_at"], "event"
        elif o["outcome"] in ("accepted", "rejected", "countered", "withdrawn"):
            continue
        elif o["outcome"] == "expired":
            end, outcome = o["expires_on"], "expired"
        else:
            end, outcome = oracle.as_of, "censored"
        if end is not None and end >= o["made_at"]:
            yield oracle.of_case(o["case_id"], o["made_at"]), ("", (end - o["made_at"]).days, outcome)


def of_motion(oracle: Sentences, motion: Row) -> Groups | None:
    person = motion["person_id"] or oracle.cases.get(motion["case_id"], {}).get("person_id")
    return oracle.groups(person, motion["filed_at"], oracle.top_offence(motion["case_id"]))


TAKEN = ("stipulated", "non_opposed", "opposed", "no_response")


def positions(oracle: Sentences) -> Found:
    for m in oracle.tables["post_conviction_motion"]:
        if m["da_position"] in TAKEN:
            yield of_motion(oracle, m), ("", m["da_position"] in ("stipulated", "non_opposed"))


def parity(oracle: Sentences) -> Found:
    for m in oracle.tables["post_conviction_motion"]:
        final = m["conviction_final_date"]
        if m["da_position"] in TAKEN and final is not None:
            side = "final_before_padilla" if final < date(2010, 3, 31) else "final_since_padilla"
            yield of_motion(oracle, m), (side, m["da_position"] == "stipulated")


def positioned(oracle: Sentences) -> Found:
    for m in oracle.tables["post_conviction_motion"]:
        if m["position_at"] is not None:
            end, outcome = m["position_at"], "event"
        elif m["da_position"] in ("stipulated", "non_opposed", "opposed"):
            continue
        elif m["outcome_at"] is not None:
            end, outcome = m["outcome_at"], "ended_first"
        elif m["da_position"] == "no_response":
            continue
        else:
            end, outcome = oracle.as_of, "censored"
        if end >= m["filed_at"]:
            yield of_motion(oracle, m), ("", (end - m["filed_at"]).days, outcome)


MEASURES: dict[str, Definition] = {
    "SEN-01": a_day_short,
    "SEN-01b": whole_months,
    "SEN-08": memos,
    "SEN-12": carceral,
    "SEN-18": federal_conviction_alone,
    "PLE-01": considered,
    "PLE-06": answered,
    "PLE-12": deferred_to,
    "PCR-02": positions,
    "PCR-04": positioned,
    "PCR-05": parity,
}


def differing(random: Random, size: float, *, at_least: int = 0) -> list[tuple[object, ...]]:
    made = world(Draw(random, size))
    return disagreements(made, Sentences(made), MEASURES, at_least=at_least)


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

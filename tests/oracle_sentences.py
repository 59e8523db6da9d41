"""A second implementation of measures of pleas, sentences and relief after conviction, over random worlds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.contract import UNKNOWNS
from tests.oracle import (
    GUILTY,
    Definition,
    Draw,
    Found,
    Groups,
    Oracle,
    Row,
    SecondImplementation,
    Tables,
    count,
    days_between,
    known,
    mix,
    people_and_cases,
    rate,
    values,
)

ENDED = ("dismissed_da", "dismissed_court", "acquitted", "pretrial_probation")
NO_END = ("transferred", "mistrial", "other")
TERMS = {
    "days": [90, 179, 180, 181, 184, 185, 191, 270, 335, 359, 363, 364, 365, 366, 370, 371, 400],
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
            "da_recommended_type": draw.choice(["jail", draw.code("sentence", "da_recommended_type", unknown=0.6)]),
            "da_cost_stated": draw.maybe(f"{draw.below(9_000) / 100:.2f}", 0.7),
            "probation_months": draw.maybe(draw.choice([0, 12, 36]), 0.6),
            "supervision_reports_to_ice": draw.yes(),
            "modified_from": draw.maybe(draw.one_of("s", 600), 0.9),
        }
        for i in draw.many(600)
    ]
    made["justification_memo"] = [
        {
            "memo_id": f"m{i}",
            "case_id": draw.one_of("c", 220),
            "written_at": draw.maybe(draw.day(60, date(2021, 12, 1)), 0.1),
            "approved_by_role": draw.maybe("chief", 0.3),
            "approved_at": draw.maybe(draw.day(60, date(2021, 12, 1)), 0.3),
            "recommendation_at": draw.maybe(draw.day(60, date(2021, 12, 1)), 0.1),
            "factors": draw.maybe(draw.choice(["severity", "Record; victim", "age;gang;severity", "gang", ""])),
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
            "documents_demanded": draw.yes(),
            "refusal_reason": draw.code("plea_offer", "refusal_reason"),
            "status_as_leverage": draw.yes(),
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
            "initiator": draw.code("post_conviction_motion", "initiator"),
            "reviewer_body": draw.code("post_conviction_motion", "reviewer_body"),
            "order_names_legal_defect": draw.code("post_conviction_motion", "order_names_legal_defect"),
            "requested_at": draw.maybe(draw.day(60, date(2019, 10, 1)), 0.5),
            "counselled": draw.yes(),
            "urgency_flag": draw.yes(),
            "conviction_final_date": draw.maybe(draw.day(365, date(2009, 10, 1))),
            "da_position": draw.code("post_conviction_motion", "da_position"),
            "position_at": draw.after(filed, 90, 0.5),
            "outcome": draw.code("post_conviction_motion", "outcome"),
            "outcome_at": draw.after(filed, 300, 0.5),
        }
        for i in draw.many(500)
    ]
    made["conviction_review"] = [
        {
            "review_id": f"v{i}",
            "case_id": draw.maybe(draw.one_of("c", 220)),
            "reviewed_at": draw.day(),
            "relief_moved": draw.yes(),
        }
        for i in draw.many(60)
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


def sentences(oracle: Sentences) -> Iterator[tuple[Groups | None, Row]]:
    for row in firsts(oracle):
        term, is_custody = (row["imposed_value"], row["imposed_unit"]), custody(row)
        supervised = row["sentence_type"] == "probation" or (row["probation_months"] or 0) > 0
        yield (
            oracle.of_case(oracle.case_of_sentence(row), row["sentenced_on"]),
            {
                **row,
                "year": around(YEAR, *term) if is_custody else None,
                "half_year": around(HALF_YEAR, *term) if is_custody else None,
                "supervised": supervised,
            },
        )


#: Days, as pronounced, and what they are called; then terms in other units.
YEAR = {
    range(360, 364): "days_360_to_363",
    range(364, 365): "days_364",
    range(365, 366): "days_365",
    range(366, 371): "days_366_to_370",
    (12, "months"): "months_12_or_year_1",
    (1, "years"): "months_12_or_year_1",
}
HALF_YEAR = {
    range(175, 180): "days_175_to_179",
    range(180, 181): "days_180",
    range(181, 185): "days_181_to_184",
    range(185, 191): "days_185_to_190",
    (6, "months"): "months_6",
}


def around(line: dict[Any, str], value: int | None, unit: str) -> str | None:
    if unit == "days":
        return next((name for days, name in line.items() if isinstance(days, range) and value in days), None)
    return line.get((value, unit))


def sentenced_cases(oracle: Sentences) -> Iterator[tuple[Groups | None, Row]]:
    for case, found in by_case(oracle).items():
        kinds = [known(s["da_recommended_type"]) for s in found]
        costs = [Decimal(s["da_cost_stated"]) for s in found if s["da_cost_stated"] is not None]
        months = [s["probation_months"] for s in found if s["probation_months"]]
        memos = [judged(m) for m in oracle.tables["justification_memo"] if m["case_id"] == case]
        memo = min(memos, key=MEMOS.index) if memos else "no_memo"
        yield (
            oracle.of_case(case, min(s["sentenced_on"] for s in found)),
            {
                "recommended": any(s["da_recommended_days"] is not None for s in found) or any(kinds),
                "custody": any(k in ("prison", "jail") for k in kinds) if any(kinds) else None,
                "costed": bool(costs),
                "cost": sum(costs) if costs else None,
                "memo": memo,
                "in_time": None if memo == "days_not_recorded" else memo == "written_and_signed_in_time",
                "months": max(months, default=None),
            },
        )


#: The best of several counts.
MEMOS = ("written_and_signed_in_time", "days_not_recorded", "signed_late", "not_signed", "written_late")


def judged(memo: Row) -> str:
    written, signed, due = memo["written_at"], memo["approved_at"], memo["recommendation_at"]
    if None in (written, due):
        return "days_not_recorded"
    if written > due:
        return "written_late"
    if signed is not None:
        return "signed_late" if signed > due else "written_and_signed_in_time"
    return "not_signed" if memo["approved_by_role"] is None else "days_not_recorded"


def factors(oracle: Sentences) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["justification_memo"]:
        for factor in (row["factors"] or "").lower().split(";"):
            name = factor.strip() or "not_recorded"
            listed = name in ("severity", "record", "victim", "age", "not_recorded")
            yield oracle.of_case(row["case_id"], row["written_at"]), {"factor": name if listed else "other"}


def offers(oracle: Sentences) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["plea_offer"]:
        entered = row["imm_considered_at"] or row["made_at"]
        said = known(row["imm_considered"])
        yield (
            oracle.of_case(row["case_id"], row["made_at"]),
            {
                **row,
                "by_office": row["made_by"] == "da",
                "considered": said and (said == "yes" and entered <= row["made_at"]),
                "refused": known(row["refusal_reason"]),
            },
        )


def days_to_plea(oracle: Sentences) -> Found:
    for case, row in oracle.cases.items():
        end, filed = oracle.ends[case], row["filed_on"]
        plea, closed = end["first_plea_on"], end["closed_on"]
        days = days_between(filed, plea or closed or oracle.as_of)
        if days is not None and not end["plea_left_open"]:
            outcome = "event" if plea else "ended_without_plea" if closed else "censored"
            yield oracle.of_case(case, filed), ("", days, outcome)


def motions(oracle: Sentences) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["post_conviction_motion"]:
        initiator, defect = known(row["initiator"]), known(row["order_names_legal_defect"])
        asked = None
        if row["type"] in ("ca_pc_18_5_b", "ca_pc_1170_18", "ca_pc_17_b", "ny_cpl_440_20", "ny_cpl_440_46"):
            early = (row["requested_at"] or row["filed_at"]) <= date(2019, 10, 25)
            asked = "asked_by_25_october_2019" if early else "asked_later"
        yield (
            of_motion(oracle, row),
            {
                **row,
                "taken": row["da_position"] in TAKEN,
                "granted": row["outcome"] == "granted" if row["outcome"] in ("granted", "denied") else None,
                "by_office": initiator and initiator == "office",
                "defect": defect and defect == "yes",
                "asked": asked,
                "reviewed": known(row["reviewer_body"]),
                "to_364_days": row["type"] in ("ca_pc_18_5_b", "ny_cpl_440_20"),
            },
        )


def days_to_order(oracle: Sentences) -> Found:
    for groups, row in motions(oracle):
        ended, outcome = row["outcome_at"], row["outcome"]
        if ended is None and outcome in ("granted", "denied", "withdrawn"):
            continue
        days = days_between(row["filed_at"], ended or oracle.as_of)
        how = {"granted": "event", "denied": "event", "withdrawn": "withdrawn"}.get(outcome, "outcome_not_recorded")
        if days is not None:
            yield groups, ("", days, how if ended else "censored")


def urgent_positions(oracle: Sentences) -> Found:
    urgent = [m for m in oracle.tables["post_conviction_motion"] if m["urgency_flag"]]
    yield from positioned(oracle, urgent)


def reviews(oracle: Sentences) -> Iterator[tuple[Groups | None, Row]]:
    for row in oracle.tables["conviction_review"]:
        yield oracle.of_case(row["case_id"], row["reviewed_at"]), row


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


def positioned(oracle: Sentences, asked: list[Row] | None = None) -> Found:
    for m in oracle.tables["post_conviction_motion"] if asked is None else asked:
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
    "SEN-01a": mix(sentences, "year", where="year"),
    "SEN-01b": whole_months,
    "SEN-04a": mix(sentences, "half_year", where="half_year"),
    "SEN-08": rate(sentenced_cases, "in_time", where="recommended"),
    "SEN-08a": mix(sentenced_cases, "memo", where="recommended"),
    "SEN-10": rate(sentenced_cases, "custody", where="recommended"),
    "SEN-11": rate(sentenced_cases, "costed", where="recommended"),
    "SEN-11a": values(sentenced_cases, "cost"),
    "SEN-12": carceral,
    "SEN-15": values(sentenced_cases, "months"),
    "SEN-16": rate(sentences, "supervision_reports_to_ice", where="supervised"),
    "SEN-17": mix(factors, "factor"),
    "SEN-18": federal_conviction_alone,
    "PLE-01": considered,
    "PLE-01a": rate(offers, "considered", where="by_office"),
    "PLE-05": rate(offers, "documents_demanded", where="imm_raised_by_defence"),
    "PLE-06": answered,
    "PLE-09": mix(offers, "refusal_reason", where="refused"),
    "PLE-10a": days_to_plea,
    "PLE-11": count(offers, where="status_as_leverage"),
    "PLE-12": deferred_to,
    "PCR-01": mix(motions, "type"),
    "PCR-02": positions,
    "PCR-02a": mix(motions, "da_position", where="taken"),
    "PCR-03": rate(motions, "granted", by="da_position"),
    "PCR-04": positioned,
    "PCR-04a": days_to_order,
    "PCR-05": parity,
    "PCR-06": rate(motions, "defect", where="granted"),
    "PCR-06a": rate(motions, "defect", where=lambda row: row["granted"] and row["asked"], by="asked"),
    "PCR-07": rate(reviews, "relief_moved"),
    "PCR-07a": rate(motions, "by_office"),
    "PCR-08": mix(motions, "reviewer_body", where="reviewed"),
    "PCR-13": rate(motions, "granted", where="to_364_days"),
    "PCR-14": rate(motions, "urgency_flag"),
    "PCR-14a": urgent_positions,
    "PCR-15": rate(motions, "counselled"),
}
ORACLE = SecondImplementation(world=world, reads=Sentences, measures=MEASURES)

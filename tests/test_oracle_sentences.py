"""A second implementation of measures of pleas, sentences and relief after conviction, in slow, plain Python.

Written from the definitions in the catalogue, not from the SQL; over a random world it must agree cell by cell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from pipeline.contract import UNKNOWNS, load_contract
from tests.test_models_oracle import AS_OF, PERIOD, Counts, Groups, Oracle, world
from tests.worlds import build

Row = dict[str, Any]
Found = Iterator[tuple[Groups | None, tuple[Any, ...]]]

GUILTY = ("plea_guilty", "plea_nolo", "verdict_guilty")
ENDED = ("dismissed_da", "dismissed_court", "acquitted", "pretrial_probation")
NO_END = ("transferred", "mistrial", "other")


@cache
def sentenced(seed: int = 12) -> dict[str, list[Row]]:
    """The random world of test_models_oracle.py, with how charges ended, sentences, memos, offers and motions."""
    draw = Random(seed)
    contract = load_contract()

    def code(table: str, column: str, *, unknown: float = 0.15) -> str:
        values = contract[table].columns[column].values
        return draw.choice(list(UNKNOWNS)) if draw.random() < unknown else draw.choice(values)

    def day(first: date = date(2021, 10, 1), days: int = 1000) -> date:
        return first + timedelta(days=draw.randrange(days))

    def maybe(value: Any, missing: float = 0.2) -> Any:
        return None if draw.random() < missing else value

    def yes_or_no(missing: float = 0.3) -> bool | None:
        return draw.choice([True, False]) if draw.random() > missing else None

    made = {table: [dict(row) for row in found] for table, found in world().items()}
    made["disposition"] = [
        {
            "disposition_id": f"d{i}",
            "charge_id": f"h{draw.randrange(400)}",
            "disposed_on": maybe(day(), 0.05),
            "type": draw.choice([*GUILTY, *ENDED, *NO_END, *UNKNOWNS]),
            "is_conviction_state": yes_or_no(0.9),
        }
        for i in range(500)
    ]
    made["sentence"] = []
    for i in range(600):
        unit = draw.choice(["days", "days", "days", "months", "years", "life", "not_recorded"])
        terms = {
            "days": [90, 180, 184, 270, 335, 363, 364, 365, 366, 400],
            "months": [6, 9, 11, 12, 13],
            "years": [1, 2],
        }
        made["sentence"].append(
            {
                "sentence_id": f"s{i}",
                "charge_id": f"h{draw.randrange(400)}",
                "case_id": maybe(f"c{draw.randrange(220):03}", 0.5),
                "sentenced_on": day(),
                "sentence_type": code("sentence", "sentence_type"),
                "imposed_value": maybe(draw.choice(terms.get(unit, [None])), 0.1),
                "imposed_unit": unit,
                "suspended_days": maybe(draw.choice([0, 0, 30, 365]), 0.4),
                "da_recommended_days": maybe(draw.choice([0, 90, 364, 365]), 0.5),
                "modified_from": maybe(f"s{draw.randrange(600)}", 0.9),
            }
        )
    made["justification_memo"] = [
        {
            "memo_id": f"m{i}",
            "case_id": f"c{draw.randrange(220):03}",
            "written_at": maybe(day(days=60), 0.1),
            "approved_by_role": maybe("chief", 0.3),
            "approved_at": maybe(day(days=60), 0.3),
            "recommendation_at": maybe(day(days=60), 0.1),
        }
        for i in range(150)
    ]
    made["plea_offer"] = [
        {
            "offer_id": f"o{i}",
            "case_id": f"c{draw.randrange(220):03}",
            "made_at": (made_at := day()),
            "made_by": code("plea_offer", "made_by"),
            "imm_considered": code("plea_offer", "imm_considered"),
            "imm_considered_at": maybe(made_at + timedelta(days=draw.randrange(-3, 3)), 0.5),
            "imm_raised_by_defence": yes_or_no(),
            "outcome": code("plea_offer", "outcome"),
            "answered_at": maybe(made_at + timedelta(days=draw.randrange(-5, 60)), 0.4),
            "expires_on": maybe(made_at + timedelta(days=30), 0.5),
        }
        for i in range(700)
    ]
    made["post_conviction_motion"] = [
        {
            "motion_id": f"n{i}",
            "case_id": f"c{draw.randrange(220):03}",
            "person_id": maybe(f"p{draw.randrange(90):03}"),
            "type": code("post_conviction_motion", "type"),
            "filed_at": (filed := day()),
            "conviction_final_date": maybe(day(date(2009, 10, 1), 365)),
            "da_position": code("post_conviction_motion", "da_position"),
            "position_at": maybe(filed + timedelta(days=draw.randrange(-5, 90)), 0.5),
            "outcome": code("post_conviction_motion", "outcome"),
            "outcome_at": maybe(filed + timedelta(days=draw.randrange(-5, 300)), 0.5),
        }
        for i in range(500)
    ]
    return made


class Sentences(Oracle):
    """Reads the world as the definitions say."""

    def __init__(self, made: dict[str, list[Row]]) -> None:
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
            end, outcome = AS_OF, "censored"
        if end is not None and end >= o["made_at"]:
            yield oracle.of_case(o["case_id"], o["made_at"]), ((end - o["made_at"]).days, outcome)


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
            end, outcome = AS_OF, "censored"
        if end >= m["filed_at"]:
            yield of_motion(oracle, m), ((end - m["filed_at"]).days, outcome)


CELLS = [
    ("SEN-01", "sentencing", a_day_short),
    ("SEN-01b", "sentencing", whole_months),
    ("SEN-08", "sentencing", memos),
    ("SEN-12", "sentencing", carceral),
    ("SEN-18", "sentencing", federal_conviction_alone),
    ("PLE-01", "plea", considered),
    ("PLE-12", "plea", deferred_to),
    ("PCR-02", "post_conviction", positions),
    ("PCR-05", "post_conviction", parity),
]
VALUES = [("PLE-06", "plea", answered), ("PCR-04", "post_conviction", positioned)]


def check_cells(measure: str, mart: str, of: Callable[[Sentences], Found], made: dict[str, list[Row]]) -> None:
    numerators: Counts = Counter()
    denominators: Counts = Counter()
    for groups, (stratum, is_event) in of(Sentences(made)):
        if groups is not None:
            numerators[(*groups, stratum)] += is_event
            denominators[(*groups, stratum)] += 1
    found = (
        build(made, as_of=AS_OF, period=PERIOD, data_tests=False)
        .execute(
            f"""
            select quarter, race, citizenship, offence_group, stratum, numerator, denominator
            from marts.mart_{mart}__cells where measure_id = ?
            """,
            [measure],
        )
        .fetchall()
    )
    expected = {cell: (numerators[cell], denominators[cell]) for cell in denominators}
    assert {row[:5]: row[5:] for row in found} == expected, measure
    assert len(found) > 10


def check_values(measure: str, mart: str, of: Callable[[Sentences], Found], made: dict[str, list[Row]]) -> None:
    expected: Counts = Counter((*groups, *value) for groups, value in of(Sentences(made)) if groups is not None)
    found = (
        build(made, as_of=AS_OF, period=PERIOD, data_tests=False)
        .execute(
            f"""
            select quarter, race, citizenship, offence_group, value, outcome, cases
            from marts.mart_{mart}__values where measure_id = ?
            """,
            [measure],
        )
        .fetchall()
    )
    assert {row[:6]: row[6] for row in found} == dict(expected), measure
    assert len(found) > 10


@pytest.mark.parametrize(("measure", "mart", "of"), CELLS)
def test_cells_agree_with_a_second_implementation(measure: str, mart: str, of: Callable[[Sentences], Found]) -> None:
    check_cells(measure, mart, of, sentenced())


@pytest.mark.parametrize(("measure", "mart", "of"), VALUES)
def test_values_agree_with_a_second_implementation(measure: str, mart: str, of: Callable[[Sentences], Found]) -> None:
    check_values(measure, mart, of, sentenced())


@pytest.mark.slow
@settings(max_examples=3)
@given(seed=st.integers(min_value=0, max_value=10**6))
def test_sentences_agree_in_any_world(seed: int) -> None:
    for cells in CELLS:
        check_cells(*cells, sentenced(seed))
    for values in VALUES:
        check_values(*values, sentenced(seed))

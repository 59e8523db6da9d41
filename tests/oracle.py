"""Second implementations of the measures: random worlds, how the definitions read them, and where the models disagree.

A mart's oracle is slow, plain Python, written from the definitions in the catalogue and not from the SQL. It yields, of
each row that a measure counts, the groups it falls under and the answer; the models must have the same cells.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck

from pipeline.contract import ROOT, UNKNOWNS, load_contract
from tests.worlds import rebuild

AS_OF = date(2024, 6, 30)
PERIOD = (date(2022, 1, 1), date(2024, 3, 31))

Row = dict[str, Any]
Tables = dict[str, list[Row]]
#: quarter, race, citizenship on the day, offence group
Groups = tuple[str, str, str, str]
#: Of a rate, mix or count: stratum and whether it happened (a count has no such question: None). Of values: stratum,
#: value and outcome. Groups are None outside the period.
Found = Iterator[tuple[Groups | None, tuple[Any, ...]]]
Definition = Callable[[Any], Found]

#: What makes a small world of a whole one: some five persons and a dozen cases.
SMALL = 0.05
#: Draws that Hypothesis makes, so that it can look for the smallest world in which the models and the oracle differ.
draws = st.randoms(use_true_random=False)
#: A world is more than Hypothesis expects to draw, and takes a second to build.
PATIENT = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]}

#: the versions a charge may go through
LIVES = (
    ["filed"],
    ["referred", "filed"],
    ["filed", "amended"],
    ["arrested", "referred"],
    ["disposed"],
    ["amended", "filed"],
)
CLASSES = {
    "felony": 3,
    "wobbler_felony": 3,
    "misdemeanor": 2,
    "wobbler_misdemeanor": 2,
    "violation_infraction": 1,
}


class Draw:
    """Draws the rows of a world. `size` scales how many; whole percentages keep what Hypothesis has to choose short."""

    def __init__(self, random: Random, size: float = 1.0, first: date = date(2021, 10, 1)) -> None:
        self.random, self.size, self.first = random, size, first

    def many(self, count: int) -> range:
        return range(max(2, round(count * self.size)))

    def one_of(self, prefix: str, count: int) -> str:
        """The id of one of so many rows."""
        return f"{prefix}{self.below(len(self.many(count)))}"

    def choice(self, values: Sequence[Any]) -> Any:
        return self.random.choice(values)

    def below(self, count: int) -> int:
        return self.random.randrange(count)

    def chance(self, share: float) -> bool:
        return self.random.randrange(100) < 100 * share

    def code(self, table: str, column: str, *, unknown: float = 0.15) -> str:
        values = load_contract()[table].columns[column].values
        return str(self.choice(list(UNKNOWNS) if self.chance(unknown) else values))

    def maybe(self, value: Any, missing: float = 0.2) -> Any:
        return None if self.chance(missing) else value

    def yes(self, missing: float = 0.2) -> bool | None:
        return None if self.chance(missing) else self.choice([True, False])

    def day(self, days: int = 1000, first: date | None = None) -> date:
        return (first or self.first) + timedelta(days=self.below(days))

    def after(self, start: date, days: int, missing: float = 0.35) -> date | None:
        """A day from a little before the start on: no record is always in order."""
        found: date | None = self.maybe(start + timedelta(days=self.random.randrange(-3, days)), missing)
        return found

    def moment(self, start: date | datetime | None = None, minutes: tuple[int, int] = (0, 1440)) -> datetime:
        start = start or self.day()
        begins = start if isinstance(start, datetime) else datetime.combine(start, datetime.min.time())
        return begins + timedelta(minutes=self.random.randrange(*minutes))


def people_and_cases(draw: Draw) -> Tables:
    """Some 2,000 rows with every value of every code used, unknowns among them, and dates beyond both ends."""
    persons = [f"p{i}" for i in draw.many(90)]
    return {
        "citizenship_assertion": [
            {
                "assertion_id": f"a{i}",
                "person_id": draw.choice(persons),
                "value": draw.code("citizenship_assertion", "value"),
                "source": draw.code("citizenship_assertion", "source"),
                "asserted_at": draw.day(),
                "permission": draw.code("citizenship_assertion", "permission", unknown=0.6),
            }
            for i in draw.many(150)
        ],
        "person_race": [
            {"person_id": person, "race_code": draw.code("person_race", "race_code"), "race_source": source}
            for person in persons
            for source in ["self", "court", "jail"][: draw.below(4)]
        ],
        "case_": [
            {"case_id": f"c{i}", "person_id": draw.choice(persons), "filed_on": draw.maybe(draw.day(), 0.05)}
            for i in draw.many(220)
        ],
        "charge": [
            {
                "charge_id": f"h{i}",
                "case_id": draw.one_of("c", 220),
                "version_no": version,
                "stage": stage,
                "severity": draw.code("charge", "severity", unknown=0.08),
                "severity_rank": draw.maybe(draw.below(4), 0.5),
                "offence_category": draw.code("charge", "offence_category"),
                "is_enhancement": draw.maybe(draw.chance(0.15), 0.1),
                "is_primary": draw.maybe(draw.chance(0.3), 0.3),
            }
            for i in draw.many(400)
            for version, stage in enumerate(draw.choice(LIVES), start=1)
        ],
    }


def custody_stays(draw: Draw) -> list[Row]:
    return [
        {
            "stay_id": f"s{i}",
            "person_id": draw.one_of("p", 90),
            "case_id": draw.maybe(draw.one_of("c", 220), 0.4),
            "booked_at": (booked := draw.moment()),
            "released_at": draw.maybe(draw.moment(booked, (-1440, 90 * 1440)), 0.15),
            "release_type": draw.code("custody_stay", "release_type", unknown=0.3),
            "offence_category": draw.code("custody_stay", "offence_category"),
        }
        for i in draw.many(250)
    ]


def sent_again(draw: Draw, made: Tables) -> Tables:
    """Exports repeat themselves: a later batch holds other values for a fifth of the rows."""
    whole = {}
    for table, found in made.items():
        key = load_contract()[table].key
        again = [dict(draw.choice(found)) for _ in range(len(found) // 5)]
        for row in again:
            for column in row:
                if column not in key and column != "version_no" and draw.chance(0.5):
                    row[column] = draw.choice(found)[column]
        whole[table] = [{**row, "_batch_id": "b1"} for row in found] + [{**row, "_batch_id": "b2"} for row in again]
    return whole


class Oracle:
    """Reads a world as the definitions say."""

    def __init__(
        self, made: Mapping[str, list[Row]], *, as_of: date = AS_OF, period: tuple[date, date] = PERIOD
    ) -> None:
        self.as_of, self.period = as_of, period
        self.tables: Tables = {}
        for table, found in made.items():
            codes = [c.name for c in load_contract()[table].columns.values() if c.kind == "code"]
            last = {tuple(row[k] for k in load_contract()[table].key): row for row in found}
            self.tables[table] = [{**dict.fromkeys(codes, "not_recorded"), **row} for row in last.values()]
        self.cases = {row["case_id"]: row for row in self.tables["case_"]}
        self.charges: dict[str, list[Row]] = {}
        lives: dict[str, list[Row]] = {}
        for row in self.tables["charge"]:
            lives.setdefault(row["charge_id"], []).append(row)
        for life in lives.values():
            in_court = sorted(
                (v for v in life if v["stage"] not in ("arrested", "referred")), key=lambda v: v["version_no"]
            )
            filed = [v for v in in_court if v["stage"] == "filed"] or in_court
            if filed:
                self.charges.setdefault(filed[0]["case_id"], []).append(filed[0])

    def groups(self, person: str | None, on: date | None, offence: str) -> Groups | None:
        """Quarter, race, citizenship on the day, offence group; None outside the period."""
        if on is None or not self.period[0] <= on <= self.period[1]:
            return None
        races = {r["race_code"] for r in self.tables["person_race"] if r["person_id"] == person} - set(UNKNOWNS)
        race = "unknown"
        if "hispanic_latino" in races:
            race = "hispanic_latino"
        elif len(races) == 1:
            race = races.pop()
        elif races:
            race = "multiracial"
        said = self.said_of(person, on)
        citizenship = said.pop() if len(said) == 1 else "unknown"
        return f"{on.year}-Q{(on.month + 2) // 3}", race, citizenship, _offence_groups().get(offence, "unknown")

    def said_of(self, person: str | None, on: date) -> set[str]:
        """What usable sources have said of a person's citizenship by a day."""
        said = {
            {"us_citizen": "citizen", "us_national": "citizen", "noncitizen": "noncitizen"}.get(row["value"], "")
            for row in self.tables["citizenship_assertion"]
            if row["person_id"] == person
            and row["asserted_at"] <= on
            and row["source"] not in (*UNKNOWNS, "booking_birth_country")
            and row["permission"] != "withheld"
        }
        return said - {""}

    def nobody(self, on: date | None, offence: str = "not_recorded") -> Groups | None:
        return self.groups(None, on, offence)

    def top_offence(self, case: str | None) -> str:
        charges = self.charges.get(case or "", []) if case in self.cases else []
        # an unknown rank comes after all known ones
        ordered = sorted(
            charges,
            key=lambda c: (
                bool(c["is_enhancement"]),
                not c["is_primary"],
                (1, 0) if c["severity_rank"] is None else (0, -c["severity_rank"]),
                -CLASSES.get(c["severity"], 0),
                c["charge_id"],
            ),
        )
        return str(ordered[0]["offence_category"]) if ordered else "not_recorded"

    def of_case(self, case: str | None, on: date | None) -> Groups | None:
        person = self.cases[case]["person_id"] if case in self.cases else None
        return self.groups(person, on, self.top_offence(case))

    def own_or_case(self, case: str | None, own: str) -> str:
        top = self.top_offence(case)
        return own if top in UNKNOWNS else top


def any_true(answers: Sequence[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def disagreements(
    made: Mapping[str, list[Row]], oracle: Oracle, measures: Mapping[str, Definition], *, at_least: int = 0
) -> list[tuple[Any, ...]]:
    """The cells in which the models and the oracle differ: measure, cell, found, expected.

    With `at_least`, a measure that counts fewer rows of this world is a mistake of the world.
    """
    built = rebuild(made, as_of=oracle.as_of, period=oracle.period, marts=sorted({_mart(m)[0] for m in measures}))
    differing: list[tuple[Any, ...]] = []
    for measure, definition in measures.items():
        mart, kind = _mart(measure)
        in_cells = kind in ("rate", "mix", "count")
        expected: Counter[Any] = Counter()
        for groups, answer in definition(oracle):
            if groups is not None and in_cells:
                stratum, happened = answer
                expected[(*groups, stratum, "numerator")] += 1 if happened is None else happened
                expected[(*groups, stratum, "denominator")] += happened is not None
            elif groups is not None:
                expected[(*groups, *answer)] += 1
        assert sum(expected.values()) >= at_least, f"{measure} is hardly seen in this world"
        counts = "numerator, denominator" if in_cells else "value, outcome, cases"
        table = f"marts.mart_{mart}__{'cells' if in_cells else 'values'}"
        rows = built.execute(
            f"select quarter, race, citizenship, offence_group, stratum, {counts} from {table} where measure_id = ?",
            [measure],
        ).fetchall()
        found: Counter[Any] = Counter()
        for *cell, first, second in rows:
            if in_cells:
                found[(*cell, "numerator")] += first
                found[(*cell, "denominator")] += second
            else:
                found[(*cell, first)] += second
        # a Counter holds no zero, so that cells without events compare
        differing += [(measure, c, found[c], expected[c]) for c in found | expected if found[c] != expected[c]]
    return differing


@cache
def _mart(measure: str) -> tuple[str, str]:
    """Mart and kind of a measure."""
    with (ROOT / "data" / "reference" / "measures.csv").open(encoding="utf-8") as file:
        (row,) = (row for row in csv.DictReader(file) if row["measure_id"] == measure)
    return row["mart"], row["kind"]


@cache
def _offence_groups() -> Mapping[str, str]:
    with (ROOT / "data" / "reference" / "offence_groups.csv").open(encoding="utf-8") as file:
        return {row["offence_category"]: row["offence_group"] for row in csv.DictReader(file)}

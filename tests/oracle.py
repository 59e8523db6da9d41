"""Second implementations of the measures: random worlds, how the definitions read them, and where the models disagree.

A mart's oracle is slow, plain Python, written from the definitions in the catalogue and not from the SQL. It yields, of
each row that a measure counts, the groups it falls under and the answer; the models must have the same cells.
`tests/oracle_*.py` hold the worlds and the definitions, `tests/test_oracles.py` looks for where the two differ.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from math import floor
from random import Random
from typing import Any

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
#: The rows that measures count, and the groups of each.
Rows = Callable[[Any], Iterator[tuple[Groups | None, Row]]]
#: A column of these rows, or what to make of one; None is no answer.
Answer = str | Callable[[Row], Any]

#: the versions a charge may go through
LIVES = (
    ["filed"],
    ["referred", "filed"],
    ["filed", "amended"],
    ["arrested", "referred"],
    ["disposed"],
    ["amended", "filed"],
)
NO_END = ("transferred", "mistrial", "other")
REACHED = ("detainer", "notification_request", "interview", "arrest", "transfer")
GUILTY = ("plea_guilty", "plea_nolo", "verdict_guilty")
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
            for i in draw.many(250)
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
                "is_enhancement": draw.maybe(draw.chance(0.25), 0.1),
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


def unit_costs(draw: Draw, *items: str) -> list[Row]:
    """What each item costs in a year, here and in a jurisdiction that is not the office's."""
    return [
        {
            "jurisdiction": jurisdiction,
            "item": item,
            "year": year,
            "amount": f"{draw.below(20_000) / 100:.2f}",
            "source_url": draw.maybe("https://county.example", 0.3),
        }
        for jurisdiction in ("US-CA", "US-AA")
        for item in items
        for year in (2022, 2023, 2024)
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
        held = {row["stay_id"]: row["person_id"] for row in self.tables.get("custody_stay", [])}
        self.tables["ice_contact"] = [
            {**row, "person_id": row.get("person_id") or held.get(row.get("stay_id"))}
            for row in self.tables.get("ice_contact", [])
        ]
        self.cases = {row["case_id"]: row for row in self.tables["case_"]}
        self.referrals = {row["referral_id"]: row for row in self.tables.get("referral", [])}
        self.arrests = {row["arrest_id"]: row for row in self.tables.get("arrest", [])}
        self.arrest_charges: dict[str, list[Row]] = defaultdict(list)
        for row in self.tables.get("arrest_charge", []):
            self.arrest_charges[row["arrest_id"]].append(row)
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

    def top_charge(self, case: str | None) -> Row | None:
        """As filed; an unknown rank comes after all known ones."""
        charges = self.charges.get(case or "", []) if case in self.cases else []
        return min(
            charges,
            key=lambda c: (
                bool(c["is_enhancement"]),
                not c["is_primary"],
                (1, 0) if c["severity_rank"] is None else (0, -c["severity_rank"]),
                -CLASSES.get(c["severity"], 0),
                c["charge_id"],
            ),
            default=None,
        )

    def top_offence(self, case: str | None) -> str:
        """That of the top charge, else what was referred."""
        top = self.top_charge(case)
        own = str(top["offence_category"]) if top else "not_recorded"
        referral = self.cases.get(case, {}).get("referral_id")
        return self.referred_offence(referral) if own in UNKNOWNS and referral in self.referrals else own

    def referred_offence(self, referral: str) -> str:
        """The referral's own, else that of the gravest charge of the arrest."""
        row = self.referrals[referral]
        gravest = self.gravest_of_arrest(row.get("arrest_id"))
        own = str(row["offence_category"])
        return str(gravest["offence_category"]) if own in UNKNOWNS and gravest else own

    def gravest_of_arrest(self, arrest: str | None) -> Row | None:
        return min(
            self.arrest_charges.get(arrest or "", []),
            key=lambda c: (
                -CLASSES.get(c["severity"], 0),
                c["offence_category"] in UNKNOWNS,
                c["arrest_charge_id"],
            ),
            default=None,
        )

    def arrested_offence(self, arrest: str) -> str:
        """That of the gravest charge, else what the office had referred to it."""
        gravest = self.gravest_of_arrest(arrest)
        if gravest and gravest["offence_category"] not in UNKNOWNS:
            return str(gravest["offence_category"])
        of_arrest = [
            (key, row["offence_category"])
            for key, row in self.referrals.items()
            if row.get("arrest_id") == arrest and row["offence_category"] not in UNKNOWNS
        ]
        return str(min(of_arrest)[1]) if of_arrest else "not_recorded"

    @cached_property
    def ends(self) -> dict[str, Row]:
        """How each case ended in state law. Of one with nothing on file nothing is known."""
        charges = {c["charge_id"]: case for case, found in self.charges.items() for c in found}
        by_case: dict[str | None, list[Row]] = defaultdict(list)
        for row in self.tables["disposition"]:
            by_case[row.get("case_id") or charges.get(row["charge_id"])].append(row)
        return {case: _end(row, by_case.get(case, []), self.charges.get(case, [])) for case, row in self.cases.items()}

    @cached_property
    def first_appearances(self) -> dict[str, datetime]:
        """The first arraignment or first appearance of the defendant; where no kind is on file, the first day."""
        found: dict[str, tuple[bool, datetime]] = {}
        for row in self.tables["hearing"]:
            unknown = row["kind"] in UNKNOWNS
            if is_of_defendant(row) and (unknown or row["kind"] in ("arraignment", "first_appearance")):
                found[row["case_id"]] = min(found.get(row["case_id"], (True, datetime.max)), (unknown, row["at"]))
        return {case: at for case, (_, at) in found.items()}

    def contacts_of(self, stay: Row) -> list[Row]:
        """Known only to the month, a contact belongs to the stay it names and to no other."""
        end = stay["released_at"].date() if stay["released_at"] else date.max
        return [
            c
            for c in self.tables["ice_contact"]
            if (c["stay_id"] == stay["stay_id"] if c["stay_id"] else
                c["person_id"] == stay["person_id"] and c["at_precision"] != "month"
                and stay["booked_at"].date() <= c["at"].date() <= end)
        ]  # fmt: skip

    def of_case(self, case: str | None, on: date | None) -> Groups | None:
        person = self.cases[case]["person_id"] if case in self.cases else None
        return self.groups(person, on, self.top_offence(case))

    def own_or_case(self, case: str | None, own: str) -> str:
        top = self.top_offence(case)
        return own if top in UNKNOWNS else top


def known(code: str) -> str | None:
    return None if code in UNKNOWNS else code


def rate(of: Rows, answer: Answer, *, where: Answer | None = None, by: Answer | None = None) -> Definition:
    """Of the rows that are asked about, those with an answer, by stratum."""

    def found(oracle: Any) -> Found:
        for groups, row in of(oracle):
            said = _ask(row, answer)
            if (where is None or _ask(row, where)) and said is not None:
                yield groups, (_stratum(row, by), said)

    return found


def mix(of: Rows, by: Answer, *, where: Answer | None = None) -> Definition:
    return rate(of, lambda row: True, where=where, by=by)


def count(of: Rows, *, where: Answer | None = None, by: Answer | None = None) -> Definition:
    def found(oracle: Any) -> Found:
        for groups, row in of(oracle):
            if where is None or _ask(row, where):
                yield groups, (_stratum(row, by), None)

    return found


def values(of: Rows, value: Answer, *, where: Answer | None = None, by: Answer | None = None) -> Definition:
    """The whole part of a value, downwards, where there is one."""

    def found(oracle: Any) -> Found:
        for groups, row in of(oracle):
            said = _ask(row, value)
            if (where is None or _ask(row, where)) and said is not None:
                yield groups, (_stratum(row, by), floor(said), "event")

    return found


def _ask(row: Row, answer: Answer) -> Any:
    return row[answer] if isinstance(answer, str) else answer(row)


def _stratum(row: Row, by: Answer | None) -> str:
    return "" if by is None else _ask(row, by) or "not_recorded"


@dataclass(frozen=True, kw_only=True)
class SecondImplementation:
    """Measures as the definitions read them, and the worlds, from a day on, in which to ask."""

    world: Callable[[Draw], Tables]
    reads: Callable[[Tables], Oracle]
    measures: Mapping[str, Definition]
    first: date = date(2021, 10, 1)

    def differing(self, random: Random, size: float, *, at_least: int = 0) -> list[tuple[Any, ...]]:
        made = self.world(Draw(random, size, first=self.first))
        return disagreements(made, self.reads(made), self.measures, at_least=at_least)


def _end(case: Row, ends: list[Row], charges: list[Row]) -> Row:
    """Closed when, by a plea or a conviction when, or by none at all; and whether the person was gone."""

    def guilty(row: Row) -> bool:
        return bool(row["is_conviction_state"] if row.get("is_conviction_state") is not None else row["type"] in GUILTY)

    def is_end(row: Row) -> bool:
        return row.get("is_conviction_state") is not None or row["type"] not in (*UNKNOWNS, *NO_END)

    by_day = sorted(ends, key=lambda row: (row["disposed_on"] or date.min, row["disposition_id"]))
    last = {row["charge_id"]: row for row in by_day}
    over = {key: row for key, row in last.items() if is_end(row)}
    asked = {*last, *(charge["charge_id"] for charge in charges if charge["is_enhancement"] is not True)}
    ended = bool(ends) and asked <= set(over)
    free = all(
        not guilty(row) and row["type"] in ("dismissed_da", "dismissed_court", "acquitted") for row in over.values()
    )
    dismissed = all(not guilty(row) and row["type"] == "dismissed_da" for row in over.values())
    dated = [row["disposed_on"] for row in ends if row["disposed_on"]]
    pleas = [row["disposed_on"] for row in ends if row["type"] in ("plea_guilty", "plea_nolo")]
    reasons = [row["reason"] for row in ends if row.get("reason", "not_recorded") not in UNKNOWNS]
    days = [row["disposed_on"] for row in ends if guilty(row)]
    closed = max((row["disposed_on"] for row in over.values() if row["disposed_on"]), default=None)
    return {
        "closed_on": case.get("closed_on") or (closed if ended else None),
        "last_disposed_on": max(dated, default=None),
        "first_plea_on": min((day for day in pleas if day), default=None),
        "plea_left_open": bool(pleas) and not any(pleas),
        "first_conviction_on": min((day for day in days if day), default=None),
        "without_conviction": free if ends and (ended or not free) else None,
        "dismissed": dismissed if ends and (ended or not dismissed) else None,
        "left_open": None in days
        or any(row["type"] in UNKNOWNS and row.get("is_conviction_state") is None for row in ends),
        "removed": "removed_or_ice_custody" in reasons if reasons else None,
    }


def is_of_defendant(hearing: Row) -> bool:
    return hearing["role"] not in ("victim", "witness", "relative")


def is_held(stay: Row) -> bool:
    return stay["released_at"] is None and stay["release_type"] in UNKNOWNS


def exact(at: datetime | None, precision: str = "not_recorded") -> datetime | None:
    """A time where it is known to the minute: midnight means that only the day was written down."""
    if at is None or precision in ("day", "month"):
        return None
    return at if precision == "minute" or at.time() != datetime.min.time() else None


def hours_between(start: datetime | None, end: datetime | None) -> int | None:
    """Whole hours; None where the second comes first."""
    return None if start is None or end is None or end < start else (end - start) // timedelta(hours=1)


def days_between(start: date | None, end: date | None) -> int | None:
    return None if start is None or end is None or end < start else (end - start).days


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
    rare = []
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
        if sum(expected.values()) < at_least:
            rare.append(measure)
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
    assert not rare, f"hardly seen in this world: {rare}"
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

"""A county that never was: its persons, its matters, its office, its exports and the truth about them.

Everything is drawn inside DuckDB by hashing (seed, salt, row number), so the same seed gives the same bytes on any
number of threads; nothing is held in Python, so the size is bounded by the disk.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import jinja2

from pipeline.errors import AuditError, Problem, place
from pipeline.synth.effects import Effects, load_effects
from pipeline.synth.export import Exporter
from pipeline.synth.sql import pick
from pipeline.synth.truth import write_truth

HERE = Path(__file__).resolve().parent
#: What is wrong in the Example County.
EXAMPLE_EFFECTS = HERE.parent / "offices" / "example_county" / "effects.yml"
#: The null county: nothing is wrong.
NO_EFFECTS = HERE / "no_effects.yml"

LAST_DAY = date(2024, 12, 31)
AS_OF = date(2025, 3, 31)
#: About three referrals in four are filed.
MATTERS_PER_CASE = 1.41
PERSONS_PER_MATTER = 0.69
MEMORY_LIMIT = "4GB"


@dataclass(frozen=True, kw_only=True)
class County:
    """The sizes and days of one county. `cases` is the number of filed cases, within a few percent."""

    cases: int
    seed: int
    quarters: int
    effects: Effects

    @property
    def start(self) -> date:
        """The first day of the first quarter."""
        month = LAST_DAY.year * 12 + 12 - 3 * self.quarters
        return date(month // 12, month % 12 + 1, 1)

    @property
    def days(self) -> int:
        return (LAST_DAY - self.start).days + 1

    @property
    def matters(self) -> int:
        return round(self.cases * MATTERS_PER_CASE)

    @property
    def persons(self) -> int:
        return round(self.matters * PERSONS_PER_MATTER)

    @property
    def first_export(self) -> date:
        """The day of the first of the two exports: the last tenth of the quarters comes in the second."""
        month = LAST_DAY.year * 12 + 12 - 3 * max(1, self.quarters // 10)
        return date(month // 12, month % 12 + 1, 1) - timedelta(days=1)

    @property
    def sizes(self) -> Mapping[str, object]:
        """What the SQL of the county is written with."""
        return {
            "matters": self.matters,
            "persons": self.persons,
            "start": self.start,
            "days": self.days,
            "old_convictions": max(60, self.cases // 200),
            "requests": max(40, self.cases // 600),
            "certifications": max(120, self.cases // 150),
            "clemencies": max(20, self.cases // 1000),
            "old_warrants": max(40, self.cases // 80),
            "quarters": self.quarters,
            "knowledge": self.effects.knowledge,
        }


def write_county(
    *, out: Path, cases: int = 120_000, seed: int, effects: Path | None = None, quarters: int = 40
) -> None:
    """Write `out/exports/<batch>/...`, an office's two exports, and `out/truth/...`, what is true of them.

    `cases` is the number of filed cases, within a few percent; `quarters` end with 2024-Q4. `effects` is an effects
    file: by default the Example County's; `NO_EFFECTS` plants nothing. Raises `AuditError` for a wrong argument or a
    wrong effects file, and rather than overwrite a folder that it did not write itself.
    """
    problems = [
        Problem(code="IIU151", where=place(file=name), what=f"is {value}", expected=expected)
        for name, value, expected, wrong in (
            ("cases", cases, "100 to 50,000,000", not 100 <= cases <= 50_000_000),
            ("quarters", quarters, "4 to 40", not 4 <= quarters <= 40),
        )
        if wrong
    ]
    exports, truth = out / "exports", out / "truth"
    if (exports.exists() or truth.exists()) and not (truth / "county.json").is_file():
        problems.append(
            Problem(
                code="IIU151",
                where=place(file=str(out)),
                what="holds exports or a truth that no synthetic county wrote",
                expected="a folder of its own",
                fix="Choose another --out",
            )
        )
    if problems:
        raise AuditError(problems)
    county = County(cases=cases, seed=seed, quarters=quarters, effects=load_effects(effects or EXAMPLE_EFFECTS))
    for folder in (exports, truth):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    # First of all, so that a run that was cut short may be repeated into the same folder.
    (truth / "county.json").write_text(
        json.dumps({"cases": cases, "seed": seed, "quarters": quarters}, indent=1) + "\n", encoding="utf-8"
    )
    with tempfile.TemporaryDirectory(dir=out, prefix=".county-") as scratch:
        connection = duckdb.connect(str(Path(scratch) / "county.duckdb"))
        try:
            connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
            connection.execute(f"SET temp_directory = '{Path(scratch) / 'spill'}'")
            build_world(connection, county)
            exporter = Exporter(
                connection,
                folder=exports,
                seed=seed,
                first=county.first_export,
                second=AS_OF,
                sizes=county.sizes,
                cases=cases,
            )
            files = exporter.write_all()
            write_truth(
                connection,
                folder=truth,
                effects=county.effects,
                first_day=str(county.start),
                last_day=str(LAST_DAY),
                files=files,
            )
        finally:
            connection.close()


def build_world(connection: duckdb.DuckDBPyConnection, county: County) -> None:
    """Create the tables of the world in `connection`: matter, person, charge, hearing, bail and so on."""
    connection.execute(_macros(county.seed, county.persons))
    _set_offences(connection)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.globals.update(county.sizes, pick=pick, effect=_effect(county.effects))
    for path in sorted((HERE / "world").glob("*.sql")):
        connection.execute(environment.from_string(path.read_text(encoding="utf-8")).render())


def _effect(effects: Effects) -> Callable[..., str]:
    """What the templates of the world call `effect(decision, day)`: its share of the decision's log-odds, as SQL."""

    def sql(decision: str, day: str, severity: str = "grave") -> str:
        return effects.sql(
            decision,
            day,
            severity=f"CASE {severity} WHEN 1 THEN 'felony' WHEN 0 THEN 'misdemeanor' END",
            detainer="CASE WHEN has_detainer THEN 'yes' ELSE 'no' END",
            conviction="conviction",
        )

    return sql


def _macros(seed: int, persons: int) -> str:
    """The vocabulary of the world: draws, offences, persons."""
    salt = hashlib.sha256(f"example county {seed}".encode()).hexdigest()[:16]
    by_race = "race_of(person)"
    return f"""
    -- A uniform number in (0, 1) from a row number and a salt. hash() mixes the exclusive or of the two, so that
    -- draws of one row with different salts, and of different rows with one salt, are independent.
    CREATE MACRO draw(id, salt) AS
        (CAST(hash(xor(CAST(id AS UBIGINT), hash('{salt}' || salt))) >> 12 AS DOUBLE) + 5e-1) / 4503599627370496e0;
    CREATE MACRO whole(id, salt, low, high) AS CAST(low + floor(draw(id, salt) * (high - low + 1)) AS INTEGER);
    CREATE MACRO expit(x) AS 1 / (1 + exp(-(x)));
    CREATE MACRO logit(u) AS ln((u) / (1 - (u)));
    CREATE MACRO offence_slot(u) AS getvariable('slots')[1 + CAST(floor((u) * 1000) AS INTEGER)];
    CREATE MACRO grave_of(severity) AS
        CASE WHEN severity IN ('felony', 'wobbler_felony') THEN 1 WHEN severity = 'violation_infraction' THEN -1 ELSE 0 END;
    CREATE MACRO race_of(person) AS {pick("race", RACES, id="person")};
    -- One person in six is a noncitizen, by race; of those whose old convictions are attacked, nearly all.
    CREATE MACRO citizenship_of(person) AS CASE WHEN draw(person, 'citizenship') < CASE
        WHEN person >= {persons} THEN 0.88
        {" ".join(f"WHEN {by_race} = '{race}' THEN {share}" for race, share in NONCITIZENS.items())} ELSE 0 END
        THEN 'noncitizen' ELSE 'citizen' END;
    CREATE MACRO language_of(person, race, citizenship) AS CASE
        WHEN draw(person, 'language') >= CASE citizenship WHEN 'noncitizen' THEN 0.55 ELSE 0.06 END THEN 'eng'
        WHEN race = 'hispanic_latino' THEN 'spa'
        WHEN race = 'asian' THEN {pick("asian language", {"cmn": 0.4, "vie": 0.35, "tgl": 0.25}, id="person")}
        WHEN race = 'mena' THEN 'ara' WHEN draw(person, 'other language') < 0.5 THEN 'spa' ELSE 'rus' END;
    CREATE MACRO detainer_chance(citizenship, lodged) AS CASE
        WHEN citizenship = 'citizen' THEN 0.0008 WHEN lodged < DATE '2017-01-25' THEN 0.30 WHEN lodged < DATE '2021-01-20' THEN 0.42 ELSE 0.24 END;
    CREATE MACRO detainer_outcome(u, lodged) AS CASE
        WHEN u < CASE WHEN lodged < DATE '2018-01-01' THEN 0.30 ELSE 0.06 END THEN 'honoured_extra_hold'
        WHEN u < CASE WHEN lodged < DATE '2018-01-01' THEN 0.50 ELSE 0.16 END THEN 'transferred_no_extra_hold'
        WHEN u < CASE WHEN lodged < DATE '2018-01-01' THEN 0.62 ELSE 0.34 END THEN 'notified_only'
        WHEN u < 0.80 THEN 'declined' WHEN u < 0.88 THEN 'cancelled_by_ice' ELSE 'released_before' END;
    CREATE MACRO person_no(person) AS 'P' || lpad(CAST(person AS VARCHAR), 8, '0');
    CREATE MACRO matter_no(m) AS 'M' || lpad(CAST(m AS VARCHAR), 8, '0');
    CREATE MACRO arrest_no(m, day) AS strftime(day, '%y') || '-' || lpad(CAST(m AS VARCHAR), 8, '0');
    CREATE MACRO case_no(m, day) AS strftime(day, '%y') || 'CR' || lpad(CAST(m AS VARCHAR), 8, '0');
    CREATE MACRO old_case_no(i) AS 'CR' || lpad(CAST(100000 + i AS VARCHAR), 7, '0');
    CREATE MACRO surname(person) AS ['ander', 'bury', 'corva', 'dale', 'ewick', 'fenn', 'gorst', 'holm', 'ivers', 'jorr', 'kint', 'lund'][whole(person, 'surname', 1, 12)];
    CREATE MACRO forename(person) AS ['Qwilla', 'Qwinn', 'Qworth', 'Qwarren', 'Qwest', 'Qwynne'][whole(person, 'forename', 1, 6)];
    """


#: Shares of the persons, and of noncitizens among them.
RACES: Mapping[object, float] = {
    "white": 0.335,
    "black": 0.20,
    "hispanic_latino": 0.31,
    "asian": 0.065,
    "aian": 0.015,
    "mena": 0.02,
    "nhpi": 0.01,
    "multiracial": 0.03,
    "other": 0.015,
}
NONCITIZENS: Mapping[str, float] = {
    "white": 0.05,
    "black": 0.06,
    "hispanic_latino": 0.34,
    "asian": 0.30,
    "aian": 0.01,
    "mena": 0.30,
    "nhpi": 0.15,
    "multiracial": 0.06,
    "other": 0.20,
}


def _set_offences(connection: duckdb.DuckDBPyConnection) -> None:
    """One list per column of offences.csv, so that `offence_category(o)` is a look-up in a constant and not a join."""
    with (HERE / "offences.csv").open(encoding="utf-8", newline="") as stream:
        offences = list(csv.DictReader(stream))
    lists: dict[str, list[object]] = {
        "category": [row["category"] for row in offences],
        "severity": [row["severity"] for row in offences],
        "text": [row["description"] for row in offences],
        "statute": [_statute(row) for row in offences],
        "substance": [row["substance"] or None for row in offences],
        "bail": [int(row["bail"]) for row in offences],
        "lesser": [int(row["lesser"]) for row in offences],
        "neutral": [int(row["neutral"]) for row in offences],
        "low_level": [row["low_level"] == "1" for row in offences],
        "divertible": [row["divertible"] == "1" for row in offences],
    }
    connection.execute("SET VARIABLE slots = $1", [_slots([float(row["weight"]) for row in offences])])
    for name, values in lists.items():
        connection.execute(f"SET VARIABLE offence_{name} = $1", [values])
        connection.execute(f"CREATE MACRO offence_{name}(o) AS getvariable('offence_{name}')[o]")


def _statute(row: Mapping[str, str]) -> str:
    """As clerks write it: `PC 245(a)(1)`, and `PC 459/460(b)` for a section read with another."""
    joint = "/" if row["subdivision"][:1].isdigit() else ""
    return f"{row['code']} {row['section']}{joint}{row['subdivision']}"


def _slots(weights: list[float]) -> list[int]:
    """A thousand slots, shared out by weight: an offence is one list look-up, not a join."""
    total = sum(weights)
    bounds = [round(1000 * sum(weights[: i + 1]) / total) for i in range(len(weights))]
    return [1 + next(i for i, bound in enumerate(bounds) if slot < bound) for slot in range(1000)]

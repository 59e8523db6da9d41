"""Immigration consequences: a table of cases with the answer that the cited law gives, and what the models must never do.

`consequence_cases.csv` reads: this charge, disposed so on this day with this sentence, asked about this ground under the
law as known then or now. `unreviewed` is the answer while no attorney has reviewed the rows, `reviewed` the answer after.
The expected answers come from the decisions and statutes named in `why`.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from dbt.cli.main import dbtRunner

from pipeline.contract import ROOT, load_contract

REFERENCE = ROOT / "data" / "reference"
MODELS = ROOT / "models" / "intermediate" / "consequences"
AS_OF = "2026-11-01"
CASES = list(csv.DictReader((Path(__file__).parent / "consequence_cases.csv").open(encoding="utf-8")))

Row = dict[str, object]


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((REFERENCE / f"{name}.csv").open(encoding="utf-8")))


# --- a county of test cases ---------------------------------------------------------------------------------------


class County:
    """An empty landed database of the contract, to be filled row by row."""

    def __init__(self, path: Path) -> None:
        self._db = duckdb.connect(str(path))
        self._db.execute("create schema landed")
        for table in load_contract().values():
            columns = [f'"{c.name}" {c.data_type}' for c in table.columns.values()]
            columns += ["_batch_id varchar", "_source_file varchar", "_source_row bigint"]
            self._db.execute(f'create table landed."{table.name}" ({", ".join(columns)})')
        self._db.execute("create table landed.supplied (table_name varchar, column_name varchar)")
        self._db.execute("insert into landed.supplied values ('disposition', 'type')")
        self._db.execute(
            f"""create table landed.audit_settings as select 'test' as office, 'US-CA' as jurisdiction,
                date '{AS_OF}' as as_of_date, date '2010-01-01' as period_from, date '2026-09-30' as period_to,
                'white' as reference_race, 'citizen' as reference_citizenship, 1::bigint as seed"""
        )

    def add(self, table: str, **values: object) -> None:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        self._db.execute(f'insert into landed."{table}" ({names}) values ({marks})', list(values.values()))

    def charge(
        self, key: str, statute: str, severity: str | None, facts: Row | None = None, *, case: str | None = None
    ) -> None:
        """A charge `US-CA PC 459 460(a)` in a case of its own, or in `case`."""
        jurisdiction, code, section, *subdivision = statute.split()
        if case is None:
            case = key
            self.add("case_", case_id=case, person_id=f"person of {key}", filed_on="2010-01-04")
        row: Row = {
            "charge_id": key,
            "version_no": 1,
            "case_id": case,
            "stage": "filed",
            "as_of": "2010-01-04",
            "jurisdiction": jurisdiction,
            "code": code,
            "section": section,
            "subdivision": subdivision[0] if subdivision else None,
            "severity": severity,
        }
        self.add("charge", **{**row, **(facts or {})})

    def dispose(self, charge: str, kind: str, day: str | None, *, key: str | None = None) -> None:
        name, _, reason = kind.partition(" for ")
        self.add(
            "disposition",
            disposition_id=key or charge,
            charge_id=charge,
            type=name,
            reason=reason or None,
            disposed_on=day,
        )

    def sentence(self, charge: str, day: str, text: str, *, key: str | None = None, **more: object) -> None:
        """`jail: 12 months; 365 suspended`"""
        kind, _, rest = text.partition(":")
        term, _, suspended = rest.partition(";")
        value, _, unit = term.strip().partition(" ")
        if value == "life":
            value, unit = "", "life"
        row: Row = {
            "sentence_id": key or charge,
            "charge_id": charge,
            "sentenced_on": day,
            "sentence_type": kind,
            "imposed_value": value or None,
            "imposed_unit": unit or None,
            "suspended_days": int(suspended.split()[0]) if suspended else None,
        }
        self.add("sentence", **{**row, **more})

    def close(self) -> None:
        self._db.close()


PROGRAMMES: dict[str, Row] = {
    "": {},
    "no plea": {"requires_plea": False, "requires_admission": False},
    "plea, restraint": {"requires_plea": True, "judge_ordered_restraint": True},
    "plea, no restraint": {"requires_plea": True, "judge_ordered_restraint": False},
    "admission in court, restraint": {
        "requires_plea": False,
        "requires_admission": True,
        "admission_in_court": True,
        "judge_ordered_restraint": True,
    },
    "admission out of court, restraint": {
        "requires_plea": False,
        "requires_admission": True,
        "admission_in_court": False,
        "judge_ordered_restraint": True,
    },
}
FACTS: dict[str, Row] = {
    "": {},
    "prior": {"prior_pleaded": True},
    "no prior": {"prior_pleaded": False},
    "victim domestic": {"victim_relationship": "domestic"},
    "victim other": {"victim_relationship": "other"},
}


def _add_case(county: County, number: int, row: dict[str, str]) -> None:
    key = f"case {number}"
    facts = FACTS.get(row["facts"]) or {"loss_amount": row["facts"].removeprefix("loss ") or None}
    attempt = True if row["attempt"] == "yes" else None
    county.charge(key, row["charge"], row["severity"] or None, {"is_attempt": attempt, **facts})
    county.dispose(key, row["disposition"], row["decided_on"])
    if row["sentence"]:
        county.sentence(key, row["decided_on"], row["sentence"])
    if row["programme"]:
        programme = PROGRAMMES[row["programme"]]
        county.add("diversion_referral", diversion_id=key, case_id=key, person_id=f"person of {key}", **programme)
    if row["earlier"]:
        other = f"{key} earlier"
        in_case = key
        if row["earlier"] == "other case":
            county.add("case_", case_id=other, person_id=f"person of {key}", filed_on="2012-01-02")
            in_case = other
        county.charge(other, "US-CA PC 470 (d)", "wobbler_misdemeanor", case=in_case)
        county.dispose(other, "plea_guilty", row["decided_on"] if in_case == key else "2012-03-01")


def _add_stories(county: County) -> None:
    """What does not fit into the table: several dispositions, changed sentences, filings, offers, detainers."""
    assault = ("US-CA PC 273.5 (a)", "wobbler_felony")
    county.charge("plea then dismissal", *assault)
    county.dispose("plea then dismissal", "plea_guilty", "2020-01-06", key="d1")
    county.dispose("plea then dismissal", "dismissed_court", "2021-01-04", key="d2")
    county.charge("deferral then dismissal", "US-CA HS 11377 (a)", "misdemeanor")
    county.dispose("deferral then dismissal", "deferred_entry", "2016-01-04", key="d3")
    county.dispose("deferral then dismissal", "dismissed_court", "2017-06-05", key="d4")
    county.charge("undated", *assault)
    county.dispose("undated", "plea_guilty", None)
    county.charge("mistrial then acquittal", *assault)
    county.dispose("mistrial then acquittal", "mistrial", "2019-01-07", key="d5")
    county.dispose("mistrial then acquittal", "acquitted", "2019-06-03", key="d6")
    changes = {
        "cured": ("2022-05-02", "legal_defect"),
        "corrected": ("2022-05-02", "clerical"),
        "rehabilitated": ("2022-05-02", "rehabilitation_immigration"),
        "rehabilitated early": ("2019-10-25", "rehabilitation_immigration"),
        "rehabilitated a day late": ("2019-10-26", "rehabilitation_immigration"),
        "changed for no reason given": ("2022-05-02", None),
    }
    for key, (day, reason) in changes.items():
        county.charge(key, *assault)
        county.dispose(key, "plea_guilty", "2018-01-08")
        county.sentence(key, "2018-01-08", "jail: 365 days", key=f"{key}: first")
        changed: Row = {"modified_from": f"{key}: first", "modified_reason": reason}
        county.sentence(key, day, "jail: 364 days", key=f"{key}: second", **changed)

    filings = {
        "filed assault": ("US-CA PC 273.5 (a)", "wobbler_felony", "2020-03-02"),
        "filed theft": ("US-CA PC 484 488", "misdemeanor", "2020-03-02"),
        "filed wobbler": ("US-CA PC 475 (a)", "wobbler_misdemeanor", "2020-03-02"),
        "filed wobbler in 2014": ("US-CA PC 475 (a)", "wobbler_misdemeanor", "2014-03-03"),
        "filed trespass": ("US-CA PC 602", "misdemeanor", "2020-03-02"),
        "filed dissuading": ("US-CA PC 136.1 (b)(1)", "wobbler_felony", "2023-06-21"),
    }
    for key, (statute, severity, day) in filings.items():
        county.charge(key, statute, severity, {"as_of": day})
    county.charge("enhancement", "US-CA PC 12022 (b)(1)", "felony", {"is_enhancement": True})
    offers = {
        "battery": ("PC", "243(e)(1)", 30),
        "corporal injury, 364": ("PC", "273.5(a)", 364),
        "corporal injury, 365": ("PC", "273.5(a)", 365),
        "robbery, 364": ("PC", "211", 364),
        "second-degree burglary, 10": ("PC", "459/460(b)", 10),
        "nothing named": (None, None, None),
    }
    for key, (code, section, days) in offers.items():
        county.add(
            "plea_offer",
            offer_id=key,
            case_id="filed assault",
            made_at="2020-04-01",
            made_by="da",
            charge_code=code,
            charge_section=section,
            sentence_days=days,
        )

    _add_detainers(county)


def _add_detainers(county: County) -> None:
    def person(name: str, day: str | None, *convictions: tuple[str, str, str, str], **detainer: object) -> None:
        for number, (severity, category, decided, sentence) in enumerate(convictions):
            key = f"{name} {number}"
            county.add("case_", case_id=key, person_id=name, filed_on="2012-01-02")
            county.charge(key, "US-CA PC 999", severity, {"offence_category": category}, case=key)
            county.dispose(key, "plea_guilty", decided)
            if sentence:
                county.sentence(key, decided, sentence)
        contact: Row = {
            "contact_id": name,
            "person_id": name,
            "at": f"{day or '2016-05-02'} 10:00:00",
            "type": "detainer",
        }
        county.add("ice_contact", **{**contact, **detainer})

    jail = "jail: 30 days; 0 suspended"
    person("felon", None, ("felony", "theft", "2016-05-02", "prison: 2 years; 0 suspended"))
    person("felon a day later", None, ("felony", "theft", "2016-05-03", "prison: 2 years; 0 suspended"))
    person("status felon", None, ("felony", "immigration", "2015-05-04", jail))
    person("drunk driver", None, ("misdemeanor", "driving_under_influence", "2015-05-04", jail))
    person("one theft", None, ("misdemeanor", "theft", "2015-05-04", jail))
    theft = ("misdemeanor", "theft", "2015-05-04", jail)
    person("two thefts", None, theft, theft)
    person("three thefts", None, theft, theft, theft)
    person("three traffic", None, *[("misdemeanor", "traffic", "2015-05-04", jail)] * 3)
    person("89 days", None, ("misdemeanor", "theft", "2015-05-04", "jail: 89 days; 0 suspended"))
    person("90 days", None, ("misdemeanor", "theft", "2015-05-04", "jail: 90 days; 0 suspended"))
    person("90 days, all suspended", None, ("misdemeanor", "theft", "2015-05-04", "jail: 90 days; 90 suspended"))
    person("weapon", None, ("misdemeanor", "weapons", "2015-05-04", jail))
    person("no class", None, ("not_recorded", "theft", "2015-05-04", jail))
    person("infraction", None, ("violation_infraction", "traffic", "2015-05-04", ""))
    person("nothing on file", None)
    person("order ticked", None, probable_cause_basis="final_order")
    person("conviction elsewhere", None, criminal_history="conviction")
    person("nobody", None, person_id=None)
    person("first day", "2015-01-05", theft)
    person("day before", "2015-01-04", theft)
    person("last day", "2017-02-19", theft)
    person("day of rescission", "2017-02-20", theft)


# --- the models, run twice ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Both answers: while no row was reviewed, and after all were."""

    unreviewed: duckdb.DuckDBPyConnection
    reviewed: duckdb.DuckDBPyConnection
    manifest: dict[str, dict[str, dict[str, dict[str, list[str]]]]]


REVIEWED = ("offences", "offence_consequences", "disposition_consequences")


def _dbt(database: Path, *arguments: str) -> None:
    target = database.parent / "dbt"
    folders = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT / "pipeline" / "dbt")]
    folders += ["--target-path", str(target), "--log-path", str(target), "--quiet"]
    outcome = dbtRunner().invoke([*arguments, *folders])
    failed = [f"{r.node.name}: {r.message}" for r in outcome.result or () if r.status not in ("success", "pass")]
    assert outcome.success, failed or outcome.exception


def _set_reviewer(database: Path, reviewer: str | None) -> None:
    """The tests hold whatever the office's attorneys have reviewed by now."""
    with duckdb.connect(str(database)) as db:
        for table in REVIEWED:
            day = None if reviewer is None else "2026-10-01"
            db.execute(f"update reference.{table} set reviewer = ?, reviewed_on = ?", [reviewer, day])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("consequences")
    database, second = folder / "unreviewed.duckdb", folder / "reviewed.duckdb"
    county = County(database)
    for number, row in enumerate(CASES):
        _add_case(county, number, row)
    _add_stories(county)
    county.close()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        select = ["--select", "+path:models/intermediate/consequences"]
        environment.setenv("IIU_DATABASE", str(database))
        _dbt(database, "seed", *select)
        _set_reviewer(database, None)
        _dbt(database, "run", *select)
        with duckdb.connect(str(database)) as db:
            db.execute("checkpoint")
        shutil.copyfile(database, second)
        _set_reviewer(second, "A.B.")
        environment.setenv("IIU_DATABASE", str(second))
        _dbt(second, "run", "--select", "path:models/intermediate/consequences")
    manifest = json.loads((folder / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(database)) as first, duckdb.connect(str(second)) as after:
        yield World(unreviewed=first, reviewed=after, manifest=manifest)


def _answer(db: duckdb.DuckDBPyConnection, key: str, question: str, law: str) -> str:
    where = "where charge_id = ? and law_known = ?"
    if question == "conviction":
        sql = f"select conviction_class from intermediate.int_charges__conviction_decided {where}"
    elif question == "worst":
        sql = f"select consequence_class from intermediate.int_charges__consequence_classified {where}"
    else:
        sql = f"select consequence_class from intermediate.int_charges__consequences_by_ground {where} and ground = ?"
    parameters = [key, law] if question in ("conviction", "worst") else [key, law, question]
    found = db.execute(sql, parameters).fetchall()
    assert len(found) == 1, f"{key} {question}: {found}"
    return str(found[0][0])


def _name(row: dict[str, str]) -> str:
    parts = (row["charge"], row["disposition"], row["decided_on"], row["sentence"], row["question"], row["law"])
    return " ".join(p for p in parts if p).replace("as_known_", "")


@pytest.mark.parametrize(("number", "row"), list(enumerate(CASES)), ids=[_name(row) for row in CASES])
def test_answer_is_what_the_cited_law_says(world: World, number: int, row: dict[str, str]) -> None:
    key = f"case {number}"
    assert _answer(world.unreviewed, key, row["question"], row["law"]) == row["unreviewed"], row["why"]
    assert _answer(world.reviewed, key, row["question"], row["law"]) == row["reviewed"], row["why"]


def _column(
    db: duckdb.DuckDBPyConnection, model: str, key: str, value: str, law: str | None = None
) -> dict[str, object]:
    where = f"where law_known = '{law}'" if law else ""
    return dict(db.execute(f"select {key}, {value} from intermediate.{model} {where}").fetchall())


# --- what does not fit into the table -----------------------------------------------------------------------------


def test_nothing_unreviewed_is_more_than_possible(world: World) -> None:
    for model, column in (
        ("int_charges__consequences_by_ground", "consequence_class"),
        ("int_charges__consequence_classified", "consequence_class"),
        ("int_charges__conviction_decided", "conviction_class"),
        ("int_charge_versions__exposure_classified", "exposure_class"),
        ("int_plea_offers__exposure_classified", "exposure_class"),
    ):
        sql = f"select count(*) from intermediate.{model} where {column} = 'likely'"
        assert world.unreviewed.execute(sql).fetchone() == (0,), model
        assert world.reviewed.execute(sql).fetchone() > (0,), model  # type: ignore[operator]


def test_later_dismissal_leaves_a_deferral_standing_and_a_judgment_in_doubt(world: World) -> None:
    convictions = _column(world.reviewed, "int_charges__conviction_decided", "charge_id", "conviction", "as_known_now")
    assert convictions["deferral then dismissal"] == "yes"  # Matter of Roldan, 22 I&N Dec. 512 (BIA 1999)
    assert convictions["plea then dismissal"] == "possible"  # Matter of Pickering, 23 I&N Dec. 621 (BIA 2003)
    assert convictions["mistrial then acquittal"] == "no"


def test_undated_conviction_has_no_law_of_its_day(world: World) -> None:
    for law, expected in (("as_known_then", "cannot_determine"), ("as_known_now", "likely")):
        worst = _column(world.reviewed, "int_charges__consequence_classified", "charge_id", "consequence_class", law)
        assert worst["undated"] == expected


@pytest.mark.parametrize(
    ("key", "then", "now"),
    [
        ("cured", True, False),  # Matter of Thomas and Thompson, 27 I&N Dec. 674 (A.G. 2019)
        ("corrected", True, False),  # 8 CFR 1003.55(b)
        ("rehabilitated", True, True),  # Matter of Thomas and Thompson
        ("rehabilitated early", True, False),  # 8 CFR 1003.55(a)(1)(i): asked for on or before 25 October 2019
        ("rehabilitated a day late", True, True),
        ("changed for no reason given", True, None),
    ],
)
def test_changed_sentence_counts_by_its_reason(world: World, key: str, then: bool, now: bool | None) -> None:
    for law, expected in (("as_known_then", then), ("as_known_now", now)):
        tested = _column(world.reviewed, "int_charges__term_tested", "charge_id", "at_least_one_year", law)
        assert tested[key] == expected


def test_filing_exposes_to_what_the_maximum_allows(world: World) -> None:
    exposure = _column(
        world.reviewed, "int_charge_versions__exposure_classified", "charge_id", "exposure_class", "as_known_now"
    )
    assert exposure["filed assault"] == "likely"  # domestic violence, whatever the sentence
    assert exposure["filed theft"] == "no_known_ground"  # six months at most, and one crime
    assert exposure["filed wobbler"] == "possible"  # more than six months can be imposed, a year cannot
    assert exposure["filed wobbler in 2014"] == "likely"  # a year could be imposed
    assert exposure["filed trespass"] == "cannot_determine"
    assert "enhancement" not in exposure


def test_filing_is_judged_by_the_law_of_its_day_or_of_today(world: World) -> None:
    for law, expected in (("as_known_then", "cannot_determine"), ("as_known_now", "possible")):
        exposure = _column(
            world.reviewed, "int_charge_versions__exposure_classified", "charge_id", "exposure_class", law
        )
        assert exposure["filed dissuading"] == expected  # Cordero-Garcia v. Garland, 2022 and 2024


def test_filing_is_avoidable_where_a_neutral_offence_of_its_class_is_listed(world: World) -> None:
    model = "int_charge_versions__exposure_classified"
    avoidable = _column(world.reviewed, model, "charge_id", "has_neutral_alternative", "as_known_now")
    assert avoidable["filed assault"] is False  # 243(e)(1) is a misdemeanour, the charge a felony
    assert avoidable["filed trespass"] is None


def test_offer_is_judged_with_the_custody_offered(world: World) -> None:
    exposure = _column(
        world.reviewed, "int_plea_offers__exposure_classified", "offer_id", "exposure_class", "as_known_now"
    )
    assert exposure["battery"] == "no_known_ground"
    assert exposure["corporal injury, 364"] == exposure["corporal injury, 365"] == "likely"  # domestic violence
    assert exposure["robbery, 364"] == "likely"  # moral turpitude: a felony
    assert exposure["second-degree burglary, 10"] == "no_known_ground"
    assert exposure["nothing named"] == "cannot_determine"


@pytest.mark.parametrize(
    ("person", "priority"),
    [
        ("felon", "priority_1"),
        ("felon a day later", "none_on_record"),
        ("status felon", "none_on_record"),
        ("drunk driver", "priority_2"),
        ("one theft", "none_on_record"),
        ("two thefts", "none_on_record"),
        ("three thefts", "priority_2"),
        ("three traffic", "none_on_record"),
        ("89 days", "none_on_record"),
        ("90 days", "priority_2"),
        ("90 days, all suspended", "none_on_record"),
        ("weapon", "undeterminable"),
        ("no class", "undeterminable"),
        ("infraction", "none_on_record"),
        ("nothing on file", "none_on_record"),
        ("order ticked", "undeterminable"),
        ("conviction elsewhere", "undeterminable"),
        ("nobody", "undeterminable"),
        ("first day", "none_on_record"),
        ("last day", "none_on_record"),
        ("day before", None),
        ("day of rescission", None),
    ],
)
def test_detainer_has_the_priority_of_what_was_known_on_its_day(
    world: World, person: str, priority: str | None
) -> None:
    found = _column(world.unreviewed, "int_ice_contacts__priority_2014_classified", "contact_id", "priority_2014")
    assert found.get(person) == priority


# --- what the models must never do --------------------------------------------------------------------------------


def _ancestors(manifest: dict[str, dict[str, dict[str, dict[str, list[str]]]]], node: str) -> set[str]:
    parents = manifest["nodes"].get(node, {}).get("depends_on", {}).get("nodes", [])
    return {node}.union(*(_ancestors(manifest, parent) for parent in parents))


def test_no_consequence_is_derived_from_citizenship_or_from_ice(world: World) -> None:
    models = [path.stem for path in MODELS.glob("*.sql") if "ice_contacts" not in path.stem]
    assert len(models) > 10
    for model in models:
        lineage = _ancestors(world.manifest, f"model.immigration_integrity_audit.{model}")
        forbidden = [n for n in lineage if re.search(r"citizenship|ice_contact|detainer|person_race|birth|language", n)]
        assert forbidden == [], model
        assert "source.immigration_integrity_audit.contract.person" not in lineage, model


def test_circuits_own_row_comes_before_everybodys(world: World, tmp_path: Path) -> None:
    database = tmp_path / "circuit.duckdb"
    source = Path(world.reviewed.execute("select path from duckdb_databases() where not internal").fetchall()[0][0])
    world.reviewed.execute("checkpoint")
    shutil.copyfile(source, database)
    compiled = world.manifest["nodes"]["model.immigration_integrity_audit.int_questions__grounds_answered"]
    sql = str(compiled["compiled_code"]).replace(f'"{source.stem}".', "")
    with duckdb.connect(str(database)) as db:
        db.execute(
            """insert into reference.offence_consequences
               select * replace ('a general row' as consequence_id, null as circuit, 'no_known_ground' as answer)
               from reference.offence_consequences where consequence_id = 'us-ca:pc:422:af_f:1'"""
        )
        key = next(n for n, r in enumerate(CASES) if r["charge"] == "US-CA PC 422 (a)")
        rows = db.execute(
            f"""select consequence_id from ({sql}) join intermediate.int_charges__second_crime_found as asked
                using (question_id, law_known) where charge_id = 'case {key}' and ground = 'af_f'"""
        ).fetchall()
    assert set(rows) == {("us-ca:pc:422:af_f:1",)}


def test_reference_holds_the_same_rows_on_every_day_of_a_period(world: World) -> None:
    """All that asks on one of its days is answered as of `day_within`."""
    held = """(select list(consequence_id order by consequence_id) from reference.offence_consequences as reference
        where {day} between coalesce({span}_from, '-infinity') and coalesce({span}_to, 'infinity'))"""
    differs = [
        f"{held.format(day='day', span=span)} is distinct from {held.format(day='day_within', span=span)}"
        for span in ("conviction", "as_of")
    ]
    found = world.reviewed.execute(
        f"""with days as (from range(date '2000-01-01', date '2030-01-01', interval 1 day) as days (day))
        select count(*), count(distinct day), count(distinct day_within), count(*) filter (where {" or ".join(differs)})
        from days left join intermediate.int_law_periods__bounded
        on day between coalesce(first_day, '-infinity') and coalesce(last_day, 'infinity')"""
    ).fetchone()
    periods = world.reviewed.execute("select count(*) from intermediate.int_law_periods__bounded").fetchone()
    assert found is not None and periods is not None
    rows, days, seen, differing = found
    assert rows == days  # each day is of one period
    assert (seen, differing) == (periods[0], 0)


# --- the reference itself -----------------------------------------------------------------------------------------

PRIMARY = re.compile(
    r"U\.S\.C\.|C\.F\.R\.|Pub\. L\.|Code|Law|G\.L\.|L\. \d{4}, ch\.|Fed\. Reg\.|Exec\. Order|Memorandum|AB 208|"
    r"\d+ (U\.S\.|F\.[234]d|F\.4th|F\. Supp\. 3d|I&N Dec\.|Mass\.|Mass\. App\. Ct\.) \d+|No\. \d\d-\d+"
)


@pytest.mark.parametrize(
    "name", ["offence_consequences", "disposition_consequences", "statutory_maximums", "legal_events"]
)
def test_every_row_cites_a_primary_source(name: str) -> None:
    for row in _rows(name):
        assert PRIMARY.search(row["citation"]), row
        assert not re.search(r"chart|ILRC|IDP|advisory", " ".join(row.values()), re.IGNORECASE), row


def test_source_that_nobody_read_has_low_confidence() -> None:
    for name in ("offence_consequences", "disposition_consequences", "statutory_maximums", "legal_events", "eras"):
        for row in _rows(name):
            assert row["verified_in"] or row["confidence"] == "low", row


def test_reviewer_and_day_of_review_come_together() -> None:
    for name in REVIEWED:
        for row in _rows(name):
            assert bool(row["reviewer"]) == bool(row["reviewed_on"]), row


def _overlap(one: dict[str, str], other: dict[str, str], span: str) -> bool:
    first = max(one[f"{span}_from"], other[f"{span}_from"])
    last = min(one[f"{span}_to"] or "9999", other[f"{span}_to"] or "9999")
    return first <= last


@pytest.mark.parametrize(
    ("name", "question", "spans"),
    [
        ("offence_consequences", ("offence_id", "ground", "circuit"), ("conviction", "as_of")),
        (
            "disposition_consequences",
            ("jurisdiction", "disposition_type", "disposition_reason", "severity_class"),
            ("conviction", "as_of"),
        ),
        ("statutory_maximums", ("jurisdiction", "offence_id", "severity_class"), ("conviction",)),
    ],
)
def test_no_two_rows_answer_the_same_question(name: str, question: tuple[str, ...], spans: tuple[str, ...]) -> None:
    rows = _rows(name)
    for number, one in enumerate(rows):
        for other in rows[number + 1 :]:
            if all(one[column] == other[column] for column in question):
                assert not all(_overlap(one, other, span) for span in spans), (one, other)


def test_neutral_alternative_is_an_offence_without_known_ground() -> None:
    offences = {row["offence_id"]: row for row in _rows("offences")}
    for row in offences.values():
        alternative = row["neutral_alternatives"]
        if alternative:
            assert offences[alternative]["other_grounds"] == "no_known_ground"
            now = [
                r
                for r in _rows("offence_consequences")
                if r["offence_id"] == alternative and not r["as_of_to"] and r["answer"] != "no_known_ground"
            ]
            assert now == [], alternative


def test_eras_of_programmes_follow_each_other_without_gap() -> None:
    programmes = [row for row in _rows("eras") if row["kind"] == "programme"]
    with duckdb.connect() as db:
        for one, following in itertools.pairwise(programmes):
            sql = "select ?::date + 1 = ?::date"
            assert db.execute(sql, [one["to_date"], following["from_date"]]).fetchone() == (True,)
    assert programmes[-1]["to_date"] == ""

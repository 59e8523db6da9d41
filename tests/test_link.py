"""Persons without a number are found by name and birth, seldom wrongly, and no name gets past landing."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.contract import load_contract
from pipeline.errors import AuditError
from pipeline.findings import declared_worklists
from pipeline.for_the_unit.thresholds import list_doubtful, threshold_table
from pipeline.for_the_unit.worklists import rows_of
from pipeline.ingest.land import Landing
from pipeline.ingest.link import MARK, Linked, ends, link, model
from pipeline.ingest.office import load_office
from tests.persons import identity, precision_and_recall, records
from tests.tiny_office import EXPORT, OFFICE_YML, TinyOffice

LINKED = '{linked: {forename: First, surname: Last, birth: Born, date: "%m/%d/%Y", sex: Sex}}'
HEADER = "Ref,First,Last,Born,Sex,Received,Decision,Decided"


def test_persons_of_known_truth_are_found_with_few_joined_wrongly_and_few_missed() -> None:
    made = records(9_000, seed=3)
    linked = link(sorted({identity(record) for record, _ in made}))
    precision, recall = precision_and_recall(made, linked.person_of)
    assert precision >= 0.99
    assert recall >= 0.95


def joined(*people: tuple[str, str, str, str], among: int = 3_000, threshold: float | None = None) -> bool:
    """Whether the first two are one person, among others who have nothing to do with them."""
    others = {identity(record) for record, _ in records(among, seed=5)}
    person_of = link([*others, *map(identity, people)], threshold=threshold).person_of
    return person_of[identity(people[0])] == person_of[identity(people[1])]


@pytest.mark.parametrize(
    ("other", "is_one"),
    [
        (("MARIA", "Quintero-Vale", "1990-03-12", "F"), True),
        (("María", "QUINTERO VALE", "1990-03-12", ""), True),
        (("Quintero-Vale", "Maria", "1990-03-12", "F"), True),
        (("Mraia", "Quintero-Vale", "1990-03-12", "F"), True),
        (("Maria", "Quintero-Vale", "1990-03-21", "F"), True),
        (("Maria", "Quintero-Vale", "1971-11-30", "F"), False),
        (("Tomas", "Harrow", "1990-03-12", "M"), False),
        (("Mraia", "Quintero-Vale", "1990-03-21", "F"), False),
    ],
)
def test_one_slip_is_forgiven_and_another_person_is_not_taken_for_the_same(
    other: tuple[str, str, str, str], is_one: bool
) -> None:
    assert joined(("Maria", "Quintero-Vale", "1990-03-12", "F"), other) is is_one


def test_the_order_of_the_records_does_not_matter_and_a_stricter_threshold_joins_fewer() -> None:
    texts = sorted({identity(record) for record, _ in records(2_000, seed=7)})
    shuffled = random.Random(1).sample(texts, len(texts))
    first = link(texts)
    assert link(shuffled) == first
    persons = [one.persons for one in first.thresholds]
    assert persons == sorted(persons)
    assert [one.threshold for one in first.thresholds if one.is_used] == [model()["threshold"]]


def test_the_probabilities_of_the_model_are_whole() -> None:
    for levels in model()["comparisons"].values():
        assert sum(level["m"] for level in levels) == pytest.approx(1)
        assert sum(level["u"] for level in levels) == pytest.approx(1, abs=1e-4)


def test_whoever_another_threshold_would_part_or_join_is_to_be_looked_at_and_so_is_who_has_two_births() -> None:
    texts = sorted({identity(record) for record, _ in records(900, seed=3)})
    loosest, strictest = ends(model()["threshold"])
    here, looser, stricter = (link(texts, threshold=t) for t in (model()["threshold"], loosest, strictest))

    def among(of: Linked, one: Linked) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for text in texts:
            found.setdefault(of.person_of[text], set()).add(one.person_of[text])
        return found

    parted = {person for person, parts in among(here, stricter).items() if len(parts) > 1}
    joined = set().union(*(people for people in among(looser, here).values() if len(people) > 1))
    births = {p for p, days in among(here, Linked(person_of={t: t.split(MARK)[2] for t in texts}, thresholds=())).items() if len(days) > 1}  # fmt: skip
    assert {one.person for one in here.doubtful} == parted | joined | births
    assert {one.person for one in here.doubtful if one.nearest is not None} == joined
    assert {one.person for one in here.doubtful if one.births > 1} == births
    assert all(here.person_of[one.nearest_person] == one.nearest_person for one in here.doubtful if one.nearest_person)
    assert min(map(len, (parted, joined, births))) > 5


# --- while landing ------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path: Path) -> TinyOffice:
    """The tiny office without a number of persons: two batches that spell the same people in other ways."""
    office = TinyOffice(tmp_path)
    office.write_office(
        OFFICE_YML.replace("person_id: Pid", f"person_id: {LINKED}").replace("        unused: {Name: identifies a person}\n", "")
        .replace("unused: {Name: identifies a person}", "")
    )  # fmt: skip
    (office.raw / "referrals.csv").unlink()
    for batch, rows in {
        "1": ["R1,Maria,Quintero,03/12/1990,F,01/02/2024,Filed,01/05/2024",
              "R2,Bob,Harrow,01/02/1980,M,01/03/2024,Filed,01/05/2024",
              "R3,Bob,Harrow,,M,01/03/2024,Filed,01/05/2024"],
        "2": ["R4,MRAIA,QUINTERO,03/12/1990,F,02/02/2024,Filed,02/05/2024",
              "R5,Bob,Harrow,,M,02/03/2024,Filed,02/05/2024"],
    }.items():  # fmt: skip
        (office.raw / batch).mkdir()
        (office.raw / batch / "referrals.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return office


def test_one_person_of_two_batches_has_one_key_and_a_row_without_a_birth_is_a_person_of_its_own(
    tiny: TinyOffice,
) -> None:
    landing = tiny.land()
    with duckdb.connect(str(tiny.database), read_only=True) as connection:
        keys = dict(connection.execute(
            "select r._batch_id || p._source_row, p.person_id from landed.person p join landed.referral r using (_source_file, _source_row)"
        ).fetchall())  # fmt: skip
        assert connection.execute("select count(distinct person_id) from landed.referral").fetchone() == (4,)
    assert keys["12"] == keys["22"], "Maria, and her name with two letters that changed places"
    assert len({keys["13"], keys["14"], keys["23"]}) == 3
    used = next(one for one in landing.linkage if one.is_used)
    assert (used.identities, used.persons) == (3, 2)


def test_no_name_and_no_birth_is_in_any_file_that_landing_leaves(tiny: TinyOffice) -> None:
    tiny.land()
    with duckdb.connect(str(tiny.database)) as connection:
        tables = [name for (name,) in connection.execute("select table_schema || '.' || table_name from information_schema.tables").fetchall()]  # fmt: skip
        said = "\n".join(str(connection.execute(f"select * from {name}").fetchall()) for name in tables)
    content = said.encode() + b"".join(path.read_bytes() for path in tiny.work.rglob("*") if path.is_file())
    assert not [word for word in (b"uintero", b"UINTERO", b"Harrow", b"MRAIA", MARK.encode() + b"1990", b"03/12/1990") if word in content]  # fmt: skip


def test_a_name_stands_for_a_person_alone(tmp_path: Path) -> None:
    office = TinyOffice(tmp_path)
    office.write_office(OFFICE_YML.replace("referral_id: Ref", f"referral_id: {LINKED}"))
    with pytest.raises(AuditError, match=r"IIU103 office.yml:\d+: \[referral_id\] names no person"):
        office.land()


def test_a_name_that_is_mapped_and_missing_is_told_as_any_column(tiny: TinyOffice) -> None:
    (tiny.raw / "2" / "referrals.csv").write_text(EXPORT, encoding="utf-8")
    with pytest.raises(AuditError, match=r"IIU201 2/referrals.csv:1 column \[First\]"):
        tiny.land()


def test_check_says_what_other_thresholds_would_join(tiny: TinyOffice, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tiny.office), f"--raw={tiny.raw}"]) == 0
    said = capsys.readouterr().out
    assert "linkage at 0.9 (used): 3 names with a birth are 2 persons, the largest of 2; 0 have more than one day of birth" in said  # fmt: skip
    assert said.count("linkage at ") == len(model()["compared"])


# --- how the measures move ----------------------------------------------------------------------------------------


class County(NamedTuple):
    """A county without a number of persons, as it landed, and how many of its people were referred twice, counted at three
    thresholds; then the truth: how many people there are, and how many of them were referred twice."""

    office: TinyOffice
    landing: Landing
    counted: pd.DataFrame
    people: int
    twice: int


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    office = TinyOffice(tmp_path_factory.mktemp("county"))
    office.write_office(
        OFFICE_YML.replace("person_id: Pid", f"person_id: {LINKED.replace('%m/%d/%Y', '%Y-%m-%d')}")
        .replace("unused: {Name: identifies a person}", "")
    )  # fmt: skip
    made = records(600, seed=3)
    rows = [f"R{n},{','.join(record)},01/02/2024,Filed,01/05/2024" for n, (record, _) in enumerate(made)]
    office.write_export("\n".join([HEADER, *rows]).encode() + b"\n")

    def measured(database: Path, work: Path) -> pd.DataFrame:
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute(
                """select 'X-01' as measure_id, 'all' as period, race, 'all' as citizenship, offence_group, 'all' as stratum,
                    count(*) filter (where times > 1) as numerator, count(*) as denominator, 'ok' as status
                from (select count(*) as times from landed.referral group by person_id)
                cross join (values ('all', 'all'), ('black', 'all'), ('all', 'violent')) as of (race, offence_group)
                group by all order by all"""
            ).fetchdf()

    landing = office.land()
    table = threshold_table(
        measured(office.database, office.work), office=load_office(office.office, load_contract()), raw=office.raw,
        work=office.work, measured=measured,
    )  # fmt: skip
    times = Counter(person for _, person in made)
    return County(office, landing, table, len(times), sum(1 for n in times.values() if n > 1))


def test_a_measure_of_persons_is_counted_at_a_looser_and_a_stricter_threshold_with_the_truth_between_them(
    county: County,
) -> None:
    rows = county.counted[county.counted["race"].eq("all")]
    assert rows["threshold"].tolist() == sorted([*ends(0.9), 0.9])
    assert rows["is_used"].tolist() == [False, True, False]
    loosest, used, strictest = rows["denominator"]
    assert loosest < used < strictest
    assert loosest < county.people < strictest
    assert used == pytest.approx(county.people, rel=0.03)
    assert rows["numerator"].iloc[1] == pytest.approx(county.twice, rel=0.03)
    assert set(county.counted["offence_group"]) == {"all"}


def test_the_counting_again_leaves_nothing_behind(county: County) -> None:
    assert [path.name for path in county.office.work.iterdir()] == ["audit.duckdb"]


def test_persons_to_be_looked_at_are_listed_by_key(county: County) -> None:
    with duckdb.connect(str(county.office.database)) as connection:
        connection.execute("create schema marts")
    list_doubtful(county.landing.doubtful, database=county.office.database)
    with duckdb.connect(str(county.office.database)) as connection:
        declared = next(
            one for one in declared_worklists(date(2024, 12, 31)) if one["fact"] == "mart_linkage__doubtful"
        )
        listed, count = rows_of(connection, declared["fact"], declared["condition"], most=1_000)
        known = {key for (key,) in connection.execute("select person_id from landed.person").fetchall()}
    assert len(listed) == count == len(county.landing.doubtful) > 20
    assert {*listed["person_id"], *listed["nearest_person_id"].dropna()} <= known
    assert MARK not in str(county.landing)

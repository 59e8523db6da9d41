"""Six offices' public records, landed whole, give the figures that others published, and not their mistakes.

The records are other people's and stay outside the project, in `../shared/data`; without them these tests are skipped.
"""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline import control_totals
from pipeline.contract import ROOT, load_contract
from pipeline.errors import AuditError
from pipeline.ingest.land import Landing, land
from pipeline.ingest.office import OFFICES_FOLDER, Office, load_office

DATA = ROOT.parent / "shared" / "data"
OFFICES = ("broward_fl", "cook_il", "middlesex_ma", "pierce_wa", "seattle_i213", "ussc")

#: Separators that are not a comma. Two of these files are not what their names say.
PIPES = ("holds_as_published.csv", "bail_receipts.psv", "i213.csv.gz")

#: Where a figure's name in the published table and the offices' differ: the office that prints it.
PUBLISHED_BY = {
    "broward": "broward_fl",
    "cook": "cook_il",
    "mx": "middlesex_ma",
    "pierce": "pierce_wa",
    "i213": "seattle_i213",
    "ussc": "ussc",
}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public records are not in {DATA}")


@dataclass(frozen=True, kw_only=True)
class Landed:
    """An office, what became of its files, and its database."""

    office: Office
    landing: Landing
    database: Path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def value(self, sql: str) -> Any:
        ((only,),) = self.rows(sql)
        return only


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Landed]:
    """Lands an office on first use and remembers it."""
    done: dict[str, Landed] = {}

    def once(name: str) -> Landed:
        if name not in done:
            done[name] = land_office(OFFICES_FOLDER / name, DATA / name, tmp_path_factory.mktemp(name))
        return done[name]

    return once


def land_office(folder: Path, raw: Path, work: Path) -> Landed:
    contract = load_contract()
    office = load_office(folder, contract)
    database = work / "audit.duckdb"
    return Landed(
        office=office,
        landing=land(office=office, contract=contract, raw=raw, database=database, work=work),
        database=database,
    )


def records(path: Path) -> int:
    """Records below the header, by Python's reader: neither the compression nor the parser is the pipeline's."""
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    elif content.startswith(b"\xfd7zXZ"):
        content = lzma.decompress(content)
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return sum(1 for row in csv.reader(text, delimiter="|" if path.name in PIPES else ",") if row) - 1


def published_figures() -> dict[str, Counter[Decimal]]:
    """The numbers of the table beside the records, by the name of their row."""
    figures: dict[str, Counter[Decimal]] = {}
    for line in (DATA / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0].partition(".")[0] in PUBLISHED_BY:
            figures[cells[0]] = Counter(
                Decimal(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", cells[2])
            )
    return figures


# --- every office ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OFFICES)
def test_every_record_is_landed_rejected_or_filtered(name: str, landed: Callable[[str], Landed]) -> None:
    for file in landed(name).landing.files:
        assert file.read == records(DATA / name / file.path)
        assert file.read == file.landed + file.rejected + sum(file.filtered.values())


@pytest.mark.parametrize("name", OFFICES)
def test_nothing_in_the_public_records_is_rejected_for_the_mapping(name: str, landed: Callable[[str], Landed]) -> None:
    assert landed(name).rows("select source_column, rule, count(*) from landed.rejects group by all") == []


@pytest.mark.parametrize("name", OFFICES)
def test_every_published_figure_is_reproduced(name: str, landed: Callable[[str], Landed]) -> None:
    totals = control_totals.compare(office_folder=OFFICES_FOLDER / name, database=landed(name).database)
    assert totals
    assert [(t.id, t.published, t.ours) for t in totals if not t.match] == []


@pytest.mark.parametrize("figure", sorted(published_figures()) if DATA.is_dir() else [])
def test_the_control_totals_hold_every_number_of_the_published_table(
    figure: str,
) -> None:
    office = OFFICES_FOLDER / PUBLISHED_BY[figure.partition(".")[0]]
    with (office / "control_totals.csv").open(encoding="utf-8", newline="") as stream:
        ours = Counter(
            Decimal(row["published"])
            for row in csv.DictReader(stream)
            if row["id"] == figure or row["id"].startswith(figure + ".")
        )
    assert ours == published_figures()[figure]


@pytest.mark.parametrize("name", OFFICES)
def test_hardly_any_source_code_is_unmapped(name: str, landed: Callable[[str], Landed]) -> None:
    office = landed(name)
    for table in load_contract().values():
        for column in table.columns.values():
            if column.kind == "code":
                n, unmapped = office.rows(
                    f"""select count("{column.name}"), count(*) filter (where "{column.name}" = 'unmapped')
                    from landed."{table.name}" """
                )[0]
                assert unmapped <= 0.01 * n, f"{table.name}.{column.name}"


@pytest.mark.parametrize("name", OFFICES)
def test_an_office_says_where_its_records_are_from_and_what_to_beware_of(
    name: str, landed: Callable[[str], Landed]
) -> None:
    office = landed(name).office
    assert re.search(r"@ [0-9a-f]{7}", office.source["address"])
    assert len(office.notes) >= 3


@pytest.mark.parametrize("name", OFFICES)
def test_what_an_office_cannot_answer_is_a_measure_of_the_catalogue(name: str, landed: Callable[[str], Landed]) -> None:
    with (ROOT / "data" / "reference" / "measures.csv").open(encoding="utf-8", newline="") as stream:
        catalogue = {row["measure_id"] for row in csv.DictReader(stream)}
    assert {measure for measure, _ in landed(name).office.settings.cannot_answer} <= catalogue


@pytest.mark.parametrize("name", OFFICES)
def test_a_mapping_is_data_alone(name: str) -> None:
    files = [path for path in (OFFICES_FOLDER / name).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".yml", ".csv"}


# --- mistakes that others published -------------------------------------------------------------------------------


def test_a_join_cannot_turn_27244_listed_charges_into_85989(
    landed: Callable[[str], Landed],
) -> None:
    middlesex = landed("middlesex_ma")
    assert middlesex.value("select count(*) from landed.charge where x_list = 'decline_list'") == 27_244
    assert (
        middlesex.value("select count(distinct charge_id) from landed.charge where x_list = 'decline_list'") == 27_244
    )


def test_a_lookup_with_a_text_twice_is_refused_before_it_can_multiply_rows(
    tmp_path: Path,
) -> None:
    folder = shutil.copytree(OFFICES_FOLDER / "middlesex_ma", tmp_path / "middlesex_ma")
    with (folder / "codes" / "disposition.csv").open("a", encoding="utf-8") as stream:
        stream.write("Nolle  prosequi,acquitted,\n")
    with pytest.raises(AuditError, match="mapped twice"):
        load_office(folder, load_contract())


def test_white_with_a_blank_ethnicity_is_white_and_an_overwritten_other_is_withheld(
    tmp_path: Path,
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "disposition.csv").write_text(
        "case_number,court_location,disposition_description,defendant_race,defendant_ethnicity\n"
        "MX-1,LOW,NOLLE PROSEQUI,White,\n"
        "MX-2,LOW,NOLLE PROSEQUI,Other,\n"
        "MX-3,LOW,NOLLE PROSEQUI,Other,NHNL\n"
        "MX-4,LOW,NOLLE PROSEQUI,Black,HL\n"
        "MX-5,LOW,NOLLE PROSEQUI,NA,\n"
        "MX-6,LOW,NOLLE PROSEQUI,,\n",
        encoding="utf-8",
    )
    with (DATA / "middlesex_ma" / "decline_middlesex.csv").open(encoding="utf-8") as stream:
        (raw / "decline_middlesex.csv").write_text(stream.readline() + stream.readline(), encoding="utf-8")
    small = land_office(OFFICES_FOLDER / "middlesex_ma", raw, tmp_path)
    assert small.rows(
        """select _source_row - 1, race_code, x_ethnicity from landed.person_race
        where _source_file = 'disposition.csv' order by 1, 2"""
    ) == [
        (1, "white", "not_recorded"),
        (2, "redacted", "not_recorded"),
        (3, "other", "not_hispanic_latino"),
        (4, "black", "hispanic_latino"),
        (4, "hispanic_latino", "hispanic_latino"),
        (5, "recorded_unknown", "not_recorded"),
        (6, "not_recorded", "not_recorded"),
    ]


def test_the_43860_charges_relabelled_other_do_not_count_as_other(
    landed: Callable[[str], Landed],
) -> None:
    middlesex = landed("middlesex_ma")
    assert dict(
        middlesex.rows(
            """select race_code, count(*) from landed.person_race
            where race_code in ('other', 'redacted') group by race_code"""
        )
    ) == {"redacted": 43_860, "other": 49_133 - 43_860}


def test_cases_are_counted_as_distinct_cases_and_not_as_rows(
    landed: Callable[[str], Landed],
) -> None:
    black = landed("middlesex_ma").value(
        """select count(distinct case_id) from landed.case_
        where person_id in (select person_id from landed.person_race where race_code = 'black')"""
    )
    assert black == 11_504  # the author's count of rows is 11,723


def test_civil_findings_and_transfers_are_no_convictions(
    landed: Callable[[str], Landed],
) -> None:
    with (DATA / "middlesex_ma" / "disposition_groups_as_published.csv").open(encoding="utf-8", newline="") as stream:
        guilty = sum(int(row["charges"]) for row in csv.DictReader(stream) if row["published_group"] == "Guilty")
    types = dict(
        landed("middlesex_ma").rows(
            "select type, count(*) from landed.disposition where x_list = 'all_charges' group by type"
        )
    )
    assert types["civil_responsible"] == 7_525
    assert types["plea_guilty"] + types["verdict_guilty"] == guilty - 7_525 - 10 - 415


def test_a_continuance_without_a_finding_and_pretrial_probation_stand_apart(
    landed: Callable[[str], Landed],
) -> None:
    types = dict(
        landed("middlesex_ma").rows(
            "select type, count(*) from landed.disposition where x_list = 'all_charges' group by type"
        )
    )
    assert types["continued_without_finding"] == 25_649 + 35 + 3
    assert types["pretrial_probation"] == 9_814 + 2


def test_how_a_charge_ended_is_counted_once_and_on_the_last_day_that_the_publisher_names(
    landed: Callable[[str], Landed],
) -> None:
    """The list repeats charges of the other file; with both, 3,578 continuances would be counted twice."""
    days = landed("middlesex_ma").rows(
        "select x_list, disposed_on, count(*), count(*) filter (where type = 'continued_without_finding') from "
        "landed.disposition group by all"
    )
    assert days == [("all_charges", date(2019, 12, 31), 175_141, 25_687)]


def test_impossible_days_in_cook_are_loaded_and_not_lost(
    landed: Callable[[str], Landed],
) -> None:
    cook = landed("cook_il")
    assert cook.value("select min(year(referred_on)) from landed.diversion_referral") == 1946
    assert cook.value("select count(*) from landed.diversion_referral where referred_on < x_received_on") == 4_360


def test_a_referral_without_a_result_is_not_recorded_and_not_open(
    landed: Callable[[str], Landed],
) -> None:
    outcomes = dict(landed("cook_il").rows("select outcome, count(*) from landed.diversion_referral group by outcome"))
    assert outcomes == {"completed": 13_266, "failed": 4_127, "not_recorded": 5_115}


def test_spellings_of_one_offence_fall_into_one_category(
    landed: Callable[[str], Landed],
) -> None:
    spellings = landed("cook_il").rows(
        """select distinct offence_category from landed.diversion_referral
        where offence_category_raw in ('RETAIL THEFT', 'RETAILTHEFT', 'RETAIL THEFT/DISP MERCH/<$300')"""
    )
    assert spellings == [("theft",)]


def test_a_blank_of_criminal_charges_is_never_no_record(
    landed: Callable[[str], Landed],
) -> None:
    seattle = landed("seattle_i213")
    blank = "criminal_history_raw is null"
    assert seattle.rows(f"select distinct criminal_history from landed.ice_contact where {blank}") == [
        ("not_recorded",)
    ]
    assert seattle.value(f'select count(*) from landed.ice_contact where {blank} and year("at") < 2025') == 6_675
    assert seattle.value("select count(*) from landed.ice_contact where criminal_history = 'none'") == 50


def test_charges_in_a_json_cell_are_rows_of_their_form(
    landed: Callable[[str], Landed],
) -> None:
    seattle = landed("seattle_i213")
    assert seattle.value("select count(*) from landed.arrest_charge") == 15_788
    assert seattle.value("select count(*) from landed.arrest_charge join landed.arrest using (arrest_id)") == 15_788
    assert seattle.value("select count(*) from landed.charge") == 3_361


def test_only_what_a_form_says_makes_a_citizen(landed: Callable[[str], Landed]) -> None:
    values = landed("seattle_i213").rows(
        "select value, count(*) from landed.citizenship_assertion group by value order by value"
    )
    assert values == [
        ("noncitizen", 10_959),
        ("recorded_unknown", 1),
        ("us_citizen", 2),
    ]


def test_a_birthplace_gives_no_citizenship_and_is_not_held(
    landed: Callable[[str], Landed],
) -> None:
    pierce = landed("pierce_wa")
    assert pierce.value("select count(*) from landed.citizenship_assertion") == 0
    texts = pierce.rows(
        """select table_name, column_name from information_schema.columns
        where table_schema = 'landed' and data_type = 'VARCHAR'"""
    )
    for table, column in texts:
        found = pierce.value(
            f"""select count(*) from landed."{table}"
            where "{column}" in ('MEXICO', 'THAILAND', 'GUATEMALA', 'MICHOACAN', 'UNITED STATES OF AMERICA')"""
        )
        assert found == 0, f"{table}.{column}"


@pytest.mark.parametrize("name", OFFICES)
def test_no_office_takes_a_country_of_birth_as_a_source(name: str, landed: Callable[[str], Landed]) -> None:
    assert (
        landed(name).value("select count(*) from landed.citizenship_assertion where source = 'booking_birth_country'")
        == 0
    )


def test_those_screened_too_late_to_be_followed_are_all_recidivists(
    landed: Callable[[str], Landed],
) -> None:
    broward = landed("broward_fl")
    late = "x_screened_on > date '2014-04-01'"
    assert broward.value(f"select count(*) from landed.case_ where {late}") == 998
    assert broward.value(f"select count(*) from landed.case_ where {late} and not x_two_year_recid") == 0
    assert broward.value(f"select count(*) from landed.case_ where not ({late}) and not x_two_year_recid") > 0
    assert any("998" in note for note in broward.office.notes)


def test_repeated_hearings_land_and_share_a_key(
    landed: Callable[[str], Landed],
) -> None:
    ussc = landed("ussc")
    assert ussc.value("select count(*) - count(distinct hearing_id) from landed.hearing") == 133


def test_a_blank_citizenship_is_no_statement(landed: Callable[[str], Landed]) -> None:
    ussc = landed("ussc")
    assert ussc.value("select count(*) from landed.citizenship_assertion") == 108_115 - 1_070
    assert dict(ussc.rows("select value, count(*) from landed.citizenship_assertion group by value")) == {
        "us_citizen": 92_336,
        "noncitizen": 14_709,
    }


def test_citizenship_was_stated_before_the_first_hearing(landed: Callable[[str], Landed]) -> None:
    late = landed("ussc").value(
        """select count(*) from landed.hearing join landed.case_ using (case_id)
        join landed.citizenship_assertion using (person_id) where asserted_at > hearing."at" """
    )
    assert late == 0

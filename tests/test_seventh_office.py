"""A new office is YAML and CSV alone: one wide workbook per batch, unlike any of the six, lands whole."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent

import duckdb
import openpyxl
import pytest

from pipeline.contract import load_contract
from pipeline.ingest.land import Landing, land
from pipeline.ingest.office import load_office

OFFICE_YML = dedent(
    r"""
    mapping_language: 1
    office: seventh
    title: Seventh County
    jurisdiction: US-NY
    as_of_date: 2024-12-31
    period: {from: 2023-01-01, to: 2024-12-31}
    reference: {race: white, citizenship: citizen}
    seed: 7
    identifiers: published
    unmapped_tolerance: 0.2
    rejected_tolerance: 0.2
    source: {publisher: nobody}
    files:
      wide:
        path: "*.xlsx"
        format: {type: xlsx, sheet: Cases, header_row: [3, 4], skip_footer_rows: 1}
        null_markers: ["NULL", "#VALUE!"]
        renames: {"Defendant / Race/Eth": "Defendant / Race"}
        filters:
          - {drop: "\"Case / Unit\" = 'TEST'", reason: "training cases"}
        unused: {"Defendant / Name": identifies a person, "charges.note": free text}
    not_read: [{path: "*.xlsx#Read me", reason: a title page}]
    tables:
      person:
        - from: wide
          columns:
            person_id: Defendant / No
            birth_year: {column: Defendant / Born, date: "%m/%d/%y", two_digit_year_pivot: 10, type: integer}
      person_race:
        - from: wide
          columns:
            person_id: Defendant / No
            race_code: {column: Defendant / Race, codes: race}
        - from: wide
          columns:
            person_id: Defendant / No
            race_code: {column: Defendant / Race, codes: race, take: ethnicity}
      case_:
        - from: wide
          columns:
            case_id: {concat: [Case / Year, Case / No], separator: "-"}
            person_id: Defendant / No
            filed_on: {coalesce: [Case / Filed, Case / Opened], date: ["%Y-%m-%d", "%d.%m.%Y"]}
            prosecutor_unit: {column: Case / Unit, null_markers: ["NA"]}
            x_court: {constant: "City Court", public: true}
      charge:
        - from: wide
          each: {column: Case / Charges, as: charges}
          columns:
            charge_id: {row: true}
            case_id: {concat: [Case / Year, Case / No], separator: "-"}
            version_no: {constant: "1"}
            stage: {constant: filed}
            code: {column: charges.law, extract: {pattern: '^([A-Z]+) ', group: 1}}
            section: {column: charges.law, extract: {pattern: '^[A-Z]+ ([0-9.]+)', group: 1}}
      bail_event:
        - from: wide
          when: "\"Bail / Asked\" is not null"
          columns:
            bail_event_id: {row: true}
            case_id: {concat: [Case / Year, Case / No], separator: "-"}
            at: {column: Case / Filed, date: ["%Y-%m-%d", "%d.%m.%Y"]}
            da_request_type: {sql: "case when upper(\"Bail / Asked\") = 'NO BOND' then 'detention' else 'cash' end"}
            da_request_amount: {column: Bail / Asked, null_markers: ["NO BOND"], number: {currency: "$", thousands: ","}}
            x_held: {column: Bail / Held, type: boolean, boolean: {"true": [J], "false": [N]}}
            x_term_days: {column: Bail / Term, type: integer, duration: {unit_column: Bail / Unit, units: {Yr: years, Mo: months}}}
    """
).replace(
    'birth_year: {column: Defendant / Born, date: "%m/%d/%y", two_digit_year_pivot: 10, type: integer}',
    'birth_year: {sql: "\'19\' || right(\\"Defendant / Born\\", 2)"}\n'
    '        x_born: {column: Defendant / Born, date: "%m/%d/%y", two_digit_year_pivot: 10, type: date}',
)

RACE_CSV = dedent(
    """\
    source,target,ethnicity,note
    White [Hispanic or Latino],white,hispanic_latino,one label holds both
    White,white,,
    Black,black,,
    NA,recorded_unknown,,a label here and not a blank
    """
)

GROUPS = ["Defendant", "", "", "", "Case", "", "", "", "", "", "Bail", "", "", ""]
HEADER = "No Name Born Race Year No Filed Opened Unit Charges Asked Held Term Unit".split()
ROWS: list[list[object]] = [
    ["D1", "Ann", "03/04/70", "White [Hispanic or Latino]", 2023, 17, date(2023, 5, 1), None, "Felony",
     '[{"law": "PL 155.25"}, {"law": "PL 120.00", "note": "x"}]', "$1,500", "J", 2, "Yr"],
    ["D2", "Bob", "12/31/09", "NA", 2023, 18, None, "02.06.2023", "NA", None, None, "NULL", None, None],
    [],
    ["D1", "Ann", "03/04/70", "White", 2024, 1, date(2024, 1, 9), None, "Felony", "[]", "NO BOND", "N", 6, "Mo"],
    ["D3", "Tim", "01/01/80", "Black", 2024, 2, date(2024, 1, 9), None, "TEST", "[]", "$1", "N", None, None],
]  # fmt: skip


def write_batch(folder: Path, rows: list[list[object]], *, race_header: str) -> None:
    folder.mkdir(parents=True)
    book = openpyxl.Workbook()
    book.create_sheet("Read me").append(["Report of the county"])
    sheet = book.create_sheet("Cases")
    sheet.append(["Report of cases"])
    sheet.append([])
    sheet.append(GROUPS)
    sheet.append([race_header if h == "Race" else h for h in HEADER])
    for row in rows:
        sheet.append(row)
    sheet.append(["Total", len(rows)])
    for first, last in ((1, 4), (5, 10), (11, 14)):
        sheet.merge_cells(start_row=3, end_row=3, start_column=first, end_column=last)
    book.save(folder / "cases.xlsx")


@pytest.fixture
def landed(tmp_path: Path) -> tuple[Landing, duckdb.DuckDBPyConnection]:
    office, raw, work = tmp_path / "office", tmp_path / "raw", tmp_path / "work"
    (office / "codes").mkdir(parents=True)
    work.mkdir()
    (office / "office.yml").write_text(OFFICE_YML, encoding="utf-8")
    (office / "codes" / "race.csv").write_text(RACE_CSV, encoding="utf-8")
    write_batch(raw / "2023", ROWS[:3], race_header="Race/Eth")
    write_batch(raw / "2024", ROWS[3:], race_header="Race")
    contract = load_contract()
    database = work / "audit.duckdb"
    landing = land(office=load_office(office, contract), contract=contract, raw=raw, database=database, work=work)
    return landing, duckdb.connect(str(database))


def test_every_row_of_both_batches_is_accounted_for(landed: tuple[Landing, duckdb.DuckDBPyConnection]) -> None:
    landing, _ = landed
    assert not landing.warnings
    assert [(c.path, c.read, c.landed, c.rejected, c.filtered) for c in landing.files] == [
        ("2023/cases.xlsx", 2, 2, 0, {}),
        ("2024/cases.xlsx", 2, 1, 0, {"training cases": 1}),
    ]


def test_one_label_becomes_race_and_ethnicity_and_a_label_na_is_not_a_blank(
    landed: tuple[Landing, duckdb.DuckDBPyConnection],
) -> None:
    rows = landed[1].execute("select race_code, race_code_raw from landed.person_race order by all").fetchall()
    assert rows == [
        ("hispanic_latino", "White [Hispanic or Latino]"),
        ("recorded_unknown", "NA"),
        ("white", "White"),
        ("white", "White [Hispanic or Latino]"),
    ]


def test_wide_rows_feed_person_case_charge_and_bail_with_their_sheet_row(
    landed: tuple[Landing, duckdb.DuckDBPyConnection],
) -> None:
    db = landed[1]
    cases = db.execute(
        "select _source_row, filed_on::varchar, prosecutor_unit, x_court from landed.case_ order by _batch_id, 1"
    )
    assert cases.fetchall() == [
        (5, "2023-05-01", "Felony", "City Court"),
        (6, "2023-06-02", None, "City Court"),
        (5, "2024-01-09", "Felony", "City Court"),
    ]
    charges = db.execute("select code, section, stage from landed.charge order by section").fetchall()
    assert charges == [("PL", "120.00", "filed"), ("PL", "155.25", "filed")]
    bails = db.execute(
        "select da_request_type, da_request_amount::varchar, x_held, x_term_days from landed.bail_event order by _batch_id"
    )
    assert bails.fetchall() == [("cash", "1500.00", True, 730), ("detention", None, False, 183)]


def test_two_digit_years_turn_at_the_stated_pivot(landed: tuple[Landing, duckdb.DuckDBPyConnection]) -> None:
    rows = landed[1].execute("select distinct birth_year, x_born::varchar from landed.person order by 1, 2").fetchall()
    assert rows == [(1909, "2009-12-31"), (1970, "1970-03-04")]


def test_the_same_person_has_the_same_hash_in_every_table_and_it_is_no_number_of_the_export(
    landed: tuple[Landing, duckdb.DuckDBPyConnection],
) -> None:
    db = landed[1]
    people = {row[0] for row in db.execute("select person_id from landed.person").fetchall()}
    assert len(people) == 2
    assert people == {row[0] for row in db.execute("select person_id from landed.case_").fetchall()}
    assert all(len(p) == 12 and p not in {"D1", "D2"} for p in people)

"""The workbooks of the cases behind a finding: the right rows, no more than is needed, and nothing that runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pytest

from pipeline.findings import declared_worklists
from pipeline.for_the_unit.worklists import MOST_ROWS, write_worklists

AS_OF = date(2024, 12, 31)
MEASURE = {
    "measure_id": "BAIL-04", "title": "Immigration argued", "definition": "How often.", "fact": "mart_bail", "kind": "rate",
    "numerator": "is_argued", "denominator": "is_coded", "stratum": "", "value": "", "outcome": "",
}  # fmt: skip
ZERO = {
    "id": "zero|BAIL-04", "rule": "zero_tolerance", "title": "Argued", "text": "3 times.", "measure_id": "BAIL-04",
    "owner": "Head of the bail unit", "due": "2025-01-30",
}  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "audit.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            """
            create table marts.mart_bail as
            select * from (values
                ('e1', 'c1', 'p1', date '2024-02-01', '2024-Q1', null, 'black', 'noncitizen', true, true, '=1+1'),
                ('e2', 'c2', 'p2', date '2024-05-01', '2024-Q2', null, 'black', 'citizen', true, true, 'https://x'),
                ('e3', 'c3', 'p3', date '2024-05-01', '2024-Q2', null, 'white', 'noncitizen', true, false, null),
                ('e4', 'c4', 'p4', date '2024-05-01', '2024-Q2', null, 'black', 'noncitizen', false, true, null),
                ('e5', 'c5', 'p5', date '2025-05-01', null, 'after_period', 'black', 'noncitizen', true, true, null),
                ('e6', 'c6', 'p6', date '2024-05-02', '2024-Q2', null, 'black', 'noncitizen', true, null, null)
            ) as t (bail_event_id, case_id, person_id, heard_on, quarter, uncounted_reason, race, citizenship, is_coded,
                is_argued, said)
            """
        )
        connection.execute(
            """
            create table marts.mart_sentencing__charges as
            select * from (values
                ('at the line', '2024-Q1', true, true), ('a day short', '2024-Q1', true, false),
                ('no such ground', '2024-Q1', false, true), ('term not known', '2024-Q1', true, null),
                ('before', null, true, true)
            ) as t (charge_id, quarter, is_turning_on_one_year, is_at_least_one_year);
            create table marts.mart_diversion as
            select * from (values
                ('plea and restraint', '2024-Q1', true, 'both_parts_met'), ('never came', '2024-Q1', false, 'both_parts_met'),
                ('no plea', '2024-Q1', true, 'ruled_out'), ('record silent', '2024-Q1', true, 'cannot_be_ruled_out')
            ) as t (diversion_id, quarter, is_enrolled, conviction_by_parts);
            create table marts.mart_victim as
            select * from (values
                ('overdue', '2024-Q1', false, 'censored'), ('late', '2024-Q1', false, 'event'),
                ('waits', '2024-Q1', null, 'censored'), ('in time', '2024-Q1', true, 'event')
            ) as t (request_id, quarter, is_decided_in_time, days_to_decision_outcome)
            """
        )
    return path


def sheets(
    database: Path, finding: dict[str, Any], out: Path, **measure: str
) -> tuple[list[tuple[Any, ...]], list[str]]:
    catalogue = pd.DataFrame([MEASURE | measure])
    (path,) = write_worklists(
        findings=[finding], declared=[], catalogue=catalogue, database=database, out=out, as_of=AS_OF
    )
    book = openpyxl.load_workbook(path)
    assert book["Cases"].freeze_panes == "B2"
    return list(book["Cases"].values), [row[0] for row in book["Notes"].values]


def keys(cells: list[tuple[Any, ...]]) -> list[Any]:
    return [row[0] for row in cells[1:]]


def test_behind_one_case_too_many_stands_each_case_the_newest_first(database: Path, tmp_path: Path) -> None:
    cells, notes = sheets(database, ZERO, tmp_path / "lists")
    assert keys(cells) == ["e2", "e1"]
    assert cells[0] == ("bail event id", "case id", "person id", "heard on", "quarter", "is coded", "is argued", "said")
    assert notes[0] == "Argued"
    assert any("must not leave the office" in note for note in notes)


@pytest.mark.parametrize(
    ("difference", "contrast", "race", "expected"),
    [
        (0.2, "citizenship", "all", ["e1"]),
        (-0.2, "citizenship", "all", ["e3"]),
        (0.2, "race", "black", ["e2", "e1"]),
        (0.2, "citizenship_within_race", "black", ["e1"]),
        (-0.2, "citizenship_within_race", "black", []),
    ],
)
def test_behind_a_gap_stand_those_of_the_group_who_make_it(
    database: Path, tmp_path: Path, difference: float, contrast: str, race: str, expected: list[str]
) -> None:
    finding = {
        **ZERO,
        "rule": "gap",
        "id": "gap|x",
        "difference": difference,
        "contrast": contrast,
        "race": race,
        "stratum": "all",
    }
    assert keys(sheets(database, finding, tmp_path / "lists")[0]) == expected


def test_of_a_mix_the_rows_of_the_part_are_listed(database: Path, tmp_path: Path) -> None:
    finding = {
        **ZERO,
        "rule": "gap",
        "id": "gap|m",
        "difference": 0.2,
        "contrast": "race",
        "race": "black",
        "stratum": "not_recorded",
    }
    cells, _ = sheets(database, finding, tmp_path / "lists", kind="mix", numerator="", stratum="said")
    assert keys(cells) == ["e6"]


def test_text_is_never_a_formula_or_a_link_and_the_bytes_are_the_same(database: Path, tmp_path: Path) -> None:
    sheets(database, ZERO, tmp_path / "one")
    sheets(database, ZERO, tmp_path / "two")
    one, two = (tmp_path / name / "zero__BAIL-04.xlsx" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    cells = {cell.value: cell for row in openpyxl.load_workbook(one)["Cases"] for cell in row}
    assert cells["=1+1"].data_type == "s"
    assert cells["https://x"].hyperlink is None


def test_a_long_list_says_how_many_there_are(database: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            """
            insert into marts.mart_bail
            select 'f' || i, 'c', 'p', date '2024-01-01', '2024-Q1', null, 'white', 'citizen', true, true, null
            from range(600) as numbers (i)
            """
        )
    gap = {**ZERO, "rule": "gap", "difference": 0.2, "contrast": "race", "race": "white", "stratum": "all"}
    cells, notes = sheets(database, gap, tmp_path / "lists")
    assert len(keys(cells)) == MOST_ROWS
    assert any("600 in the whole period, the newest 500 here" in note for note in notes)


def test_where_one_is_too_many_none_is_left_out(database: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            """
            insert into marts.mart_bail
            select 'f' || i, 'c', 'p', date '2024-01-01', '2024-Q1', null, 'white', 'citizen', true, true, null
            from range(600) as numbers (i)
            """
        )
    assert len(keys(sheets(database, ZERO, tmp_path / "lists")[0])) == 602


def test_behind_a_target_that_was_missed_stand_the_cases_that_missed_it(database: Path, tmp_path: Path) -> None:
    cells, notes = sheets(database, {**ZERO, "rule": "target"}, tmp_path / "lists")
    assert keys(cells) == ["e3"]
    assert "Who answers for it: Head of the bail unit, by 2025-01-30." in notes


@pytest.mark.parametrize(
    ("name", "expected", "owner"),
    [
        ("sentences_to_modify", ["at the line"], "Head of the trial division"),
        ("diversions_to_convert", ["plea and restraint"], "Head of diversion"),
        ("certifications_past_their_deadline", ["overdue"], "Head of victim services"),
    ],
)
def test_what_can_still_be_mended_is_listed_whether_or_not_a_number_stands_out(
    database: Path, tmp_path: Path, name: str, expected: list[str], owner: str
) -> None:
    write_worklists(
        findings=[], declared=declared_worklists(AS_OF), catalogue=pd.DataFrame([MEASURE]), database=database,
        out=tmp_path, as_of=AS_OF,
    )  # fmt: skip
    book = openpyxl.load_workbook(tmp_path / f"list__{name}.xlsx")
    assert keys(list(book["Cases"].values)) == expected
    assert f"Who answers for it: {owner}, by 2025-01-30." in [row[0] for row in book["Notes"].values]

"""The leak scan finds what is planted, wherever it is planted, and nothing in a clean folder."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.disclose.leaks import leaks

CLEAN = pd.DataFrame(
    [["CHG-01", "2024-Q1", "all", "all", "all", "all", 50, 100, "ok"]],
    columns=[
        "measure_id",
        "period",
        "race",
        "citizenship",
        "offence_group",
        "stratum",
        "numerator",
        "denominator",
        "status",
    ],
)
KEY = "Zk3_x-9QpLm2"


def codes(folder: Path) -> list[str]:
    found = leaks(
        folder, keys={KEY}.intersection, canaries=["CR-2024-00123", "Maria Canary"], hidden_numbers=[0.0444444444444]
    )
    return [problem.code for problem in found]


def test_a_clean_folder_has_no_leak(tmp_path: Path) -> None:
    CLEAN.to_csv(tmp_path / "measures.csv", index=False)
    (tmp_path / "page.html").write_text("<p>50 of 100, 50 %, 2024-03-31, abcdefghijkl</p>", encoding="utf-8")
    assert codes(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f'<svg><g id="{KEY}"/></svg>', "IIU621"),
        ("<!-- Maria Canary -->", "IIU622"),
        ('<td title="CR-2024-00123">hidden</td>', "IIU622"),
        ('{"x": [0.04444444444440001]}', "IIU623"),
    ],
)
def test_text_is_searched_to_its_comments_and_attributes(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    assert codes(tmp_path) == [code]


def test_numbers_that_have_nine_decimals_in_common_are_two_numbers(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('{"x": [0.0444444440123456]}', encoding="utf-8")
    assert codes(tmp_path) == []


def test_a_key_in_the_metadata_of_a_parquet_file_is_found(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(CLEAN, preserve_index=False).replace_schema_metadata({"made for": KEY})
    pq.write_table(table, tmp_path / "measures.parquet")
    assert codes(tmp_path) == ["IIU621"]


def test_a_key_in_the_properties_of_a_workbook_is_found(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.properties.description = f"from {KEY}"
    book.active.append(list(CLEAN.columns))
    book.save(tmp_path / "measures.xlsx")
    assert codes(tmp_path) == ["IIU621"]


def test_a_file_is_not_named_after_a_case(tmp_path: Path) -> None:
    CLEAN.to_csv(tmp_path / "CR-2024-00123.csv", index=False)
    assert codes(tmp_path) == ["IIU622"]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("person_id", "x", "IIU624"),
        ("asserted_at", "2024", "IIU624"),
        ("period", "2024-03-31", "IIU625"),
        ("stratum", "she said that he had crossed the border!", "IIU626"),
        ("stratum", "el_salvador", "IIU627"),
    ],
)
def test_a_table_holds_no_restricted_column_date_free_text_or_country(
    column: str, value: str, code: str, tmp_path: Path
) -> None:
    CLEAN.assign(**{column: value}).to_csv(tmp_path / "measures.csv", index=False)
    assert codes(tmp_path) == [code]

"""The catalogue of measures says of each measure what it is, in words and in SQL, and what it needs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.contract import ROOT, load_contract
from pipeline.measures import BOUND_WIDTH


def catalogue() -> list[dict[str, str]]:
    with (ROOT / "data" / "reference" / "measures.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def named(measures: list[dict[str, str]]) -> Iterator[Any]:
    yield from (pytest.param(measure, id=measure["measure_id"]) for measure in measures)


def needs(measure: dict[str, str]) -> list[str]:
    return [column for need in measure["required_columns"].split() for column in need.split("|")]


def in_contract(column: str) -> bool:
    table, name = column.split(".")
    return table in load_contract() and name in load_contract()[table].columns


#: of each section of the catalogue: its mart, and the number of its last measure
SECTIONS = {
    "DQ": ("data_quality", 11),
    "CHG": ("charging", 15),
    "OVC": ("charge_movement", 11),
    "DEC": ("declination", 11),
    "BAIL": ("bail", 15),
    "CUS": ("custody", 9),
    "DIV": ("diversion", 14),
    "PLE": ("plea", 15),
    "SEN": ("sentencing", 18),
    "ICE": ("ice_contact", 20),
    "PCR": ("post_conviction", 16),
    "VIC": ("victim", 11),
    "PPT": ("point_person", 8),
    "POL": ("policy", 11),
    "BUD": ("budget", 9),
    "COM": ("community", 6),
    "REP": ("representation", 4),
    "FED": ("federal_discretion", 4),
    "PIP": ("pipeline", 8),
}
OURS = [m for m in catalogue() if m["measure_id"].split("-")[0] in SECTIONS]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_measure_of_a_section_has_a_row_in_its_mart(section: str) -> None:
    mart, last = SECTIONS[section]
    found = {m["measure_id"]: m["mart"] for m in OURS if m["measure_id"].startswith(f"{section}-")}
    assert {f"{section}-{number:02}" for number in range(1, last + 1)} <= set(found)
    assert set(found.values()) == {mart}


def test_no_measure_is_there_twice() -> None:
    ids = [m["measure_id"] for m in catalogue()]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("measure", named(OURS))
def test_a_measure_without_sql_names_something_that_no_office_can_supply(measure: dict[str, str]) -> None:
    has_sql = bool(measure["numerator"] or measure["denominator"]) or measure["measure_id"] == BOUND_WIDTH
    assert has_sql == all(in_contract(column) for column in needs(measure))


@pytest.mark.parametrize("measure", named([m for m in OURS if m["numerator"] or m["denominator"]]))
def test_the_sql_of_a_measure_is_that_of_its_kind(measure: dict[str, str]) -> None:
    written = {column for column in ("numerator", "denominator", "value", "outcome", "stratum") if measure[column]}
    assert (
        written - {"stratum"}
        == {
            "rate": {"numerator", "denominator"},
            "mix": {"denominator"},
            "count": {"numerator"},
            "distribution": {"denominator", "value"},
            "total": {"denominator", "value"},
            "time_to_event": {"denominator", "value", "outcome"},
        }[measure["kind"]]
    )
    assert measure["kind"] != "mix" or "stratum" in written


@pytest.mark.parametrize("measure", named(OURS))
def test_a_measure_is_told_in_plain_words(measure: dict[str, str]) -> None:
    for column in ("title", "definition", "counted_unit", "numerator_text", "unit", "source_quote", "proposal"):
        assert measure[column].strip(), column
    assert len(measure["title"]) <= 80
    assert measure["definition"].endswith(".")
    assert measure["kind"] == "count" or measure["denominator_text"]
    assert measure["direction"] in ("adverse", "favourable", "neutral")
    assert set(measure["proposal"].split()) <= {str(number) for number in range(1, 13)}

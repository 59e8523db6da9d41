"""The notebooks in which a journalist meets the real records: every published figure is found again, or they stop.

The records are other people's and stay outside the project, in `../shared/data`; without them these tests are skipped.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contract import ROOT
from pipeline.report.notebooks import NOTEBOOKS, THEMES, execute
from pipeline.report.records import agree, open_records

DATA = ROOT.parent / "shared" / "data"
OFFICES = {"broward": "broward_fl", "cook_diversion": "cook_il", "middlesex": "middlesex_ma"}
needs_records = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public records are not in {DATA}")


def test_every_notebook_is_one_of_a_theme_or_one_of_these() -> None:
    others = set(NOTEBOOKS.glob("*.ipynb")) - set(NOTEBOOKS.glob(THEMES))
    assert {path.stem for path in others} == {f"reproduce_{name}" for name in OFFICES}


@needs_records
def test_every_published_figure_is_found_again_and_the_files_are_those_that_were_checked(tmp_path: Path) -> None:
    """A figure that differs is an AssertionError in its cell, which papermill raises."""
    runs = [(NOTEBOOKS / f"reproduce_{name}.ipynb", {"raw": str(DATA / office)}) for name, office in OFFICES.items()]
    for notebook in execute(runs, tmp_path):
        shown = [output["data"]["text/plain"] for cell in notebook.cells for output in cell.get("outputs", [])]
        assert any(" independently" in text for text in shown)
        about = next(text for text in shown if "last held against" in text)
        assert "the same as on the day of the check" in about
        assert "ANOTHER FILE" not in about


def test_a_figure_that_differs_in_its_last_published_digit_stops_the_notebook() -> None:
    assert (
        "2 published figures"
        in agree({"rate": ("44.85", 44.8468, 44.8513), "people": ("7214", 7214, 7214)}).data["text/html"]
    )
    with pytest.raises(AssertionError, match=r"44\.85"):
        agree({"rate": ("44.85", 44.8468, 44.84)})


@needs_records
def test_names_that_a_publisher_left_in_the_file_are_left_behind(tmp_path: Path) -> None:
    """As the file lies at its publisher: with names, and with two columns of one name, which pandas numbers."""
    name = "compas-scores-two-years.csv"
    people = pd.read_csv(DATA / "broward_fl" / name, dtype=str, keep_default_na=False).head(200)
    people.insert(1, "name", "miguel hernandez")
    people.insert(2, "c_case_number", "13011352CF10A")
    raw = tmp_path / "raw"
    raw.mkdir()
    header = [column.removesuffix(".1") for column in people]
    people.to_csv(raw / name, index=False, header=header)
    shutil.copyfile(DATA / "README.md", raw / "README.md")
    records = open_records("broward_fl", raw, {name: "0" * 64}, checked_on="2026-11-28")
    assert records.rows("select count(*) as n from landed.case_")["n"].tolist() == [200]
    texts = "".join(records.rows(f"select * from landed.{table}").to_csv() for table in ("person", "case_", "charge"))
    assert "hernandez" not in texts
    assert "13011352CF10A" not in texts
    assert "ANOTHER FILE" in records.about().data["text/plain"]

"""The notebooks that an audit runs: every page in one of them, every interval computed again, and no blank silence."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.contract import ROOT
from pipeline.own import MART as OWN
from pipeline.report.notebooks import EMPTY, NOTEBOOKS, THEMES, OpenAudit, execute
from pipeline.report.tables import PublicData
from tests.report_example import example

CELLS = {
    path.stem: ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    for path in sorted(NOTEBOOKS.glob(THEMES))
}


@pytest.fixture(scope="module")
def audit() -> OpenAudit:
    made = example()
    return OpenAudit(
        public=PublicData(
            measures=made.measures, comparisons=made.comparisons, catalogue=made.catalogue,
            settings=made.settings, run=made.run, source={}, synthetic=True,
        )
    )  # fmt: skip


def catalogue() -> list[dict[str, str]]:
    with (ROOT / "data" / "reference" / "measures.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def named(call: str) -> list[str]:
    return [
        name for cells in CELLS.values() for cell in cells for name in re.findall(rf'audit\.{call}\("(.+?)"\)', cell)
    ]


def test_every_mart_is_read_in_one_notebook() -> None:
    """Also that of the measures which an office declares for itself."""
    assert sorted(named("page")) == sorted({measure["mart"] for measure in catalogue()} | {OWN})


def test_every_measure_that_a_notebook_names_is_in_the_catalogue() -> None:
    assert named("measure")
    assert set(named("measure")) <= {measure["measure_id"] for measure in catalogue()}


def test_notebooks_share_functions_and_not_cells() -> None:
    """What two notebooks have alike is how they open, and one call a page."""
    long = [cell for cells in CELLS.values() for cell in set(cells) if len(cell.splitlines()) > 4]
    assert [cell for cell in long if long.count(cell) > 1] == []


def texts(shown: object) -> str:
    return "\n".join(part.data["text/plain"] for part in shown)  # type: ignore[attr-defined]


def test_a_page_says_what_it_found_and_draws_it(audit: OpenAudit) -> None:
    told = texts(audit.page("charging"))
    assert "## Charging" in told
    assert "Noncitizens and citizens differ clearly in" in told
    assert "Filing rate" in told


def test_an_interval_that_its_counts_do_not_give_stops_the_notebook(audit: OpenAudit) -> None:
    gaps = audit.comparisons.copy()
    first = gaps.index[gaps["mart"].eq("bail") & gaps["contrast"].eq("citizenship") & gaps["period"].eq("all") & gaps["difference_method"].eq("newcombe") & gaps["status"].eq("ok")][0]  # fmt: skip
    gaps.loc[first, "difference_high"] += 0.001
    with pytest.raises(AssertionError):
        list(OpenAudit(public=replace(audit.public, comparisons=gaps)).page("bail"))


@pytest.mark.parametrize(
    ("status", "why"),
    [("not_computable", "lack the columns"), ("suppressed", "hidden or counts nobody"), ("not_estimable", "hidden or")],
)
def test_a_page_of_which_an_office_has_nothing_is_one_sentence(audit: OpenAudit, status: str, why: str) -> None:
    rows = audit.measures.copy()
    rows.loc[rows["mart"].eq("diversion"), "status"] = status
    heading, said = OpenAudit(public=replace(audit.public, measures=rows)).page("diversion")
    assert "## Diversion" in heading.data["text/plain"]
    assert why in said.data["text/plain"]


def test_a_page_that_an_office_has_not_declared_is_one_sentence(audit: OpenAudit) -> None:
    assert "no measure is declared" in texts(audit.page(OWN))


def test_a_measure_tells_its_definition_and_draws_itself_or_says_why_not(audit: OpenAudit) -> None:
    assert len(list(audit.measure("CHG-02"))) == 2
    assert "Nothing can be shown" in texts(audit.measure("BAIL-04"))


def test_tables_of_gaps_speak_of_points_and_name_races_and_parts_in_words(audit: OpenAudit) -> None:
    tables = [part.data.get("text/html", "") for part in audit.page("charging")]
    gaps = [table for table in tables if "computed again" in table or "of the same race" in table]
    assert len(gaps) == 2
    assert all(" points</td>" in table for table in gaps)
    assert not any(re.search(r"<td[^>]*>[a-z]+_[a-z_]+</td>", table) for table in gaps)


def test_a_notebook_runs_in_a_folder_too_deep_for_a_socket(tmp_path: Path) -> None:
    work = tmp_path / ("deep" * 25)
    work.mkdir()
    source = work / "one.ipynb"
    cell = {
        "cell_type": "code",
        "id": "one",
        "metadata": {},
        "outputs": [],
        "source": "print(6 * 7)",
        "execution_count": None,
    }
    source.write_text(json.dumps(EMPTY | {"cells": [cell]}), encoding="utf-8")
    [executed] = execute([(source, {})], work)
    assert [output["text"] for cell in executed.cells for output in cell.outputs] == ["42\n"]

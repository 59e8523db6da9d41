"""The way from arrest to sentence, as pages tell it: from published counts alone, and as arithmetic."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contract import ROOT
from pipeline.findings import judge
from pipeline.measures import comparison_table, measure_table
from pipeline.report.language import LANGUAGES
from pipeline.report.pathway import pictures, reached, ways
from pipeline.report.story import Story
from pipeline.report.tables import PublicData, write_tables
from tests.report_example import SETTINGS

#: Of 1,000 arrests each: not charged, charged, convicted, sentenced to custody. By hand, for noncitizens less citizens:
#: charged 0.7 and 0.6, convicted of these 0.5 and 0.5, custody of these 0.6 and 0.5; so 0.21 - 0.15 = 0.06 in all.
COUNTS = {"citizen": (400, 300, 150, 150), "noncitizen": (300, 350, 140, 210), "unknown": (500, 250, 150, 100)}
PARTS = ("not_charged", "charged_without_conviction", "convicted_without_custody", "sentenced_to_custody")


@pytest.fixture(scope="module")
def public() -> PublicData:
    races = ("white", "black")
    cells = pd.DataFrame(
        [
            ("PIP-04", "2024-Q1", race, citizenship, "drug", part, count, count)
            for race in races
            for citizenship, counts in COUNTS.items()
            for part, count in zip(PARTS, counts, strict=True)
        ],
        columns=[
            *("measure_id", "quarter", "race", "citizenship", "offence_group", "stratum"),
            *("numerator", "denominator"),
        ],
    )
    values = cells[["measure_id", "quarter", "race", "citizenship", "offence_group", "stratum"]].head(0)
    catalogue = pd.read_csv(ROOT / "data" / "reference" / "measures.csv", dtype=str, keep_default_na=False)
    catalogue = catalogue[catalogue["mart"].eq("pipeline")].reset_index(drop=True)
    supplied = [
        tuple(c.split("."))
        for needs in catalogue["required_columns"]
        for need in needs.split()
        for c in need.split("|")
    ]
    supplied.append(("citizenship_assertion", "value"))
    measures = measure_table(cells, values.assign(value=0, outcome="", cases=0), catalogue, supplied, SETTINGS)
    return PublicData(
        measures=measures, comparisons=judge(comparison_table(measures, SETTINGS)), catalogue=catalogue, settings=SETTINGS,
        run={}, synthetic=True,
    )  # fmt: skip


@pytest.mark.parametrize("say", LANGUAGES, ids=lambda say: say.code)
def test_a_gap_is_told_as_what_each_step_adds(public: PublicData, say: object) -> None:
    story = Story(public, say)  # type: ignore[arg-type]
    picture = next(p for p in pictures(story) if p.id == "pipeline-origin-pip-04-citizenship")
    added = [row[4] for row in picture.table]
    # charge: 0.1 x 0.5 x 0.55 = 2.75 points; conviction: nothing; custody: 0.1 x (0.35 + 0.30) / 2 = 3.25 points; half
    # a tenth goes to the even one
    assert [re.sub(r"[^\d.+−±]", "", part) for part in added] == ["+2.7", "±0", "+3.2", "+6.0"]


def test_the_steps_are_those_of_the_published_counts(public: PublicData) -> None:
    story = Story(public, LANGUAGES[0])
    counts = reached(story, ways(story)[0], citizenship="noncitizen")
    assert counts is not None and counts.tolist() == [2000, 1400, 700, 420]
    steps = next(p for p in pictures(story) if p.id == "pipeline-steps")
    assert ["Sentenced to custody", "Noncitizen", "420", "2,000", "21.0%", "19.3% to 22.8%", "60.0%"] in steps.table


def test_a_count_that_the_gate_hid_takes_its_whole_way_along(public: PublicData) -> None:
    hidden = public.measures["citizenship"].eq("noncitizen") & public.measures["stratum"].eq(PARTS[2])
    measures = public.measures.assign(status=public.measures["status"].mask(hidden, "suppressed"))
    story = Story(replace(public, measures=measures), LANGUAGES[0])
    assert reached(story, ways(story)[0], citizenship="noncitizen") is None
    made = pictures(story)
    assert "pipeline-origin-pip-04-citizenship" not in [p.id for p in made]
    assert all(row[2:] == ["hidden", "–", "–", "–", "–"] for row in made[0].table if row[1] == "Noncitizen")


def test_each_picture_names_a_number_that_the_published_files_hold(
    public: PublicData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tables(out=tmp_path, public=public)
    monkeypatch.chdir(tmp_path)
    made = pictures(Story(public, LANGUAGES[0]))
    assert len(made) == 2 + 1
    for picture in made:
        assert picture.check is not None
        exec(compile(picture.check.snippet, picture.id, "exec"), {})


@pytest.mark.parametrize("say", LANGUAGES, ids=lambda say: say.code)
def test_no_sentence_makes_a_cause_of_it(public: PublicData, say: object) -> None:
    texts = [
        text for p in pictures(Story(public, say)) for text in (p.title, p.lead, *p.notes)  # type: ignore[arg-type]
    ]  # fmt: skip
    assert any("no cause" in text or "no una causa" in text for text in texts)
    assert not re.search(r"because of|due to|caused|led by|a causa de|debido", " ".join(texts))

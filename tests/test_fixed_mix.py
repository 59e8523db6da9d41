"""Rates over time with one mix of offences: for the unit by quarter, and on the pages by year from published cells alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.fixed_mix import changes_table, fixed_mix_table, with_one_mix
from pipeline.report.language import Language
from pipeline.report.story import Story
from pipeline.report.tables import PublicData
from tests.report_example import SETTINGS

CATALOGUE = pd.DataFrame([{"measure_id": "M", "mart": "m", "kind": "rate"}])
QUARTERS = [f"{SETTINGS.period_from.year}-Q{quarter}" for quarter in (1, 2)]


def cells(**columns: list[object]) -> pd.DataFrame:
    groups = {"measure_id": "M", "race": "white", "citizenship": "citizen", "stratum": ""}
    return pd.DataFrame(columns).assign(**groups)


def test_a_rate_that_moved_with_its_offences_alone_stands_still_with_one_mix() -> None:
    """Drug 20 %, violent 60 % in both quarters; the first has three drug cases to one violent, the second one to three."""
    table = cells(
        quarter=np.repeat(QUARTERS, 2).tolist(), offence_group=["drug", "violent"] * 2, numerator=[60, 60, 20, 180],
        denominator=[300, 100, 100, 300],
    )  # fmt: skip
    found = fixed_mix_table(table, CATALOGUE, SETTINGS)
    everyone = found[found["citizenship"].eq("all")]
    assert everyone["rate"].tolist() == pytest.approx([0.3, 0.5])
    assert everyone["rate_with_one_mix"].tolist() == pytest.approx([0.4, 0.4])
    assert everyone["usable"].tolist() == [1, 1]
    assert found["citizenship"].tolist() == ["all", "all", "citizen", "citizen"]


def test_an_offence_without_a_case_in_a_period_is_left_out_there_and_told() -> None:
    rates, usable = with_one_mix(np.array([[20, 30], [10, 0]]), np.array([[100, 50], [50, 0]]))
    assert rates == pytest.approx([(20 / 100 * 150 + 30 / 50 * 50) / 200, 0.2])
    assert usable == pytest.approx([1, 0.75])


def test_a_real_change_remains_with_one_mix() -> None:
    rates, _ = with_one_mix(np.array([[20, 60], [40, 80]]), np.array([[100, 100], [100, 100]]))
    assert rates == pytest.approx([0.4, 0.6])


def yearly(**columns: list[object]) -> pd.DataFrame:
    first, last = SETTINGS.period_from.year, SETTINGS.period_to.year - 1
    counted = pd.DataFrame(columns)
    return counted.assign(
        measure_id="M", race="white", stratum="", quarter=counted["year"].map({0: f"{first}-Q2", 1: f"{last}-Q3"})
    )  # fmt: skip


def test_a_change_is_the_sum_of_rates_offences_and_what_is_on_file() -> None:
    """From 300 drug (20 %) and 100 violent cases (60 %) to 100 and 300, all citizens; then violent 70 %."""
    table = yearly(
        year=[0, 0, 1, 1], citizenship=["citizen"] * 4, offence_group=["drug", "violent"] * 2,
        numerator=[60, 60, 20, 210], denominator=[300, 100, 100, 300],
    )  # fmt: skip
    (row,) = changes_table(table, CATALOGUE, SETTINGS).itertuples()
    assert (row.first_rate, row.last_rate) == pytest.approx((0.3, 0.575))
    assert row.change == pytest.approx(0.275)
    assert row.by_rates == pytest.approx(0.1 * (0.25 + 0.75) / 2)
    assert row.by_offences == pytest.approx(0.225)
    assert row.by_citizenship_on_file == pytest.approx(0)


def test_a_group_that_only_the_last_year_has_is_part_of_the_mix_and_leaves_the_sum_whole() -> None:
    table = yearly(
        year=[0, 1, 1], citizenship=["unknown", "unknown", "noncitizen"], offence_group=["drug"] * 3,
        numerator=[50, 25, 10], denominator=[100, 50, 50],
    )  # fmt: skip
    (row,) = changes_table(table, CATALOGUE, SETTINGS).itertuples()
    assert row.change == pytest.approx(0.35 - 0.5)
    assert row.by_rates == pytest.approx(0)
    assert row.by_offences == pytest.approx(0)
    assert row.by_citizenship_on_file == pytest.approx(-0.15)
    assert row.by_rates + row.by_offences + row.by_citizenship_on_file == pytest.approx(row.change)


# ---- on the pages ----------------------------------------------------------------------------------------------


def published(**hidden: list[str]) -> PublicData:
    """Four years. Drug 20 %, property 40 %, violent 60 %; from 300, 100, 100 cases to 100, 100, 300. `hidden` by year."""
    rows = []
    for i, year in enumerate(("2020", "2021", "2022", "2023")):
        n = {"drug": 300 - 200 * (i == 3), "property": 100, "violent": 100 + 200 * (i == 3)}
        k = {name: n[name] * share for name, share in {"drug": 0.2, "property": 0.4, "violent": 0.6}.items()}
        for name in n:
            told = name not in hidden.get(f"in_{year}", [])
            rows.append((year, name, k[name] if told else None, n[name] if told else None))
        rows.append((year, "all", sum(k.values()), sum(n.values())))
    measures = pd.DataFrame(rows, columns=["period", "offence_group", "numerator", "denominator"])
    measures = measures.assign(measure_id="M", race="all", citizenship="all", stratum="all", ci_method="wilson")
    for column in ("numerator", "denominator"):
        measures[column] = measures[column].astype("Int64")
    none = pd.DataFrame()
    return PublicData(measures=measures, comparisons=none, catalogue=CATALOGUE, settings=SETTINGS, run={})


def note(public: PublicData, language: str = "en") -> list[str]:
    return Story(public, Language(language)).with_one_mix(SimpleNamespace(measure_id="M", kind="rate"))


def test_beside_a_series_stands_where_it_would_have_gone_with_one_mix() -> None:
    """32 and 48 % as recorded; with 1,000 drug, 400 property and 600 violent cases both 36 %."""
    assert note(published()) == [
        "For everyone it is 32.0% in 2020 and 48.0% in 2023; with the offences of the whole period in every year it would be 36.0% and 36.0%."
    ]
    assert note(published(), "es")[0].startswith("Para todas las personas es de 32.0% en 2020")


def test_offences_that_some_year_hides_are_one_stratum_that_any_reader_can_work_out() -> None:
    """Property and violent together: 50 % in 2020, 55 % in 2023, half of all cases; drug 20 %."""
    assert "it would be 35.0% and 37.5%" in note(published(in_2021=["property", "violent"]))[0]


def test_without_a_single_offence_that_every_year_shows_nothing_is_said() -> None:
    assert note(published(in_2021=["property", "violent"], in_2022=["drug"])) == []

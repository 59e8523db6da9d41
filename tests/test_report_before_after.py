"""Before and after a policy: told from published quarters, beside other dates and other law, and never as a cause."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.contract import ROOT
from pipeline.findings import judge
from pipeline.measures import comparison_table, measure_table, periods
from pipeline.report.before_after import targets, told
from pipeline.report.language import LANGUAGES, Language
from pipeline.report.story import Story
from pipeline.report.tables import PublicData
from tests.report_example import SETTINGS

TEN_YEARS = replace(SETTINGS, period_from=date(2015, 1, 1), period_to=date(2024, 12, 31))
POLICY = {
    "title": "A policy", "effective_from": "2021-01-01", "effective_to": "", "measure_id": "DEC-02",
    "expected_direction": "up", "comparison_measure_id": "", "other_changes": "",
}  # fmt: skip


def world(noncitizens: Any, citizens: Any, *policies: dict[str, str], control: Any = ()) -> PublicData:
    """Rates by quarter of DEC-02, 400 cases each; and of CHG-01, of citizens alone, for comparison."""
    quarters = periods(TEN_YEARS)[0]
    listed = ["DEC-02", "CHG-01"] if len(control) else ["DEC-02"]
    series = [("DEC-02", "noncitizen", noncitizens), ("DEC-02", "citizen", citizens), ("CHG-01", "citizen", control)]
    cells = pd.DataFrame(
        [
            (measure, quarter, "white", group, "drug", "", round(400 * rate), 400)
            for measure, group, rates in series
            if measure in listed
            for quarter, rate in zip(quarters, rates, strict=True)
        ],
        columns=[
            *("measure_id", "quarter", "race", "citizenship", "offence_group", "stratum"),
            *("numerator", "denominator"),
        ],
    )
    catalogue = pd.read_csv(ROOT / "data" / "reference" / "measures.csv", dtype=str, keep_default_na=False)
    catalogue = catalogue[catalogue["measure_id"].isin(listed)].reset_index(drop=True)
    needs = " ".join(catalogue["required_columns"]).replace("|", " ").split()
    supplied = [tuple(column.split(".")) for column in needs]
    values = cells.head(0).assign(value=0, outcome="", cases=0)
    measures = measure_table(cells, values, catalogue, [*supplied, ("citizenship_assertion", "value")], TEN_YEARS)
    return PublicData(
        measures=measures, comparisons=judge(comparison_table(measures, TEN_YEARS)), catalogue=catalogue,
        settings=TEN_YEARS, run={}, policies=policies or (POLICY,),
    )  # fmt: skip


def jump(before: float, since: float, *, at: int = 24) -> list[float]:
    return [before if i < at else since for i in range(40)]


@pytest.fixture
def say() -> Language:
    return LANGUAGES[0]


def test_a_planted_change_is_found_at_its_date_and_at_no_other(say: Language) -> None:
    found = targets(Story(world(jump(0.2, 0.5), jump(0.2, 0.5)), say))[0]
    assert (found.before, found.since) == pytest.approx((0.2, 0.5))
    # windows of four quarters reach over the date from seven others, and all of these see less
    assert found.change is not None and found.change.p_value == pytest.approx(1 / 33)
    assert found.alike > 0.99


def test_a_steady_rise_is_no_change_at_the_date(say: Language) -> None:
    rise = np.linspace(0.1, 0.68, 40)
    found = targets(Story(world(rise, rise), say))[0]
    assert found.change is not None and found.change.p_value > 0.3


def test_a_change_that_everybody_saw_is_none_between_the_groups(say: Language) -> None:
    page = told(Story(world(jump(0.3, 0.6), jump(0.2, 0.5)), say))
    assert page["between"][1][0][2:5] == ["+30 points", "+30 points", "±0 points"]
    assert page["between"][1][0][-1] == "yes, as far as can be seen"


def test_groups_that_did_not_move_alike_before_are_no_comparison(say: Language) -> None:
    page = told(Story(world(np.linspace(0.1, 0.8, 40), jump(0.2, 0.5)), say))
    assert page["between"][1][0][-1] == "no: no comparison"
    jumped = told(Story(world(np.append(np.linspace(0.1, 0.4, 24), [0.9] * 16), jump(0.2, 0.5)), say))
    assert any("had not moved alike" in sentence for sentence in jumped["sentences"])


DECLARED = {**POLICY, "comparison_measure_id": "CHG-01"}


def test_a_change_that_the_declared_comparison_saw_too_is_no_difference(say: Language) -> None:
    both = world(jump(0.2, 0.5), jump(0.2, 0.5), DECLARED, control=jump(0.4, 0.7))
    assert told(Story(both, say))["beside"][1][0][3:6] == ["+30 points", "+30 points", "±0 points"]
    alone = world(jump(0.2, 0.5), jump(0.2, 0.5), DECLARED, control=jump(0.4, 0.4))
    page = told(Story(alone, say))
    assert page["beside"][1][0][3:] == ["+30 points", "±0 points", "+30 points", "3%", "yes, as far as can be seen"]
    assert any("no proof of a cause" in sentence for sentence in page["sentences"])


def test_a_declared_comparison_that_had_not_moved_alike_is_none(say: Language) -> None:
    apart = world(jump(0.2, 0.5), jump(0.2, 0.5), DECLARED, control=np.linspace(0.1, 0.8, 40))
    page = told(Story(apart, say))
    assert page["beside"][1][0][-1] == "no: no comparison"
    assert any("so it is none" in sentence for sentence in page["sentences"])
    assert not any("no proof of a cause" in sentence for sentence in page["sentences"])


def test_without_a_declared_comparison_none_is_made(say: Language) -> None:
    assert told(Story(world(jump(0.2, 0.5), jump(0.2, 0.5), control=jump(0.4, 0.7)), say))["beside"][1] == []


def test_a_quarter_in_which_a_policy_began_midway_belongs_to_neither_side(say: Language) -> None:
    rates = jump(0.2, 0.5)
    rates[24] = 0.9  # the quarter of 15 February
    policy = {**POLICY, "effective_from": "2021-02-15"}
    found = targets(Story(world(rates, rates, policy), say))[0]
    assert (found.before, found.since) == pytest.approx((0.2, 0.5))
    assert found.change is not None and np.isnan(found.change.p_value)  # thirty-nine quarters are left


def test_without_a_year_on_both_sides_nothing_is_said(say: Language) -> None:
    early, late = ({**POLICY, "effective_from": day} for day in ("2015-07-01", "2024-04-01"))
    assert targets(Story(world(jump(0.2, 0.5), jump(0.2, 0.5), early, late), say)) == []


def test_what_the_gate_hid_is_not_told_in_another_way(say: Language) -> None:
    public = world(jump(0.2, 0.5), jump(0.2, 0.5))
    hidden = public.measures["period"].eq("2020-Q2") & public.measures["citizenship"].ne("citizen")
    numbers = ["numerator", "denominator", "estimate"]
    measures = public.measures.assign(
        status=public.measures["status"].mask(hidden, "suppressed"),
        **{c: public.measures[c].mask(hidden) for c in numbers},
    )
    page = told(Story(replace(public, measures=measures), say))
    assert page["changes"][1][0][3:6] == ["cannot be told", "50.0%", "cannot be told"]
    assert page["changes"][1][0][7] == "too few quarters"
    assert page["between"][1] == []


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_what_else_changed_is_named_and_no_sentence_makes_a_cause_of_it(language: Language) -> None:
    policy = {**POLICY, "other_changes": "Executive Order 13993"}
    page = told(Story(world(jump(0.2, 0.5), jump(0.2, 0.5), policy), language))
    text = " ".join(page["sentences"])
    assert "Executive Order 13993" in text and page["changes"][1][0][-1] == "Executive Order 13993"
    assert re.search("not because of it|no significa por causa de ella", text)
    assert not re.search(r"effect of|thanks to|led to|efecto de|gracias a", text)

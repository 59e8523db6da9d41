"""Declared estimands: what is refused, and that a gap made by the mix of offences is not left after holding it equal."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.config import AuditSettings
from pipeline.errors import AuditError
from pipeline.estimands import ADJUSTED_COLUMNS, ESTIMANDS, adjusted_table, load_estimands
from pipeline.stats import strata

SETTINGS = AuditSettings(
    office="a_county",
    title="A County",
    jurisdiction="US-XX",
    as_of_date=date(2024, 7, 1),
    period_from=date(2024, 1, 1),
    period_to=date(2024, 6, 30),
    reference_race="white",
    reference_citizenship="citizen",
    seed=1,
)
CATALOGUE = pd.DataFrame([{"measure_id": "M-1", "mart": "charging", "fact": "mart_charging", "kind": "rate"}])


def declared(tmp_path: Path, **changes: object) -> Path:
    """The smallest file of declarations, with changes to its one estimand."""
    content = {
        "facts": {
            "offence_referred": {
                "column": "offence_group", "fixed_by": "police", "reason": "Before the file.", "in": ["mart_charging"],
            },
            "offence_charged": {"column": "offence_group", "fixed_by": "office", "reason": "Ours.", "in": ["mart_bail"]},
            "race": {"column": "race", "fixed_by": "person", "reason": "Before the case."},
        },
        "estimands": {
            "asked": {
                "kind": "standardised_gap", "contrast": "citizenship", "risk_set": "All matters.",
                "in": ["mart_charging"], "hold_equal": ["race", "offence_referred"],
            }
            | changes
        },
    }  # fmt: skip
    path = tmp_path / "estimands.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def codes(path: Path) -> list[str]:
    with pytest.raises(AuditError) as caught:
        load_estimands(path)
    return sorted({problem.code for problem in caught.value.problems})


def test_the_shipped_declarations_are_fit_and_give_a_reason_for_every_fact() -> None:
    found = load_estimands()
    assert {e.kind for e in found} == {"standardised_gap", "gap_given_later_stage"}
    assert all(fact.reason for estimand in found for fact in estimand.hold_equal)


def test_every_fact_of_the_marts_that_is_named_exists() -> None:
    """The declarations name facts by the catalogue; a renamed fact would drop out silently."""
    text = yaml.safe_load(ESTIMANDS.read_text(encoding="utf-8"))
    named = {fact for entry in text["estimands"].values() for fact in entry["in"]}
    catalogue = pd.read_csv(ESTIMANDS.parent / "measures.csv")
    assert named <= set(catalogue["fact"])


def test_holding_the_offices_own_decision_equal_is_refused(tmp_path: Path) -> None:
    path = declared(tmp_path, hold_equal=["race", "offence_charged"], **{"in": ["mart_bail"]})
    assert codes(path) == ["IIU705"]


def test_it_is_allowed_where_the_gap_is_named_as_given_that_decision(tmp_path: Path) -> None:
    path = declared(
        tmp_path, kind="gap_given_later_stage", given="the offence charged", hold_equal=["race", "offence_charged"],
        **{"in": ["mart_bail"]},
    )  # fmt: skip
    assert load_estimands(path)[0].given == "the offence charged"


def test_a_gap_given_a_later_stage_must_hold_one_equal(tmp_path: Path) -> None:
    assert codes(declared(tmp_path, kind="gap_given_later_stage", given="the charge")) == ["IIU706"]


def test_a_column_that_holds_something_else_in_that_fact_is_refused(tmp_path: Path) -> None:
    assert codes(declared(tmp_path, **{"in": ["mart_bail"]})) == ["IIU708"]


def test_what_is_compared_cannot_be_held_equal(tmp_path: Path) -> None:
    assert codes(declared(tmp_path, contrast="race")) == ["IIU707"]


def test_what_is_not_held_equal_is_no_benchmark(tmp_path: Path) -> None:
    assert codes(declared(tmp_path, benchmark="income")) == ["IIU710"]


def test_all_other_problems_are_reported_together(tmp_path: Path) -> None:
    path = declared(tmp_path, kind="effect", risk_set="", hold_equal=["race", "income"])
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["facts"]["race"] |= {"fixed_by": "stars", "reason": ""}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert codes(path) == ["IIU701", "IIU702", "IIU703", "IIU704", "IIU709"]


def cells(rate: dict[tuple[str, str], float], cases: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Cells of one quarter and race: events are the rate times the cases, by citizenship and offence."""
    return pd.DataFrame(
        [
            {
                "measure_id": "M-1", "quarter": "2024-Q1", "race": "white", "citizenship": citizenship,
                "offence_group": offence, "stratum": None, "numerator": round(rate[citizenship, offence] * n),
                "denominator": n,
            }
            for (citizenship, offence), n in cases.items()
        ]
    )  # fmt: skip


MIX = {
    ("noncitizen", "drug"): 300, ("noncitizen", "violent"): 100, ("citizen", "drug"): 200, ("citizen", "violent"): 600,
}  # fmt: skip


def asked(frame: pd.DataFrame, tmp_path: Path) -> pd.Series:
    found = adjusted_table(frame, CATALOGUE, load_estimands(declared(tmp_path)), SETTINGS)
    assert list(found.columns) == ADJUSTED_COLUMNS
    assert len(found) == 1
    return found.iloc[0]


def test_a_gap_that_the_mix_of_offences_makes_is_gone_when_the_offence_is_held_equal(tmp_path: Path) -> None:
    rate = {(c, o): {"drug": 0.2, "violent": 0.6}[o] for c, o in MIX}
    found = asked(cells(rate, MIX), tmp_path)
    assert found["crude_difference"] == pytest.approx(0.3 - 0.5)
    assert found["difference"] == pytest.approx(0, abs=1e-9)
    assert found["mantel_haenszel"] == pytest.approx(0, abs=1e-9)
    assert found["status"] == "ok"
    assert found["usable"] == 1
    assert found["e_value_of_limit"] == 1
    explained = ["explained", "explained_as_reference", "explained_as_group"]
    assert found[explained].tolist() == pytest.approx([found["crude_difference"]] * 3), "the facts explain all of it"


def test_a_gap_within_every_offence_remains_and_both_methods_agree(tmp_path: Path) -> None:
    rate = {
        ("noncitizen", "drug"): 0.3,
        ("noncitizen", "violent"): 0.7,
        ("citizen", "drug"): 0.2,
        ("citizen", "violent"): 0.6,
    }
    found = asked(cells(rate, MIX), tmp_path)
    assert found["crude_difference"] == pytest.approx(0.4 - 0.5), "the mix hides it"
    by_hand = strata.standardise([90, 70], [300, 100], [40, 360], [200, 600])
    assert found["difference"] == pytest.approx(float(by_hand.difference), abs=0.005)
    assert found["mantel_haenszel"] == pytest.approx(0.1)
    assert found["difference_low"] > 0
    assert found["e_value_of_limit"] > 1
    assert 0 < found["robustness_value"] < 1
    assert found["difference_if_omitted_as_strong"] < found["difference"]
    # the facts pull by 0.4 times half of the cases either way; what is left is the gap within the offences
    assert found["explained"] == pytest.approx(-0.2)
    assert found["crude_difference"] - found["explained"] == pytest.approx(0.1)


def test_unknown_citizenship_is_on_neither_side(tmp_path: Path) -> None:
    rate = dict.fromkeys(MIX, 0.3)
    frame = cells(rate, MIX)
    unknown = frame.assign(citizenship="unknown", numerator=frame["denominator"])
    found = asked(pd.concat([frame, unknown]), tmp_path)
    assert (found["denominator"], found["reference_denominator"]) == (400, 800)
    assert found["difference"] == pytest.approx(0, abs=1e-9)


def test_an_offence_without_events_does_not_take_the_gap_with_it(tmp_path: Path) -> None:
    mix = MIX | {("noncitizen", "driving"): 40, ("citizen", "driving"): 50}
    rate = {(c, o): {"drug": 0.2, "violent": 0.6, "driving": 0.0}[o] for c, o in mix}
    found = asked(cells(rate, mix), tmp_path)
    assert found["status"] == "ok"
    assert np.isfinite(found["difference"])


def test_one_sided_measures_are_not_estimable_and_keep_their_counts(tmp_path: Path) -> None:
    only = {k: n for k, n in MIX.items() if k[0] == "citizen"}
    found = asked(cells(dict.fromkeys(only, 0.5), only), tmp_path)
    assert found["status"] == "not_estimable"
    assert found["denominator"] == 0
    assert found["reference_denominator"] == 800
    assert np.isnan(found["difference"])


def test_races_are_each_set_against_the_reference(tmp_path: Path) -> None:
    path = declared(tmp_path, contrast="race", hold_equal=["offence_referred"])
    frame = cells(dict.fromkeys(MIX, 0.4), MIX)
    frame = pd.concat([frame, frame.assign(race="black"), frame.assign(race="asian")])
    found = adjusted_table(frame, CATALOGUE, load_estimands(path), SETTINGS)
    assert found[["race", "reference_race"]].to_numpy().tolist() == [["asian", "white"], ["black", "white"]]

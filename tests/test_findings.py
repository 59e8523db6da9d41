"""Findings from quarter to quarter: new, worsened, persisting, closed, or no longer told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.audit import _findings_of
from pipeline.contract import ROOT
from pipeline.errors import AuditError
from pipeline.findings import _named_once, find, judged, rules, track
from pipeline.measures import COMPARISON_COLUMNS, comparison_table, measure_table
from pipeline.stats.intervals import wilson
from tests.report_example import SETTINGS, catalogue


def gap(name: str, difference: float) -> dict[str, Any]:
    return {"id": f"gap|{name}", "rule": "gap", "difference": difference}


def zero(name: str, count: int) -> dict[str, Any]:
    return {"id": f"zero|{name}", "rule": "zero_tolerance", "count": count}


def statuses(found: list[dict[str, Any]], earlier: list[dict[str, Any]], *seen: str) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for finding in track(found, earlier, set(seen)):
        result.setdefault(finding["id"], []).append(finding["status"])
    return result


def test_what_kept_a_policy_and_what_broke_it_are_one_finding() -> None:
    def counted(name: str, group: int, reference: int, contrast: str = "citizenship") -> dict[str, Any]:
        sides = {"numerator": group, "denominator": 90, "reference_numerator": reference, "reference_denominator": 200}
        place = {"contrast": contrast, "race": "all", "stratum": "all"}
        return {"id": f"gap|{name}", "measure_id": name, **place, **sides}

    gaps = [
        counted("DEC-04", 30, 20), counted("DEC-02", 60, 180), counted("PLE-01", 60, 20), counted("DEC-04a", 30, 20),
        counted("BAIL-01", 30, 20, contrast="race"),
    ]  # fmt: skip
    assert {gap["measure_id"]: gap["same_as"] for gap in _named_once(gaps)} == {
        "DEC-04": "gap|DEC-02", "DEC-02": "", "PLE-01": "", "DEC-04a": "gap|DEC-02", "BAIL-01": "",
    }  # fmt: skip


def test_a_gap_has_worsened_only_if_it_is_wider_by_a_whole_point() -> None:
    earlier = [gap("wider", 0.10), gap("hardly", 0.10), gap("same", -0.10), gap("narrower", -0.10), gap("down", -0.10)]
    found = [gap("wider", 0.11), gap("hardly", 0.109), gap("same", -0.10), gap("narrower", -0.06), gap("down", -0.12)]
    assert statuses(found, earlier) == {
        "gap|wider": ["worsened"],
        "gap|hardly": ["persisting"],
        "gap|same": ["persisting"],
        "gap|narrower": ["persisting"],
        "gap|down": ["worsened"],
    }


def test_one_case_more_is_worse_where_one_is_too_many() -> None:
    found = [zero("BAIL-04", 8), zero("ICE-04c", 3), zero("VIC-09", 1)]
    earlier = [zero("BAIL-04", 7), zero("ICE-04c", 3)]
    assert statuses(found, earlier) == {
        "zero|BAIL-04": ["worsened"],
        "zero|ICE-04c": ["persisting"],
        "zero|VIC-09": ["new"],
    }
    assert [f.get("before") for f in track(found, earlier, set())] == [7, 3, None]


def test_a_gap_that_turned_round_is_another_finding() -> None:
    assert statuses([gap("x", 0.2)], [gap("x", -0.2)], "gap|x") == {"gap|x": ["new", "closed"]}


def test_a_finding_is_closed_only_where_a_number_still_tells() -> None:
    earlier = [gap("mended", 0.2), gap("hidden", 0.2)]
    assert statuses([], earlier, "gap|mended") == {"gap|mended": ["closed"], "gap|hidden": ["not_told"]}


def test_what_was_closed_before_is_not_closed_again_and_comes_back_as_new() -> None:
    earlier = [{**gap("old", 0.2), "status": "closed"}, {**gap("back", 0.2), "status": "closed"}]
    assert statuses([gap("back", 0.2)], earlier, "gap|old") == {"gap|back": ["new"]}


def test_a_number_that_is_hidden_or_unreliable_judges_nothing() -> None:
    cell = {"period": "all", "race": "all", "citizenship": "all", "offence_group": "all", "stratum": "all"}
    measures = pd.DataFrame(
        [
            {**cell, "measure_id": "BAIL-04", "status": "unreliable", "numerator": 0},
            {**cell, "measure_id": "ICE-04c", "status": "suppressed", "numerator": None},
            {**cell, "measure_id": "DIV-01", "status": "ok", "race": "black", "numerator": 5},
            {**cell, "measure_id": "VIC-03", "status": "ok", "numerator": 90, "denominator": 100},
            {**cell, "measure_id": "PPT-02", "status": "ok", "numerator": 9, "denominator": 29, "period": "2024"},
            *(
                {**cell, "measure_id": measure, "status": "ok", "stratum": part, "numerator": 1, "denominator": 99}
                for measure, part in (("PCR-05", "final_before_padilla"), ("PCR-05", "final_since_padilla"),
                                      ("CUS-02", "detainer"))
            ),
        ]
    ).assign(ci_method="wilson", estimate=0.5, ci_high=0.6, mart="m", unit="share")  # fmt: skip
    comparisons = pd.DataFrame(
        [
            {
                "measure_id": "DIV-01",
                "contrast": "race",
                "race": "black",
                "stratum": "all",
                "period": "all",
                "status": "ok",
            },
            {
                "measure_id": "DIV-02",
                "contrast": "race",
                "race": "black",
                "stratum": "all",
                "period": "all",
                "status": "unreliable",
            },
            {
                "measure_id": "DIV-03",
                "contrast": "race",
                "race": "black",
                "stratum": "all",
                "period": "2024",
                "status": "ok",
            },
        ]
    )
    assert judged(measures, comparisons) == {
        "zero|BAIL-04", "zero|VIC-03", "gap|DIV-01|race|black|all", "target|VIC-03", "part|PCR-05|final_before_padilla",
    }  # fmt: skip


def rates(*rows: tuple[str, str, str, int, int]) -> pd.DataFrame:
    """Measures of the whole office: id, stratum, period, events and cases."""
    events, cases = (np.array([row[at] for row in rows]) for at in (3, 4))
    limits = wilson(events, cases)
    everyone = {"race": "all", "citizenship": "all", "offence_group": "all", "mart": "custody", "unit": "share"}
    return pd.DataFrame(
        [{"measure_id": r[0], "stratum": r[1], "period": r[2], "numerator": r[3], "denominator": r[4]} for r in rows]
    ).assign(
        **everyone, status="ok", ci_method="wilson", estimate=events / cases, ci_low=limits.low, ci_high=limits.high
    )  # fmt: skip


def found_in(measures: pd.DataFrame) -> list[dict[str, Any]]:
    nothing = pd.DataFrame(columns=[*COMPARISON_COLUMNS])
    catalogue = pd.DataFrame({"measure_id": measures["measure_id"].unique()}).assign(title="Title")
    return find(measures, nothing, catalogue, as_of=date(2024, 12, 31))


@pytest.mark.parametrize(
    ("detainer", "other", "expected"),
    [
        ((60, 200), (200, 1000), ["part|CUS-02|detainer"]),
        ((50, 200), (200, 1000), []),  # ten in two hundred may be chance
        ((4900, 20000), (4000, 20000), []),  # certain, and less than five points
        ((200, 1000), (60, 200), ["part|CUS-02|detainer"]),
    ],
)
def test_two_parts_that_should_be_alike_are_held_against_each_other(
    detainer: tuple[int, int], other: tuple[int, int], expected: list[str]
) -> None:
    measures = rates(("CUS-02", "detainer", "all", *detainer), ("CUS-02", "no_detainer_on_file", "all", *other))
    assert [finding["id"] for finding in found_in(measures)] == expected


@pytest.mark.parametrize(
    ("in_time", "expected"),
    # three quarters are expected; of a hundred, 65 have an upper limit of 73.6%, 66 one of 74.5%, 67 one of 75.4%
    [(65, ["target|VIC-03"]), (66, ["target|VIC-03"]), (67, []), (100, [])],
)
def test_a_target_is_missed_where_the_whole_interval_lies_below(in_time: int, expected: list[str]) -> None:
    assert [f["id"] for f in found_in(rates(("VIC-03", "all", "all", in_time, 100)))] == expected


def test_a_target_for_now_is_held_against_the_latest_year() -> None:
    then, now = ("PPT-02", "all", "2023", 10, 100), ("PPT-02", "all", "2024", 90, 100)
    whole, quarter = ("PPT-02", "all", "all", 100, 200), ("PPT-02", "all", "2024-Q4", 1, 100)
    assert found_in(rates(then, now, whole, quarter)) == []
    (finding,) = found_in(rates(now, ("PPT-02", "all", "2025", 10, 100), whole))
    assert (finding["id"], finding["period"]) == ("target|PPT-02", "2025")


def test_every_finding_has_an_owner_and_a_day_from_the_declared_file() -> None:
    measures = rates(("BAIL-04", "all", "all", 1, 100), ("VIC-03", "all", "all", 1, 100))
    named = {f["id"]: (f["severity"], f["owner"], f["due"]) for f in found_in(measures.assign(mart=["bail", "budget"]))}
    assert named == {
        "zero|BAIL-04": ("high", "Head of the bail unit", "2025-01-30"),
        "target|VIC-03": ("high", "Head of the Immigration Integrity Unit", "2025-01-30"),
    }


def test_the_day_does_not_move_because_the_audit_was_made_again() -> None:
    (again,) = track(
        [{**zero("BAIL-04", 3), "due": "2025-04-30"}], [{**zero("BAIL-04", 3), "due": "2025-01-30"}], set()
    )
    assert again["due"] == "2025-01-30"


#: Of a thousand citizens and a thousand noncitizens of each quarter, how many.
TWO_QUARTERS = {
    "CHG-01": [(600, 700), (600, 700)],  # as wide as before
    "CHG-05": [(300, 400), (300, 500)],  # wider
    "DIV-01": [(400, 300), (400, 500)],  # made up for
    "DIV-04": [(400, 400), (400, 600)],  # there was none
    "BAIL-03": [(100, 200), (100, 200)],  # there still, but by then the office cannot tell
    "BAIL-04": [(0, 3), (0, 1)],
}


def audit_of(quarters: int, **settings: Any) -> tuple[list[dict[str, Any]], set[str]]:
    """Findings of an export that reaches to the end of so many quarters of 2024, and what it could have shown."""
    cells = pd.DataFrame(
        [
            {"measure_id": measure, "quarter": f"2024-Q{quarter}", "citizenship": group, "numerator": events}
            for measure, told in TWO_QUARTERS.items()
            for quarter, counts in enumerate(told[:quarters], start=1)
            for group, events in zip(("citizen", "noncitizen"), counts, strict=True)
        ]
    ).assign(race="white", offence_group="property", stratum="all", denominator=1000)
    as_of = (date(2024, 3, 31), date(2024, 6, 30))[quarters - 1]
    known = replace(SETTINGS, as_of_date=as_of, period_from=date(2024, 1, 1), period_to=as_of, **settings)
    columns = [tuple(c.split(".")) for row in catalogue()["required_columns"] for c in row.split()]
    supplied = [*columns, ("citizenship_assertion", "value")]
    values = pd.DataFrame(columns=[*cells.columns, "value", "outcome", "cases"])
    measures = measure_table(cells, values, catalogue(), supplied, known)
    comparisons = comparison_table(measures, known)
    return find(measures, comparisons, catalogue(), as_of=as_of), judged(measures, comparisons)


def test_an_audit_beside_that_of_the_quarter_before_says_what_became_of_each_finding() -> None:
    earlier, _ = audit_of(1)
    now, judged_now = audit_of(2, cannot_answer=(("BAIL-03", "No longer recorded."),))
    became = {f["measure_id"]: f["status"] for f in track(now, earlier, judged_now)}
    assert became == {
        "CHG-01": "persisting", "CHG-05": "worsened", "DIV-01": "closed", "DIV-04": "new", "BAIL-03": "not_told",
        "BAIL-04": "worsened",
    }  # fmt: skip


def test_every_rule_names_measures_and_parts_that_there_are() -> None:
    catalogue = set(pd.read_csv(ROOT / "data" / "reference" / "measures.csv")["measure_id"])
    declared = rules()
    named = [*declared["zero_tolerance"], *(r["measure_id"] for r in (*declared["parts"], *declared["targets"]))]
    assert set(named) <= catalogue
    marts = {path.name for path in (ROOT / "models" / "marts").iterdir() if path.is_dir()}
    assert set(declared["owners"]) - {"otherwise"} <= marts
    assert {listed["mart"] for listed in declared["worklists"]} <= marts


def test_only_an_earlier_audit_of_the_same_office_can_be_looked_back_to(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"IIU141.*holds no findings"):
        _findings_of(tmp_path, "here")
    (tmp_path / "restricted").mkdir()
    for name, text in {
        "run.json": '{"office": "there"}',
        "findings.json": '[{"id": "a"}]',
        "restricted/findings.json": '[{"id": "b"}]',
    }.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(AuditError, match=r"IIU141.*an audit of .there."):
        _findings_of(tmp_path, "here")
    assert _findings_of(tmp_path, "there") == ([{"id": "a"}], [{"id": "b"}])


@pytest.mark.parametrize(("file", "text"), [("run.json", "[]"), ("findings.json", "[3]"), ("findings.json", "3")])
def test_a_damaged_earlier_audit_is_a_problem_and_no_crash(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "restricted").mkdir()
    (tmp_path / "run.json").write_text('{"office": "here"}')
    for name in ("findings.json", "restricted/findings.json"):
        (tmp_path / name).write_text("[]")
    (tmp_path / file).write_text(text)
    with pytest.raises(AuditError, match=r"IIU141.*holds no findings"):
        _findings_of(tmp_path, "here")

"""Findings from quarter to quarter: new, worsened, persisting, closed, or no longer told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.audit import _findings_of
from pipeline.errors import AuditError
from pipeline.findings import _named_once, judged, track


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
        ]
    )
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
    assert judged(measures, comparisons) == {"zero|BAIL-04", "gap|DIV-01|race|black|all"}


def test_only_an_earlier_audit_of_the_same_office_can_be_looked_back_to(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"IIU141.*holds no findings"):
        _findings_of(tmp_path, "here")
    (tmp_path / "restricted").mkdir()
    for name, text in {
        "run.json": '{"office": "there"}',
        "findings.json": "[1]",
        "restricted/findings.json": "[2]",
    }.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(AuditError, match=r"IIU141.*an audit of .there."):
        _findings_of(tmp_path, "here")
    assert _findings_of(tmp_path, "there") == ([1], [2])

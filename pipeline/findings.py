"""From numbers to findings, by rules that were declared before anybody looked (`data/reference/finding_rules.yml`).

Whether a gap is clear is decided here and nowhere else, by `judge`; pages, findings and notebooks say what it decided.
Given the public tables, the findings are fit to publish; given the restricted ones, they are for the unit alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import yaml

from pipeline.contract import ROOT
from pipeline.measures import BOTH_SIDES, COUNTS, MINIMUM_CASES
from pipeline.stats import intervals
from pipeline.stats.multiplicity import detectable_gap, false_discovery

RULES = ROOT / "data" / "reference" / "finding_rules.yml"
KEY = ["measure_id", "contrast", "race", "stratum"]
#: What `judge` says of a comparison with a reliable number. Never that there is no difference.
CLEAR, UNCLEAR, NOT_JUDGED = "clear", "no_clear_difference", "not_judged"
#: What a finding takes over from its comparison beside its counts, so that its sentences can be written from it alone.
NUMBERS = [
    *("estimate", "reference_estimate", "difference", "difference_low", "difference_high"),
    *("bound_low", "bound_high", "q_value"),
]
LABELS = ["measure_id", "mart", "contrast", "race", "stratum", "reference_race", "unit", "status", "verdict"]


@cache
def rules() -> dict[str, Any]:
    """The declared rules."""
    declared: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return declared


def judge(comparisons: pd.DataFrame) -> pd.DataFrame:
    """The comparisons with `q_value`, `detectable_gap` and `verdict`, which is empty where no reliable number stands.

    The family are the gaps of two rates over the whole period that the rules do not leave out. One is clear if its
    q-value in the family is below the declared rate and it is at least as wide as declared. Intervals are not adjusted.
    """
    declared = rules()["gaps"]
    told = comparisons["status"].eq("ok")
    rates = told & comparisons["period"].eq("all") & comparisons["difference_method"].eq("newcombe")
    family = rates & comparisons["p_value"].notna()
    for rule in declared["not_compared"]:
        family &= ~np.logical_and.reduce([comparisons[c].isin(np.atleast_1d(v)) for c, v in rule.items()])
    q = false_discovery(comparisons["p_value"].where(family).to_numpy(dtype=float, na_value=np.nan))
    wide = comparisons["difference"].abs().ge(declared["least_gap"])
    sides = (
        comparisons[c].where(rates).to_numpy(dtype=float, na_value=np.nan)
        for c in ("denominator", "reference_denominator", "reference_estimate")
    )
    return comparisons.assign(
        q_value=q,
        detectable_gap=detectable_gap(*sides),
        verdict=np.select(
            [family & (q < declared["false_discovery_rate"]) & wide, family, told], [CLEAR, UNCLEAR, NOT_JUDGED], ""
        ),
    )


def find(
    measures: pd.DataFrame, comparisons: pd.DataFrame, catalogue: pd.DataFrame, *, as_of: date
) -> list[dict[str, Any]]:
    """Findings: one case too many, targets missed, parts that differ, then the clear gaps, the widest first.

    Each holds its numbers, its `owner`, and the day on which it is `due`, so many days after the export's `as_of`.
    Where several say the same of the same people, `same_as` holds the id of the one to read; of that one it is empty.
    `pipeline.report.words` puts them into sentences.
    """
    titles = dict(zip(catalogue["measure_id"], catalogue["title"], strict=True))
    overall = measures[(measures[["race", "citizenship", "offence_group"]] == "all").all(axis=1)]
    found = [
        *_zero_tolerance(overall, rules()["zero_tolerance"]),
        *_targets(overall, titles),
        *_parts(overall, titles),
        *_named_once(_gaps(judge(comparisons), titles)),
    ]
    return [{**finding, **answered_for(finding["mart"], finding["severity"], as_of)} for finding in found]


def answered_for(mart: str, severity: str, as_of: date) -> dict[str, str]:
    """Who answers for what is found in a mart, and by which day."""
    owners: dict[str, str] = rules()["owners"]
    due = as_of + timedelta(days=rules()["due_in_days"][severity])
    return {"owner": owners.get(mart, owners["otherwise"]), "due": due.isoformat()}


def declared_worklists(as_of: date) -> list[dict[str, Any]]:
    """The lists that are worked through whether or not a number stands out, with who answers for them by when."""
    return [{**listed, **answered_for(listed["mart"], "high", as_of)} for listed in rules()["worklists"]]


def judged(measures: pd.DataFrame, comparisons: pd.DataFrame) -> set[str]:
    """The ids of all findings that these tables could have shown: where a number is told and reliable."""
    gaps = comparisons[(comparisons["period"] == "all") & (comparisons["status"] == "ok")]
    whole = (measures[["period", "race", "citizenship", "offence_group", "stratum"]] == "all").all(axis=1)
    counts = measures[whole & measures["numerator"].notna()]
    overall = measures[(measures[["race", "citizenship", "offence_group"]] == "all").all(axis=1)]
    return (
        {_gap_id(row) for row in gaps[KEY].to_dict("records")}
        | {f"zero|{m}" for m in counts["measure_id"]}
        | {_target_id(target) for target, _ in _on_target(overall)}
        | {_part_id(row) for row in _compared_parts(overall)}
    )


def track(
    found: Sequence[Mapping[str, Any]], earlier: Sequence[Mapping[str, Any]], judged: Collection[str]
) -> list[dict[str, Any]]:
    """The findings of now beside those of an earlier audit: each with its `status`, and with `before` where it was there.

    `new`; `worsened`: a gap wider by the declared width, or more cases where one is too many; `persisting`; behind
    them `closed`, and `not_told`: found earlier, and now without a number that would show it (not in `judged`). A gap
    that has turned round is another finding: new, and the earlier one closed.
    """
    least = rules()["worsened_by"]
    before = {f["id"]: f for f in earlier if f.get("status") not in ("closed", "not_told")}
    tracked = []
    for finding in found:
        old = before.get(finding["id"])
        if old is None or finding.get("difference", 0) * old.get("difference", 0) < 0:
            tracked.append({**finding, "status": "new"})
            continue
        del before[finding["id"]]
        wider = abs(finding.get("difference", 0)) - abs(old.get("difference", 0)) >= least - 1e-9
        more = finding.get("count", 0) > old.get("count", 0)
        if "due" in old:  # the day does not move because the audit was made again
            finding = {**finding, "due": old["due"]}
        was = (
            {"before": old["difference"]} if "difference" in old else {"before": old["count"]} if "count" in old else {}
        )
        tracked.append({**finding, "status": "worsened" if wider or more else "persisting", **was})
    gone = [{**old, "status": "closed" if old["id"] in judged else "not_told"} for old in before.values()]
    return [*tracked, *gone]


def _gaps(comparisons: pd.DataFrame, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    clear = comparisons[comparisons["verdict"].eq(CLEAR)]
    widest = clear.assign(width=-clear["difference"].abs()).sort_values(["width", *KEY], kind="stable")
    return [
        {
            "id": _gap_id(row),
            "rule": "gap",
            "severity": _severity(row["difference"]),
            "measure": titles[row["measure_id"]],
            **{name: row[name] for name in LABELS},
            **{name: None if pd.isna(row[name]) else int(row[name]) for name in COUNTS},
            **{name: None if pd.isna(row[name]) else float(f"{row[name]:.6g}") for name in NUMBERS},
            "family_size": int(comparisons["q_value"].notna().sum()),
        }
        for row in widest.to_dict("records")
    ]


def from_either_side(counts: Sequence[int]) -> frozenset[tuple[int, ...]]:
    """What gaps with one story have alike: what kept a policy is what broke it, seen from the other side.

    `counts` are those of a comparison: numerator and denominator of the group, then of the reference.
    """
    group, of_group, reference, of_reference = counts
    return frozenset({tuple(counts), (of_group - group, of_group, of_reference - reference, of_reference)})


def _named_once(gaps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The gaps with `same_as`: what tells one story is one finding."""

    def counts(gap: Mapping[str, Any]) -> tuple[object, ...]:
        return gap["contrast"], gap["race"], from_either_side([gap[name] for name in BOTH_SIDES])

    lead: dict[tuple[object, ...], str] = {}
    for gap in sorted(gaps, key=lambda gap: tuple(gap[k] for k in KEY)):
        lead.setdefault(counts(gap), gap["id"])
    return [{**gap, "same_as": "" if lead[counts(gap)] == gap["id"] else lead[counts(gap)]} for gap in gaps]


def _zero_tolerance(measures: pd.DataFrame, declared: Mapping[str, str]) -> list[dict[str, Any]]:
    whole = measures[
        (measures[["period", "stratum"]] == "all").all(axis=1)
        & measures["measure_id"].isin(list(declared))
        & (measures["numerator"].fillna(0) > 0)
    ]
    return [
        {
            "id": f"zero|{row['measure_id']}",
            "rule": "zero_tolerance",
            "severity": "high",
            "measure": declared[row["measure_id"]],
            "measure_id": row["measure_id"],
            "mart": row["mart"],
            "count": int(row["numerator"]),
            "same_as": "",
        }
        for row in whole.sort_values("measure_id").to_dict("records")
    ]


def _targets(overall: pd.DataFrame, titles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for target, row in _on_target(overall):
        if row["ci_high"] < target["at_least"]:
            yield {
                "id": _target_id(target),
                "rule": "target",
                "severity": "high",
                "measure": titles[row["measure_id"]],
                **{name: row[name] for name in ("measure_id", "mart", "period", "unit")},
                **{name: int(row[name]) for name in ("numerator", "denominator")},
                **{name: float(f"{row[name]:.6g}") for name in ("estimate", "ci_low", "ci_high")},
                "at_least": target["at_least"],
                "same_as": "",
            }


def _on_target(overall: pd.DataFrame) -> Iterator[tuple[Mapping[str, Any], Mapping[Any, Any]]]:
    """Each declared target with the number that is held against it, if there is one from enough cases."""
    for target in rules()["targets"]:
        rows = overall[overall["measure_id"].eq(target["measure_id"]) & overall["stratum"].eq("all")]
        period = "all"
        if target["period"] == "latest_year":
            period = max((p for p in rows["period"] if p.isdigit()), default="")
        # however wide the interval is: it lies below what is expected, or it does not
        enough = rows["denominator"].ge(MINIMUM_CASES) & rows[["numerator", "ci_high"]].notna().all(axis=1)
        for row in rows[rows["period"].eq(period) & enough.fillna(False)].to_dict("records"):
            yield target, row


def _parts(overall: pd.DataFrame, titles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Parts of one measure that differ. The test counts cases: a person may have some in both parts."""
    compared = list(_compared_parts(overall))
    p_values = [
        float(intervals.score_p_value(*(row[name] for name in BOTH_SIDES)))
        for row in compared
    ]  # fmt: skip
    for row, q_value in zip(compared, false_discovery(p_values), strict=True):
        clear = q_value < rules()["gaps"]["false_discovery_rate"]
        if clear and abs(row["difference"]) >= rules()["gaps"]["least_gap"]:
            yield {
                "id": _part_id(row),
                "rule": "part",
                "severity": _severity(row["difference"]),
                "measure": titles[row["measure_id"]],
                **row,
                "q_value": float(f"{q_value:.6g}"),
                "family_size": len(compared),
                "same_as": "",
            }


def _compared_parts(overall: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The declared pairs of parts of which both numbers are reliable, as comparisons."""
    whole = overall[overall["period"].eq("all") & _is_told(overall)]
    told = {(row["measure_id"], row["stratum"]): row for row in whole.to_dict("records")}
    for pair in rules()["parts"]:
        group, reference = (told.get((pair["measure_id"], pair[end])) for end in ("stratum", "reference_stratum"))
        if group is None or reference is None:
            continue
        counts = [int(side[name]) for side in (group, reference) for name in ("numerator", "denominator")]
        limits = intervals.newcombe(*counts)
        numbers = {
            "estimate": group["estimate"],
            "reference_estimate": reference["estimate"],
            "difference": group["estimate"] - reference["estimate"],
            "difference_low": float(limits.low),
            "difference_high": float(limits.high),
        }
        yield {
            **pair,
            **dict(zip(BOTH_SIDES, counts, strict=True)),
            **{name: float(f"{number:.6g}") for name, number in numbers.items()},
            "mart": group["mart"],
            "unit": group["unit"],
            "contrast": "part",
            "race": "all",
            "status": "ok",
            "verdict": CLEAR,
            "bound_low": None,
            "bound_high": None,
        }


def _is_told(rows: pd.DataFrame) -> pd.Series[bool]:
    """Rows of rates with a reliable number whose counts are told too."""
    return (
        rows["status"].eq("ok")
        & rows["ci_method"].eq("wilson")
        & rows[["numerator", "denominator"]].notna().all(axis=1)
    )


def _severity(difference: float) -> str:
    return "high" if abs(difference) >= 2 * rules()["gaps"]["least_gap"] else "medium"


def _target_id(target: Mapping[str, Any]) -> str:
    return f"target|{target['measure_id']}"


def _part_id(pair: Mapping[str, Any]) -> str:
    return f"part|{pair['measure_id']}|{pair['stratum']}"


def _gap_id(row: Mapping[Any, Any]) -> str:
    return "|".join(["gap", *(str(row[k]) for k in KEY)])

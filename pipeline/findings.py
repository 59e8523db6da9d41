"""From numbers to findings, by rules that were declared before anybody looked (`data/reference/finding_rules.yml`).

Given the public tables, the findings are fit to publish; given the restricted ones, they are for the unit alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import yaml

from pipeline.contract import ROOT
from pipeline.stats.multiplicity import false_discovery

RULES = ROOT / "data" / "reference" / "finding_rules.yml"
KEY = ["measure_id", "contrast", "race", "stratum"]


def find(measures: pd.DataFrame, comparisons: pd.DataFrame, catalogue: pd.DataFrame) -> list[dict[str, Any]]:
    """Findings, the gravest first: one case too many, then gaps by width. Each holds its rule, numbers and a sentence.

    Gaps: rates over the whole period whose q-value among all comparisons of the audit is below the declared rate and
    whose width is at least the declared one. Intervals are not adjusted; the number of comparisons stands beside.
    """
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    titles = dict(zip(catalogue["measure_id"], catalogue["title"], strict=True))
    return [*_zero_tolerance(measures, rules["zero_tolerance"]), *_gaps(comparisons, rules["gaps"], titles)]


def judged(measures: pd.DataFrame, comparisons: pd.DataFrame) -> set[str]:
    """The ids of all findings that these tables could have shown: where a number is told and reliable."""
    gaps = comparisons[(comparisons["period"] == "all") & (comparisons["status"] == "ok")]
    whole = (measures[["period", "race", "citizenship", "offence_group", "stratum"]] == "all").all(axis=1)
    counts = measures[whole & measures["numerator"].notna()]
    return {_gap_id(row) for row in gaps[KEY].to_dict("records")} | {f"zero|{m}" for m in counts["measure_id"]}


def track(
    found: Sequence[Mapping[str, Any]], earlier: Sequence[Mapping[str, Any]], judged: Collection[str]
) -> list[dict[str, Any]]:
    """The findings of now beside those of an earlier audit: each with its `status`, and with `before` where it was there.

    `new`; `worsened`: a gap wider by the declared width, or more cases where one is too many; `persisting`; behind
    them `closed`, and `not_told`: found earlier, and now without a number that would show it (not in `judged`). A gap
    that has turned round is another finding: new, and the earlier one closed.
    """
    least = yaml.safe_load(RULES.read_text(encoding="utf-8"))["worsened_by"]
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
        was = (
            {"before": old["difference"]} if "difference" in old else {"before": old["count"]} if "count" in old else {}
        )
        tracked.append({**finding, "status": "worsened" if wider or more else "persisting", **was})
    gone = [{**old, "status": "closed" if old["id"] in judged else "not_told"} for old in before.values()]
    return [*tracked, *gone]


def flagged_gaps(comparisons: pd.DataFrame, rules: dict[str, Any]) -> pd.DataFrame:
    """The comparisons that the rules flag, with `q_value` and `family_size`, the widest first."""
    rows = comparisons[
        (comparisons["period"] == "all")
        & (comparisons["status"] == "ok")
        & (comparisons["difference_method"] == "newcombe")
    ]
    for rule in rules["not_compared"]:
        named = [rows[column].isin(np.atleast_1d(values)) for column, values in rule.items()]
        rows = rows[~np.logical_and.reduce(named)]
    rows = rows.assign(
        q_value=false_discovery(rows["p_value"].to_numpy(dtype=float, na_value=np.nan)),
        family_size=rows["p_value"].count(),
    )
    flagged = rows[(rows["q_value"] < rules["false_discovery_rate"]) & (rows["difference"].abs() >= rules["least_gap"])]
    widest = flagged.assign(width=-flagged["difference"].abs())
    ordered: pd.DataFrame = widest.sort_values(["width", *KEY], kind="stable").drop(columns="width")
    return ordered


def _gaps(comparisons: pd.DataFrame, rules: dict[str, Any], titles: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for row in flagged_gaps(comparisons, rules).to_dict("records"):
        group, reference = _who(row)
        text = (
            f"{_percent(row['estimate'])} of {group} ({row['numerator']:,} of {row['denominator']:,}) against "
            f"{_percent(row['reference_estimate'])} of {reference} ({row['reference_numerator']:,} of "
            f"{row['reference_denominator']:,}): a gap of {_points(row['difference'])} points, 95% interval "
            f"{_points(row['difference_low'])} to {_points(row['difference_high'])}. One of {row['family_size']} "
            f"comparisons looked at, q = {row['q_value']:.2g}."
        )
        if pd.notna(row["bound_low"]) and row["contrast"] != "race":
            text += (
                f" Whatever the unknown citizenship were, the gap would lie between {_points(row['bound_low'])} and "
                f"{_points(row['bound_high'])} points."
            )
        found.append(
            {
                "id": _gap_id(row),
                "rule": "gap",
                "severity": "high" if abs(row["difference"]) >= 2 * rules["least_gap"] else "medium",
                "title": f"{titles[row['measure_id']]}: a gap between {group} and {reference}",
                "text": text + " The records cannot show why.",
                "measure_id": row["measure_id"],
                "mart": row["mart"],
                "contrast": row["contrast"],
                "race": row["race"],
                "stratum": row["stratum"],
                "difference": round(float(row["difference"]), 6),
                "q_value": float(f"{row['q_value']:.6g}"),
                "family_size": int(row["family_size"]),
            }
        )
    return found


def _zero_tolerance(measures: pd.DataFrame, rules: dict[str, str]) -> list[dict[str, Any]]:
    whole = measures[
        (measures[["period", "race", "citizenship", "offence_group", "stratum"]] == "all").all(axis=1)
        & measures["measure_id"].isin(list(rules))
        & (measures["numerator"].fillna(0) > 0)
    ]
    return [
        {
            "id": f"zero|{row['measure_id']}",
            "rule": "zero_tolerance",
            "severity": "high",
            "title": rules[row["measure_id"]],
            "text": f"{row['numerator']:,} times in the whole period. One is too many: each is to be reviewed.",
            "measure_id": row["measure_id"],
            "mart": row["mart"],
            "count": int(row["numerator"]),
        }
        for row in whole.sort_values("measure_id").to_dict("records")
    ]


def _gap_id(row: Mapping[Any, Any]) -> str:
    return "|".join(["gap", *(str(row[k]) for k in KEY)])


def _who(row: Mapping[Any, Any]) -> tuple[str, str]:
    race = str(row["race"]).replace("_", " ")
    if row["contrast"] == "race":
        return f"people recorded as {race}", f"people recorded as {str(row['reference_race']).replace('_', ' ')}"
    among = "" if row["race"] == "all" else f" recorded as {race}"
    return f"noncitizens{among}", f"citizens{among}"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"

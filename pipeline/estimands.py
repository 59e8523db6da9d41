"""Adjusted comparisons, each declared in `data/reference/estimands.yml` before anybody looks at a number.

Three questions must not be confused. The population gap (in `comparisons`) is what people meet with. The standardised
gap asks what remains when facts that were fixed before the decision are alike. The gap given a later stage holds equal
what the office itself decided, so it is only the part that did not go through that decision. A declaration that holds
the office's own decision equal without saying so is refused.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from pipeline.config import AuditSettings
from pipeline.contract import ROOT
from pipeline.errors import AuditError, Problem, place
from pipeline.measures import ALL, MINIMUM_CASES, periods
from pipeline.stats import adjusted, decompose, intervals, multiplicity, sensitivity, strata
from pipeline.stats.adjusted import columns_of
from pipeline.stats.clusters import FEWEST_CLUSTERS, Belonging, how_many
from pipeline.stats.intervals import Floats

ESTIMANDS = ROOT / "data" / "reference" / "estimands.yml"

Kind = Literal["standardised_gap", "gap_given_later_stage"]
#: Who may have fixed a fact. What the office decided, and what came later, is not before its decision.
FIXED_BY = ("calendar", "person", "police", "court", "office", "later")
NOT_BEFORE = ("office", "later")
CONTRASTS = {"race": "race", "citizenship": "citizenship"}
#: Below this share of cases with a counterpart the model speaks mostly of people it never saw.
LEAST_USABLE = 0.5

ADJUSTED_COLUMNS = [
    *("estimand", "kind", "given", "held_equal", "measure_id", "mart", "contrast", "race", "citizenship"),
    *("reference_race", "reference_citizenship", "numerator", "denominator"),
    *("reference_numerator", "reference_denominator", "crude_difference"),
    *("rate", "reference_rate", "difference", "difference_low", "difference_high", "ratio", "ratio_low", "ratio_high"),
    *("group_difference", "group_difference_low", "group_difference_high"),
    *("mantel_haenszel", "mantel_haenszel_low", "mantel_haenszel_high"),
    *("profile", "profile_ratio", "amount_ratio", "amount_ratio_low", "amount_ratio_high"),
    *("e_value", "e_value_of_limit", "benchmark", "robustness_value", "difference_if_omitted_as_strong"),
    *("without_one_low", "without_one_high", "without_one_low_agency", "without_one_high_agency", "agencies"),
    *("against_all_others", "explained", "explained_as_reference", "explained_as_group"),
    *("persons", "deciders", "counted_by"),
    *("usable", "least_support", "detectable_gap", "status", "reason"),
]


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose the rows of one measure are. `cells` has one row a finest cell: quarter, groups, and what is held equal.

    The others are arrays of one length, one place a cell, person, unit, prosecutor and agency: their numbers from 0, -1
    where none is on file, and the counts. They are as many as the cases, and kept in few bytes: `at` widens what is
    calculated with. `unit_names` and `agency_names` are in the order of the numbers. Of an amount, `events` are
    the cases above zero and `logs` the sums of their logs.
    """

    cells: pd.DataFrame
    cell: NDArray[Any]
    person: NDArray[Any]
    unit: NDArray[Any]
    prosecutor: NDArray[Any]
    agency: NDArray[Any]
    unit_names: tuple[str, ...]
    agency_names: tuple[str, ...]
    events: NDArray[Any]
    cases: NDArray[Any]
    logs: Floats | None = None

    def at(self, cells: pd.DataFrame, by: list[str], quarters: list[str]) -> Whose:
        """The same with the cells of a table, whose rows are told apart by these columns; other places are left out."""
        own = self.cells.assign(year=self.cells["quarter"].str[:4])
        found = own[by].astype(str).merge(cells[by].astype(str).assign(place=range(len(cells))), on=by, how="left")
        place = found["place"].where(own["quarter"].isin(quarters).to_numpy()).fillna(-1).to_numpy(dtype=np.intp)
        cell = place[self.cell]
        kept = replace(self, cell=cell).kept((cell >= 0) & (self.cases > 0))
        wide = {name: getattr(kept, name).astype(np.intp) for name in ("person", "unit", "prosecutor", "agency")}
        return replace(kept, **wide, **{name: getattr(kept, name).astype(float) for name in ("events", "cases")})

    def kept(self, at: NDArray[np.bool_]) -> Whose:
        arrays: dict[str, Any] = {
            name: value[at] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return replace(self, **arrays)

    def decided_by(self, *sides: NDArray[np.bool_]) -> tuple[str, NDArray[np.intp]]:
        """The units, or if fewer than ten of them have cases of both sides the prosecutors, numbered from 0; else none."""
        for name, who in (("unit", self.unit), ("prosecutor", self.prosecutor)):
            ids = who - who.min() if who.size else who
            if min(how_many(ids[side[self.cell]]) for side in sides) >= FEWEST_CLUSTERS:
                return name, ids
        return "", np.zeros_like(self.unit)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something recorded that may be held equal: its column in the cells, who fixed it, and why that counts as before.

    `facts` names the marts' facts whose column holds it; empty if all do. A `linear` fact enters as its number, any
    other with an indicator for each level but the `reference` (the first, where none is named).
    """

    name: str
    column: str
    fixed_by: str
    reason: str
    facts: tuple[str, ...]
    linear: bool = False
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class Estimand:
    """One declared question: which contrast, in which facts, among whom, with what held equal.

    `benchmark` names the fact that an unrecorded one is imagined to be as strong as, the last unless declared. With `one_model` all groups stand in
    one model, averaged over everybody, and the ratio at the facts' reference levels is told beside. `measures` names
    those asked, where not all rates and amounts of these facts are.
    """

    name: str
    kind: Kind
    contrast: str
    given: str
    risk_set: str
    facts: tuple[str, ...]
    hold_equal: tuple[Fact, ...]
    benchmark: str
    one_model: bool = False
    measures: tuple[str, ...] = ()


def load_estimands(path: Path = ESTIMANDS, *, prefix: str = "") -> tuple[Estimand, ...]:
    """The declarations, in the order of the file. Raises AuditError with all that is wrong in them.

    `prefix` stands before the names of facts that the file calls by a short name.
    """
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    problems: list[Problem] = []
    facts = {
        name: Fact(
            name=name,
            column=str(entry["column"]),
            fixed_by=str(entry["fixed_by"]),
            reason=str(entry.get("reason", "")).strip(),
            facts=tuple(prefix + fact for fact in entry.get("in", ())),
            linear=entry.get("linear", False),
            reference=None if entry.get("reference") is None else str(entry["reference"]),
        )
        for name, entry in declared.get("facts", {}).items()
    }
    for fact in facts.values():
        where = place(file=path.name, column=f"facts.{fact.name}")
        if fact.fixed_by not in FIXED_BY:
            problems.append(
                Problem(
                    code="IIU701",
                    where=where,
                    what=f"fixed_by [{fact.fixed_by}] is not known",
                    expected=f"one of {', '.join(FIXED_BY)}",
                )
            )
        if not fact.reason:
            problems.append(
                Problem(
                    code="IIU702",
                    where=where,
                    what="no reason why it was fixed before the decision",
                    fix="Write `reason:`; it is printed beside every gap that holds this fact equal.",
                )
            )
    estimands = []
    for name, entry in declared.get("estimands", {}).items():
        unknown = [f for f in entry["hold_equal"] if f not in facts]
        where = place(file=path.name, column=f"estimands.{name}")
        problems += [
            Problem(code="IIU703", where=where, what=f"holds [{f}] equal, which is not declared under facts")
            for f in unknown
        ]
        estimand = Estimand(
            name=name,
            kind=entry["kind"],
            contrast=entry["contrast"],
            given=str(entry.get("given", "")),
            risk_set=str(entry.get("risk_set", "")).strip(),
            facts=tuple(prefix + fact for fact in entry["in"]),
            hold_equal=tuple(facts[f] for f in entry["hold_equal"] if f in facts),
            benchmark=str(entry.get("benchmark", next((f for f in reversed(entry["hold_equal"]) if f in facts), ""))),
            one_model=entry.get("one_model", False),
            measures=tuple(entry.get("measures", ())),
        )
        problems += _problems(estimand, where)
        estimands.append(estimand)
    if problems:
        raise AuditError(problems)
    return tuple(estimands)


def _problems(estimand: Estimand, where: str) -> list[Problem]:
    """What makes a declaration unfit to be computed."""
    problems = []
    decided = [f.name for f in estimand.hold_equal if f.fixed_by in NOT_BEFORE]
    if estimand.kind not in ("standardised_gap", "gap_given_later_stage") or estimand.contrast not in CONTRASTS:
        problems.append(
            Problem(
                code="IIU704",
                where=where,
                what=f"kind [{estimand.kind}] of contrast [{estimand.contrast}] is not known",
                expected="standardised_gap or gap_given_later_stage, of race or citizenship",
            )
        )
    if decided and (estimand.kind != "gap_given_later_stage" or not estimand.given):
        problems.append(
            Problem(
                code="IIU705",
                where=where,
                what=f"holds equal what was not fixed before the decision: {', '.join(decided)}",
                expected="only facts that were fixed before the decision",
                fix="Leave it out, or declare kind: gap_given_later_stage with `given:` in words for the reader.",
            )
        )
    if estimand.kind == "gap_given_later_stage" and not decided:
        problems.append(
            Problem(
                code="IIU706",
                where=where,
                what="is given a later stage, yet holds nothing equal that the office decided or that came later",
            )
        )
    if any(f.column == CONTRASTS.get(estimand.contrast) for f in estimand.hold_equal):
        problems.append(
            Problem(code="IIU707", where=where, what=f"holds [{estimand.contrast}] equal, which is what it compares")
        )
    if estimand.hold_equal and estimand.benchmark not in [f.name for f in estimand.hold_equal]:
        problems.append(
            Problem(
                code="IIU710",
                where=where,
                what=f"benchmark [{estimand.benchmark}] is not held equal",
                expected="the fact that an unrecorded one is imagined to be as strong as",
            )
        )
    for fact in estimand.hold_equal:
        missing = sorted(set(estimand.facts) - set(fact.facts)) if fact.facts else []
        if missing:
            problems.append(
                Problem(
                    code="IIU708",
                    where=where,
                    what=f"[{fact.name}] is not what column {fact.column} holds in {', '.join(missing)}",
                    fix="Name the fact that it does hold there, or leave those out.",
                )
            )
    if not estimand.risk_set:
        problems.append(
            Problem(code="IIU709", where=where, what="does not say who is at risk", fix="Write `risk_set:`.")
        )
    return problems


def adjusted_table(
    cells: pd.DataFrame,
    catalogue: pd.DataFrame,
    estimands: tuple[Estimand, ...],
    settings: AuditSettings,
    *,
    values: pd.DataFrame | None = None,
    whose: Mapping[str, Whose] | None = None,
    with_citizenship: bool = True,
) -> pd.DataFrame:
    """One row per estimand, measure (a rate, or an amount) and group, over the whole period.

    `cells` are the marts' cells, `values` their histograms. `difference` averages over all cases of both groups,
    `group_difference` over the group's own; `mantel_haenszel` is the same question with another method, and should tell
    the same story. `difference_if_omitted_as_strong` is what would remain if an unrecorded fact mattered as much as the
    declared benchmark does. Of an amount, `difference` compares how often there is any, and `amount_ratio` how many times
    as much there is where there is any.

    Of measures that `whose` (by id) knows the rows of, limits count persons, and those who decided where ten of them had
    cases on both sides: `counted_by` says which. `without_one_low` and `without_one_high` are the least and the greatest
    difference without any one arresting agency; `against_all_others` that from everybody who is not of the group.
    `explained` is what different facts contribute to the crude difference by a linear model of both groups, and beside it
    what they contribute at the rates of the reference group, and at those of the group: the choice changes the answer.
    """
    quarters, _ = periods(settings)
    by_kind = {
        kind: dict(iter(_inside(table, quarters).groupby("measure_id", sort=False)))
        for kind, table in (("rate", cells), ("distribution", values))
        if table is not None
    }
    rows = []
    for estimand in estimands:
        if estimand.contrast == "citizenship" and not with_citizenship:
            continue
        asked = catalogue[catalogue["fact"].isin(estimand.facts) & catalogue["kind"].isin(list(by_kind))]
        if estimand.measures:
            asked = asked[asked["measure_id"].isin(estimand.measures)]
        for measure in asked.to_dict("records"):
            counted = by_kind[measure["kind"]].get(measure["measure_id"])
            if counted is None:
                continue
            every = _at_facts(estimand, counted)
            known = (whose or {}).get(measure["measure_id"])
            if known is not None:
                known = known.at(every, _keys(estimand), quarters)
            for group, reference in _pairs(estimand, counted, settings):
                rows.append(_row(estimand, measure, every, group, reference, known))
    return pd.DataFrame(rows, columns=ADJUSTED_COLUMNS)


def _keys(estimand: Estimand) -> list[str]:
    return [CONTRASTS[estimand.contrast], *(fact.column for fact in estimand.hold_equal)]


def _at_facts(estimand: Estimand, cells: pd.DataFrame) -> pd.DataFrame:
    """The counts by what is compared and what is held equal, numbered from 0."""
    sums = [c for c in ("numerator", "denominator", "log_sum", "log_square") if c in cells]
    every = cells.groupby(_keys(estimand), as_index=False)[sums].sum()
    return every[every["denominator"] > 0].reset_index(drop=True)


def _inside(table: pd.DataFrame, quarters: list[str]) -> pd.DataFrame:
    """The rows of the period, with their year; a histogram with what a hurdle model needs of it."""
    inside = table[table["quarter"].isin(quarters)]
    inside = inside.assign(year=inside["quarter"].str[:4])
    if "value" not in inside:
        return inside
    some = inside["value"].gt(0)
    logs = np.log(inside["value"].where(some, 1).to_numpy(dtype=float))
    cases = inside["cases"].to_numpy(dtype=float)
    return inside.assign(
        denominator=inside["cases"],
        numerator=inside["cases"].where(some, 0),
        log_sum=cases * logs,
        log_square=cases * logs**2,
    )


def _pairs(estimand: Estimand, cells: pd.DataFrame, settings: AuditSettings) -> list[tuple[str, str]]:
    if estimand.contrast == "citizenship":
        return [("noncitizen", settings.reference_citizenship)]
    races = sorted(set(cells["race"]) - {settings.reference_race})
    return [(race, settings.reference_race) for race in races]


def _row(
    estimand: Estimand,
    measure: Mapping[Hashable, Any],
    every: pd.DataFrame,
    group: str,
    reference: str,
    whose: Whose | None,
) -> dict[str, Any]:
    side = CONTRASTS[estimand.contrast]
    columns = [fact.column for fact in estimand.hold_equal]
    counts = every[every[side].isin([group, reference])]
    k, n = (counts[c].to_numpy(dtype=float) for c in ("numerator", "denominator"))
    of_group = (counts[side] == group).to_numpy()
    totals = [float(a[at].sum()) for at in (of_group, ~of_group) for a in (k, n)]
    if whose is not None and not estimand.one_model:
        whose = _renumbered(whose, counts)
    row: dict[str, Any] = {
        "estimand": estimand.name,
        "kind": estimand.kind,
        "given": estimand.given,
        "held_equal": " ".join(fact.name for fact in estimand.hold_equal),
        "measure_id": measure["measure_id"],
        "mart": measure["mart"],
        "contrast": estimand.contrast,
        "race": group if side == "race" else ALL,
        "citizenship": group if side == "citizenship" else ALL,
        "reference_race": reference if side == "race" else ALL,
        "reference_citizenship": reference if side == "citizenship" else ALL,
        **dict(zip(("numerator", "denominator"), map(int, totals[:2]), strict=True)),
        **dict(zip(("reference_numerator", "reference_denominator"), map(int, totals[2:]), strict=True)),
        "crude_difference": float(intervals.difference(*totals)),
        "benchmark": estimand.benchmark,
        "profile": "",
        "counted_by": "case",
        "without_one_low_agency": "",
        "without_one_high_agency": "",
    }
    if min(totals[1], totals[3]) < MINIMUM_CASES:
        return row | {"status": "not_estimable", "reason": f"Fewer than {MINIMUM_CASES} cases on one side."}
    belonging = None
    if whose is not None:
        sides = [(every if estimand.one_model else counts)[side].eq(name).to_numpy() for name in (group, reference)]
        decided_by, decider = whose.decided_by(*sides)
        belonging = Belonging(
            cell=whose.cell, person=whose.person, decider=decider, events=whose.events, cases=whose.cases
        )
        row["counted_by"] = f"person_and_{decided_by}" if decided_by else "person"
        row["persons"] = belonging.fewest(*sides)[0]
        row["deciders"] = belonging.fewest(*sides)[1]
    if "log_sum" in counts:
        row |= _amounts(counts, of_group, estimand, whose, belonging)
    if "log_sum" in counts and (k == n).all():  # everybody has an amount: only how large it is can differ
        told = not np.isnan(row["amount_ratio"])
        row["usable"], row["least_support"] = adjusted.support(n, of_group, _design(counts, estimand.hold_equal))
        status = {"status": "ok", "reason": ""} if told else {"status": "not_estimable", "reason": "Too few amounts."}
        return row | {"crude_difference": np.nan} | status
    if estimand.one_model:
        facts = [columns_of(every[f.column], linear=f.linear, reference=f.reference) for f in estimand.hold_equal]
        over_all, row["profile_ratio"] = adjusted.gap_in_one_model(
            every["numerator"],
            every["denominator"],
            every[side],
            np.hstack(facts),
            group=group,
            reference=reference,
            profile=np.zeros(sum(f.shape[1] for f in facts)),
            whose=belonging,
        )
        row["profile"] = ";".join(f"{f.name}={'0' if f.linear else f.reference}" for f in estimand.hold_equal)
    else:
        # every level as a number: to compare words anew for each model would cost more than to fit it
        every_level = [adjusted.numbered(every[c]) for c in columns]
        levels = [level[every[side].isin([group, reference]).to_numpy()] for level in every_level]
        model = adjusted.GapModel.with_facts_equal(k, n, of_group, *levels, whose=belonging)
        over_all = model.over("population")
    if np.isnan(over_all.difference):
        return row | _status(over_all)
    row |= {
        "rate": over_all.rate,
        "reference_rate": over_all.reference_rate,
        "difference": over_all.difference,
        "difference_low": over_all.difference_low,
        "difference_high": over_all.difference_high,
        "ratio": over_all.ratio,
        "ratio_low": over_all.ratio_low,
        "ratio_high": over_all.ratio_high,
        "e_value": float(sensitivity.e_value(over_all.ratio)),
        "e_value_of_limit": float(sensitivity.e_value_of_limit(over_all.ratio_low, over_all.ratio_high)),
        "usable": over_all.usable,
        "least_support": over_all.least_support,
        "detectable_gap": float(multiplicity.detectable_gap(totals[1], totals[3], totals[2] / totals[3])),
    }
    mh = strata.mantel_haenszel(*_by_stratum(counts, columns, of_group))
    row |= {
        "mantel_haenszel": float(mh.difference),
        "mantel_haenszel_low": float(mh.difference_limits.low),
        "mantel_haenszel_high": float(mh.difference_limits.high),
    }
    if not estimand.one_model:
        over_group = model.over("group")
        row |= {
            "group_difference": over_group.difference,
            "group_difference_low": over_group.difference_low,
            "group_difference_high": over_group.difference_high,
            "against_all_others": adjusted.GapModel.with_facts_equal(
                every["numerator"], every["denominator"], every[side].eq(group), *every_level
            ).difference(),
        }
        if whose is not None:
            row |= _without_one_agency(k, n, of_group, levels, whose)
    row |= _robustness(over_all.difference, k, n, of_group, counts, estimand)
    parts = decompose.oaxaca(k / n, _design(counts, estimand.hold_equal), of_group, weights=n)
    row |= {
        "explained": parts.explained,
        "explained_as_reference": parts.endowments,
        "explained_as_group": parts.endowments + parts.interaction,
    }
    return row | _status(over_all)


def _renumbered(whose: Whose, counts: pd.DataFrame) -> Whose:
    """The places of some of the cells, numbered in their order."""
    place = np.full(int(whose.cell.max(initial=-1)) + 1 + len(counts), -1, dtype=np.intp)
    place[counts.index[counts.index < place.size]] = np.flatnonzero(counts.index < place.size)
    cell = place[whose.cell]
    return replace(whose, cell=cell).kept(cell >= 0)


def _without_one_agency(
    events: Floats, cases: Floats, of_group: NDArray[np.bool_], levels: list[NDArray[Any]], whose: Whose
) -> dict[str, Any]:
    """The least and the greatest gap with each arresting agency left out that enough cases of both sides come from.

    And enough of both must be left: no such gap is that of some few people, nor differs from the whole by them alone.
    """
    found = []
    for number, name in enumerate(whose.agency_names):
        at = whose.agency == number
        k1, n1 = (np.bincount(whose.cell[at], c[at], minlength=cases.size) for c in (whose.events, whose.cases))
        parts = [(part * side).sum() for part in (n1, cases - n1) for side in (of_group, ~of_group)]
        if min(parts) < MINIMUM_CASES:
            continue
        kept = cases > n1
        difference = adjusted.GapModel.with_facts_equal(
            (events - k1)[kept], (cases - n1)[kept], of_group[kept], *(level[kept] for level in levels)
        ).difference()
        if not np.isnan(difference):
            found.append((difference, name))
    if len(found) < 2:  # one alone would be told by name
        return {}
    low, high = min(found), max(found)
    return {
        "without_one_low": low[0],
        "without_one_high": high[0],
        "without_one_low_agency": low[1],
        "without_one_high_agency": high[1],
        "agencies": len(found),
    }


def _design(counts: pd.DataFrame, facts: Iterable[Fact]) -> np.ndarray:
    blocks = [columns_of(counts[f.column], linear=f.linear) for f in facts]
    return np.hstack([np.empty((len(counts), 0)), *blocks])


def _amounts(
    counts: pd.DataFrame, of_group: np.ndarray, estimand: Estimand, whose: Whose | None, belonging: Belonging | None
) -> dict[str, Any]:
    """How many times as much the group has, where there is any, with the facts alike."""
    rows = None
    if whose is not None and whose.logs is not None and belonging is not None:
        some = whose.events > 0
        arrays = {name: getattr(belonging, name)[some] for name in ("cell", "person", "decider")}
        rows = Belonging(**arrays, events=whose.logs[some], cases=whose.events[some])
    found = adjusted.hurdle(
        counts["denominator"],
        counts["numerator"],
        counts["log_sum"],
        counts["log_square"],
        of_group,
        _design(counts, estimand.hold_equal),
        whose=rows,
    )
    return {
        "amount_ratio": found.amount_ratio,
        "amount_ratio_low": found.amount_ratio_low,
        "amount_ratio_high": found.amount_ratio_high,
    }


def _by_stratum(
    counts: pd.DataFrame, columns: list[str], of_group: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Events and cases of group and reference, one place a stratum."""
    stratum = counts.groupby(columns, sort=True).ngroup().to_numpy() if columns else np.zeros(len(counts), dtype=int)
    size = int(stratum.max()) + 1

    def summed(column: str, at: np.ndarray) -> np.ndarray:
        return np.bincount(stratum[at], counts[column].to_numpy(dtype=float)[at], minlength=size)

    return (
        summed("numerator", of_group),
        summed("denominator", of_group),
        summed("numerator", ~of_group),
        summed("denominator", ~of_group),
    )


def _robustness(
    difference: float,
    events: np.ndarray,
    cases: np.ndarray,
    of_group: np.ndarray,
    counts: pd.DataFrame,
    estimand: Estimand,
) -> dict[str, float]:
    """Robustness value of the linear gap, and what remains of the difference if an unrecorded fact, as strong as one
    recorded, took as much from it as from the linear gap, which is another number.
    """
    named = [f.name == estimand.benchmark for f in estimand.hold_equal]
    others, benchmark = (
        _design(counts, [f for f, at in zip(estimand.hold_equal, named, strict=True) if at is wanted])
        for wanted in (False, True)
    )
    strength = sensitivity.linear_strength(events, cases, of_group, others=others, benchmark=benchmark)
    of_group_share, of_outcome_share = sensitivity.as_strong_as(strength.of_group, strength.of_outcome)
    remains = sensitivity.omitted(
        strength.estimate,
        strength.standard_error,
        strength.degrees_of_freedom,
        of_group=of_group_share,
        of_outcome=of_outcome_share,
    )
    t_value = strength.estimate / strength.standard_error if strength.standard_error > 0 else np.nan
    return {
        "robustness_value": float(sensitivity.robustness_value(t_value, strength.degrees_of_freedom)),
        "difference_if_omitted_as_strong": difference - (strength.estimate - float(remains.estimate)),
    }


def _status(found: adjusted.Adjusted) -> dict[str, str]:
    if np.isnan(found.difference):
        return {"status": "not_estimable", "reason": "The model has no finite solution: too few events for its facts."}
    if np.isnan(found.difference_error):
        return {"status": "unreliable", "reason": f"Fewer than {FEWEST_CLUSTERS} persons on one side."}
    if found.usable < LEAST_USABLE:
        return {"status": "unreliable", "reason": f"Only {found.usable:.0%} of cases have a counterpart."}
    return {"status": "ok", "reason": ""}

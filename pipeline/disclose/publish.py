"""From the restricted long tables to the public ones: the only way out.

Coarsen first, then hide. A breakdown is published at the finest of its declared periods at which most of its cells can
be shown; in what is left, small counts are hidden, and further ones so that nothing hidden can be subtracted out. All
else in a row (rate, interval, worst-case bounds) is a function of counts, so it goes where its counts go.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.disclose.attack import Witnesses, propagate
from pipeline.disclose.coarsen import Ladders, needed
from pipeline.disclose.history import RECORD, Stack, same_counts_ever, stack, window_of
from pipeline.disclose.registry import (
    CELL,
    PERIODS,
    Registry,
    breakdown_of,
    load_registry,
    period_rank,
)
from pipeline.disclose.suppress import Gate, Protected, make_gate, protect
from pipeline.disclose.system import Mask, SameCounts, build_system, families, of_each_family
from pipeline.errors import AuditError

HIDDEN = "suppressed"
REASON = "Hidden: too few people, or it would let a reader work out a number about too few people."
HELD_BACK = "Hidden: this release tells nothing of the whole measure."

METHOD = (
    "For every hidden count, and every small one in a declared cell, two tables are known that agree with all that is published "
    "of all measures and in which it differs by its threshold or more (linear programming); and for every hidden count two of "
    "whole numbers, beside what its own measures say (integer programming)."
)

#: How many counts must stay hidden and were proved to, of all measures together and each name of a count by itself.
_PROOF = ("counts_protected", "counts_proved", "names_of_counts_protected", "names_of_counts_proved")

_RESTATES_UNKNOWN = ["unknown_citizenship", "bound_low", "bound_high"]
_MEASURE_NUMBERS = ["numerator", "denominator", "estimate", "ci_low", "ci_high", *_RESTATES_UNKNOWN]
_COMPARISON_NUMBERS = [
    *("numerator", "denominator", "reference_numerator", "reference_denominator", "estimate", "reference_estimate"),
    *("difference", "difference_low", "difference_high", "ratio", "ratio_low", "ratio_high", "p_value"),
    *_RESTATES_UNKNOWN,
]


@dataclass(frozen=True, kw_only=True)
class Published:
    """The public frames, with the columns of the restricted ones, and what was hidden in each published table.

    `tables` has one row per measure and breakdown: measure_id, breakdown (`race+citizenship`), finest_period (or
    `withheld`, where too few cells could be shown at any), cells, shown, share. `record` is restricted: what later
    releases must be judged with. `proof` says how it was made sure that nothing hidden can be worked out.
    """

    measures: pd.DataFrame
    comparisons: pd.DataFrame
    tables: pd.DataFrame
    record: pd.DataFrame
    proof: dict[str, str | int]


def publish(
    measures: pd.DataFrame,
    comparisons: pd.DataFrame,
    *,
    registry: Registry | None = None,
    earlier: Sequence[pd.DataFrame] = (),
    corrected: Collection[str] = (),
    held_back: Collection[str] = (),
) -> Published:
    """What may leave of the two long tables. Rows of tables that the registry does not declare are left out.

    `earlier` holds the records of the office's releases so far, oldest first; `corrected` the measures whose published
    numbers this release corrects; `held_back` those of which it tells nothing. Raises AuditError where margins are not
    the sums of their parts, ReleaseRefused where hiding does not suffice beside earlier releases, or a published number
    would change without a correction.
    """
    registry = registry or load_registry()
    counted = measures["numerator"].notna() | measures["denominator"].notna()
    # Nobody in the whole office: nobody to protect. A count without a denominator is not of that kind.
    no_case = measures["denominator"].fillna(-1).eq(0) & _is_total(measures)
    declared, published = registry.declares(measures), registry.publishes(measures)
    people = registry.protects(measures)
    rows = measures[counted & ~no_case & declared & people].reset_index(drop=True)
    without_counts = measures[((~counted | ~people) & published) | no_case]

    whole = stack(rows, earlier, corrected)
    of_nobody = registry.of_nobody(whole.rows) & whole.is_new
    whole = replace(whole, follows=of_nobody)
    same = same_counts_ever(measures[counted & people], whole, registry)
    # What a measure was before a correction has its name and more.
    held = {name for name in whole.rows["measure_id"].unique() if name.split()[0] in held_back}
    masks, given_up, proof = _family_by_family(whole, of_nobody, registry, same, frozenset(held))
    kept = ~rows["measure_id"].isin(given_up)
    listed, shown, withheld, of_nobody = (mask[whole.is_new][kept] for mask in (*masks, of_nobody))
    without_counts = pd.concat([without_counts, _hidden_whole(rows[~kept])])
    rows = rows[kept].reset_index(drop=True)
    named = listed | withheld
    public = pd.concat([rows[named], without_counts], ignore_index=True)
    hide = np.concatenate([~shown[named], without_counts["status"].eq(HIDDEN).to_numpy()])
    visible = _cells(public[~hide])
    unknown_is_visible = _cells(public.assign(citizenship="unknown")).isin(visible)
    public = _blank(_blank(public, hide, _MEASURE_NUMBERS), ~unknown_is_visible, _RESTATES_UNKNOWN)
    reason = public["reason"].mask(hide, REASON).mask(hide & public["measure_id"].isin(held_back), HELD_BACK)
    public = public.assign(status=public["status"].mask(hide, HIDDEN), reason=reason)
    first = measures.reset_index(drop=True).reset_index().groupby("measure_id")["index"].min()
    place = _cells(measures).get_indexer(_cells(public))  # a measure that is hidden whole goes by no cell of its own
    order = np.where(place < 0, public["measure_id"].map(first), place).argsort(kind="stable")
    return Published(
        measures=public.iloc[order].reset_index(drop=True),
        comparisons=_comparisons(comparisons, public, visible),
        tables=_summary(rows, named & ~of_nobody, shown, withheld),
        record=rows.assign(listed=named, shown=shown, window=window_of(rows))[RECORD],
        proof=proof | {"earlier_releases": len(earlier)},
    )


def _hidden_whole(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each of these measures, which says that all of it is hidden.

    It names no part: of a whole with a single part the name alone would say that there is no other.
    """
    first = rows[_is_total(rows)].drop_duplicates("measure_id")
    first = first.assign(stratum=first["stratum"].mask(first["ci_method"].eq("wilson"), "all"))
    return _blank(first, np.ones(len(first), dtype=bool), _MEASURE_NUMBERS).assign(status=HIDDEN, reason=REASON)


def _is_total(rows: pd.DataFrame) -> pd.Series[bool]:
    return pd.concat(
        [rows[c].eq("all") for c in ("period", "race", "citizenship", "offence_group")],
        axis=1,
    ).all(axis=1)


#: Of all rows: which are listed, which of these are shown, and which stand for tables that are withheld.
_Masks = tuple[Mask, Mask, Mask]


@dataclass(frozen=True, kw_only=True)
class _Family:
    """The rows of a family of measures, and all that it takes to judge them."""

    whole: Stack
    of_nobody: Mask
    registry: Registry
    same: SameCounts
    held_back: frozenset[str]


def _family_by_family(
    whole: Stack,
    of_nobody: Mask,
    registry: Registry,
    same: SameCounts,
    held_back: frozenset[str],
) -> tuple[_Masks, frozenset[str], dict[str, str | int]]:
    """Coarsens and hides each family of measures by itself: no line joins counts of two, so neither tells of the other."""
    listed, shown, withheld = (np.zeros(len(whole.rows), dtype=bool) for _ in range(3))
    given_up: frozenset[str] = frozenset()
    counts = dict.fromkeys(_PROOF, 0)
    errors: list[AuditError] = []
    measure = whole.rows["measure_id"]

    def piece(at: Mask) -> _Family:
        return _Family(
            whole=whole.only(at),
            of_nobody=of_nobody[at],
            registry=registry,
            same=same.only(set(measure[at])),
            held_back=held_back,
        )

    for at, judgement in of_each_family(_judged, piece, measure.map(_families(whole, same))):
        if isinstance(judgement, AuditError):
            errors.append(judgement)
            continue
        masks, lost, proof = judgement
        listed[at], shown[at], withheld[at] = masks
        given_up |= lost
        counts = {name: count + proof[name] for name, count in counts.items()}
    if errors:
        raise type(errors[0])(problem for error in errors for problem in error.problems)
    # An office of which nothing can be computed has nothing to hide.
    method = METHOD if len(whole.rows) else "nothing to hide"
    return (listed, shown, withheld), given_up, {"method": method, **counts}


def _families(whole: Stack, same: SameCounts) -> pd.Series[int]:
    """The family of each measure; what a measure was before a correction belongs to the measure."""
    family = families(same)
    measure = whole.rows["measure_id"].to_numpy()
    for before, after in dict.fromkeys(zip(measure[whole.ties.before], measure[whole.ties.after], strict=True)):
        family = family.replace(family[before], family[after])
    return family


_Judgement = tuple[_Masks, frozenset[str], dict[str, int]]


def _judged(family: _Family) -> _Judgement | AuditError:
    """What comes of one family; an error with all of its problems is told beside those of the others."""
    try:
        return _coarsen_and_hide(family)
    except AuditError as error:
        return error


def _coarsen_and_hide(family: _Family) -> _Judgement:
    """What can be listed of the measures of one family, and what of it is shown.

    With the measures of which nothing may leave, since hiding within them does not suffice; and the proof.

    The quick attack alone decides how coarse the tables must be; the exact one has the last word on what is left.
    """
    whole, of_nobody, registry = family.whole, family.of_nobody, family.registry
    same, held_back = family.same, family.held_back
    rows, fixed = whole.rows, whole.fixed
    ladders = Ladders(rows, registry, asked=whole.is_new & ~of_nobody, finished=whole.finished)
    everything = np.ones(len(rows), dtype=bool)
    gate = replace(_gate(whole, everything, registry, same), held_back=held_back)
    if whole.fixed.any():
        whole = replace(whole, follows=whole.follows | _follows(gate, whole))
        gate = replace(gate, fixed=whole.fixed | whole.follows)
    shown = ((~gate.primary() | whole.follows) & whole.is_new) | fixed
    ladders.climb(shown)
    shown, found = _settled(whole, ladders, gate, everything, shown, frozenset(), None)
    ladders, shown, found = _asked_again(whole, ladders, gate, shown, found)
    keep = needed(rows, _named(whole, ladders), registry)
    of_each = replace(_gate(whole, keep, registry, None), held_back=held_back).name_by_name(gate, keep)
    whole_tables, tables = Witnesses(of_each.system), Witnesses(gate.system, whole=False)
    while True:  # whole tables take the names of a count apart where their tables differ, the others do not
        shown, apart = _settled(whole, ladders, of_each, keep, shown, found.given_up, whole_tables)
        before = shown.copy()
        shown, found = _settled(whole, ladders, gate, everything, shown, apart.given_up, tables)
        if (shown == before)[keep].all():
            break
    named = _named(whole, ladders)
    of_all = _proof(gate, named, shown, found, tables)
    proof = dict(zip(_PROOF, of_all + _proof(of_each, named[keep], shown[keep], apart, whole_tables), strict=True))
    listed = (ladders.listed | (fixed & registry.publishes(rows))) & whole.is_new
    return (listed, shown & listed, ladders.withheld & whole.is_new & ~listed), found.given_up | held_back, proof


def _asked_again(
    whole: Stack, ladders: Ladders, gate: Gate, shown: Mask, found: Protected
) -> tuple[Ladders, Mask, Protected]:
    """The same, or what is told with the totals of the measures of which nothing is, if that is more.

    A total was hidden in front of tables that were withheld later, as they could show too little.
    """
    told = ladders.listed & shown
    silent = ~gate.of(set(gate.measure[told]) | found.given_up | gate.held_back)
    total = breakdown_of(whole.rows).eq("").to_numpy() & whole.rows["period"].eq("all").to_numpy()
    totals = silent & total & whole.is_new & ~gate.primary()
    if not totals.any():
        return ladders, shown, found
    again, everything = copy(ladders), np.ones(len(shown), dtype=bool)
    shown_again, found_again = _settled(whole, again, gate, everything, shown | totals, found.given_up, None)
    if gate.weight[again.listed & shown_again].sum() > gate.weight[told].sum():
        return again, shown_again, found_again
    return ladders, shown, found


def _proof(gate: Gate, named: Mask, shown: Mask, found: Protected, witnesses: Witnesses) -> tuple[int, int]:
    """How many counts must stay hidden, and of how many it is proved that they are."""
    protected = gate.protected(named, shown, gate.known(shown), found.given_up) & ~found.conceded
    proved = protected & ~witnesses.lack(gate.node_threshold)
    return int(protected.sum()), int(proved.sum())


def _settled(
    whole: Stack,
    ladders: Ladders,
    gate: Gate,
    keep: Mask,
    shown: Mask,
    given_up: frozenset[str],
    witnesses: Witnesses | None,
) -> tuple[Mask, Protected]:
    """Hides, and coarsens what then shows too little, until neither is needed. `keep` are the rows of the gate."""
    while True:
        shown = shown & ((ladders.listed & whole.is_new) | whole.fixed | ~keep)
        found = protect(gate, _named(whole, ladders)[keep], shown[keep], given_up, witnesses)
        given_up = found.given_up
        shown[keep] = found.shown | whole.fixed[keep]
        if not ladders.climb(shown):
            return shown, found


def _named(whole: Stack, ladders: Ladders) -> Mask:
    """The rows that this release or an earlier one names: shown, hidden one by one, or as a table that is withheld."""
    named: Mask = ((ladders.listed | ladders.withheld) & whole.is_new) | whole.fixed | whole.was_listed
    return named


def _gate(whole: Stack, keep: Mask, registry: Registry, same: SameCounts | None) -> Gate:
    kept = whole.only(keep)
    told = frozenset(whole.rows.loc[whole.fixed | whole.was_listed, "measure_id"])
    system = build_system(kept.rows, registry, kept.ties, same)
    return make_gate(system, kept.rows, registry, kept.fixed | kept.follows, told)


def _follows(gate: Gate, whole: Stack) -> Mask:
    """New rows that a reader of the earlier releases can work out already, and that may be shown: hiding them is idle."""
    low, high = propagate(gate.system, gate.known(whole.fixed))
    nodes = gate.system.nodes
    told = ((nodes < 0) | (low == high)[nodes]).all(axis=1)
    follows: Mask = told & whole.is_new & ~whole.was_listed & ~gate.primary()
    return follows


def _cells(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[list(CELL)])


def _blank(rows: pd.DataFrame, at: npt.NDArray[np.bool_] | pd.Series, columns: list[str]) -> pd.DataFrame:
    """The rows with these columns empty where `at` holds."""
    return rows.assign(**{column: rows[column].mask(at) for column in columns})


def _comparisons(comparisons: pd.DataFrame, public: pd.DataFrame, visible: pd.MultiIndex) -> pd.DataFrame:
    """A comparison is listed where both of its groups are, and shown where both are shown.

    Its worst-case bounds restate who is unknown on each side, so they need those cells to be shown as well.
    """
    group = comparisons.assign(offence_group="all")
    reference = group.assign(race=group["reference_race"], citizenship=group["reference_citizenship"])
    sides = [_cells(group), _cells(reference)]
    listed = _cells(public)
    without_counts = comparisons["status"].eq("not_computable").to_numpy()
    keep = np.all([side.isin(listed) for side in sides], axis=0) | without_counts
    show = np.all([side.isin(visible) for side in sides], axis=0)
    unknown = [_cells(side.assign(citizenship="unknown")).isin(visible) for side in (group, reference)]
    hide = ~show & ~without_counts
    result = _blank(comparisons, hide, _COMPARISON_NUMBERS)
    result = _blank(result, ~np.all(unknown, axis=0), _RESTATES_UNKNOWN)
    result = result.assign(
        status=result["status"].mask(hide, HIDDEN),
        reason=result["reason"].mask(hide, REASON),
    )
    return pd.DataFrame(result[keep]).reset_index(drop=True)


def _summary(rows: pd.DataFrame, named: Mask, shown: Mask, withheld: Mask) -> pd.DataFrame:
    """What each table shows."""
    at = rows[named]
    frame = pd.DataFrame(
        {
            "measure_id": at["measure_id"],
            "breakdown": breakdown_of(at),
            "period": np.where(withheld[named], len(PERIODS), period_rank(at["period"])),
            "shown": shown[named],
        }
    )
    tables = frame.groupby(["measure_id", "breakdown"]).agg(
        finest_period=("period", "min"), cells=("shown", "size"), shown=("shown", "sum")
    )
    tables["finest_period"] = tables["finest_period"].map(dict(enumerate((*PERIODS, "withheld"))))
    return tables.assign(share=tables["shown"] / tables["cells"]).reset_index()

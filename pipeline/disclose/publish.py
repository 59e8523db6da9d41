"""From the restricted long tables to the public ones: the only way out.

Coarsen first, then hide. A breakdown is published at the finest of its declared periods at which most of its cells can
be shown; in what is left, small counts are hidden, and further ones so that nothing hidden can be subtracted out. All
else in a row (rate, interval, worst-case bounds) is a function of counts, so it goes where its counts go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.disclose.registry import (
    CELL,
    PERIODS,
    Registry,
    breakdown_key,
    breakdown_of,
    load_registry,
    period_kind,
)
from pipeline.disclose.suppress import complete, make_gate
from pipeline.disclose.system import Mask, build_system

HIDDEN = "suppressed"
REASON = "Hidden: too few people, or it would let a reader work out a number about too few people."

_RESTATES_UNKNOWN = ["unknown_citizenship", "bound_low", "bound_high"]
_MEASURE_NUMBERS = ["numerator", "denominator", "estimate", "ci_low", "ci_high", *_RESTATES_UNKNOWN]
_COMPARISON_NUMBERS = [
    *("numerator", "denominator", "reference_numerator", "reference_denominator"),
    *("estimate", "reference_estimate"),
    *("difference", "difference_low", "difference_high", "ratio", "ratio_low", "ratio_high"),
    *_RESTATES_UNKNOWN,
]


@dataclass(frozen=True, kw_only=True)
class Published:
    """The public frames, with the columns of the restricted ones, and what was hidden in each published table.

    `tables` has one row per measure and breakdown: measure_id, breakdown (`race+citizenship`), finest_period, cells,
    shown, share.
    """

    measures: pd.DataFrame
    comparisons: pd.DataFrame
    tables: pd.DataFrame


def publish(measures: pd.DataFrame, comparisons: pd.DataFrame, *, registry: Registry | None = None) -> Published:
    """What may leave of the two long tables. Rows of tables that the registry does not declare are left out.

    Raises AuditError where margins are not the sums of their parts, ReleaseRefused where hiding does not suffice.
    """
    registry = registry or load_registry()
    counted = measures["numerator"].notna() | measures["denominator"].notna()
    no_case = measures["denominator"].eq(0) & _is_total(measures)  # nobody in the whole office: nobody to protect
    declared = _declared(measures, registry)
    rows = measures[counted & ~no_case & declared].reset_index(drop=True)
    without_counts = measures[(~counted & declared) | no_case]

    listed, shown = _coarsen_and_hide(rows, registry)
    public = pd.concat([rows[listed], without_counts], ignore_index=True)
    hide = np.concatenate([~shown[listed], np.zeros(len(without_counts), dtype=bool)])
    visible = _cells(public[~hide])
    unknown_is_visible = _cells(public.assign(citizenship="unknown")).isin(visible)
    public = _blank(_blank(public, hide, _MEASURE_NUMBERS), ~unknown_is_visible, _RESTATES_UNKNOWN)
    public = public.assign(status=public["status"].mask(hide, HIDDEN), reason=public["reason"].mask(hide, REASON))
    order = _cells(measures).get_indexer(_cells(public)).argsort(kind="stable")
    return Published(
        measures=public.iloc[order].reset_index(drop=True),
        comparisons=_comparisons(comparisons, public, visible),
        tables=_summary(rows, listed, shown),
    )


def _is_total(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["period"].eq("all") & breakdown_of(rows.assign(stratum="all")).eq("")


def _declared(rows: pd.DataFrame, registry: Registry) -> npt.NDArray[np.bool_]:
    """Which rows belong to a declared table, at a period that the table and the mart may have; no unfinished year."""
    breakdown, kind = breakdown_of(rows), period_kind(rows["period"])
    finest = rows["mart"].map(registry.finest_period).fillna(PERIODS[0])
    allowed = _rank(kind).ge(_rank(finest)).to_numpy()
    declared = np.zeros(len(rows), dtype=bool)
    for table in registry.tables:
        declared |= (breakdown.eq(breakdown_key(table.breakdown)) & kind.isin(table.periods)).to_numpy()
    return declared & allowed


def _coarsen_and_hide(rows: pd.DataFrame, registry: Registry) -> tuple[Mask, Mask]:
    """Which rows are listed, and which of these are shown."""
    gate = make_gate(build_system(rows), rows, registry)
    may_show = ~gate.primary()
    table = (rows["measure_id"] + " " + breakdown_of(rows)).factorize(sort=True)[0]
    rank = _rank(period_kind(rows["period"])).to_numpy()
    has_cases = rows["denominator"].fillna(rows["numerator"]).gt(0).to_numpy(dtype=bool)
    finest = np.full(table.max(initial=-1) + 1, len(PERIODS))
    np.minimum.at(finest, table, rank)

    def too_fine(shown: Mask) -> Mask:
        """The tables that show too few of the cells of their finest period, and have a coarser one."""
        asked = has_cases & (rank == finest[table])
        cells, visible = (np.bincount(table[at], minlength=len(finest)) for at in (asked, asked & shown))
        return (visible < registry.shown_share * cells) & (finest < len(PERIODS) - 1)

    while (poor := too_fine(may_show)).any():  # a first look: what could be shown at best
        finest = finest + poor
    while True:
        listed = rank >= finest[table]
        shown = complete(gate, listed, listed & may_show)
        poor = too_fine(shown)
        if not poor.any():
            return listed, shown
        finest = finest + poor


def _rank(kind: pd.Series[str]) -> pd.Series[int]:
    return kind.map({period: i for i, period in enumerate(PERIODS)})


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
    result = result.assign(status=result["status"].mask(hide, HIDDEN), reason=result["reason"].mask(hide, REASON))
    return result.loc[keep].reset_index(drop=True)


def _summary(rows: pd.DataFrame, listed: Mask, shown: Mask) -> pd.DataFrame:
    """What each published table shows."""
    at = rows[listed]
    frame = pd.DataFrame(
        {
            "measure_id": at["measure_id"],
            "breakdown": breakdown_of(at),
            "period": _rank(period_kind(at["period"])),
            "shown": shown[listed],
        }
    )
    tables = frame.groupby(["measure_id", "breakdown"]).agg(
        finest_period=("period", "min"), cells=("shown", "size"), shown=("shown", "sum")
    )
    tables["finest_period"] = tables["finest_period"].map(dict(enumerate(PERIODS)))
    return tables.assign(share=tables["shown"] / tables["cells"]).reset_index()

"""From counts by cell to the two long tables that everything published comes from: measures and comparisons.

The marts hand over counts at the finest level (quarter, race, citizenship, offence group, stratum). Here they are
summed over the declared breakdowns, and each sum gets its estimate, interval, worst-case bounds and status. A cell of
a breakdown is never dropped: a group without a case has a row that says so, and its rate is missing, not 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from pipeline.config import AuditSettings
from pipeline.cores import on_several_cores
from pipeline.disclose.registry import load_registry
from pipeline.stats import bounds, histograms, intervals, trends
from pipeline.stats.clusters import Side, clustered_p_value
from pipeline.stats.intervals import Floats, Interval

#: The margin of a breakdown.
ALL = "all"
KNOWN_CITIZENSHIP = ("citizen", "noncitizen")
CITIZENSHIP = (*KNOWN_CITIZENSHIP, "unknown")
#: A rate needs this many cases, and an interval no wider than this, to be called reliable (after NCHS Series 2 No. 175).
MINIMUM_CASES = 30
WIDEST_INTERVAL = 0.30
TOO_WIDE = f"The interval is wider than {WIDEST_INTERVAL:.0%}."
#: Which days or hours a time-to-event measure reports; by its unit.
HORIZONS = {"days": (1, 2, 7, 30, 90, 180), "hours": (2, 6, 12, 24, 48, 72)}
RESTRICTED_MEANS = {"days": (30, 90, 180), "hours": (48,)}
#: Outcomes of a time to event; any other is a cause that came instead.
EVENT, CENSORED = "event", "censored"
#: How many numbers a block of histograms may hold (some 20 MB).
LARGEST_BLOCK = 2_500_000
#: Measures are counted so many at a time, each lot on a core of its own where there are rows enough that it takes ten seconds.
_LOT = 16
_WORTH_PROCESSES = 400_000

CLUSTER_SUMS = ["persons", "events_squared", "events_times_cases", "cases_squared"]
MEASURE_KEY = ["measure_id", "period", "race", "citizenship", "offence_group", "stratum"]
MEASURE_COLUMNS = [
    *(
        "measure_id",
        "mart",
        "period",
        "race",
        "citizenship",
        "offence_group",
        "stratum",
        "numerator",
        "denominator",
        "unknown_citizenship",
    ),
    *("estimate", "ci_low", "ci_high", "ci_method", "bound_low", "bound_high", "unit", "status", "reason"),
]
COMPARISON_COLUMNS = [
    *(
        "measure_id",
        "mart",
        "period",
        "contrast",
        "race",
        "citizenship",
        "stratum",
        "reference_race",
        "reference_citizenship",
        "numerator",
    ),
    *(
        "denominator",
        "reference_numerator",
        "reference_denominator",
        "unknown_citizenship",
        "estimate",
        "reference_estimate",
    ),
    *(
        "difference",
        "difference_low",
        "difference_high",
        "difference_method",
        "ratio",
        "ratio_low",
        "ratio_high",
        "ratio_method",
        "p_value",
    ),
    *("bound_low", "bound_high", "unit", "status", "reason"),
]
#: Of a comparison: the group, then the reference.
BOTH_SIDES = ["numerator", "denominator", "reference_numerator", "reference_denominator"]
COUNTS = [*BOTH_SIDES, "unknown_citizenship"]
SIDE = ["numerator", "denominator", "estimate", "ci_low", "ci_high", "bound_low", "bound_high", "status", "reason"]
NUMBERS = [
    *("estimate", "ci_low", "ci_high", "bound_low", "bound_high", "reference_estimate"),
    *("difference", "difference_low", "difference_high", "ratio", "ratio_low", "ratio_high", "p_value"),
]
CITIZENSHIP_COLUMN = "citizenship_assertion.value"
#: How a reason begins that names the columns that a measure lacks.
NOT_SUPPLIED = "Not supplied by this office: "
#: The one measure that is about the other measures, and comes from their comparisons.
BOUND_WIDTH = "DQ-05"


def measure_table(
    cells: pd.DataFrame,
    values: pd.DataFrame,
    catalogue: pd.DataFrame,
    supplied: Iterable[tuple[str, str]],
    settings: AuditSettings,
) -> pd.DataFrame:
    """One row per measure, period and breakdown cell, in the order of the catalogue.

    `cells` holds numerator and denominator, `values` a histogram, both per measure_id, quarter, race, citizenship,
    offence_group and stratum. A null quarter lies outside the period and is not counted. `supplied` lists the contract
    columns (table, column) that the office's mapping fills; a measure that needs another becomes one row that names it.
    So does one that `settings.cannot_answer` names, with its reason.

    Raises ValueError if the catalogue has an unknown kind or a rate has more events than cases.
    """
    known = {f"{table}.{column}" for table, column in supplied}
    grid = _Grid.of(cells, values, settings, with_citizenship=CITIZENSHIP_COLUMN in known)
    counted = dict(iter(cells[cells["quarter"].notna()].groupby("measure_id", sort=False)))
    spread = dict(iter(values[values["quarter"].notna()].groupby("measure_id", sort=False)))
    blocks: list[list[pd.DataFrame]] = []
    asked: list[tuple[_Measure, pd.DataFrame]] = []
    cannot_answer = dict(settings.cannot_answer)
    for measure in _Measure.of(catalogue):
        if measure.measure_id in cannot_answer:
            blocks.append([_one_row(measure, "not_computable", cannot_answer[measure.measure_id])])
            continue
        missing = missing_columns(measure.required_columns, known)
        if missing:
            blocks.append([_one_row(measure, "not_computable", f"{NOT_SUPPLIED}{'; '.join(missing)}.")])
            continue
        rows = (spread if measure.kind in ("distribution", "time_to_event", "total") else counted).get(
            measure.measure_id
        )
        if rows is None:
            blocks.append([_no_case(measure)])
        else:
            blocks.append([])  # to be counted with the others
            asked.append((measure, rows))
        if not grid.with_citizenship:
            reason = f"{NOT_SUPPLIED}{CITIZENSHIP_COLUMN}. Citizenship is never guessed."
            blocks.append([_one_row(measure, "not_computable", reason, citizenship="noncitizen")])
    found = iter(_blocks_of_each(asked, grid))
    table = pd.concat([frame for block in blocks for frame in block or next(found)], ignore_index=True)
    table = _with_status(table.reindex(columns=[*MEASURE_COLUMNS, "kind"]))
    return _typed(table[MEASURE_COLUMNS])


def missing_columns(required: str, supplied: Iterable[str]) -> list[str]:
    """Which of the `table.column` needs, separated by spaces, are not supplied; `a|b` is met by either."""
    known = set(supplied)
    needs = [need.split("|") for need in required.split()]
    return [" or ".join(need) for need in needs if not known.intersection(need)]


def periods(settings: AuditSettings) -> tuple[list[str], list[str]]:
    """The quarters of the audit's period, and the periods that are computed: 'all', each calendar year, each quarter.

    A year or quarter that the records cannot tell apart is no period, nor is a year after the end of the totals.
    """
    quarters = [str(q).replace("Q", "-Q") for q in pd.period_range(settings.period_from, settings.period_to, freq="Q")]
    years = sorted({quarter[:4] for quarter in quarters if int(quarter[:4]) <= settings.totals_to.year})
    told_apart = {"quarter": [*years, *quarters], "year": years, ALL: []}
    return quarters, [ALL, *told_apart[settings.finest_period]]


@dataclass(frozen=True, kw_only=True)
class _Measure:
    """What the catalogue says of a measure, as far as it is needed here."""

    measure_id: str
    mart: str
    kind: str
    unit: str
    required_columns: str

    @classmethod
    def of(cls, catalogue: pd.DataFrame) -> list[_Measure]:
        fields = ["measure_id", "mart", "kind", "unit", "required_columns"]
        rows = catalogue[fields].fillna("").astype(str).to_numpy()
        return [cls(**dict(zip(fields, row, strict=True))) for row in rows]

    def labels(self) -> dict[str, str]:
        return {"measure_id": self.measure_id, "mart": self.mart, "kind": self.kind, "unit": self.unit}


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """The breakdown cells of every measure, and the 0-1 matrices that sum finest cells into them.

    `labels` has one row per breakdown cell; `sums` has shape (breakdown cells, finest cells); `unknown` sums, for each
    breakdown cell, those of the same period, race and offence group whose citizenship is unknown.
    """

    quarters: list[str]
    races: list[str]
    offences: list[str]
    with_citizenship: bool
    labels: pd.DataFrame
    sums: sparse.csr_array
    unknown: sparse.csr_array

    @classmethod
    def of(cls, cells: pd.DataFrame, values: pd.DataFrame, settings: AuditSettings, *, with_citizenship: bool) -> _Grid:
        quarters, all_periods = periods(settings)
        races, offences = (
            sorted({*cells[column].unique(), *values[column].unique(), *always})
            for column, always in (("race", {"unknown", settings.reference_race}), ("offence_group", {"unknown"}))
        )
        last = str(settings.totals_to.year)
        of_period = np.array([[_within(q, period, last) for q in quarters] for period in all_periods], dtype=np.int64)
        pools = {"race": _pools("race", races), "citizenship": {}, "offence_group": _pools("offence_group", offences)}
        margin = [
            np.array([[True] * len(v), *([one == part for one in v] for part in v), *pool.values()], dtype=np.int64)
            for v, pool in zip((races, CITIZENSHIP, offences), pools.values(), strict=True)
        ]
        only_unknown = np.tile(
            np.array([c == "unknown" for c in CITIZENSHIP], dtype=np.int64), (len(CITIZENSHIP) + 1, 1)
        )
        labels = pd.MultiIndex.from_product(
            [
                all_periods,
                [ALL, *races, *pools["race"]],
                [ALL, *CITIZENSHIP],
                [ALL, *offences, *pools["offence_group"]],
            ],
            names=["period", "race", "citizenship", "offence_group"],
        ).to_frame(index=False)
        by_race, by_citizenship, by_offence = (labels[c] != ALL for c in ("race", "citizenship", "offence_group"))
        quarterly, whole = labels["period"].isin(quarters), labels["period"] == ALL
        # What is finer than this has hardly a case in a cell. The gate's proof needs what ties two published tables.
        in_quarter = ~by_offence & ~(by_race & by_citizenship)
        in_year = ~(by_race & by_offence)
        shown = np.select([quarterly, whole], [in_quarter, in_year | ~by_citizenship], in_year)
        if not with_citizenship:
            shown &= labels["citizenship"] == ALL
        rows = np.flatnonzero(shown)
        return cls(
            quarters=quarters,
            races=races,
            offences=offences,
            with_citizenship=with_citizenship,
            labels=labels.iloc[rows].reset_index(drop=True),
            sums=_kron(of_period, *margin)[rows],
            unknown=_kron(of_period, margin[0], only_unknown, margin[2])[rows],
        )

    @cached_property
    def is_known(self) -> NDArray[np.bool_]:
        """Which breakdown cells are of people whose citizenship is known."""
        return np.asarray(self.labels["citizenship"].isin(KNOWN_CITIZENSHIP))

    def parts(self, width: int) -> Iterator[_Grid]:
        """The grid in blocks of breakdown cells, so that a histogram of `width` values a cell fits in memory."""
        step = max(1, LARGEST_BLOCK // max(width, 1))
        for first in range(0, len(self.labels), step):
            part = slice(first, first + step)
            labels = self.labels.iloc[part].reset_index(drop=True)
            yield replace(self, labels=labels, sums=self.sums[part], unknown=self.unknown[part])

    def finest(self, rows: pd.DataFrame) -> NDArray[np.int64]:
        """The finest cell of each row, as an index into the columns of `sums`; -1 outside the period."""
        places = [
            pd.Index(levels).get_indexer(pd.Index(rows[column]))
            for column, levels in (
                ("quarter", self.quarters),
                ("race", self.races),
                ("citizenship", CITIZENSHIP),
                ("offence_group", self.offences),
            )
        ]
        shape = (len(self.quarters), len(self.races), len(CITIZENSHIP), len(self.offences))
        inside = np.min(places, axis=0) >= 0
        return np.where(inside, np.ravel_multi_index([np.maximum(p, 0) for p in places], shape), -1)

    def totals(
        self, rows: pd.DataFrame, column: NDArray[np.int64], width: int, counts: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sums of `counts` by breakdown cell and `column` (of `width`), and the same over unknown citizenship."""
        cell = self.finest(rows)
        inside = cell >= 0
        finest = sparse.csr_array(
            (rows[counts].to_numpy(dtype=np.int64)[inside], (cell[inside], column[inside])),
            shape=(self.sums.shape[1], width),
        )
        return (self.sums @ finest).toarray(), (self.unknown @ finest).toarray()

    def histograms(
        self, rows: pd.DataFrame, outcome: NDArray[np.int64], place: NDArray[np.int64], outcomes: int, times: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Cases by breakdown cell, outcome and time, and the same over unknown citizenship."""
        both = self.totals(rows, outcome * times + place, outcomes * times, "cases")
        return both[0].reshape(-1, outcomes, times), both[1].reshape(-1, outcomes, times)


def _pools(column: str, present: list[str]) -> dict[str, list[bool]]:
    """The groups in which small ones are shown together: which of the groups present lie in each, two at least."""
    pools = load_registry().pools.get(column, {})
    inside = {pool: [one in members for one in present] for pool, members in pools.items()}
    return {pool: at for pool, at in inside.items() if sum(at) > 1}


def _within(quarter: str, period: str, last_year: str) -> bool:
    return quarter[:4] <= last_year if period == ALL else quarter.startswith(period)


def _kron(*factors: NDArray[np.int64]) -> sparse.csr_array:
    product = sparse.csr_array(factors[0])
    for factor in factors[1:]:
        product = sparse.csr_array(sparse.kron(product, sparse.csr_array(factor)))
    return product


def _blocks_of_each(asked: Sequence[tuple[_Measure, pd.DataFrame]], grid: _Grid) -> list[list[pd.DataFrame]]:
    """The blocks of each measure."""
    lots = [asked[first : first + _LOT] for first in range(0, len(asked), _LOT)]
    sizes = [sum(len(rows) for _, rows in lot) for lot in lots]
    found = on_several_cores(partial(_blocks_of_lot, grid), lots, sizes, least=_WORTH_PROCESSES)
    return [blocks for lot in found for blocks in lot]


def _blocks_of_lot(grid: _Grid, lot: Sequence[tuple[_Measure, pd.DataFrame]]) -> list[list[pd.DataFrame]]:
    return [list(_blocks(measure, rows, grid)) for measure, rows in lot]


def _blocks(measure: _Measure, rows: pd.DataFrame, grid: _Grid) -> Iterator[pd.DataFrame]:
    """The rows of one measure, one frame per stratum."""
    kind = measure.kind
    rows = rows.assign(stratum=rows["stratum"].fillna(ALL).replace("", ALL))
    strata = sorted(set(rows["stratum"]))
    if kind in ("rate", "mix", "count"):
        place = pd.Index(strata).get_indexer(pd.Index(rows["stratum"]))
        events, unknown_events = grid.totals(rows, place, len(strata), "numerator")
        cases, unknown_cases = grid.totals(rows, place, len(strata), "denominator")
        if kind == "rate" and ALL not in strata:
            strata = [ALL, *strata]
            events, unknown_events, cases, unknown_cases = (
                np.column_stack([a.sum(axis=1), a]) for a in (events, unknown_events, cases, unknown_cases)
            )
        if kind == "mix":
            cases, unknown_cases = (
                np.repeat(a.sum(axis=1, keepdims=True), len(strata), axis=1) for a in (cases, unknown_cases)
            )
        if kind == "rate" and (events > cases).any():
            raise ValueError(f"measure {measure.measure_id}: more events than cases")
        for i, stratum in enumerate(strata):
            of = (events[:, i], cases[:, i], unknown_events[:, i], unknown_cases[:, i])
            yield _frame(measure, grid, stratum, **(_count(*of) if kind == "count" else _rate(*of)))
    elif kind == "distribution":
        for stratum, part in rows.groupby("stratum", sort=True):
            yield from _distribution(measure, grid, str(stratum), part)
    elif kind == "total":
        yield _total(measure, grid, ALL, rows)
        for stratum, part in rows[rows["stratum"] != ALL].groupby("stratum", sort=True):
            yield _total(measure, grid, str(stratum), part)
    elif kind == "time_to_event":
        causes = [EVENT, *sorted(set(rows["outcome"]) - {EVENT, CENSORED})]
        for stratum, part in rows.groupby("stratum", sort=True):
            yield from _time_to_event(measure, grid, str(stratum), part, causes)
    else:
        raise ValueError(f"measure {measure.measure_id}: unknown kind {kind}")


def _rate(
    events: NDArray[np.int64],
    cases: NDArray[np.int64],
    unknown_events: NDArray[np.int64],
    unknown_cases: NDArray[np.int64],
) -> dict[str, Any]:
    worst = bounds.rate_bounds(events, cases, unknown_events, unknown_cases)
    return _estimate(intervals.proportion(events, cases), intervals.wilson(events, cases), "wilson", worst) | {
        "numerator": events,
        "denominator": cases,
        "unknown_citizenship": unknown_cases,
    }


def _count(
    events: NDArray[np.int64],
    cases: NDArray[np.int64],
    unknown_events: NDArray[np.int64],
    unknown_cases: NDArray[np.int64],
) -> dict[str, Any]:
    worst = Interval(low=events.astype(float), high=(events + unknown_events).astype(float))
    return _estimate(events.astype(float), _unbounded(events.size), "", worst) | {
        "numerator": events,
        "unknown_citizenship": unknown_events,
    }


def _total(measure: _Measure, grid: _Grid, stratum: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What the values of all rows come to. No sample, so no interval; of no row it is 0, and few rows are no doubt."""
    one = np.zeros(len(rows), dtype=np.intp)
    amounts = rows.assign(amount=rows["value"] * rows["cases"])
    total, of_unknown = (a[:, 0].astype(float) for a in grid.totals(amounts, one, 1, "amount"))
    sizes, unknown = (a[:, 0] for a in grid.totals(rows, one, 1, "cases"))
    worst = Interval(low=np.minimum(total, total + of_unknown), high=np.maximum(total, total + of_unknown))
    found = _estimate(total, _unbounded(total.size), "", worst)
    counts = {"denominator": sizes, "unknown_citizenship": unknown}
    return _frame(measure, grid, stratum, **found, **counts, status="ok", reason="")


def _distribution(measure: _Measure, grid: _Grid, stratum: str, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    axis, place = np.unique(rows["value"].to_numpy(dtype=np.int64), return_inverse=True)
    for part in grid.parts(axis.size):
        counts, unknown = part.totals(rows, place, axis.size, "cases")
        sizes = {"denominator": counts.sum(axis=1), "unknown_citizenship": unknown.sum(axis=1)}
        for name, share in (("median", 0.5), ("p90", 0.9)):
            found = _estimate(
                histograms.quantile(axis, counts, share),
                histograms.quantile_interval(axis, counts, share),
                "order_statistic",
                histograms.quantile_bounds(axis, counts, unknown, share),
            )
            yield _frame(measure, part, _label(stratum, name), **found, **sizes)


def _time_to_event(
    measure: _Measure, grid: _Grid, stratum: str, rows: pd.DataFrame, causes: list[str]
) -> Iterator[pd.DataFrame]:
    """The median from all times; shares and restricted means from those up to the last horizon, the rest lumped."""
    unit = measure.unit
    competing = len(causes) > 1
    outcome = pd.Index([*causes, CENSORED]).get_indexer(pd.Index(rows["outcome"]))
    time = rows["value"].to_numpy(dtype=np.int64)
    axis, place = np.unique(time, return_inverse=True)
    kind = np.select([outcome == 0, outcome < len(causes)], [0, 1], 1 + competing)
    method = "aalen_johansen_log_log" if competing else "kaplan_meier_log_log"
    for part in grid.parts((2 + competing) * axis.size):
        counts, unknown = part.histograms(rows, kind, place, 2 + competing, axis.size)
        some = _Some.of(counts, unknown)
        here, unknown_here = some.of_all(counts), some.of_all(unknown)
        median, limits = histograms.median_time(histograms.aalen_johansen(axis, here[:, :-1], here[:, -1]))
        worst = _unbounded(len(here))
        at = np.flatnonzero(some.of_all(part.is_known))
        bounded = histograms.median_time_bounds(
            axis, here[at, :-1], here[at, -1], unknown_here[at, :-1], unknown_here[at, -1]
        )
        worst.low[at], worst.high[at] = bounded.low, bounded.high
        found = _estimate(median[:, 0], Interval(low=limits.low[:, 0], high=limits.high[:, 0]), method, worst)
        found = some.spread(found)
        yield _frame(measure, part, _label(stratum, f"median_{unit}"), **found, **_sizes(counts, unknown))
    last = max((*HORIZONS.get(unit, ()), *RESTRICTED_MEANS.get(unit, ())), default=0)
    axis, place = np.unique(np.minimum(time, last + 1), return_inverse=True)
    counts, unknown = grid.histograms(rows, outcome, place, len(causes) + 1, axis.size)
    some, sizes = _Some.of(counts, unknown), _sizes(counts, unknown)
    here, unknown_here = some.of_all(counts), some.of_all(unknown)
    met, lost = here[:, :-1], here[:, -1]
    for horizon in () if competing else RESTRICTED_MEANS.get(unit, ()):
        mean, limits = histograms.restricted_mean(histograms.kaplan_meier(axis, met[:, 0], lost), horizon)
        found = some.spread(_estimate(mean, limits, "kaplan_meier_greenwood", _unbounded(len(here))))
        yield _frame(measure, grid, _label(stratum, f"mean_within_{horizon}"), **found, **sizes)
    for horizon in HORIZONS.get(unit, ()):
        shares, limits = histograms.incidence_by(axis, met, lost, horizon)
        every = np.full(len(here), horizon)
        worst = histograms.incidence_bounds(axis, met, lost, unknown_here[:, :-1], unknown_here[:, -1], every)
        for i, cause in enumerate(causes):
            found = _estimate(
                shares[:, i],
                Interval(low=limits.low[:, i], high=limits.high[:, i]),
                method,
                Interval(low=worst.low[:, i], high=worst.high[:, i]),
            )
            events = counts[:, i, axis <= horizon].sum(axis=-1)
            name = f"by_{horizon}" if cause == EVENT else f"{cause}_by_{horizon}"
            sized = {**some.spread(found), **sizes, "unit": "share", "numerator": events}
            yield _frame(measure, grid, _label(stratum, name), **sized)


@dataclass(frozen=True, kw_only=True)
class _Some:
    """The breakdown cells that have a case, or a person who may belong to them: only these are worth a curve."""

    at: NDArray[np.intp]
    size: int

    @classmethod
    def of(cls, counts: NDArray[np.int64], unknown: NDArray[np.int64]) -> _Some:
        return cls(at=np.flatnonzero(counts.any(axis=(1, 2)) | unknown.any(axis=(1, 2))), size=len(counts))

    def of_all(self, of_all: NDArray[Any]) -> NDArray[Any]:
        return of_all[self.at]

    def spread(self, found: dict[str, Any]) -> dict[str, Any]:
        """The same over all breakdown cells; missing where there is no case."""
        return {name: self._spread(a) if isinstance(a, np.ndarray) else a for name, a in found.items()}

    def _spread(self, here: Floats) -> Floats:
        everywhere = np.full(self.size, np.nan)
        everywhere[self.at] = here
        return everywhere


def _sizes(counts: NDArray[np.int64], unknown: NDArray[np.int64]) -> dict[str, Any]:
    return {"denominator": counts.sum(axis=(1, 2)), "unknown_citizenship": unknown.sum(axis=(1, 2))}


def _unbounded(size: int) -> Interval:
    return Interval(low=np.full(size, np.nan), high=np.full(size, np.nan))


def _label(stratum: str, statistic: str) -> str:
    return statistic if stratum == ALL else f"{stratum}:{statistic}"


def _estimate(estimate: Floats, limits: Interval, method: str, worst: Interval) -> dict[str, Any]:
    return {
        "estimate": estimate,
        "ci_low": limits.low,
        "ci_high": limits.high,
        "ci_method": method,
        "bound_low": worst.low,
        "bound_high": worst.high,
    }


def _frame(measure: _Measure, grid: _Grid, stratum: str, **columns: Any) -> pd.DataFrame:
    """One stratum's rows. Only the two known citizenship groups have bounds: who is unknown may belong to either."""
    for bound in ("bound_low", "bound_high"):
        columns[bound] = np.where(grid.is_known, columns[bound], np.nan)
    return grid.labels.assign(**(measure.labels() | {"stratum": stratum} | columns))


def _one_row(measure: _Measure, status: str, reason: str, **labels: str) -> pd.DataFrame:
    margins = dict.fromkeys(["period", "race", "citizenship", "offence_group", "stratum"], ALL)
    return pd.DataFrame(
        [{**measure.labels(), **margins, **labels, "ci_method": "", "status": status, "reason": reason}]
    )


def _no_case(measure: _Measure) -> pd.DataFrame:
    """A measure whose risk set is empty for the whole office: one row says it for all cells."""
    if measure.kind == "count":
        return _one_row(measure, "ok", "").assign(numerator=0, unknown_citizenship=0, estimate=0.0)
    if measure.kind == "total":
        return _one_row(measure, "ok", "").assign(denominator=0, unknown_citizenship=0, estimate=0.0)
    return _one_row(measure, "not_estimable", "No case entered the risk set in the period.").assign(denominator=0)


def _with_status(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that have no status yet get one: not_estimable, unreliable or ok."""
    few = table["denominator"] < MINIMUM_CASES
    wide = _is_share(table) & (table["ci_high"] - table["ci_low"] > WIDEST_INTERVAL)
    no_limit = table["ci_method"].ne("") & (table["ci_low"].isna() | table["ci_high"].isna())
    status = _first_that_holds(
        table,
        [
            (table["status"].notna(), table["status"], table["reason"]),
            (table["denominator"].eq(0), "not_estimable", "No case in this cell."),
            (table["estimate"].isna(), "not_estimable", "Too many were still waiting when last seen."),
            (few, "unreliable", f"Fewer than {MINIMUM_CASES} cases."),
            (no_limit, "unreliable", "Too few cases for an interval."),
            (wide, "unreliable", TOO_WIDE),
        ],
    )
    return table.assign(status=status[0], reason=status[1])


def _first_that_holds(
    table: pd.DataFrame, rules: list[tuple[ArrayLike, str | pd.Series, str | pd.Series]]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Status and reason of each row by the first rule that holds; ok, and no reason, where none does."""
    status = np.full(len(table), "ok", dtype=object)
    reason = np.full(len(table), "", dtype=object)
    for holds, say, why in reversed(rules):
        at = np.asarray(holds, dtype=bool)
        if at.any():
            status[at] = say[at] if isinstance(say, pd.Series) else say
            reason[at] = why[at] if isinstance(why, pd.Series) else why
    return status, reason


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Counts as nullable integers, measures as floats, the rest as text."""
    kinds: dict[str, str] = {}
    for column in table.columns:
        if column in COUNTS:
            kinds[column] = "Int64"
        elif column in NUMBERS:
            kinds[column] = "float64"
        else:
            kinds[column] = "str"
    return table.fillna({c: "" for c, kind in kinds.items() if kind == "str"}).astype(kinds)


def comparison_table(measures: pd.DataFrame, settings: AuditSettings) -> pd.DataFrame:
    """One row per measure, period, stratum and group set against its reference group, from the measures' own rows.

    Contrasts: `race` (each race against the reference race), `citizenship` (noncitizen against the reference), and
    `citizenship_within_race`. Differences are Newcombe's for rates and MOVER for medians and times; ratios, of rates
    alone, Koopman's. The bounds say what the gap could be if unknown citizenship were known. The p-value of two rates,
    over the whole period, is that of the score test.
    """
    rows = measures[(measures["offence_group"] == ALL) & ((measures["ci_method"] != "") | (measures["status"] != "ok"))]
    lone = rows["status"].eq("not_computable") | rows["ci_method"].eq("")
    by_race = rows["race"] != ALL
    everyone, noncitizen = rows["citizenship"].eq(ALL), rows["citizenship"].eq("noncitizen")
    contrasts = {
        "race": (everyone & (lone | (by_race & (rows["race"] != settings.reference_race)))),
        "citizenship": (noncitizen & ~by_race) | (lone & everyone),
        "citizenship_within_race": noncitizen & by_race,
    }
    groups = pd.concat([rows[at].assign(contrast=name) for name, at in contrasts.items()], ignore_index=True)
    of_race = groups["contrast"] == "race"
    groups["reference_race"] = groups["race"].where(~of_race, settings.reference_race)
    groups["reference_citizenship"] = groups["citizenship"].where(of_race, settings.reference_citizenship)
    sides = rows[["measure_id", "period", "race", "citizenship", "stratum", *SIDE]]
    key = ["measure_id", "period", "stratum"]
    table = groups.merge(
        sides.rename(columns={c: f"reference_{c}" for c in ["race", "citizenship", *SIDE]}),
        on=[*key, "reference_race", "reference_citizenship"],
        how="left",
        validate="many_to_one",
    )
    return _typed(_compared(table)[COMPARISON_COLUMNS])


def with_bound_widths(measures: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """The measures, with DQ-05 filled in: how wide the worst-case ranges of the comparisons by citizenship are.

    Of the shares compared over the whole period: the middle width and the ninth decile, one row each, in points, since a
    gap may lie anywhere from -100 to 100 of them. They come from all comparisons together, so that no single hidden one
    could be read from them where there are a few.
    """
    # how much is unknown is no question that unknown citizenship could answer otherwise
    of_decisions = comparisons["mart"].ne("data_quality") & comparisons["unit"].eq("share")
    found = comparisons[of_decisions & comparisons["contrast"].eq("citizenship") & comparisons["period"].eq(ALL)]
    width = (found["bound_high"] - found["bound_low"]).dropna().to_numpy()
    derived = measures["measure_id"].eq(BOUND_WIDTH) & measures["status"].ne("not_computable")
    if not derived.any() or width.size == 0:
        return measures
    row = measures[derived].iloc[[0]]
    few = width.size < MINIMUM_CASES
    filled = [
        row.assign(
            stratum=name,
            denominator=width.size,
            estimate=100 * float(np.quantile(width, share, method="inverted_cdf")),
            status="unreliable" if few else "ok",
            reason=f"Fewer than {MINIMUM_CASES} cases." if few else "",
        )
        for name, share in (("median", 0.5), ("p90", 0.9))
    ]
    place = int(np.flatnonzero(derived)[0])
    parts = [measures.iloc[:place], *filled, measures[place:][~derived[place:]]]
    return _typed(pd.concat(parts, ignore_index=True))


@dataclass(frozen=True, kw_only=True)
class Saturation:
    """A rate that every case has met that entered from a day on, as if those who did not had been too young to be kept.

    `cases` of them; `rate_before` among those before, `rate` among all.
    """

    measure_id: str
    since: date
    cases: int
    rate_before: float
    rate: float

    def __str__(self) -> str:
        return (
            f"{self.measure_id}: every one of the {self.cases:,} cases that entered from {self.since} on has the outcome, "
            f"against {self.rate_before:.3%} before ({self.rate:.3%} of all). If those without it had not had the time to "
            "show it and were left out, the rate is too high: count only cases whose window had passed on the day of export."
        )

    @property
    def reason(self) -> str:
        """The same for the public tables: the month and a rounded number, so that no day can be subtracted out."""
        about = int(float(f"{self.cases:.1g}"))
        return SATURATED.format(since=f"{self.since:%Y-%m}", cases=about, before=round(100 * self.rate_before))


#: What is said of a saturated rate in the column `reason`; `report` reads it back to say it in other languages.
SATURATED = "Every case since {since} (about {cases}) has the outcome, {before}% before: were those without it too young to be in?"


def saturation(measure_id: str, entered: Sequence[date], events: ArrayLike, cases: ArrayLike) -> Saturation | None:
    """Whether all of the youngest cases have the outcome, beyond chance; counts by day of entry, in order of time."""
    k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
    if n.size == 0:
        return None
    found = trends.saturated_from(k, n)
    if found.first is None:
        return None
    return Saturation(
        measure_id=measure_id,
        since=entered[found.first],
        cases=found.cases,
        rate_before=found.rate_before,
        rate=float(k.sum() / n.sum()),
    )


def saturations(cells: pd.DataFrame, catalogue: pd.DataFrame) -> list[Saturation]:
    """The same for every rate of the catalogue that counts people or what they did, by quarter: a policy has no window."""
    people = ~catalogue["measure_id"].isin(load_registry().about_nobody)
    rates = catalogue.loc[catalogue["kind"].eq("rate") & people, "measure_id"]
    dated = cells[cells["quarter"].notna() & cells["measure_id"].isin(rates)]
    found = []
    for measure_id, rows in dated.groupby("measure_id", sort=True):
        by_quarter = rows.groupby("quarter", sort=True)[["numerator", "denominator"]].sum()
        begins = [pd.Period(str(quarter).replace("-", ""), freq="Q").start_time.date() for quarter in by_quarter.index]
        one = saturation(str(measure_id), begins, by_quarter["numerator"], by_quarter["denominator"])
        if one is not None:
            found.append(one)
    return found


def with_saturations(measures: pd.DataFrame, found: Iterable[Saturation]) -> pd.DataFrame:
    """The measures, whose rows over all say so where all of the youngest cases have the outcome."""
    said = {one.measure_id: one.reason for one in found}
    reasons = pd.Series([said.get(m, "") for m in measures["measure_id"]], index=measures.index, dtype=str)
    margins = (measures[["period", "race", "citizenship", "offence_group", "stratum"]] == ALL).all(axis=1)
    at = margins & measures["status"].eq("ok") & reasons.ne("")
    return measures.assign(reason=measures["reason"].mask(at, reasons))


def with_clustered_p_values(comparisons: pd.DataFrame, catalogue: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """The comparisons with p-values that count persons, each of whom may have many cases, where these are known.

    `clusters` are the marts of that name: over the whole period, the sums over the persons of each cell.
    """
    tested = comparisons["p_value"].notna().to_numpy()
    p_values = comparisons["p_value"].to_numpy(dtype=float, na_value=np.nan, copy=True)
    # Three digits: what is exact could be solved for the sums over persons that stand behind it.
    exact = clustered_p_value(*_sides(comparisons[tested], clusters, catalogue))
    p_values[tested] = [float(f"{p:.3g}") for p in exact]
    return comparisons.assign(p_value=p_values)


def _sides(rows: pd.DataFrame, clusters: pd.DataFrame, catalogue: pd.DataFrame) -> tuple[Side, Side]:
    """Group and reference of each comparison, with the sums over their persons."""
    cell = ["measure_id", "race", "citizenship", "stratum"]
    known = clusters.assign(stratum=clusters["stratum"].replace("", ALL))
    margins = [known.assign(**over) for over in ({}, {"race": ALL}, {"citizenship": ALL})]
    sums = pd.concat(margins).groupby(cell)[CLUSTER_SUMS].sum()
    mixes = rows["measure_id"].isin(catalogue.loc[catalogue["kind"] == "mix", "measure_id"]).to_numpy()
    sides = []
    for prefix, of in (("", ("race", "citizenship")), ("reference_", ("reference_race", "reference_citizenship"))):
        keys = rows[["measure_id", *of, "stratum"]].set_axis(cell, axis=1)
        found = sums.reindex(pd.MultiIndex.from_frame(keys)).astype(float)
        whole = sums.reindex(pd.MultiIndex.from_frame(keys.assign(stratum=ALL))).astype(float)
        found.loc[mixes] = found.loc[mixes].fillna(0)  # nobody with an event of this part
        for name in ("persons", "cases_squared"):
            found.loc[mixes, name] = whole[name].to_numpy()[mixes]
        counts = {
            name: rows[f"{prefix}{column}"].to_numpy(dtype=float, na_value=np.nan)
            for name, column in (("events", "numerator"), ("cases", "denominator"))
        }
        sides.append(Side(**counts, **{name: found[name].to_numpy() for name in CLUSTER_SUMS}))
    return sides[0], sides[1]


def _compared(table: pd.DataFrame) -> pd.DataFrame:
    """Difference, ratio, bounds and status of rows that hold both sides."""
    columns = [c for side in SIDE[:-2] for c in (side, f"reference_{side}")]
    number = {c: table[c].to_numpy(dtype=float, na_value=np.nan) for c in columns}
    rate = table["ci_method"].eq("wilson").to_numpy()
    counts = [np.where(rate, number[c], np.nan) for c in BOTH_SIDES]
    gap = intervals.mover(
        number["estimate"],
        Interval(low=number["ci_low"], high=number["ci_high"]),
        number["reference_estimate"],
        Interval(low=number["reference_ci_low"], high=number["reference_ci_high"]),
    )
    ratio = intervals.koopman(*counts)
    few = np.minimum(number["denominator"], number["reference_denominator"]) < MINIMUM_CASES
    width = gap.high - gap.low
    reference_reason = table["reference_reason"].fillna("No case in this cell.")
    status, reason = _first_that_holds(
        table,
        [
            (table["ci_method"].eq("") | table["status"].eq("not_computable"), table["status"], table["reason"]),
            (table["estimate"].isna(), "not_estimable", "The group: " + table["reason"]),
            (table["reference_estimate"].isna(), "not_estimable", "The reference group: " + reference_reason),
            (few, "unreliable", f"Fewer than {MINIMUM_CASES} cases on one side."),
            (np.isnan(width), "unreliable", "Too few cases for an interval."),
            (_is_share(table) & (width > WIDEST_INTERVAL), "unreliable", TOO_WIDE),
        ],
    )
    return table.assign(
        difference=number["estimate"] - number["reference_estimate"],
        difference_low=gap.low,
        difference_high=gap.high,
        difference_method=np.where(rate, "newcombe", np.where(table["ci_method"] == "", "", "mover")),
        ratio=intervals.ratio_of(np.where(rate, number["estimate"], np.nan), number["reference_estimate"]),
        ratio_low=ratio.low,
        ratio_high=np.where(np.isinf(ratio.high), np.nan, ratio.high),
        ratio_method=np.where(rate, "koopman", ""),
        p_value=np.where(table["period"].eq(ALL), intervals.score_p_value(*counts), np.nan),
        # What is worst for one side is best for the other, so the bounds of a gap are those of its sides.
        bound_low=number["bound_low"] - number["reference_bound_high"],
        bound_high=number["bound_high"] - number["reference_bound_low"],
        status=status,
        reason=reason,
    )


def _is_share(table: pd.DataFrame) -> pd.Series[bool]:
    """Rows whose estimate lies between 0 and 1, so that the width of an interval can be judged."""
    return table["ci_method"].eq("wilson") | table["stratum"].str.contains("by_", regex=False)

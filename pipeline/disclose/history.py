"""What was published before: every earlier release stays in the reader's hands, so it is attacked together with the new.

Each release leaves a record of its rows, shown and hidden, which stays with the restricted files. A number that was
published is shown again as it was, or corrected in the open; what a table now holds more than an earlier one is a count
of its own, and may be about few people where neither table is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.disclose.coarsen import finished
from pipeline.disclose.registry import CELL, Registry
from pipeline.disclose.system import PLACE, WINDOW, Mask, SameCounts, Ties, same_counts
from pipeline.errors import Problem, ReleaseRefused

#: The columns of a record: the cell, what the gate needs to judge it, its counts, and whether it was listed and shown.
RECORD = [*CELL, "mart", "ci_method", "numerator", "denominator", "listed", "shown", "window"]
_COUNTS = ["numerator", "denominator"]


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The rows of a new release, and below them those of earlier ones that are not among them.

    `is_new` tells them apart; `fixed` rows have been published and cannot be hidden any more; `was_listed` rows stood
    in an earlier table, shown or hidden; what `follows` is public though no row said it: from earlier releases, or
    since the group has nobody. A year is `finished` when all of its quarters are there.
    """

    rows: pd.DataFrame
    is_new: Mask
    fixed: Mask
    was_listed: Mask
    follows: Mask
    finished: Mask
    ties: Ties

    def only(self, at: Mask) -> Stack:
        """These rows alone."""
        masks = {name: getattr(self, name)[at] for name in ("is_new", "fixed", "was_listed", "follows", "finished")}
        return Stack(rows=self.rows[at].reset_index(drop=True), ties=self.ties.only(at), **masks)


def window_of(rows: pd.DataFrame) -> str:
    """What `all` means in these rows: first and last quarter. Quarters of no year lie behind totals of finished years."""
    periods = rows["period"].drop_duplicates()
    quarters, years = periods[periods.str.contains("-Q")], periods[periods.str.len().eq(len("2024"))]
    summed = quarters[quarters.str[:4].isin(years)] if len(years) else quarters
    if len(summed):
        return f"{summed.min()}/{summed.max()}"
    return f"{years.min()}-Q1/{years.max()}-Q4" if len(years) else "all"


def stack(new: pd.DataFrame, earlier: Sequence[pd.DataFrame], corrected: Collection[str]) -> Stack:
    """Puts the records of earlier releases, oldest first, below the rows of a new one.

    `corrected` names the measures whose published numbers this release corrects. Raises ReleaseRefused where a
    published number has changed without that.
    """
    window = window_of(new)
    versions = [new.reindex(columns=RECORD).assign(window=window, listed=False, shown=False, version=0)]
    for age, record in enumerate(reversed(earlier), start=1):
        # A year that was not finished was never listed, and means more once there are more quarters.
        versions.append(record[finished(record["period"]) | record["window"].eq(window)].assign(version=age))
    rows = pd.concat(versions, ignore_index=True)
    moved = rows["period"].eq("all") & ~rows["window"].isin([window, "all"])
    rows["period"] = rows["period"].mask(moved, WINDOW + rows["window"])
    rows["cell"] = rows.groupby(list(CELL), sort=False).ngroup()
    changed = _changed(rows)
    said = rows[rows["shown"]]
    last_said = said[~said["cell"].duplicated() & changed[said.index] & ~said["measure_id"].isin(corrected)]
    if len(last_said):
        raise ReleaseRefused(_silent(row) for row in last_said.itertuples())
    # A measure that changed is set beside its earlier self, under another name: no sum runs across the two.
    of_release = rows.groupby(["version", "measure_id"], sort=False).ngroup()
    rows["self"] = rows["version"].where(of_release.isin(of_release[changed]), 0)
    rows["name"] = rows["measure_id"]
    rows.loc[rows["self"].gt(0), "name"] += " " + rows["self"].astype(str) + " releases ago"
    key = ["cell", "self"]
    ever = rows.groupby(key, sort=False)[["listed", "shown"]].transform("max")
    rows = rows.assign(was_listed=ever["listed"], fixed=ever["shown"])[~rows.duplicated(key)].reset_index(drop=True)
    return Stack(
        rows=rows.assign(measure_id=rows["name"])[[*CELL, "mart", "ci_method", *_COUNTS]],
        is_new=rows["version"].eq(0).to_numpy(),
        fixed=rows["fixed"].to_numpy(dtype=bool),
        was_listed=rows["was_listed"].to_numpy(dtype=bool),
        follows=np.zeros(len(rows), dtype=bool),
        finished=finished(rows["period"]),
        ties=_ties(rows),
    )


def same_counts_ever(measures: pd.DataFrame, whole: Stack, registry: Registry) -> SameCounts:
    """Which counts are one or sums of others: those of the new release, `measures`, and of measures that are gone since.

    A measure that has another name since, is not computed any more, or was corrected is still in the reader's hands. It
    was recorded in fewer cells than the new table has, so the others are compared with it in those.
    """
    same = same_counts(measures, registry)
    rows = pd.concat([measures, whole.rows[~whole.is_new]], ignore_index=True)
    rows["place"] = rows.groupby(list(PLACE)).ngroup()
    is_gone = ~rows["measure_id"].isin(measures["measure_id"].unique())
    gone = rows[is_gone]
    # What was `all` may be in no record of the others: it serves where there is nothing else.
    total = gone["period"].str.startswith(WINDOW)
    gone = gone[~total | total.groupby(gone["measure_id"]).transform("all")]
    alike: dict[frozenset[int], list[str]] = {}
    for measure, its in gone.groupby("measure_id")["place"]:
        alike.setdefault(frozenset(its), []).append(str(measure))
    numbers, sums = [same.number], [same.sums]
    first = max(len(same.number), len(same.sums))  # the next number that nothing has
    for places, names in alike.items():
        here = same_counts(rows[rows["place"].isin(places) & (~is_gone | rows["measure_id"].isin(names))], registry)
        of_others = same.number.reindex(here.number.index).groupby(here.number.to_numpy()).transform("first")
        number = of_others.fillna(here.number + first).astype("int64")
        numbers.append(number[number.index.get_level_values("measure_id").isin(names)])
        renamed = dict(zip(here.number, number, strict=True))
        found = here.sums.assign(**{c: here.sums[c].map(renamed) for c in ("whole", "part")})
        # A sum of none but the others' counts is known, or holds in these few cells by chance.
        own = found[["whole", "part"]].ge(first).any(axis=1).groupby(found["sum"]).transform("any")
        sums.append(found[own].assign(sum=found["sum"] + first))
        first += max(len(here.number), len(here.sums))
    return SameCounts(number=pd.concat(numbers), sums=pd.concat(sums, ignore_index=True))


def _cells(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[list(CELL)])


def _changed(rows: pd.DataFrame) -> pd.Series[bool]:
    """Which rows have other counts in the new release; a row that is gone has not changed."""
    now = rows[rows["version"].eq(0)].set_index("cell")[_COUNTS]
    then = now.reindex(rows["cell"])
    same = [rows[c].fillna(-1).to_numpy() == then[c].fillna(-1).to_numpy() for c in _COUNTS]
    return ~pd.Series(np.all(same, axis=0), index=rows.index) & rows["cell"].isin(now.index)


def _ties(rows: pd.DataFrame) -> Ties:
    """Corrected rows with what they were, and each `all` with the next and the last of the longer ones after it."""
    new = np.flatnonzero(rows["version"].eq(0))
    corrected = np.flatnonzero(rows["name"].ne(rows["measure_id"]))
    found = _cells(rows.iloc[new]).get_indexer(_cells(rows.iloc[corrected]))
    pairs = [np.column_stack([corrected, new[found]])[found >= 0]]

    whole = rows[rows["period"].str.startswith("all") & rows["name"].eq(rows["measure_id"])]
    place = whole.groupby(["measure_id", "stratum", *CELL[2:5]]).ngroup()
    windows = pd.DataFrame({"place": place, "begins": whole["window"].str[:7], "ends": whole["window"].str[-7:]})
    windows = windows.assign(version=-whole["version"]).sort_values(["place", "ends", "version"], kind="stable")
    windows["position"] = np.arange(len(windows))
    last = windows.groupby("place")["position"].transform("last").to_numpy()
    here = np.arange(len(windows))
    for later in (np.minimum(here + 1, last), np.where(last > here + 1, last, here)):
        then = windows.iloc[later]
        longer = (windows["begins"].to_numpy() == then["begins"].to_numpy()) & (
            windows["ends"].to_numpy() < then["ends"].to_numpy()
        )
        pairs.append(np.column_stack([windows.index, then.index])[longer])
    before, after = np.concatenate(pairs).astype(np.int64).T
    return Ties(before=before, after=after, may_shrink=np.arange(len(before)) < len(pairs[0]))


def _silent(row: object) -> Problem:
    where = ", ".join(str(getattr(row, c)) for c in CELL)
    return Problem(
        code="IIU611",
        where=where,
        what="a published number has changed",
        expected="published numbers as they were: closed quarters are frozen when they are first published",
        fix="Publish the whole measure again as a correction, with its reason, or keep the frozen batch.",
    )

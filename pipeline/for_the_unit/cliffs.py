"""How far sentences, losses and added terms heap up at the lines of immigration law, against what those around them would
make one expect.

For the unit alone. The curve is drawn through the count of every single day, nearly all of which are too few to be
shown, so no number that rests on it passes the gate; readers get the bands around each line instead (SEN-01a, SEN-04a,
SEN-13a). The maximum of a year is no such line: the law sets it for an offence, and nobody chooses it for a case (SEN-06).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pipeline.measures import ALL
from pipeline.stats.bunching import excess_at, is_whole_months


def is_thousands(hundreds: ArrayLike) -> NDArray[np.bool_]:
    """Losses are stated in round thousands of dollars."""
    round_ones: NDArray[np.bool_] = np.asarray(hundreds, dtype=np.int64) % 10 == 0
    return round_ones


def is_whole_years(months: ArrayLike) -> NDArray[np.bool_]:
    """Added terms most often come to whole years."""
    round_ones: NDArray[np.bool_] = np.asarray(months, dtype=np.int64) % 12 == 0
    return round_ones


@dataclass(frozen=True, kw_only=True)
class Line:
    """Where a line lies: what is counted, where cases on the safe side of it stand, and which of them the line may move.

    `values` around it, in `window`, may be moved by it; through those of `span` outside of it the curve is drawn.
    """

    counted: str
    at: int
    value: int
    window: tuple[int, int]
    span: tuple[int, int]
    is_round: Callable[[ArrayLike], NDArray[np.bool_]] = is_whole_months


#: 364 days are one short of the year of 8 USC 1101(a)(43); 180 days are never more than the six months of 8 USC
#: 1182(a)(2)(A)(ii)(II). A loss of $10,000 does not exceed $10,000 (8 USC 1101(a)(43)(M)): by hundreds of dollars, the last
#: that does not. Terms of several convictions that stay short of five years (8 USC 1182(a)(2)(B)): the month before it.
LINES = (
    Line(counted="term_days", at=364, value=364, window=(360, 370), span=(180, 550)),
    Line(counted="term_days", at=365, value=365, window=(360, 370), span=(180, 550)),
    Line(counted="term_days", at=180, value=180, window=(175, 190), span=(60, 330)),
    Line(counted="loss_usd", at=10_000, value=100, window=(95, 105), span=(50, 200), is_round=is_thousands),
    Line(counted="added_days", at=1_825, value=59, window=(57, 61), span=(24, 96), is_round=is_whole_years),
)
CLIFF_COLUMNS = [
    *("counted", "at", "citizenship", "cap", "observed", "expected", "excess", "excess_low", "excess_high"),
]

#: Sentences to custody by day, as pronounced and with suspended time, before and since the law that caps misdemeanours;
#: convictions that turn on the loss, by hundreds of dollars begun; persons by the months that their terms add up to.
COUNTS = """
    select 'term_days' as counted, citizenship, cap, custody_days as value, count(*) as cases
    from marts.mart_sentencing
    where quarter is not null and custody_days > 0
    group by all
    union all
    select 'loss_usd' as counted, citizenship, 'all' as cap, cast(ceil(loss_usd / 100) as bigint) as value, count(*) as cases
    from marts.mart_sentencing__charges
    where quarter is not null and is_turning_on_loss and loss_usd > 0
    group by all
    union all
    select 'added_days' as counted, citizenship, 'all' as cap, cast(floor(added_days * 12 / 365) as bigint) as value, count(*) as cases
    from marts.mart_sentencing__persons
    where quarter is not null and added_days > 0
    group by all
    order by all
"""


def cliff_table(counts: pd.DataFrame) -> pd.DataFrame:
    """One row per line, citizenship and cap (`all` for either): cases on the safe side of it, those expected, the excess.

    `counts` is what COUNTS selects. Limits are at 95 %. Nothing is expected where too few cases draw a curve.
    """
    rows = [
        {
            "counted": line.counted,
            "at": line.at,
            "citizenship": citizenship,
            "cap": cap,
            "observed": found.observed,
            "expected": found.expected,
            "excess": found.excess,
            "excess_low": float(found.limits.low),
            "excess_high": float(found.limits.high),
        }
        for line in LINES
        for citizenship, cap, part in _parts(counts[counts["counted"] == line.counted])
        for found in [
            excess_at(
                part["value"], part["cases"], line.value, window=line.window, span=line.span, is_round=line.is_round
            )
        ]
    ]
    table = pd.DataFrame(rows, columns=CLIFF_COLUMNS)
    return table.sort_values(["counted", "at", "citizenship", "cap"], kind="stable", ignore_index=True)


def _parts(counts: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for citizenship in (ALL, *sorted(set(counts["citizenship"]))):
        for cap in dict.fromkeys((ALL, *sorted(set(counts["cap"])))):
            inside = np.ones(len(counts), dtype=bool)
            for column, value in (("citizenship", citizenship), ("cap", cap)):
                inside &= (counts[column] == value).to_numpy() | (value == ALL)
            yield citizenship, cap, counts[inside]

"""How far sentences heap up at the lines of immigration law, against what the terms around them would make one expect.

For the unit alone. The curve is drawn through the count of every single day, nearly all of which are too few to be
shown, so no number that rests on it passes the gate; readers get the bands around each line instead (SEN-01a, SEN-04a).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.measures import ALL
from pipeline.stats.bunching import excess_at

#: Where a line lies: the day, the days that may be moved by it, and those through which the curve is drawn. 364 days are
#: one short of the year of 8 USC 1101(a)(43); 180 days are never more than the six months of 8 USC 1182(a)(2)(A)(ii)(II).
LINES = (
    (364, (360, 370), (180, 550)),
    (365, (360, 370), (180, 550)),
    (180, (175, 190), (60, 330)),
)
CLIFF_COLUMNS = ["days", "citizenship", "cap", "observed", "expected", "excess", "excess_low", "excess_high"]

#: Sentences to custody by day, as pronounced and with suspended time, before and since the law that caps misdemeanours.
TERMS = """
    select citizenship, cap, custody_days as days, count(*) as sentences
    from marts.mart_sentencing
    where quarter is not null and custody_days > 0
    group by all
    order by all
"""


def cliff_table(terms: pd.DataFrame) -> pd.DataFrame:
    """One row per line, citizenship and cap (`all` for either): sentences at that day, those expected, and the excess.

    `terms` is what TERMS selects. Limits are at 95 %. Nothing is expected where too few terms draw a curve.
    """
    rows = [
        {
            "days": at,
            "citizenship": citizenship,
            "cap": cap,
            "observed": found.observed,
            "expected": found.expected,
            "excess": found.excess,
            "excess_low": float(found.limits.low),
            "excess_high": float(found.limits.high),
        }
        for citizenship, cap, part in _parts(terms)
        for at, window, span in LINES
        for found in [excess_at(part["days"], part["sentences"], at, window=window, span=span)]
    ]
    table = pd.DataFrame(rows, columns=CLIFF_COLUMNS)
    return table.sort_values(["days", "citizenship", "cap"], kind="stable", ignore_index=True)


def _parts(terms: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for citizenship in (ALL, *sorted(set(terms["citizenship"]))):
        for cap in (ALL, *sorted(set(terms["cap"]))):
            inside = np.ones(len(terms), dtype=bool)
            for column, value in (("citizenship", citizenship), ("cap", cap)):
                inside &= (terms[column] == value).to_numpy() | (value == ALL)
            yield citizenship, cap, terms[inside]

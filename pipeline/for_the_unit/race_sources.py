"""People whom one source records as White and another as Hispanic or Latino, and what that could do to a gap.

For the unit alone. Who recorded a race matters: officers and clerks often write White for Hispanic people, who then stand on
the wrong side of each comparison. Nobody is moved by name or birthplace: the share is told by source, of those whom a
second source describes, and each gap gets the bounds that it leaves open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.database import open_database
from pipeline.measures import MINIMUM_CASES
from pipeline.stats import bounds, intervals
from pipeline.whose import counted_rates

#: People with a race on file, each source apart; then each person, doubtful where one source alone, and not the person,
#: says White and nobody says Hispanic.
_RECORDED = """
create or replace temp table recorded as
    select person_id, coalesce(race_source, 'not_recorded') as source,
        bool_or(race_code = 'hispanic_latino') as hispanic, bool_and(race_code = 'white') as white
    from staging.stg_person_races
    where race_code not in ('not_recorded', 'recorded_unknown', 'redacted', 'unmapped') group by all;
create or replace temp table doubtful as
    select person_id from recorded group by person_id having count(*) = 1 and bool_and(white and source <> 'self')
"""
_BY_SOURCE = """
select one.source, count(distinct one.person_id) as white, count(distinct other.person_id) as described_elsewhere,
    count(distinct other.person_id) filter (where other.hispanic) as hispanic_elsewhere
from recorded as one
-- a person has one row for each source: those of another stand beside each
left join recorded as other on one.person_id = other.person_id and one.source <> other.source
where one.white group by all order by all
"""
SOURCE_COLUMNS = [
    *("source", "white", "described_elsewhere", "hispanic_elsewhere", "share", "share_low", "share_high"),
]
GAP_COLUMNS = [
    *("measure_id", "hispanic", "white", "doubtful", "difference", "difference_without_doubtful"),
    *("share", "band_low", "band_high", "break_even_share", "bound_low", "bound_high"),
]


def race_sources(database: Path, catalogue: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per source, then one row per rate of people that has enough Hispanic and White people.

    `share` of the first: of those recorded as White whom another source describes, how many it records as Hispanic. Of the
    second: the greatest upper limit of these, which bounds the band; without any second source it is 1, and the band is
    the worst case.
    """
    rows = []
    with open_database(database) as connection:
        connection.execute(_RECORDED)
        sources = connection.execute(_BY_SOURCE).fetchdf()
        limits = intervals.wilson(sources["hispanic_elsewhere"], sources["described_elsewhere"])
        shares = intervals.proportion(sources["hispanic_elsewhere"], sources["described_elsewhere"])
        sources = sources.assign(share=shares, share_low=limits.low, share_high=limits.high)[SOURCE_COLUMNS]
        told = sources.loc[sources["described_elsewhere"] >= MINIMUM_CASES, "share_high"]
        share = float(told.max()) if len(told) else 1.0
        decided = catalogue["kind"].eq("rate") & catalogue["mart"].ne("data_quality") & catalogue["numerator"].ne("")
        counted = counted_rates(
            connection,
            catalogue[decided],
            needs={"person_id", "race"},
            labels="race, person_id in (from doubtful) as doubted",
            where="race in ('white', 'hispanic_latino')",
        )
    for measure_id, of in counted.items():
        row = _gap(of, share)
        if row is not None:
            rows.append({"measure_id": measure_id, **row})
    return sources, pd.DataFrame(rows, columns=GAP_COLUMNS)


def _gap(counted: pd.DataFrame, share: float) -> dict[str, Any] | None:
    """What `race_sources` says of the gap of one rate; nothing where a side has too few cases."""
    doubtful = counted["doubted"].fillna(False).astype(bool)

    def side(at: pd.Series) -> tuple[int, int]:
        return int(counted.loc[at, "events"].sum()), int(counted.loc[at, "cases"].sum())

    white = counted["race"].eq("white")
    hispanic, sure, doubted = side(~white), side(white & ~doubtful), side(white & doubtful)
    whole = sure[0] + doubted[0], sure[1] + doubted[1]
    if min(hispanic[1], whole[1]) < MINIMUM_CASES:
        return None
    six = (*hispanic, *sure, *doubted)
    band, worst = bounds.gap_bounds(*six, share=(0.0, share)), bounds.gap_bounds(*six)
    return {
        "hispanic": hispanic[1],
        "white": whole[1],
        "doubtful": doubted[1],
        "difference": float(intervals.difference(*hispanic, *whole)),
        "difference_without_doubtful": float(intervals.difference(*hispanic, *sure)),
        "share": share,
        "band_low": float(band.low),
        "band_high": float(band.high),
        "break_even_share": bounds.break_even_share(*six),
        "bound_low": float(worst.low),
        "bound_high": float(worst.high),
    }

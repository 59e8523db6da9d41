"""What each gap between noncitizens and citizens would be if citizenship were known otherwise. For the unit alone.

How citizenship becomes known is itself a result of custody and detainers. So beside the gap as known on the day of the
decision stand: the gap by what was on file in the end; the gap without those of whom nothing but a detainer says it; the
band if the share of noncitizens among the unknown lies where the rules declare; and the share at which the gap vanishes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config import AuditSettings
from pipeline.database import open_database
from pipeline.findings import rules
from pipeline.measures import MINIMUM_CASES
from pipeline.stats import bounds, intervals
from pipeline.whose import counted_rates

#: A person of whom nothing but a detainer, or an ICE contact, says what citizenship it is.
_DETAINER_ALONE = """
select person_id from intermediate.int_citizenship_assertions__usable as usable
inner join staging.stg_citizenship_assertions as stated using (assertion_id, person_id)
group by person_id having bool_and(statement_source in ('detainer', 'ice_record'))
"""
COLUMNS = [
    *("measure_id", "noncitizens", "citizens", "unknown", "difference", "difference_latest"),
    *("difference_without_detainers", "band_low", "band_high", "break_even_share", "bound_low", "bound_high"),
]


def knowledge_table(database: Path, catalogue: pd.DataFrame, settings: AuditSettings) -> pd.DataFrame:
    """One row per rate of people that both groups have enough cases of, over the whole period.

    `break_even_share` is the share of noncitizens, the same among the unknown with and without the event, at which there
    is no gap; NaN where no share closes it.
    """
    band = tuple(rules()["unknown_share_of_noncitizens"])
    rates = catalogue[catalogue["kind"].eq("rate") & catalogue["numerator"].ne("")]
    rows = []
    with open_database(database) as connection:
        connection.execute(f"create or replace temp table detainer_alone as {_DETAINER_ALONE}")
        counted = counted_rates(
            connection,
            rates,
            needs={"person_id", "citizenship", "citizenship_latest"},
            labels="citizenship, citizenship_latest, person_id in (from detainer_alone) as by_detainer",
        )
    for measure_id, of in counted.items():
        row = _row(of, settings, band)
        if row is not None:
            rows.append({"measure_id": measure_id, **row})
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(counted: pd.DataFrame, settings: AuditSettings, band: tuple[float, float]) -> dict[str, Any] | None:
    """What `knowledge_table` says of one rate; nothing where a group has too few cases."""
    reference = settings.reference_citizenship

    def sides(column: str, rows: pd.DataFrame) -> list[int]:
        sums = rows.groupby(column)[["events", "cases"]].sum()
        return [int(n) for g in ("noncitizen", reference, "unknown") for n in sums.reindex([g], fill_value=0).iloc[0]]

    known = sides("citizenship", counted)
    if min(known[1], known[3]) < MINIMUM_CASES:
        return None
    four, unknown = known[:4], known[4:]
    shares = bounds.gap_bounds(*four, *unknown, share=band)
    worst = bounds.gap_bounds(*four, *unknown)
    apart = counted[~counted["by_detainer"].fillna(False).astype(bool)]
    return {
        "noncitizens": known[1],
        "citizens": known[3],
        "unknown": known[5],
        "difference": float(intervals.difference(*four)),
        "difference_latest": float(intervals.difference(*sides("citizenship_latest", counted)[:4])),
        "difference_without_detainers": float(intervals.difference(*sides("citizenship", apart)[:4])),
        "band_low": float(shares.low),
        "band_high": float(shares.high),
        "break_even_share": bounds.break_even_share(*four, *unknown),
        "bound_low": float(worst.low),
        "bound_high": float(worst.high),
    }

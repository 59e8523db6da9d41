"""What may leave of the adjusted gaps: estimates of models, each from hundreds of cells at once.

Such an estimate gives no cell away (ESSNet Guidelines for Output Checking 2.0, section 5.4, counts estimates with ten or
more residual degrees of freedom as safe); it is shown all the same only where the counts of both groups are, and
rounded, so that no single case can be solved for. Which agency was left out of one is not told.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.disclose.publish import HIDDEN, REASON
from pipeline.disclose.registry import CELL

#: Digits behind the point: a tenth of a percentage point.
DIGITS = 3
LABELS = [
    *("estimand", "given", "held_equal", "measure_id", "mart", "period", "contrast", "race", "citizenship", "stratum"),
    *("reference_race", "reference_citizenship", "benchmark", "profile", "counted_by"),
]
NUMBERS = [
    *("crude_difference", "rate", "reference_rate", "difference", "difference_low", "difference_high"),
    *("ratio", "ratio_low", "ratio_high", "profile_ratio", "amount_ratio", "amount_ratio_low", "amount_ratio_high"),
    *("mantel_haenszel", "e_value", "robustness_value", "difference_if_omitted_as_strong", "without_one_low"),
    *("without_one_high", "against_all_others", "usable", "detectable_gap"),
]


def publish_adjusted(adjusted: pd.DataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    """The public rows of the adjusted table; `measures` are the public ones. Rows about hidden groups say so.

    A group that is not listed apart in the public table of its measure is left out here as well.
    """
    of_amounts = set(measures.loc[measures["stratum"].eq("median"), "measure_id"])
    stratum = np.where(adjusted["measure_id"].isin(list(of_amounts)), "median", "all")
    whole = adjusted.assign(period="all", offence_group="all", stratum=stratum)
    told = pd.MultiIndex.from_frame(measures[list(CELL)])
    shown = pd.MultiIndex.from_frame(measures.loc[measures["status"].ne(HIDDEN), list(CELL)])
    reference = whole.assign(race=whole["reference_race"], citizenship=whole["reference_citizenship"])
    keys = [pd.MultiIndex.from_frame(side[list(CELL)]) for side in (whole, reference)]
    listed = keys[0].isin(told) & keys[1].isin(told)
    hide = ~(keys[0].isin(shown) & keys[1].isin(shown))
    public = whole[[*LABELS, *NUMBERS, "status", "reason"]].assign(
        **{name: adjusted[name].astype(float).round(DIGITS).mask(hide) for name in NUMBERS},
        status=adjusted["status"].mask(hide, HIDDEN),
        reason=adjusted["reason"].mask(hide, REASON),
    )
    return pd.DataFrame(public[listed]).reset_index(drop=True)

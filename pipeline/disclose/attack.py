"""The attacker: everything that is published, solved for everything that is not.

Bounds on a hidden count are found in steps, each stronger and slower than the one before. Propagation over the lines
gives bounds that no attacker can be denied; a count that it pins is pinned. Linear programmes give the tightest bounds
there are over the rational numbers.
"""

from __future__ import annotations

import numpy as np

from pipeline.disclose.system import UNBOUNDED, Integers, Mask, System

#: Propagation that has not settled after so many passes is creeping; what it found so far is true all the same.
_PASSES = 200


def propagate(system: System, known: Mask) -> tuple[Integers, Integers]:
    """Lower and upper bound of every node, from the known nodes and the lines.

    Exact for a tree of lines; elsewhere wider than the truth, never narrower than what the published numbers allow.
    """
    low = np.where(known, system.value, 0)
    high = np.where(known, system.value, UNBOUNDED)
    lines = system.lines[np.flatnonzero(abs(system.lines) @ ~known)]
    entry_line = np.repeat(np.arange(lines.shape[0]), np.diff(lines.indptr))
    column, sign = lines.indices, lines.data
    by_node = np.argsort(column, kind="stable")
    touched, starts = np.unique(column[by_node], return_index=True)
    if not len(touched):
        return low, high
    for _ in range(_PASSES):
        least = np.where(sign > 0, low[column], -high[column])
        most = np.where(sign > 0, high[column], -low[column])
        # sign * x = -(sum of the others), so it lies between the negatives of what the others can reach.
        floor = -(np.bincount(entry_line, most, lines.shape[0])[entry_line] - most)
        ceiling = -(np.bincount(entry_line, least, lines.shape[0])[entry_line] - least)
        new_low = np.where(sign > 0, floor, -ceiling)[by_node].astype(np.int64)
        new_high = np.where(sign > 0, ceiling, -floor)[by_node].astype(np.int64)
        next_low = np.maximum(low[touched], np.maximum.reduceat(new_low, starts))
        next_high = np.minimum(high[touched], np.minimum.reduceat(new_high, starts))
        if (next_low == low[touched]).all() and (next_high == high[touched]).all():
            break
        low[touched], high[touched] = next_low, next_high
    return low, high

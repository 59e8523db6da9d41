"""A world of which everything is known: one probability table, so every truth is an exact sum.

Race leads to citizenship, offence and prior record; those to the charge; those and the charge to detention and to
diversion; detention to contact with ICE; and citizenship and detention to whether citizenship gets recorded at all.
A sample of it is one multinomial draw of counts. Nothing here is simulated case by case, and no truth has an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

#: The axes of the table: race, noncitizen, offence, prior, felony, detained, diverted, ICE contact, not recorded.
AXES = "rcopsbdim"
RACE, CITIZENSHIP, OFFENCE, PRIOR, FELONY, DETAINED, DIVERTED, ICE, MISSING = range(9)
FACTS = (RACE, OFFENCE, PRIOR)

P_RACE = np.array([0.42, 0.22, 0.24, 0.07, 0.01, 0.04])
P_NONCITIZEN = np.array([0.04, 0.07, 0.38, 0.34, 0.02, 0.15])
P_OFFENCE = np.array([
    [0.22, 0.24, 0.18, 0.16, 0.12, 0.08],
    [0.28, 0.20, 0.20, 0.12, 0.14, 0.06],
    [0.20, 0.18, 0.16, 0.28, 0.10, 0.08],
    [0.16, 0.28, 0.12, 0.24, 0.10, 0.10],
    [0.26, 0.20, 0.16, 0.18, 0.14, 0.06],
    [0.20, 0.22, 0.18, 0.20, 0.12, 0.08],
])  # fmt: skip
FELONY_BY_OFFENCE = np.array([1.1, -0.2, 0.1, -1.6, -1.2, -0.6])


#: Prior records: none, one, more; by citizenship.
P_PRIOR = np.array([[0.52, 0.28, 0.20], [0.64, 0.24, 0.12]])


@dataclass(frozen=True, kw_only=True)
class World:
    """The strength of each direct path from citizenship; 0 closes it."""

    charge: float = 0.5
    detention: float = 0.6
    diversion: float = -0.5
    ice: float = 3.0

    @cached_property
    def table(self) -> Floats:
        """The probability of every combination: shape 6, 2, 6, 3, 2, 2, 2, 2, 2; sums to 1."""
        r, c, o, p, s, b, d, i, m = np.ix_(*(np.arange(n) for n in (6, 2, 6, 3, 2, 2, 2, 2, 2)))
        chances = [
            (s, expit(FELONY_BY_OFFENCE[o] + 0.55 * p + self.charge * c)),
            (b, expit(-1.6 + 0.25 * o + 0.5 * p + 1.1 * s + self.detention * c)),
            (d, expit(0.2 - 0.3 * o - 0.7 * p - 1.3 * s + self.diversion * c)),
            (i, expit(-5 + self.ice * c + 1.2 * b)),
            (m, expit(-3.0 + 1.9 * c + 0.9 * (1 - b))),
        ]
        product = P_RACE[r] * np.where(c == 1, P_NONCITIZEN[r], 1 - P_NONCITIZEN[r]) * P_OFFENCE[r, o] * P_PRIOR[c, p]
        for yes, chance in chances:
            product = product * np.where(yes == 1, chance, 1 - chance)
        return np.asarray(product)

    def sample(self, cases: int, *, times: int, seed: int) -> NDArray[np.int64]:
        """`times` audits of so many cases: counts of shape (times, 6, 2, 6, 3, 2, 2, 2, 2, 2)."""
        draws = np.random.default_rng(seed).multinomial(cases, self.table.ravel(), size=times)
        return draws.reshape(times, *self.table.shape)

    def rate(self, outcome: int, noncitizen: int) -> float:
        """The rate of an outcome among noncitizens (1) or citizens (0)."""
        both = together(self.table, CITIZENSHIP, outcome)
        return float(both[noncitizen, 1] / both[noncitizen].sum())

    def gap(self, outcome: int) -> float:
        """Noncitizens less citizens."""
        return self.rate(outcome, 1) - self.rate(outcome, 0)

    def standardised(self, outcome: int, facts: tuple[int, ...] = FACTS, *, target: str = "population") -> Floats:
        """Both rates, noncitizens first, with the facts alike: averaged over all, or over the noncitizens."""
        joint = together(self.table, *facts, CITIZENSHIP, outcome)
        of_facts = joint.sum(axis=(-1, -2)) if target == "population" else joint[..., 1, :].sum(axis=-1)
        rates = joint[..., 1] / joint.sum(axis=-1)
        mean = (of_facts[..., None] * rates).reshape(-1, 2).sum(axis=0) / of_facts.sum()
        return np.asarray(mean[::-1])


def together(table: NDArray[np.float64] | NDArray[np.int64], *axes: int, leading: int = 0) -> NDArray[np.float64]:
    """The table summed to some of its axes, in the order asked for; `leading` axes before the table's are kept."""
    letters = AXES[: table.ndim - leading]
    kept = "".join(letters[a] for a in axes)
    return np.asarray(np.einsum(f"...{letters}->...{kept}", table))


def two_groups(
    counts: NDArray[np.int64], outcome: int, *, facts: tuple[int, ...] = ()
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Events and cases of noncitizens and of citizens; shape (times,) or, with facts, (times, strata)."""
    joint = together(counts, *facts, CITIZENSHIP, outcome, leading=1).astype(np.int64)
    shape = (joint.shape[0], -1) if facts else (joint.shape[0],)
    cases = joint.sum(axis=-1)
    return (
        joint[..., 1, 1].reshape(shape),
        cases[..., 1].reshape(shape),
        joint[..., 0, 1].reshape(shape),
        cases[..., 0].reshape(shape),
    )

"""Other people's programs on the same counts: delicatessen for g-computation, diff-binom-confint for Miettinen and Nurminen.

Mantel-Haenszel stands against statsmodels' StratifiedTable, and g-computation by case against marginaleffects, in
`test_stats_models.py`; epiR's printed values, also of the Mantel-Haenszel difference, in `test_stats_reference.py`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from delicatessen import MEstimator
from delicatessen.estimating_equations import ee_gformula
from delicatessen.utilities import aggregate_efuncs
from diff_binom_confint import compute_difference_confidence_interval
from numpy.typing import NDArray

from pipeline.stats import adjusted, intervals
from pipeline.stats.clusters import Belonging
from tests.test_stats_clusters import FACT, GROUP, cells_of, drawn, gap

#: Newcombe 1998b's tables and others of the reference values: events and cases of group and reference.
TABLES = [(56, 70, 48, 80), (9, 10, 3, 10), (10, 10, 0, 20), (7, 34, 1, 34), (6, 7, 2, 7), (5, 56, 0, 29)]


def delicatessens(whose: Belonging, *, by_person: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gap, both rates and the coefficients of rows, one a case, with the empirical sandwich covariance of all."""
    row = np.repeat(np.arange(whose.cell.size), whose.cases.astype(int))
    happened = np.concatenate([np.arange(int(n)) < k for k, n in zip(whose.events, whose.cases, strict=True)])
    cell = whose.cell[row]
    facts = np.column_stack([FACT == 1, FACT == 2])[cell].astype(float)

    def design(group: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([np.ones(cell.size), group, facts])

    observed, ones = design(GROUP[cell].astype(float)), np.ones(cell.size)

    def equations(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        of_rows = ee_gformula(theta, y=happened.astype(float), X=observed, X1=design(ones), X0=design(0 * ones))
        return np.asarray(aggregate_efuncs(of_rows, group=whose.person[row]) if by_person else of_rows)

    found = MEstimator(equations, init=[0.0, 0.4, 0.4, 0.0, 0.0, 0.0, 0.0])
    found.estimate(dx=1e-6)
    return np.asarray(found.theta), np.asarray(found.variance)


@pytest.fixture(scope="module")
def returning() -> Belonging:
    whose = drawn(np.random.default_rng(7), persons=500, deciders=1, each=4, alike=1.5)
    return replace(whose, decider=np.zeros_like(whose.decider))


def test_the_adjusted_gap_its_rates_and_its_error_by_person_are_delicatessens(returning: Belonging) -> None:
    theta, covariance = delicatessens(returning, by_person=True)
    ours, blown_up = gap(returning), np.sqrt(500 / 499)
    assert (ours.difference, ours.rate, ours.reference_rate) == pytest.approx(theta[:3], abs=1e-7)
    assert ours.difference_error == pytest.approx(blown_up * np.sqrt(covariance[0, 0]), rel=1e-5)
    slope = np.array([1 / theta[1], -1 / theta[2]])
    log_error = blown_up * np.sqrt(slope @ covariance[1:3, 1:3] @ slope)
    reach = np.log(ours.ratio_high / ours.ratio)
    assert reach / log_error == pytest.approx(
        (ours.difference_high - ours.difference) / ours.difference_error, rel=1e-5
    )


def test_the_error_by_case_is_nearly_the_sandwich_where_cases_are_independent() -> None:
    whose = drawn(np.random.default_rng(8), persons=6000, deciders=1, each=1)
    theta, covariance = delicatessens(whose, by_person=False)
    k, n = cells_of(whose)
    ours = adjusted.gap_with_facts_equal(k, n, GROUP, FACT)
    assert ours.difference == pytest.approx(theta[0], abs=1e-7)
    assert ours.difference_error == pytest.approx(np.sqrt(covariance[0, 0]), rel=0.01)


@pytest.mark.parametrize("counts", TABLES)
def test_miettinen_and_nurminens_limits_are_those_of_another_program(counts: tuple[int, int, int, int]) -> None:
    theirs = compute_difference_confidence_interval(
        *counts, conf_level=0.95, confint_type="two-sided", method="miettinen-nurminen"
    )
    ours = intervals.miettinen_nurminen(*counts)
    # theirs stops searching within some hundred-thousandths
    assert (float(ours.low), float(ours.high)) == pytest.approx((theirs.lower_bound, theirs.upper_bound), abs=2e-5)

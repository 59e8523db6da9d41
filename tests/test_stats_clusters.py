"""Adjusted gaps whose cases hang together: limits count persons and those who decided, not rows."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.stats import adjusted
from pipeline.stats.clusters import Belonging, jackknife

FACT = np.array([0, 1, 2, 0, 1, 2])
GROUP = np.array([1, 1, 1, 0, 0, 0], dtype=bool)


def drawn(
    rng: np.random.Generator, *, persons: int, deciders: int, each: int = 3, alike: float = 0.0, lean: float = 0.0
) -> Belonging:
    """Persons with `each` cases of one fact, before deciders; both differ on the log odds by these standard deviations.

    Cells 0 to 2 are the group's, by fact; 3 to 5 those of the reference group. The true gap is nothing: a decider leans
    towards or against the group as much as towards or against the others.
    """
    person = np.repeat(np.arange(persons), each)
    group = (np.arange(persons) % 3 == 0)[person]
    fact = rng.integers(0, 3, persons)[person]
    decider = rng.integers(0, deciders, person.size)
    leaning = rng.normal(0, 1, deciders)[decider] * np.where(group, 1, -1) * lean / 2
    odds = -0.4 + 0.5 * fact + rng.normal(0, 1, persons)[person] * alike + leaning
    happened = rng.random(person.size) < expit(odds)
    cell = np.where(group, fact, fact + 3)
    place, at = np.unique(np.stack([cell, person, decider]), axis=1, return_inverse=True)
    return Belonging(
        cell=place[0],
        person=place[1],
        decider=place[2],
        events=np.bincount(at.ravel(), happened),
        cases=np.bincount(at.ravel()).astype(float),
    )


def cells_of(whose: Belonging) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.bincount(whose.cell, whose.events, minlength=6), np.bincount(whose.cell, whose.cases, minlength=6)


def gap(whose: Belonging, *, with_persons: bool = True, target: adjusted.Target = "population") -> adjusted.Adjusted:
    k, n = cells_of(whose)
    return adjusted.gap_with_facts_equal(
        k, n, GROUP, FACT, target=target, whose=whose if with_persons else None
    )  # fmt: skip


def one_decider(whose: Belonging) -> Belonging:
    return replace(whose, decider=np.zeros_like(whose.decider))


def test_a_model_fitted_once_says_of_each_target_what_it_would_say_of_that_one_alone() -> None:
    whose = drawn(np.random.default_rng(17), persons=2000, deciders=20, lean=0.5)
    model = adjusted.GapModel.with_facts_equal(*cells_of(whose), GROUP, FACT, whose=whose)
    population, group = model.over("population"), model.over("group")
    assert population == gap(whose)
    assert group == gap(whose, target="group")
    assert group.difference_error != population.difference_error
    assert model.difference() == population.difference


def test_a_case_a_person_leaves_the_limits_of_independent_cases_but_for_the_degrees_of_freedom() -> None:
    whose = one_decider(drawn(np.random.default_rng(1), persons=4000, deciders=1, each=1))
    by_person, by_case = gap(whose), gap(whose, with_persons=False)
    assert by_person.difference == by_case.difference
    assert by_person.difference_error == pytest.approx(by_case.difference_error, rel=0.03)
    assert by_person.persons == pytest.approx(4000 / 3, abs=1)
    assert np.isnan(by_person.deciders)


def test_the_same_case_three_times_tells_no_more_than_once() -> None:
    """Three rows a person, all alike: the error by person is that of one row, and by case it is too small by the root of 3."""
    once = one_decider(drawn(np.random.default_rng(2), persons=3000, deciders=1, each=1))
    thrice = replace(once, events=3 * once.events, cases=3 * once.cases)
    assert gap(thrice).difference == pytest.approx(gap(once).difference)
    assert gap(thrice).difference_error == pytest.approx(gap(once).difference_error, rel=0.03)
    too_small = gap(thrice, with_persons=False).difference_error
    assert too_small == pytest.approx(gap(once).difference_error / np.sqrt(3), rel=0.03)


def test_the_error_by_person_is_the_sandwich_of_statsmodels() -> None:
    """Of the model's part alone, with the mean over fixed cases: the delta method on statsmodels' clustered covariance."""
    whose = one_decider(drawn(np.random.default_rng(3), persons=600, deciders=1, each=4, alike=1.5))
    rows = np.repeat(np.arange(whose.cell.size), whose.cases.astype(int))
    happened = np.concatenate([
        np.arange(int(n)) < k for k, n in zip(whose.events, whose.cases, strict=True)
    ])  # fmt: skip
    cell, person = whose.cell[rows], whose.person[rows]
    design = np.column_stack([np.ones(6), GROUP, FACT == 1, FACT == 2]).astype(float)
    fit = sm.GLM(happened, design[cell], family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": person}
    )
    _, n = cells_of(whose)
    weight = n / n.sum()
    sides = [design.copy() for _ in range(2)]
    sides[0][:, 1], sides[1][:, 1] = 1, 0
    rates = [expit(x @ fit.params) for x in sides]
    slope = sum(s * x.T @ (weight * p * (1 - p)) for s, x, p in zip((1, -1), sides, rates, strict=True))
    theirs = np.sqrt(slope @ fit.cov_params() @ slope)
    found = gap(whose)
    assert found.difference == pytest.approx(weight @ (rates[0] - rates[1]))
    # ours adds what the mix of facts owes to chance, some parts in a thousand
    assert found.difference_error == pytest.approx(theirs, rel=0.01)
    assert gap(whose, with_persons=False).difference_error < 0.8 * theirs


def test_leaving_out_each_decider_by_one_step_is_nearly_leaving_them_out() -> None:
    whose = drawn(np.random.default_rng(4), persons=1500, deciders=25, lean=0.8)

    def refitted(kept: NDArray[np.bool_]) -> float:
        part = Belonging(**{of.name: getattr(whose, of.name)[kept] for of in fields(whose)})
        return gap(part, with_persons=False).difference

    exact = jackknife(refitted, [whose.decider])
    found = gap(whose)
    by_person = gap(one_decider(whose)).difference_error
    assert found.deciders == 25
    assert found.degrees_of_freedom == 24
    model = adjusted.fit_logit(*cells_of(whose), np.column_stack([GROUP, FACT == 1, FACT == 2]))
    assert model.converged
    # persons hardly matter here, so what is left is the deciders' own variance
    assert found.difference_error == pytest.approx(max(exact.error, by_person), rel=0.05)


def test_fewer_than_ten_deciders_are_not_counted_and_fewer_than_ten_persons_leave_no_limits() -> None:
    few = gap(drawn(np.random.default_rng(5), persons=900, deciders=9, lean=1.0))
    assert np.isnan(few.deciders)
    assert np.isfinite(few.difference_low)
    lonely = drawn(np.random.default_rng(6), persons=27, deciders=1, each=40)
    found = gap(lonely)
    assert found.persons == 9
    assert np.isfinite(found.difference)
    assert np.isnan([found.difference_low, found.difference_high, found.ratio_low, found.difference_error]).all()


def coverage(*, whole: bool, draws: int, **world: float) -> float:
    rng = np.random.default_rng(20240607)
    inside = 0
    for _ in range(draws):
        found = gap(drawn(rng, **world), with_persons=whole)  # type: ignore[arg-type]
        inside += found.difference_low <= 0 <= found.difference_high
    return inside / draws


def test_limits_cover_where_persons_return_and_those_by_case_do_not() -> None:
    band = 4 * np.sqrt(0.05 * 0.95 / 400)
    world = {"persons": 300, "deciders": 1, "each": 6, "alike": 1.5}
    assert abs(coverage(whole=True, draws=400, **world) - 0.95) < band
    assert coverage(whole=False, draws=400, **world) < 0.95 - band


def test_limits_cover_where_deciders_lean_differently_on_the_two_groups() -> None:
    """Each of 30 deciders has a leaning of their own towards either group: on average there is no gap."""
    rng = np.random.default_rng(20240607)
    inside = {True: 0, False: 0}
    for _ in range(400):
        lean, against = rng.normal(0, 0.4, 30), rng.normal(0, 0.6, 30)
        cell, decider = np.tile(np.arange(6), 30), np.repeat(np.arange(30), 6)
        cases = rng.integers(5, 30, cell.size)
        odds = -0.2 + 0.4 * FACT[cell] + lean[decider] + against[decider] * (GROUP[cell] - 0.5)
        events = rng.binomial(cases, expit(odds))
        # one person a case: what hangs together is the decider's alone
        row = np.repeat(np.arange(cell.size), cases)
        happened = np.concatenate([np.arange(n) < k for k, n in zip(events, cases, strict=True)]).astype(float)
        whose = Belonging(
            cell=cell[row], person=np.arange(row.size), decider=decider[row], events=happened, cases=np.ones(row.size)
        )
        for whole in inside:
            found = gap(whose, with_persons=whole)
            inside[whole] += found.difference_low <= 0 <= found.difference_high
    band = 4 * np.sqrt(0.05 * 0.95 / 400)
    assert abs(inside[True] / 400 - 0.95) < band
    assert inside[False] / 400 < 0.95 - band

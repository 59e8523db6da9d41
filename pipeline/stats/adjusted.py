"""Gaps adjusted for recorded facts, from cells of counts: logistic g-computation, linear gaps, hurdle models.

A million cases become some thousand cells, and a binomial model of the cells has the coefficients and the variance of
the row-level one. What is adjusted for must have been fixed before the actor decided; `pipeline.estimands` holds the
declarations and refuses the rest. An adjusted gap is the part that the recorded facts do not account for, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import t as student

from pipeline.stats.clusters import FEWEST_CLUSTERS, Belonging, Fit, joint_variance
from pipeline.stats.intervals import Floats

Target = Literal["population", "group"]


@dataclass(frozen=True, kw_only=True)
class Logit:
    """A binomial model of cells: coefficients (constant first), their covariance, whether it converged, cases."""

    coefficients: Floats
    covariance: Floats
    converged: bool
    cases: float


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """Both rates with the recorded facts alike, their gap and ratio. NaN where the model has no finite solution.

    `usable` is the share of cases that have somebody of the other group with the same recorded facts; the rest is
    extrapolated by the model. `least_support` is the smallest share of either group among cases with the same facts.
    `persons` and `deciders` are how many of them the limits count (of the side that has fewer); NaN where cases were
    taken as independent. Limits and errors are NaN where a side has fewer than ten persons.
    """

    rate: float
    reference_rate: float
    difference: float
    difference_low: float
    difference_high: float
    difference_error: float
    ratio: float
    ratio_low: float
    ratio_high: float
    degrees_of_freedom: float
    usable: float = float("nan")
    least_support: float = float("nan")
    persons: float = float("nan")
    deciders: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Least squares from cells: coefficients (constant first), classical and robust (HC1) covariance, what is left."""

    coefficients: Floats
    covariance: Floats
    robust_covariance: Floats
    degrees_of_freedom: float
    residual_sum: float


@dataclass(frozen=True, kw_only=True)
class Hurdle:
    """Two questions apart: how often there is any amount, and, where there is, how many times as much.

    `amount_ratio` compares geometric means among those with an amount, the recorded facts alike.
    """

    any: Adjusted
    amount_ratio: float
    amount_ratio_low: float
    amount_ratio_high: float


def dummies(*factors: ArrayLike) -> Floats:
    """Indicator columns for every level but the first (in sorted order) of each factor; shape (cells, columns)."""
    columns = [np.empty((np.shape(factors[0])[0] if factors else 0, 0))]
    for factor in factors:
        levels, codes = np.unique(np.asarray(factor), return_inverse=True)
        columns.append(np.eye(levels.size)[codes][:, 1:])
    return np.hstack(columns)


def numbered(fact: ArrayLike) -> NDArray[np.intp]:
    """The levels of a fact as whole numbers in their sorted order; numbers are their own."""
    levels = np.asarray(fact)
    if levels.dtype.kind in "iu":
        return levels.astype(np.intp)
    return np.unique(levels.astype(str), return_inverse=True)[1]


def columns_of(fact: ArrayLike, *, linear: bool = False, reference: str | None = None) -> Floats:
    """The columns of a fact in a design: its numbers if `linear`, else an indicator of every level but the reference."""
    if linear:
        return np.asarray(fact, dtype=float)[:, None]
    levels, codes = np.unique(np.asarray(fact).astype(str), return_inverse=True)
    left_out = 0 if reference is None else int(np.flatnonzero(levels == reference)[0])
    return np.delete(np.eye(levels.size)[codes], left_out, axis=1)


def certain(events: ArrayLike, cases: ArrayLike, *facts: ArrayLike) -> NDArray[np.bool_]:
    """Cells of a level in which nobody, or everybody, has the event, whatever their group.

    There the likeliest rate is 0 or 1 for both groups alike and the coefficient infinite; such cells are known, not
    modelled. Taking them out may leave another level certain, so this goes on until none is.
    """
    k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
    known = np.zeros(n.shape, dtype=bool)
    codes = [np.unique(np.asarray(fact), return_inverse=True)[1] for fact in facts]
    while True:
        found = known.copy()
        for code in codes:
            met, not_met = (np.bincount(code, np.where(found, 0, a)) for a in (k, n - k))
            found |= ((met == 0) | (not_met == 0))[code]
        if (found == known).all():
            return found
        known = found


def fit_logit(events: ArrayLike, cases: ArrayLike, design: ArrayLike) -> Logit:
    """Maximum likelihood by Newton's method. `design` (cells, columns) holds no constant.

    Where a group of cells has no or only events the estimate runs off to infinity: `converged` is then False.
    """
    k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
    x = np.column_stack([np.ones_like(n), np.asarray(design, dtype=float)])
    kept = n > 0
    k, n, x = k[kept], n[kept], x[kept]
    beta = np.zeros(x.shape[1])
    unknown = np.full((x.shape[1], x.shape[1]), np.nan, dtype=np.float64)
    for _ in range(30):
        rate = expit(x @ beta)
        information = x.T @ (x * (n * rate * (1 - rate))[:, None])
        if np.linalg.matrix_rank(information) < x.shape[1]:
            break
        step = np.linalg.solve(information, x.T @ (k - n * rate))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
            return Logit(coefficients=beta, covariance=covariance, converged=True, cases=float(n.sum()))
    return Logit(coefficients=beta * np.nan, covariance=unknown, converged=False, cases=float(n.sum()))


def gap_with_facts_equal(
    events: ArrayLike,
    cases: ArrayLike,
    in_group: ArrayLike,
    *facts: ArrayLike,
    target: Target = "population",
    whose: Belonging | None = None,
    confidence: float = 0.95,
) -> Adjusted:
    """`g_computation` with an indicator for every level of each fact; each fact has one level per cell.

    Levels in which the outcome is certain are taken as known (see `certain`), so they do not take the model with them.
    """
    return GapModel.with_facts_equal(events, cases, in_group, *facts, whose=whose).over(target, confidence=confidence)


def g_computation(
    events: ArrayLike,
    cases: ArrayLike,
    in_group: ArrayLike,
    design: ArrayLike,
    *,
    target: Target = "population",
    known: ArrayLike | None = None,
    whose: Belonging | None = None,
    confidence: float = 0.95,
) -> Adjusted:
    """The mean rate if all cases were of the group, less the mean if none were, over the cases that `target` names.

    Delta-method variance, inflated by n / (n - k) with t limits, since at some hundred cases the plain one covers too
    little; and the variance that comes from the recorded facts being themselves a sample. With target `group` the mean
    runs over the group's own cases. Cells that `known` marks (see `certain`) keep their own rate, 0 or 1, in both means.
    With `whose` the limits count persons, and those who decided, instead of cases (see `marginal`).
    """
    return GapModel.of(events, cases, in_group, design, known=known, whose=whose).over(target, confidence=confidence)


@dataclass(frozen=True, kw_only=True)
class GapModel:
    """A model of group and facts, fitted once, whatever the cases that its two rates are then averaged over.

    One place a cell: `fixed` is the rate where the model does not speak of the cell, NaN elsewhere; `facts` has the same
    row where the same is recorded. `model` is None where there is no finite solution.
    """

    cases: Floats
    in_group: NDArray[np.bool_]
    design: Floats
    fixed: Floats
    facts: Floats
    model: Logit | None
    clustering: Clustering | None

    @classmethod
    def of(
        cls,
        events: ArrayLike,
        cases: ArrayLike,
        in_group: ArrayLike,
        design: ArrayLike,
        *,
        known: ArrayLike | None = None,
        facts: Floats | None = None,
        whose: Belonging | None = None,
    ) -> GapModel:
        """See `g_computation`; `facts` is the design where none are given."""
        k, n, group = np.asarray(events, dtype=float), np.asarray(cases, dtype=float), np.asarray(in_group, dtype=bool)
        x = np.asarray(design, dtype=float).reshape(n.size, -1)
        given = np.zeros(n.shape, dtype=bool) if known is None else np.asarray(known, dtype=bool)
        observed = np.column_stack([group, x])
        model = fit_logit(k[~given], n[~given], observed[~given])
        solved = model.converged and model.cases > model.coefficients.size
        clustered = None if whose is None or not solved else Clustering(model, whose, observed, group, ~group, ~given)
        return cls(
            cases=n,
            in_group=group,
            design=x,
            fixed=np.where(given, np.minimum(k, 1.0), np.nan),
            facts=x if facts is None else facts,
            model=model if solved else None,
            clustering=clustered,
        )

    @classmethod
    def with_facts_equal(
        cls,
        events: ArrayLike,
        cases: ArrayLike,
        in_group: ArrayLike,
        *facts: ArrayLike,
        whose: Belonging | None = None,
    ) -> GapModel:
        """See `gap_with_facts_equal`."""
        levels = [numbered(fact) for fact in facts]
        known = certain(events, cases, *levels)
        design = np.zeros((known.size, 0))
        if levels and not known.all():
            modelled = dummies(*(level[~known] for level in levels))
            design = np.zeros((known.size, modelled.shape[1]))
            design[~known] = modelled
        return cls.of(
            events, cases, in_group, design, known=known, facts=dummies(*levels) if levels else None, whose=whose
        )

    def over(self, target: Target, *, confidence: float = 0.95) -> Adjusted:
        """The two rates and their gap over the cases that `target` names."""
        usable, least = self.support
        if self.model is None:
            return _no_estimate(usable, least)
        found = marginal(
            self.model,
            *self._as_if,
            self.cases if target == "population" else self.cases * self.in_group,
            fixed=self.fixed,
            whose=self.clustering,
            confidence=confidence,
        )
        return replace(found, usable=usable, least_support=least)

    def difference(self) -> float:
        """The gap over all cases, and nothing else of it; NaN without a finite solution."""
        if self.model is None:
            return float("nan")
        weight = self.cases / self.cases.sum()
        p1, p0 = (float(weight @ p) for p in _rates(self.model, [_with_constant(d) for d in self._as_if], self.fixed))
        return p1 - p0

    @cached_property
    def support(self) -> tuple[float, float]:
        return support(self.cases, self.in_group, self.facts)

    @property
    def _as_if(self) -> tuple[Floats, Floats]:
        """The designs of all cells as if of the group, and as if of the reference."""
        ones = np.ones_like(self.cases)
        return np.column_stack([ones, self.design]), np.column_stack([np.zeros_like(ones), self.design])


def gap_in_one_model(
    events: ArrayLike,
    cases: ArrayLike,
    groups: ArrayLike,
    facts: ArrayLike,
    *,
    group: str,
    reference: str,
    profile: ArrayLike,
    whose: Belonging | None = None,
    confidence: float = 0.95,
) -> tuple[Adjusted, float]:
    """One model of all groups, not of two: their gap over everybody, and the ratio of the two rates at one profile.

    `facts` (cells, columns) and `profile` (columns) hold no constant. The ratio at a profile is what a logistic model is
    often quoted for; it is that of one kind of person, and no figure for the groups.
    """
    k, n, label = np.asarray(events, dtype=float), np.asarray(cases, dtype=float), np.asarray(groups).astype(str)
    x, at = np.asarray(facts, dtype=float).reshape(n.size, -1), np.asarray(profile, dtype=float)
    others = [name for name in np.unique(label) if name != reference]
    observed = np.column_stack([*(label == name for name in others), x])
    model = fit_logit(k, n, observed)
    two = np.isin(label, (group, reference))
    usable, least = support(n[two], label[two] == group, x[two])
    if not model.converged or model.cases <= model.coefficients.size:
        return _no_estimate(usable, least), float("nan")

    def everybody(name: str) -> Floats:
        return np.column_stack([np.tile([float(name == other) for other in others], (n.size, 1)), x])

    sides = label == group, label == reference
    clustering = None if whose is None else Clustering(model, whose, observed, *sides)
    found = marginal(model, everybody(group), everybody(reference), n, whose=clustering, confidence=confidence)
    rates = [
        float(expit(model.coefficients @ np.concatenate([[1.0], [float(name == other) for other in others], at])))
        for name in (group, reference)
    ]
    return replace(found, usable=usable, least_support=least), rates[0] / rates[1]


def marginal(
    model: Logit,
    as_group: ArrayLike,
    as_reference: ArrayLike,
    weights: ArrayLike,
    *,
    fixed: ArrayLike = np.nan,
    whose: Clustering | None = None,
    confidence: float = 0.95,
) -> Adjusted:
    """The two mean rates that a model gives if all cases were as in the one design, and all as in the other.

    Designs have shape (cells, columns), without the constant; `weights` are the cases of each cell to average over,
    `fixed` the rate of cells that the model does not speak of, NaN elsewhere.

    With `whose`, cases of one person are not independent: the variance is the sum over persons of the square of what
    each adds to the estimate (its influence). Where ten of those who decided are on file on both sides, each of them is
    left out in turn as well, and both variances add up less that of their combinations (Cameron, Gelbach and Miller
    2011). It is never less than either, nor than if all cases were independent, and the t limits go by the smallest
    number of persons or deciders of a side.
    """
    counted = np.asarray(weights, dtype=float)
    weight = counted / counted.sum()
    df = model.cases - model.coefficients.size
    full = [_with_constant(design) for design in (as_group, as_reference)]
    outside = np.broadcast_to(np.asarray(fixed, dtype=float), weight.shape)
    per_cell = _rates(model, full, outside)
    p1, p0 = (float(weight @ p) for p in per_cell)
    gradients = [x.T @ (weight * p * (1 - p)) for x, p in zip(full, per_cell, strict=True)]
    gap_slope, gap_effect = gradients[0] - gradients[1], per_cell[0] - per_cell[1]
    log_slope, log_effect = gradients[0] / p1 - gradients[1] / p0, per_cell[0] / p1 - per_cell[1] / p0

    def variance(slope: Floats, effect: Floats) -> float:
        from_model = model.cases / df * slope @ model.covariance @ slope
        return float(from_model + weight @ (effect - weight @ effect) ** 2 / counted.sum())

    variances = [variance(gap_slope, gap_effect), variance(log_slope, log_effect)]
    persons = deciders = np.nan
    if whose is not None:
        persons, deciders = whose.fewest
        fewest = float(np.fmin(persons, deciders))
        df = min(df, fewest - 1) if fewest >= FEWEST_CLUSTERS else np.nan
        left_out = whose.gap_without_each_decider(full, counted, outside) if deciders > 0 else (None, None)
        parts = ((gap_slope, gap_effect, p1 - p0), (log_slope, log_effect, float(np.log(p1 / p0))))
        variances = [
            joint_variance(by_case, whose.whose, whose.influence(counted, slope, effect), without, estimate)
            for by_case, (slope, effect, estimate), without in zip(variances, parts, left_out, strict=True)
        ]
    reach = float(student.isf((1 - confidence) / 2, df))
    gap_error, log_error = (float(np.sqrt(v)) if df > 0 else np.nan for v in variances)
    return Adjusted(
        rate=p1,
        reference_rate=p0,
        difference=p1 - p0,
        difference_low=p1 - p0 - reach * gap_error,
        difference_high=p1 - p0 + reach * gap_error,
        difference_error=gap_error,
        ratio=p1 / p0,
        ratio_low=p1 / p0 * float(np.exp(-reach * log_error)),
        ratio_high=p1 / p0 * float(np.exp(reach * log_error)),
        degrees_of_freedom=df,
        persons=persons,
        deciders=deciders,
    )


def _with_constant(design: ArrayLike) -> Floats:
    x = np.asarray(design, dtype=float)
    return np.column_stack([np.ones(len(x)), x])


def _rates(model: Logit, designs: list[Floats], fixed: Floats) -> list[Floats]:
    """The rate of each cell by a model, under each of several designs with the constant; `fixed` where it is not NaN."""
    return [np.where(np.isnan(fixed), expit(x @ model.coefficients), fixed) for x in designs]


@dataclass(frozen=True)
class Clustering:
    """Whose the cases of a model are: what each person, and each decider, adds to two mean rates.

    `observed` is the design without the constant that the cells were fitted with, `modelled` which of them were. What
    does not depend on the cases that a mean runs over is computed once.
    """

    model: Logit
    whose: Belonging
    observed: ArrayLike
    in_group: NDArray[np.bool_]
    in_reference: NDArray[np.bool_]
    modelled: ArrayLike = True

    @cached_property
    def fewest(self) -> tuple[float, float]:
        """Of the two sides, the smallest number of persons, and of deciders."""
        return self.whose.fewest(self.in_group, self.in_reference)

    @cached_property
    def fit(self) -> Fit:
        design = _with_constant(self.observed)
        design = design * np.broadcast_to(self.modelled, len(design))[:, None]
        rate = expit(design @ self.model.coefficients)
        return Fit(design=design, coefficients=self.model.coefficients, mean=rate, curvature=rate * (1 - rate))

    def influence(self, counted: Floats, slope: Floats, effect: Floats) -> Floats:
        """Of each place of `whose`: from its events and cases through the model, and from its facts through the mean.

        `counted` are the cases of each cell that the mean runs over.
        """
        whose, mean = self.whose, counted @ effect / counted.sum()
        of_event = self.fit.design @ (self.model.covariance @ slope)
        of_case = self._among(counted) * (effect - mean) / counted.sum() - of_event * self.fit.mean
        return np.asarray(of_event[whose.cell] * whose.events + of_case[whose.cell] * whose.cases)

    def gap_without_each_decider(self, full: list[Floats], counted: Floats, fixed: Floats) -> tuple[Floats, Floats]:
        """The gap and the log ratio with each decider left out."""
        beta = self._without_each_decider
        left = counted - self._cases_of_each_decider * self._among(counted)
        weight = left / left.sum(axis=1, keepdims=True)
        known = np.nan_to_num(fixed)
        p1, p0 = ((weight * np.where(np.isnan(fixed), expit(beta @ x.T), known)).sum(axis=1) for x in full)
        return p1 - p0, np.log(p1 / p0)

    def _among(self, counted: Floats) -> Floats:
        """Of the cases of a cell, the share over whom the mean runs: all or none."""
        of_cell = np.bincount(self.whose.cell, self.whose.cases, minlength=counted.size)
        return np.divide(counted, of_cell, out=np.zeros_like(counted), where=of_cell > 0)

    @cached_property
    def _without_each_decider(self) -> Floats:
        return self.fit.without_each_decider(self.whose)

    @cached_property
    def _cases_of_each_decider(self) -> Floats:
        return self.whose.of(self.whose.cases, len(self.fit.design))


def support(cases: ArrayLike, in_group: ArrayLike, design: ArrayLike) -> tuple[float, float]:
    """The share of cases whose recorded facts occur in both groups, and the smallest share of a group among them."""
    n, group = np.asarray(cases, dtype=float), np.asarray(in_group, dtype=bool)
    x = np.asarray(design, dtype=float).reshape(n.size, -1)
    facts = np.unique(x, axis=0, return_inverse=True)[1].ravel() if x.shape[1] else np.zeros(n.size, dtype=int)
    of_group = np.bincount(facts, n * group)
    every = np.bincount(facts, n, minlength=of_group.size)
    both = (of_group > 0) & (of_group < every)
    if not both.any():
        return 0.0, 0.0
    share = of_group[both] / every[both]
    return float(every[both].sum() / every.sum()), float(np.minimum(share, 1 - share).min())


def least_squares(cases: ArrayLike, sums: ArrayLike, squares: ArrayLike, design: ArrayLike) -> Linear:
    """Least squares of single cases from their cells: how many, their sum and sum of squares.

    For a yes-no outcome sum and sum of squares are both the events, and the fit is the linear probability model.
    """
    n, s, ss = (np.asarray(a, dtype=float) for a in (cases, sums, squares))
    x = np.column_stack([np.ones_like(n), np.asarray(design, dtype=float)])
    gram = x.T @ (x * n[:, None])
    inverse = np.asarray(np.linalg.pinv(gram, hermitian=True), dtype=np.float64)
    beta = inverse @ (x.T @ s)
    fitted = x @ beta
    residual = ss - 2 * fitted * s + n * fitted**2
    df = float(n.sum() - np.linalg.matrix_rank(gram, hermitian=True))
    left = float(residual.sum())
    left = left if left > 1e-9 * ss.sum() else 0.0  # a perfect fit leaves rounding alone, of either sign
    meat = x.T @ (x * residual[:, None])
    return Linear(
        coefficients=beta,
        covariance=inverse * (left / df if df > 0 else np.nan),
        robust_covariance=inverse @ meat @ inverse * (n.sum() / df if df > 0 else np.nan),
        degrees_of_freedom=df,
        residual_sum=left,
    )


def hurdle(
    cases: ArrayLike,
    with_amount: ArrayLike,
    log_sums: ArrayLike,
    log_squares: ArrayLike,
    in_group: ArrayLike,
    design: ArrayLike,
    *,
    whose: Belonging | None = None,
    confidence: float = 0.95,
) -> Hurdle:
    """For amounts and days with many zeros. Per cell: cases, those above zero, the sum of their logs and log squares.

    The second part is conditional on the first: it describes those who have an amount, who are selected by whatever
    decided that they should. With `whose`, whose `cases` are those above zero and whose `events` the sums of their logs,
    the limits of the second part count persons and deciders (see `marginal`).
    """
    first = g_computation(with_amount, cases, in_group, design, confidence=confidence)
    some = np.asarray(with_amount, dtype=float) > 0
    x = np.column_stack([np.asarray(in_group, dtype=float), np.asarray(design, dtype=float).reshape(some.size, -1)])
    counted, sums, squares = (np.asarray(a, dtype=float)[some] for a in (with_amount, log_sums, log_squares))
    # A level that nobody with an amount has would make the design singular.
    used = x[some][:, [0, *(i for i in range(1, x.shape[1]) if np.ptp(x[some, i]) > 0)]]
    fit = least_squares(counted, sums, squares, used)
    both = 0 < np.count_nonzero(x[some, 0]) < np.count_nonzero(some)  # else there is nothing to compare
    estimate, variance, df = (
        fit.coefficients[1] if both else np.nan,
        fit.robust_covariance[1, 1],
        fit.degrees_of_freedom,
    )
    if whose is not None and both:
        rows = replace(whose, cell=(np.cumsum(some) - 1)[whose.cell])
        fewest = np.fmin(*rows.fewest(x[some, 0] == 1, x[some, 0] == 0))
        df = min(df, fewest - 1) if fewest >= FEWEST_CLUSTERS else np.nan
        variance = _amount_variance(float(variance), rows, fit, np.column_stack([np.ones_like(sums), used]))
    reach = student.isf((1 - confidence) / 2, df) * np.sqrt(variance)
    low, middle, high = (float(np.exp(v)) for v in (estimate - reach, estimate, estimate + reach))
    return Hurdle(any=first, amount_ratio=middle, amount_ratio_low=low, amount_ratio_high=high)


def _amount_variance(independent: float, whose: Belonging, linear: Linear, design: Floats) -> float:
    """Of the coefficient of the group among those with an amount."""
    ones = np.ones(len(design))
    fit = Fit(design=design, coefficients=linear.coefficients, mean=design @ linear.coefficients, curvature=ones)
    bread = np.linalg.pinv(fit.information(whose.of(whose.cases, len(design)).sum(axis=0)), hermitian=True)
    influence = (design @ bread[1])[whose.cell] * (whose.events - fit.mean[whose.cell] * whose.cases)
    several = whose.fewest(design[:, 1] == 1, design[:, 1] == 0)[1] > 0
    left_out = fit.without_each_decider(whose)[:, 1] if several else None
    return joint_variance(independent, whose, influence, left_out, float(linear.coefficients[1]))


def _no_estimate(usable: float, least: float) -> Adjusted:
    numbers = dict.fromkeys((f.name for f in fields(Adjusted)), float("nan"))
    return Adjusted(**numbers | {"usable": usable, "least_support": least})

"""Adjusted gaps, clusters, units and trends: against statsmodels, against explicit formulas and against plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from marginaleffects import avg_comparisons
from numpy.typing import NDArray
from scipy.stats import betabinom
from statsmodels.stats.contingency_tables import StratifiedTable

from pipeline.stats import adjusted, clusters, decompose, multiplicity, strata, trends, units
from pipeline.stats.intervals import score_p_value
from tests.second_opinion import digits

# Two strata: few and many cases. Within each the group's rate is higher by 0.2; the mix hides it.
EVENTS, CASES = np.array([30, 40]), np.array([100, 50])
REFERENCE_EVENTS, REFERENCE_CASES = np.array([2, 120]), np.array([20, 200])


def test_mantel_haenszel_agrees_with_statsmodels() -> None:
    tables = [
        [[k1, n1 - k1], [k0, n0 - k0]]
        for k1, n1, k0, n0 in zip(EVENTS, CASES, REFERENCE_EVENTS, REFERENCE_CASES, strict=True)
    ]
    theirs = StratifiedTable([np.array(t) for t in tables])
    ours = strata.mantel_haenszel(EVENTS, CASES, REFERENCE_EVENTS, REFERENCE_CASES)
    assert float(ours.odds_ratio) == pytest.approx(theirs.oddsratio_pooled)
    assert (ours.odds_ratio_limits.low, ours.odds_ratio_limits.high) == pytest.approx(theirs.oddsratio_pooled_confint())
    assert float(ours.ratio) == pytest.approx(theirs.riskratio_pooled)
    assert float(ours.p_value) == pytest.approx(theirs.test_null_odds().pvalue)
    assert float(ours.p_value_corrected) == pytest.approx(theirs.test_null_odds(correction=True).pvalue)
    assert float(ours.p_homogeneous) == pytest.approx(theirs.test_equal_odds().pvalue)


def test_one_stratum_leaves_the_crude_gap() -> None:
    ours = strata.mantel_haenszel([30], [100], [2], [20])
    assert float(ours.difference) == pytest.approx(0.3 - 0.1)
    assert float(ours.ratio) == pytest.approx(3)
    assert float(strata.standardise([30], [100], [2], [20]).difference) == pytest.approx(0.3 - 0.1)


def test_strata_without_one_side_are_left_out_and_counted() -> None:
    with_lonely = ([30, 7], [100, 60], [2, 0], [20, 0])
    assert float(strata.mantel_haenszel(*with_lonely).difference) == pytest.approx(0.2)
    found = strata.standardise(*with_lonely)
    assert float(found.difference) == pytest.approx(0.2)
    assert float(found.usable) == pytest.approx(120 / 180)


def test_no_stratum_with_both_sides_gives_no_gap() -> None:
    found = strata.standardise([3], [10], [0], [0])
    assert np.isnan(found.difference)
    assert found.usable == 0
    assert np.isnan(strata.mantel_haenszel([3], [10], [0], [0]).difference)


def test_standardisation_to_a_given_mix_is_the_weighted_mean_of_the_strata() -> None:
    found = strata.standardise(EVENTS, CASES, REFERENCE_EVENTS, REFERENCE_CASES, weights=[3, 1])
    assert float(found.rate) == pytest.approx(0.75 * 0.3 + 0.25 * 0.8)
    assert float(found.reference_rate) == pytest.approx(0.75 * 0.1 + 0.25 * 0.6)
    to_group = strata.standardise(EVENTS, CASES, REFERENCE_EVENTS, REFERENCE_CASES, weights="group")
    assert float(to_group.rate) == pytest.approx(70 / 150)


def test_many_tables_at_once_are_the_tables_one_by_one() -> None:
    rng = np.random.default_rng(5)
    n1, n0 = rng.integers(0, 30, (40, 6)), rng.integers(0, 30, (40, 6))
    k1, k0 = rng.binomial(n1, 0.3), rng.binomial(n0, 0.4)
    together = strata.standardise(k1, n1, k0, n0).difference
    apart = [float(strata.standardise(*row).difference) for row in zip(k1, n1, k0, n0, strict=True)]
    assert together == pytest.approx(apart, nan_ok=True)


def test_logit_and_linear_fits_agree_with_statsmodels() -> None:
    rng = np.random.default_rng(7)
    n = rng.integers(1, 40, 30)
    x = np.column_stack([rng.integers(0, 2, 30), rng.normal(size=30)]).astype(float)
    k = rng.binomial(n, 0.4)
    ours = adjusted.fit_logit(k, n, x)
    theirs = sm.GLM(np.column_stack([k, n - k]), sm.add_constant(x), family=sm.families.Binomial()).fit()
    assert ours.coefficients == pytest.approx(theirs.params, abs=1e-8)
    assert ours.covariance == pytest.approx(theirs.cov_params(), abs=1e-8)
    rows, yes = np.repeat(x, n, axis=0), np.concatenate([[1] * e + [0] * (m - e) for e, m in zip(k, n, strict=True)])
    linear = adjusted.least_squares(n, k, k, x)
    theirs = sm.OLS(yes, sm.add_constant(rows)).fit()
    assert linear.coefficients == pytest.approx(theirs.params)
    assert linear.covariance == pytest.approx(theirs.cov_params())
    assert linear.robust_covariance == pytest.approx(theirs.get_robustcov_results("HC1").cov_params())


def test_g_computation_with_all_strata_is_direct_standardisation() -> None:
    """With an indicator for every combination the model has nothing to assume, and both must agree exactly."""
    stratum = np.array([0, 1, 0, 1])
    group = np.array([True, True, False, False])
    events, cases = np.concatenate([EVENTS, REFERENCE_EVENTS]), np.concatenate([CASES, REFERENCE_CASES])
    for target in ("population", "group"):
        by_strata = strata.standardise(EVENTS, CASES, REFERENCE_EVENTS, REFERENCE_CASES, weights=target)
        saturated = adjusted.fit_logit(events, cases, np.column_stack([group, stratum, group * stratum]))
        weights = cases if target == "population" else cases * group
        designs = [np.column_stack([np.full(4, g), stratum, g * stratum]) for g in (1.0, 0.0)]
        found = adjusted.marginal(saturated, designs[0], designs[1], weights)
        assert found.difference == pytest.approx(float(by_strata.difference))
        assert found.rate == pytest.approx(float(by_strata.rate))


def test_g_computation_without_facts_is_the_crude_gap() -> None:
    found = adjusted.g_computation([30, 20], [100, 200], [True, False], np.empty((2, 0)))
    assert found.difference == pytest.approx(0.3 - 0.1)
    assert found.ratio == pytest.approx(3)
    assert found.usable == 1
    assert found.least_support == pytest.approx(1 / 3)


@pytest.mark.parametrize("target", ["population", "group"])
def test_g_computation_of_cells_agrees_with_marginaleffects_on_rows(target: adjusted.Target) -> None:
    """Theirs takes the recorded facts as fixed and the sample as large: two terms make its error into ours."""
    rng = np.random.default_rng(5)
    fact = rng.integers(0, 3, 900)
    group = rng.random(900) < 0.2 + 0.2 * fact
    outcome = rng.random(900) < 1 / (1 + np.exp(1 - 0.6 * group - 0.5 * fact))
    rows = pd.DataFrame({"y": outcome, "treated": group, "one": fact == 1, "two": fact == 2}).astype(int)
    model = sm.GLM.from_formula("y ~ treated + one + two", rows, family=sm.families.Binomial()).fit()
    over = rows if target == "population" else rows[group]
    theirs = avg_comparisons(model, variables="treated", newdata=over)
    log_ratio = avg_comparisons(model, variables="treated", newdata=over, comparison="lnratioavg")

    cells = rows.assign(fact=fact).groupby(["treated", "fact"])["y"].agg(["sum", "count"]).reset_index()
    ours = adjusted.gap_with_facts_equal(
        cells["sum"], cells["count"], cells["treated"] == 1, cells["fact"], target=target
    )

    effects = model.predict(over.assign(treated=1)) - model.predict(over.assign(treated=0))
    variance = theirs["std_error"][0] ** 2 * 900 / (900 - 4) + effects.var(ddof=0) / len(over)
    assert ours.difference == pytest.approx(theirs["estimate"][0], abs=1e-9)
    assert np.log(ours.ratio) == pytest.approx(log_ratio["estimate"][0], abs=1e-9)
    assert ours.difference_error == pytest.approx(np.sqrt(variance), rel=1e-6)


def test_g_computation_error_agrees_with_a_bootstrap_of_cases() -> None:
    rng = np.random.default_rng(11)
    group, fact = np.array([1, 1, 0, 0]), np.array([0, 1, 0, 1])
    cases, rate = np.array([150, 80, 300, 400]), np.array([0.4, 0.7, 0.25, 0.5])
    events = np.round(cases * rate)
    found = adjusted.g_computation(events, cases, group, fact)
    chances = np.concatenate([events, cases - events]) / cases.sum()
    gaps = []
    for _ in range(1500):
        draw = rng.multinomial(int(cases.sum()), chances)
        gaps.append(adjusted.g_computation(draw[:4], draw[:4] + draw[4:], group, fact).difference)
    assert found.difference_error == pytest.approx(np.std(gaps), rel=0.06)


def test_support_counts_the_cases_that_have_a_counterpart() -> None:
    group, fact = np.array([True, False, True, False]), np.array([0, 0, 1, 2])
    usable, least = adjusted.support([10, 30, 40, 20], group, fact)
    assert usable == pytest.approx(40 / 100)
    assert least == pytest.approx(0.25)


def test_a_model_without_finite_solution_gives_no_number() -> None:
    found = adjusted.g_computation([0, 0, 5, 6], [10, 10, 10, 10], [True, True, False, False], [0.0, 1.0, 0.0, 1.0])
    assert np.isnan(found.difference)
    assert found.usable == 1


def test_hurdle_tells_how_often_from_how_much() -> None:
    """Group: 60 of 100 with an amount of 1,000; reference: 40 of 100 with 500 (a third of them 250, to have spread)."""
    amounts = {True: [1000.0] * 30 + [2000.0] * 30, False: [500.0] * 20 + [1000.0] * 20}
    logs = {g: np.log(a) for g, a in amounts.items()}
    found = adjusted.hurdle(
        [100, 100], [60, 40], [logs[g].sum() for g in (True, False)], [(logs[g] ** 2).sum() for g in (True, False)],
        [True, False], np.empty((2, 0)),
    )  # fmt: skip
    assert found.any.difference == pytest.approx(0.2)
    assert found.amount_ratio == pytest.approx(2)
    y, x = np.concatenate([logs[True], logs[False]]), np.repeat([1.0, 0.0], [60, 40])
    theirs = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC1", use_t=True).conf_int()[1]
    assert np.log([found.amount_ratio_low, found.amount_ratio_high]) == pytest.approx(theirs)


def clustered_sample(
    rng: np.random.Generator, groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    cluster = np.repeat(np.arange(groups), 8)
    x = rng.normal(size=cluster.size)
    return x, 0.5 * x + rng.normal(size=groups)[cluster] + rng.normal(size=cluster.size), cluster


def test_jackknife_is_the_crv3_formula_of_a_linear_model() -> None:
    """MacKinnon, Nielsen and Webb 2023: scores blown up by the inverse of I - H within each cluster."""
    x, y, cluster = clustered_sample(np.random.default_rng(13), 15)
    design = np.column_stack([np.ones_like(x), x])
    bread = np.linalg.inv(design.T @ design)
    residual = y - design @ bread @ design.T @ y
    meat = np.zeros((2, 2))
    for g in range(15):
        rows = design[cluster == g]
        blown_up = np.linalg.solve(np.eye(8) - rows @ bread @ rows.T, residual[cluster == g])
        score = rows.T @ blown_up
        meat += np.outer(score, score)
    formula = np.sqrt((bread @ meat @ bread)[1, 1] * 14 / 15)

    def slope(kept: NDArray[np.bool_]) -> float:
        return float(np.linalg.lstsq(design[kept], y[kept], rcond=None)[0][1])

    found = clusters.jackknife(slope, [cluster])
    assert found.error == pytest.approx(formula, abs=1e-12)
    assert float(found.limits.high - found.estimate) == pytest.approx(2.144787 * formula, rel=1e-6), "t with 14"


def test_fewer_than_ten_clusters_have_no_interval() -> None:
    x, y, cluster = clustered_sample(np.random.default_rng(13), 9)
    found = clusters.jackknife(lambda kept: float(np.polyfit(x[kept], y[kept], 1)[0]), [cluster])
    assert found.clusters == 9
    assert np.isnan(found.limits.low)
    assert np.isnan(found.error)


def test_two_ways_of_hanging_together_add_up_less_their_overlap() -> None:
    rng = np.random.default_rng(17)
    first, second = (a.ravel() for a in np.meshgrid(np.arange(12), np.arange(12)))
    y = rng.normal(size=12)[first] + rng.normal(size=12)[second] + rng.normal(size=144)

    def mean(kept: NDArray[np.bool_]) -> float:
        return float(y[kept].mean())

    both = clusters.jackknife(mean, [first, second]).error ** 2
    one, other = (clusters.jackknife(mean, [ids]).error ** 2 for ids in (first, second))
    every = clusters.jackknife(mean, [np.arange(144)]).error ** 2
    assert both == pytest.approx(max(one + other - every, one, other))
    assert both > max(one, other)


def test_naming_the_same_clusters_twice_changes_nothing() -> None:
    _, y, cluster = clustered_sample(np.random.default_rng(19), 12)

    def mean(kept: NDArray[np.bool_]) -> float:
        return float(y[kept].mean())

    assert clusters.jackknife(mean, [cluster, cluster]).error == pytest.approx(
        clusters.jackknife(mean, [cluster]).error
    )


def test_kitagawa_and_das_gupta_parts_add_up_to_the_gap() -> None:
    rng = np.random.default_rng(23)
    rates, reference = rng.random((3, 4)), rng.random((3, 4))
    cases, reference_cases = rng.integers(1, 50, (3, 4)), rng.integers(1, 50, (3, 4))
    two = decompose.kitagawa(rates, cases, reference, reference_cases)
    three = decompose.das_gupta(rates, cases, reference, reference_cases)
    assert two.rates + two.composition == pytest.approx(two.gap)
    assert three.rates + three.first + three.second == pytest.approx(three.gap)
    assert three.rates == pytest.approx(two.rates)


def test_what_the_steps_add_is_the_gap_at_the_end() -> None:
    """By hand: 0.8 x 0.5 = 0.40 and 0.6 x 0.5 = 0.30. All of the gap arises at the first step: (0.8 - 0.6) x 0.5."""
    found = decompose.through_steps([100, 80, 40], [50, 30, 15])
    assert found.gap == pytest.approx(0.1)
    assert found.parts == pytest.approx([0.1, 0])
    # 0.8 x 0.5 and 0.6 x 0.9: the second step takes back more than the first added
    turned = decompose.through_steps([100, 80, 40], [50, 30, 27])
    assert turned.gap == pytest.approx(-0.14)
    assert turned.parts == pytest.approx([0.2 * 0.7, -0.4 * 0.7])


def test_the_steps_of_any_way_add_up_and_turn_round_with_the_groups() -> None:
    rng = np.random.default_rng(37)
    for _ in range(50):
        one, other = (np.cumprod([900, *rng.uniform(0.2, 1, 4)]).round() for _ in range(2))
        found, back = decompose.through_steps(one, other), decompose.through_steps(other, one)
        assert found.parts.sum() == pytest.approx(found.gap) == pytest.approx(one[-1] / one[0] - other[-1] / other[0])
        assert np.prod(found.passed) == pytest.approx(one[-1] / one[0])
        assert back.parts == pytest.approx(-found.parts)


def test_what_nobody_reached_adds_nothing_that_could_be_told() -> None:
    found = decompose.through_steps([100, 0, 0], [50, 30, 15])
    assert np.isnan(found.parts).all() and found.gap == pytest.approx(-0.3)


def test_the_limits_of_a_step_cover_its_true_part() -> None:
    rng = np.random.default_rng(41)
    passing, reference = [0.7, 0.6, 0.4], [0.65, 0.5, 0.5]
    # so many that the counts are their expectations
    truth = decompose.through_steps(1e6 * np.cumprod([1, *passing]), 1e6 * np.cumprod([1, *reference])).parts
    inside = []
    for _ in range(400):
        sides = []
        for rates in (passing, reference):
            reached = [600]
            for rate in rates:
                reached.append(int(rng.binomial(reached[-1], rate)))
            sides.append(reached)
        found = decompose.through_steps(*sides)
        inside.append((found.limits.low <= truth) & (truth <= found.limits.high))
    # 95 % of 400, within four standard errors of such a share
    assert np.abs(np.mean(inside, axis=0) - 0.95).max() < 0.044, np.mean(inside, axis=0)


def test_shrunken_rates_err_less_than_raw_ones_and_cover_about_as_said() -> None:
    rng = np.random.default_rng(29)
    raw_error = drawn_error = covered = total = 0.0
    for _ in range(30):
        truth = rng.beta(6, 14, 40)
        cases = rng.integers(5, 80, 40)
        events = rng.binomial(cases, truth)
        found = units.shrink(events, cases)
        raw_error += float(np.square(events / cases - truth).sum())
        drawn_error += float(np.square(found.rate - truth).sum())
        covered += float(((found.limits.low <= truth) & (truth <= found.limits.high)).sum())
        total += 40
    assert drawn_error < 0.6 * raw_error
    assert 0.90 < covered / total < 0.97


def test_shrinkage_finds_the_parameters_with_the_greatest_likelihood() -> None:
    events, cases = np.array([3, 10, 22, 4, 15, 30]), np.array([20, 40, 50, 30, 40, 60])
    found = units.shrink(events, cases)
    size = found.mean * (1 - found.mean) / found.spread**2 - 1
    best = np.sum(betabinom.logpmf(events, cases, found.mean * size, (1 - found.mean) * size))
    for mean in np.linspace(0.2, 0.6, 21):
        for other in np.geomspace(1, 500, 25):
            assert np.sum(betabinom.logpmf(events, cases, mean * other, (1 - mean) * other)) <= best + 1e-6


def test_units_without_differences_are_drawn_together() -> None:
    found = units.shrink([30, 31, 29, 30], [100, 100, 100, 100])
    assert found.rate == pytest.approx([0.3] * 4, abs=0.003)
    assert found.spread < 0.01
    assert found.p_value > 0.9
    assert np.isnan(found.limits.low).all(), "how far units differ cannot be known from four of them"


# Boys among the first twelve children of 6,115 families with thirteen (Geissler 1889, Saxony): families with 0 to 12.
BOYS = [3, 24, 104, 286, 670, 1033, 1343, 1112, 829, 478, 181, 45, 7]


def test_families_of_saxony_have_the_published_beta_binomial() -> None:
    """Data as in Lindsey and Altham 1998, Applied Statistics 47(1); estimates as in Wikipedia, Beta-binomial distribution."""
    found = units.shrink(np.repeat(np.arange(13), BOYS), np.full(6115, 12))
    together = found.mean * (1 - found.mean) / found.spread**2 - 1
    assert found.mean * together == pytest.approx(34.09558, rel=1e-3)
    assert (1 - found.mean) * together == pytest.approx(31.5715, rel=1e-3)
    # the posterior mean in closed form
    assert found.rate[0] == pytest.approx(34.09558 / (34.09558 + 31.5715 + 12), rel=1e-4)


def test_series_that_moved_alike_before_are_told_from_those_that_did_not() -> None:
    cases = np.full(20, 500)
    rising = np.linspace(0.2, 0.4, 20)
    alike = trends.alike_before(cases * (rising + 0.1), cases, cases * rising, cases, changed_at=16)
    apart = trends.alike_before(cases * 0.4, cases, cases * rising, cases, changed_at=16)
    assert alike > 0.99
    assert apart < 0.001
    # what comes after the change is not looked at
    later = np.where(np.arange(20) < 16, rising + 0.1, 0.9)
    assert trends.alike_before(cases * later, cases, cases * rising, cases, changed_at=16) == alike


def test_the_test_of_moving_alike_alarms_as_often_as_it_says() -> None:
    rng = np.random.default_rng(43)
    cases = np.full(24, 300)
    alarms = [
        trends.alike_before(rng.binomial(300, 0.35, 24), cases, rng.binomial(300, 0.25, 24), cases, changed_at=20)
        < 0.05
        for _ in range(600)
    ]
    # 5 % of 600, within four standard errors
    assert abs(np.mean(alarms) - 0.05) < 0.036


def test_too_few_points_before_tell_nothing_of_moving_alike() -> None:
    assert np.isnan(trends.alike_before([5, 5, 5, 9], [10] * 4, [4, 4, 4, 4], [10] * 4, changed_at=3))
    holes = np.where(np.arange(8) % 3 == 0, 10, 0)
    assert np.isnan(trends.alike_before(holes / 2, holes, holes / 2, holes, changed_at=8))


def test_twenty_four_quarters_allow_no_p_value() -> None:
    found = trends.change_at(np.repeat([0.2, 0.5], 12), changed_at=12)
    assert found.change == pytest.approx(0.3)
    assert np.isnan(found.p_value)
    assert found.points == 24


def test_a_change_is_judged_against_all_other_dates() -> None:
    """29 dates leave six points on each side; a clean step is the largest at its own date alone."""
    assert trends.change_at(np.repeat([0.2, 0.5], 20), changed_at=20).p_value == pytest.approx(1 / 29)


def test_a_steady_rise_is_no_change_at_any_date() -> None:
    assert trends.change_at(np.linspace(0, 1, 40), changed_at=12).p_value == 1


def test_a_change_too_near_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 6 points"):
        trends.change_at(np.zeros(40), changed_at=36)


def test_a_comparison_series_takes_out_what_happened_everywhere() -> None:
    everywhere = np.repeat([0.2, 0.5], 20)
    found = trends.change_at(everywhere + 0.1, changed_at=20, comparison=everywhere)
    assert found.change == pytest.approx(0)


def test_a_hidden_point_takes_its_dates_along_and_leaves_too_few_for_a_p_value() -> None:
    series = np.repeat([0.2, 0.5], 20)
    series[3] = np.nan
    found = trends.change_at(series, changed_at=20)
    assert found.change == pytest.approx(0.3) and found.points == 39 and np.isnan(found.p_value)
    longer = np.concatenate([series, np.full(20, 0.5)])
    assert trends.change_at(longer, changed_at=20).p_value == pytest.approx(1 / 45)
    series[18] = np.nan
    assert np.isnan(trends.change_at(series, changed_at=20).change)


def test_a_run_of_certain_outcomes_at_the_end_is_caught_only_if_it_is_not_chance() -> None:
    flawed = trends.saturated_from([4, 5, 30, 40], [10, 10, 30, 40])
    assert (flawed.first, flawed.cases) == (2, 70)
    assert trends.saturated_from([4, 5, 3], [10, 10, 3]).first is None
    assert trends.saturated_from([4, 5], [10, 10]).first is None


def test_a_series_that_is_certain_throughout_has_nothing_to_be_set_against() -> None:
    assert trends.saturated_from([10, 20], [10, 20]).first is None


def test_a_larger_table_sees_smaller_gaps() -> None:
    gaps = multiplicity.detectable_gap([20, 200, 2000], [100, 1000, 10000], 0.2)
    assert (np.diff(gaps) < 0).all()
    assert np.isnan(multiplicity.detectable_gap(0, 10, 0.2))


def test_a_detectable_gap_never_leaves_the_range_of_a_rate() -> None:
    assert digits(float(multiplicity.detectable_gap(3, 3, 0.9)), "0.1")


def side_of(persons: int, events: int, each: int) -> clusters.Side:
    """So many persons with so many alike cases each; the first `events` persons have the event in all of them."""
    return clusters.Side(
        events=events * each,
        cases=persons * each,
        persons=persons,
        events_squared=events * each**2,
        events_times_cases=events * each**2,
        cases_squared=persons * each**2,
    )


def test_a_case_a_person_is_tested_as_cases_are() -> None:
    clustered = clusters.clustered_p_value(side_of(4_000, 900, 1), side_of(6_000, 1_200, 1))
    assert float(clustered) == pytest.approx(
        float(score_p_value(900, 4_000, 1_200, 6_000)), rel=0.2
    )  # t of sides, not of the pool


def test_the_same_case_written_five_times_is_no_further_evidence() -> None:
    once = clusters.clustered_p_value(side_of(400, 90, 1), side_of(600, 120, 1))
    five = clusters.clustered_p_value(side_of(400, 90, 5), side_of(600, 120, 5))
    assert float(five) == pytest.approx(float(once), rel=0.01)
    assert float(score_p_value(450, 2_000, 600, 3_000)) < float(once) / 5


def test_nine_persons_are_too_few_to_test() -> None:
    assert np.isnan(clusters.clustered_p_value(side_of(9, 3, 40), side_of(600, 120, 1)))
    assert np.isfinite(clusters.clustered_p_value(side_of(10, 3, 40), side_of(600, 120, 1)))

"""Published values of the methods, to the digits printed. Data that may not be copied here are read where they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import chi2

from pipeline.stats import adjusted, bounds, clusters, decompose, intervals, multiplicity, sensitivity, strata, trends
from tests.second_opinion import digits

BROWARD = Path(__file__).parents[2] / "shared/data/broward_fl/compas-scores-two-years.csv"
USSC = Path(__file__).parents[2] / "shared/data/ussc/USSC_PV_Report_2020.csv.xz"
needs_broward = pytest.mark.skipif(not BROWARD.exists(), reason="ProPublica's file is not beside the project")
needs_ussc = pytest.mark.skipif(not USSC.exists(), reason="the Sentencing Commission's file is not beside the project")

# University of California, Berkeley, 1973 (R's UCBAdmissions): admitted and rejected, men then women, departments A-F.
MEN = np.array([[512, 313], [353, 207], [120, 205], [138, 279], [53, 138], [22, 351]])
WOMEN = np.array([[89, 19], [17, 8], [202, 391], [131, 244], [94, 299], [24, 317]])
ADMISSIONS = (MEN[:, 0], MEN.sum(axis=1), WOMEN[:, 0], WOMEN.sum(axis=1))
CRUDE = tuple(a.sum() for a in ADMISSIONS)


def test_admissions_crude_gap_is_epirs() -> None:
    """R package epiR 2.0.57, `epi.2by2`."""
    odds, odds_limits = intervals.woolf(*CRUDE)
    ratio = intervals.katz(*CRUDE)
    assert digits(float(odds), "1.8410800")
    assert digits(float(odds_limits.low), "1.6243769")
    assert digits(float(odds_limits.high), "2.086693")
    assert digits(float(intervals.proportion(*CRUDE[:2]) / intervals.proportion(*CRUDE[2:])), "1.4666416")
    assert digits(float(ratio.low), "1.3523500")
    assert digits(float(ratio.high), "1.590592")
    assert digits(float(intervals.difference(*CRUDE)), ".141645")


def test_admissions_mantel_haenszel_is_epirs_and_turns_the_gap_round() -> None:
    """epiR and R's mantelhaen.test; the difference with Sato's variance and a normal quantile of 1.96, as recomputed."""
    found = strata.mantel_haenszel(*ADMISSIONS)
    assert digits(float(found.odds_ratio), ".9046968")
    assert digits(float(found.odds_ratio_limits.low), ".7719074")
    assert digits(float(found.odds_ratio_limits.high), "1.0603298")
    assert digits(float(found.ratio), ".9449050")
    assert digits(float(found.ratio_limits.low), ".8664522")
    assert digits(float(found.ratio_limits.high), "1.030461")
    assert digits(float(found.difference), "-.0184252")
    assert digits(float(found.difference - 1.96 * found.difference_error), "-.047483")
    assert digits(float(found.difference + 1.96 * found.difference_error), ".010633")
    assert digits(float(found.p_value_corrected), ".2322635")
    assert digits(float(found.p_value), ".2169237")
    assert digits(float(found.p_homogeneous), ".0020714")
    assert digits(float(chi2.isf(found.p_value_corrected, 1)), "1.4269462")
    assert digits(float(chi2.isf(found.p_value, 1)), "1.5246067")
    assert digits(float(chi2.isf(found.p_homogeneous, 5)), "18.8255137")
    assert found.usable == 1


def test_admissions_standardised_to_all_applicants() -> None:
    found = strata.standardise(*ADMISSIONS)
    assert digits(float(found.rate), ".3873186")
    assert digits(float(found.reference_rate), ".4299554")
    assert digits(float(found.difference), "-.0426368")


def test_admissions_gap_is_all_composition() -> None:
    men, men_cases, women, women_cases = ADMISSIONS
    found = decompose.kitagawa(men / men_cases, men_cases, women / women_cases, women_cases)
    assert digits(found.gap, ".1416454")
    assert digits(found.rates, "-.0360285")
    assert digits(found.composition, ".1776739")


def test_household_headship_1970_to_1985_is_das_guptas() -> None:
    """Das Gupta 1993, Standardization and Decomposition of Rates, example 5.1: by age from 15-19 to 75 and over."""
    share_1970 = [12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9]
    share_1985 = [10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5]
    rate_1970 = [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8]
    rate_1985 = [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2]
    found = decompose.kitagawa(rate_1985, share_1985, rate_1970, share_1970)
    assert digits(np.average(rate_1970, weights=share_1970), "44.7268")
    assert digits(np.average(rate_1985, weights=share_1985), "47.6940")
    assert digits(found.gap, "2.9672")
    assert digits(found.composition, "1.2269")
    assert digits(found.rates, "1.7403")


# Das Gupta 1993, example 5.3: population (thousands) and death rates by race (rows) and age (columns).
SIZE_1985 = [
    [3041, 11577, 27450, 32711, 35480, 27411, 19555, 19795, 15254, 8022, 2472],
    [707, 2692, 6473, 6841, 6547, 4352, 3034, 2540, 1749, 804, 236],
]
SIZE_1970 = [
    [2968, 11484, 34614, 30992, 21983, 20314, 20928, 16897, 11339, 5720, 1315],
    [535, 2162, 6120, 4781, 3096, 2718, 2363, 1767, 1149, 448, 117],
]
RATE_1985 = [
    [9.163, 0.462, 0.248, 0.929, 1.084, 1.810, 4.715, 12.187, 27.728, 64.068, 157.570],
    [17.208, 0.738, 0.328, 1.103, 2.045, 3.724, 8.052, 17.812, 34.128, 68.276, 125.161],
]
RATE_1970 = [
    [18.469, 0.751, 0.391, 1.146, 1.287, 2.672, 6.636, 15.691, 34.723, 79.763, 176.837],
    [36.993, 1.352, 0.541, 2.040, 3.523, 6.746, 12.967, 24.471, 45.091, 74.902, 123.205],
]


def test_death_rates_1970_to_1985_are_das_guptas() -> None:
    """Das Gupta 1993, example 5.3, as in the README of the R package DasGuptR."""
    assert digits(float(np.average(RATE_1970, weights=SIZE_1970)), "9.421833")
    assert digits(float(np.average(RATE_1985, weights=SIZE_1985)), "8.735618")
    found = decompose.das_gupta(RATE_1985, SIZE_1985, RATE_1970, SIZE_1970)
    assert digits(found.rates, "-2.2277254")
    assert digits(found.first, ".0197749"), "race"
    assert digits(found.second, "1.5217347"), "age"
    assert digits(found.first + found.second, "1.5415096"), "size"


def test_e_values_are_those_of_the_r_package() -> None:
    """VanderWeele and Ding 2017, and R package EValue: RR 3.9 (1.8 the nearer limit), RR .80 (.91 the nearer limit)."""
    assert digits(float(sensitivity.e_value(3.9)), "7.263034")
    assert digits(float(sensitivity.e_value_of_limit(1.8, 8.7)), "3.0")
    assert digits(float(sensitivity.e_value(0.80)), "1.809017")
    assert digits(float(sensitivity.e_value_of_limit(0.71, 0.91)), "1.428571")
    assert float(sensitivity.e_value_of_limit(0.9, 1.2)) == 1


def test_credit_card_gap_is_statsmodels_and_statas() -> None:
    """statsmodels' own test of OaxacaBlinder on its `ccard` data, third column, against Stata."""
    data = sm.datasets.ccard.load_pandas()
    owns = data.exog["OWNRENT"].to_numpy() == 1
    found = decompose.oaxaca(data.endog, data.exog.drop(columns="OWNRENT"), owns)
    assert digits(found.gap, "158.75044")
    assert digits(found.endowments, "321.74824")
    assert digits(found.coefficients, "75.45371")
    assert digits(found.interaction, "-238.45151")
    assert digits(found.unexplained, "27.94091")
    assert digits(found.explained, "130.80954")


def test_darfur_sensitivity_is_that_of_sensemakr() -> None:
    """R package sensemakr, tests/testthat/test-02-darfur.R: estimate, error and t; then 1, 2 and 3 times "female"."""
    estimate, error, df = 0.09731582, 0.02325654, 783
    t = 4.18445
    assert digits(estimate, ".0973158")
    assert digits(error, ".0232565")
    assert digits(estimate / error, "4.18445")
    assert digits(float(sensitivity.partial_share(t, df)), ".0218731")
    assert digits(float(sensitivity.robustness_value(t, df)), ".1387764")
    assert digits(float(sensitivity.robustness_value(t, df, significance=0.05)), ".0762580")
    of_group, of_outcome = np.array([0.0091642867, 0.0183285734, 0.0274928600]), [0.124640923, 0.249324064, 0.374050471]
    found = sensitivity.omitted(estimate, error, df, of_group=of_group, of_outcome=of_outcome)
    for got, t_got, printed, t_printed in zip(
        found.estimate, found.t, (".0752", ".0529", ".0304"), ("3.4389", "2.6002", "1.6281"), strict=True
    ):
        assert digits(got, printed)
        assert digits(t_got, t_printed)


def test_a_factor_twice_as_strong_as_a_recorded_one_has_sensemakrs_shares() -> None:
    """The recorded factor's own shares are solved from sensemakr's bounds for once its strength."""
    of_group = 0.00916428667 / 1.00916428667
    between = of_group**2 / (1 - of_group) ** 2
    once = 0.124640923 / ((1 + np.sqrt(between)) ** 2 / (1 - between))
    shares = sensitivity.as_strong_as(of_group, once / (1 + once), times=[1.0, 2.0, 3.0])
    assert shares[0] == pytest.approx([0.00916428667, 0.01832857335, 0.02749286003], abs=1e-9)
    assert shares[1] == pytest.approx([0.12464092304, 0.24932406420, 0.37405047104], abs=1e-8)
    assert np.isnan(sensitivity.as_strong_as(0.5, 0.3, times=3.0)).all()


# McDonald, Handbook of Biological Statistics: 25 dietary variables (Garcia-Arenzana and others 2014).
P_VALUES = [
    *(0.001, 0.008, 0.039, 0.041, 0.042, 0.060, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269),
    *(0.275, 0.340, 0.341, 0.384, 0.569, 0.594, 0.696, 0.762, 0.940, 0.942, 0.975, 0.986),
]


def test_false_discovery_rates_are_rs_p_adjust() -> None:
    bh, by = multiplicity.false_discovery(P_VALUES), multiplicity.false_discovery(P_VALUES, method="by")
    assert all(digits(q, p) for q, p in zip(bh, [".025", ".1", ".21", ".21", ".21", ".25", ".26429"], strict=False))
    assert all(digits(q, p) for q, p in zip(by, [".0954", ".3816", ".80135"], strict=False))


def test_a_comparison_without_p_value_does_not_count_towards_its_family() -> None:
    assert multiplicity.false_discovery([0.01, np.nan, 0.04])[[0, 2]] == pytest.approx([0.02, 0.04])


# Smallest detectable gap at a base rate of .30, power .80, five reference cases to each case (statsmodels' arcsine).
DETECTABLE = {11: ".446", 30: ".274", 50: ".211", 100: ".148", 250: ".092", 500: ".065", 1000: ".045", 5000: ".020"}


def test_detectable_gaps_are_the_tabulated_ones() -> None:
    for cases, printed in DETECTABLE.items():
        assert digits(float(multiplicity.detectable_gap(cases, 5 * cases, 0.3)), printed)


# R's `infert` by spontaneous and induced abortions (0-2 each): cases, women. The sums that the likelihood needs.
INFERT = np.array([
    (0, 0, 7, 67), (1, 0, 22, 47), (2, 0, 18, 29), (0, 1, 12, 45),
    (1, 1, 5, 16), (2, 1, 6, 7), (0, 2, 9, 29), (1, 2, 4, 8),
])  # fmt: skip


def test_logit_of_cells_has_the_coefficients_and_errors_of_rs_glm() -> None:
    """R: glm(case ~ spontaneous + induced, data = infert, family = binomial())."""
    found = adjusted.fit_logit(INFERT[:, 2], INFERT[:, 3], INFERT[:, :2])
    printed = ["-1.7078601", "1.1972050", ".4181294"]
    assert all(digits(b, p) for b, p in zip(found.coefficients, printed, strict=True))
    # R takes its errors one iteration before the end: they differ by 2 in the eighth digit.
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx([0.26770947, 0.21164327, 0.20562744], abs=3e-8)


def test_open_policing_search_rates() -> None:
    """Stanford Open Policing, data_for_figures/fig3a_search_rate_county.csv, summed over counties.

    Its hit rates, thresholds and log-odds need the counts of its other files, which are not here.
    """
    assert digits(float(intervals.proportion(251_041, 7_296_978)), ".034403")
    assert digits(float(intervals.proportion(495_613, 13_234_052)), ".037450")
    assert digits(float(intervals.proportion(651_285, 35_196_590)), ".018504")


def broward() -> pd.DataFrame:
    return pd.read_csv(BROWARD)


def filtered(people: pd.DataFrame) -> pd.DataFrame:
    """ProPublica's own filter, and Medium or High as high."""
    kept = (
        people["days_b_screening_arrest"].abs().le(30)
        & people["is_recid"].ne(-1)
        & people["c_charge_degree"].ne("O")
        & people["score_text"].notna()
    )
    return people[kept].assign(high=people["score_text"].ne("Low"))


RACES = ["African-American", "Asian", "Hispanic", "Native American", "Other"]


def race_columns(race: pd.Series | list[str]) -> np.ndarray:
    return np.column_stack([np.asarray(race) == r for r in RACES]).astype(float)


@needs_broward
def test_broward_is_filtered_as_published() -> None:
    people = broward()
    kept = filtered(people)
    assert (len(people), len(kept)) == (7214, 6172)
    assert kept["race"].value_counts().tolist() == [3175, 2103, 509, 343, 31, 11]
    assert kept["score_text"].value_counts().tolist() == [3421, 1607, 1144]
    assert kept["two_year_recid"].sum() == 2809
    assert digits(100 * kept["two_year_recid"].mean(), "45.51199")


@needs_broward
def test_broward_scores_give_propublicas_logit_and_the_smaller_marginal_ratio() -> None:
    """ProPublica's notebook: 1.45 at a reference profile. Over all 6,172 people the same model says 1.20.

    marginaleffects 0.6.0 agrees (.0832, error .0122). The plain delta error is taken here by numerical derivatives.
    """
    keys = ["sex", "age_cat", "race", "priors_count", "c_charge_degree", "two_year_recid"]
    cells = filtered(broward()).groupby(keys)["high"].agg(["sum", "size"]).reset_index()
    facts = np.column_stack([
        cells["sex"] == "Female", cells["age_cat"] == "Greater than 45", cells["age_cat"] == "Less than 25",
        cells["priors_count"], cells["c_charge_degree"] == "M", cells["two_year_recid"],
    ]).astype(float)  # fmt: skip
    design = np.column_stack([race_columns(cells["race"]), facts])
    model = adjusted.fit_logit(cells["sum"], cells["size"], design)
    b = model.coefficients
    assert digits(b[1], ".47721")
    assert digits(np.sqrt(model.covariance[1, 1]), ".06935")
    assert digits(b[3], "-.42839")
    assert digits(b[6], ".22127")
    assert digits(b[8], "1.30839")
    assert digits(b[9], ".26895")

    def expit(value: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-value)))

    p = expit(np.column_stack([np.ones(len(cells)), design]) @ b)
    deviance = -2 * (cells["sum"] * np.log(p) + (cells["size"] - cells["sum"]) * np.log(1 - p)).sum()
    assert digits(deviance, "6168.4")
    # ProPublica's arithmetic is on the coefficients as printed, to five digits.
    control, factor = float(expit(np.round(b[0], 5))), float(np.exp(np.round(b[1], 5)))
    assert digits(factor / (1 - control + control * factor), "1.452841")
    profiles = [np.column_stack([race_columns([r] * len(cells)), facts]) for r in ("African-American", "Caucasian")]
    found = adjusted.marginal(model, profiles[0], profiles[1], cells["size"])
    assert digits(found.ratio, "1.20085")
    assert digits(found.difference, ".083209")
    weight = (cells["size"] / cells["size"].sum()).to_numpy()
    full = [np.column_stack([np.ones(len(cells)), x]) for x in profiles]

    def gap(beta: np.ndarray) -> float:
        return float(weight @ (expit(full[0] @ beta) - expit(full[1] @ beta)))

    def log_ratio(beta: np.ndarray) -> float:
        return float(np.log(weight @ expit(full[0] @ beta)) - np.log(weight @ expit(full[1] @ beta)))

    def delta(of: object) -> float:
        step = 1e-6 * np.eye(b.size)
        gradient = np.array([(of(b + h) - of(b - h)) / 2e-6 for h in step])  # type: ignore[operator]
        return float(np.sqrt(gradient @ model.covariance @ gradient))

    plain = delta(gap)
    assert digits(plain, ".012175")
    assert digits(found.difference - 1.959964 * plain, ".05935")
    assert digits(found.difference + 1.959964 * plain, ".10707")
    assert digits(found.ratio * np.exp(-1.959964 * delta(log_ratio)), "1.1378")
    assert digits(found.ratio * np.exp(1.959964 * delta(log_ratio)), "1.2674")
    # Ours allows for the small sample and for the facts being a sample, which at 6,172 cases adds next to nothing.
    assert plain < found.difference_error < 1.005 * plain


@needs_broward
def test_broward_error_rates_by_race_are_propublicas() -> None:
    people = broward().assign(high=lambda d: d["score_text"].ne("Low"))
    printed = {
        "African-American": ((990, 805, 532, 1369), "44.85", "27.99"),
        "Caucasian": ((1139, 349, 461, 505), "23.45", "47.72"),
    }
    rates = {}
    for race, (table, false_positive, false_negative) in printed.items():
        group = people[people["race"] == race]
        counts = group.groupby(["two_year_recid", "high"]).size()
        tn, fp, fn, tp = (int(counts[k]) for k in ((0, False), (0, True), (1, False), (1, True)))
        assert (tn, fp, fn, tp) == table
        rates[race] = (fp / (fp + tn), fn / (fn + tp))
        assert digits(100 * rates[race][0], false_positive)
        assert digits(100 * rates[race][1], false_negative)
    # ProPublica's ratios are of the printed percentages; aequitas 1.1.0 has those of the counts.
    assert digits(44.85 / 23.45, "1.91258")
    assert digits(47.72 / 27.99, "1.7049")
    (black_positive, black_negative), (white_positive, white_negative) = rates.values()
    assert digits(black_positive / white_positive, "1.9121")
    assert digits(black_negative / white_negative, ".5864")
    assert digits((805 + 1369) / 3696 / ((349 + 505) / 2454), "1.6902")
    black, white = intervals.wilson(805, 1795), intervals.wilson(349, 1488)
    assert digits(float(black.low), ".425595")
    assert digits(float(black.high), ".471561")
    assert digits(float(white.low), ".213715")
    assert digits(float(white.high), ".256738")
    assert digits(805 / 1795, ".448468")
    assert digits(349 / 1488, ".234543")


@needs_broward
def test_browards_youngest_cohorts_are_all_recidivists_and_are_caught() -> None:
    """The flaw in ProPublica's file: whoever was screened after 1 April 2014 and did not reoffend was dropped."""
    people = broward().sort_values("compas_screening_date")
    by_day = people.groupby("compas_screening_date")["two_year_recid"].agg(["sum", "size"])
    found = trends.saturated_from(by_day["sum"], by_day["size"])
    assert found.first is not None
    assert by_day.index[found.first] == "2014-04-02"
    assert found.cases == 998
    assert digits(100 * found.rate_before, "36.245")
    assert by_day["size"].iloc[: found.first].sum() == 6216
    assert digits(100 * people["two_year_recid"].mean(), "45.065")
    kept = people[people["compas_screening_date"] <= "2014-04-01"]
    flagged = kept[kept["score_text"] != "Low"].groupby("race")["two_year_recid"].mean()
    assert digits(flagged["African-American"], ".5462")
    assert digits(flagged["Caucasian"], ".4860")


@needs_ussc
def test_supervision_hearings_by_citizenship_are_bounded_by_those_without_it() -> None:
    """US Sentencing Commission: the counts, and that the worst-case bounds hold what is known."""
    hearings = pd.read_csv(USSC, usecols=["USSCIDN", "NEWCIT", "NEWRACE", "PV_DISP"], dtype=str)
    assert (len(hearings), hearings["USSCIDN"].nunique()) == (108_115, 82_384)
    revoked = hearings["PV_DISP"] == "1"
    groups = hearings["NEWCIT"].fillna("unknown")
    counts = pd.DataFrame({"k": revoked, "g": groups}).groupby("g")["k"].agg(["sum", "size"])
    (k0, n0), (k1, n1), (e, u) = (tuple(counts.loc[g]) for g in ("0", "1", "unknown"))
    assert (n0, n1, u) == (92_336, 14_709, 1_070)
    worst = bounds.gap_bounds(k1, n1, k0, n0, e, u)
    assert worst.low < k1 / n1 - k0 / n0 < worst.high
    # 1,070 unknown hearings among 108,115: little, yet several points for the smaller group.
    assert 0.02 < worst.high - worst.low < 0.08


@needs_ussc
def test_supervision_hearings_of_one_district_hang_together() -> None:
    """94 districts: the gap in revocation is several times less certain than if hearings were independent."""
    hearings = pd.read_csv(USSC, usecols=["PV_CIRCDIST", "NEWCIT", "PV_DISP"], dtype=str).dropna(subset=["NEWCIT"])
    revoked = (hearings["PV_DISP"] == "1").groupby([hearings["PV_CIRCDIST"], hearings["NEWCIT"]]).agg(["sum", "size"])
    k, n = (revoked[c].unstack(fill_value=0).to_numpy() for c in ("sum", "size"))

    def gap(kept: np.ndarray) -> float:
        return float(k[kept, 1].sum() / n[kept, 1].sum() - k[kept, 0].sum() / n[kept, 0].sum())

    found = clusters.jackknife(gap, [np.arange(len(k))])
    independent = intervals.newcombe(k[:, 1].sum(), n[:, 1].sum(), k[:, 0].sum(), n[:, 0].sum())
    assert found.clusters == 94
    assert found.limits.low < gap(np.full(94, True)) < found.limits.high
    assert found.limits.high - found.limits.low > 3 * (independent.high - independent.low)

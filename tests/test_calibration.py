"""The statistics against a world of which everything is known: exact truths, coverage, bias, bounds, false alarms.

500 samples here; `python -m tests.calibrate` takes 2,000 and writes `tests/calibration.md`.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from pipeline.stats import bounds, intervals
from pipeline.stats.intervals import Interval
from tests.calibrate import REPORT
from tests.harness import (
    Counts,
    Four,
    Methods,
    check_bounds,
    check_false_discovery,
    check_rates,
    check_standardised,
    failures,
)
from tests.known_world import (
    CITIZENSHIP,
    DETAINED,
    DIVERTED,
    FACTS,
    FELONY,
    FELONY_BY_OFFENCE,
    ICE,
    MISSING,
    P_NONCITIZEN,
    P_OFFENCE,
    P_PRIOR,
    P_RACE,
    PRIOR,
    World,
    together,
)

SEED = 20240607
WORLD = World()
AUDIT = Methods()

# Exact sums over the table, to five digits: rate of noncitizens, of citizens; gap; standardised gap (all, noncitizens);
# gap given the charge.
TRUTHS = {
    FELONY: (0.57775, 0.52411, 0.05363, 0.09902, 0.10005),
    DETAINED: (0.58686, 0.45643, 0.13043, 0.15672, 0.15869, 0.13258),
    DIVERTED: (0.14613, 0.21114, -0.06501, -0.08101, -0.08700, -0.06564),
    ICE: (0.23119, 0.01363, 0.21756, 0.22182, 0.21799, 0.21788),
}


def test_the_world_is_a_probability_and_its_truths_are_the_recorded_ones() -> None:
    assert WORLD.table.size == 6912
    assert WORLD.table.sum() == pytest.approx(1, abs=1e-12)
    for outcome, recorded in TRUTHS.items():
        of_all = WORLD.standardised(outcome)
        of_group = WORLD.standardised(outcome, target="group")
        found = [WORLD.rate(outcome, 1), WORLD.rate(outcome, 0), WORLD.gap(outcome)]
        found += [of_all[0] - of_all[1], of_group[0] - of_group[1]]
        if outcome != FELONY:
            given = WORLD.standardised(outcome, (*FACTS, FELONY))
            found.append(given[0] - given[1])
        assert [round(v, 5) for v in found] == pytest.approx(recorded, abs=1e-12)


def test_the_standardised_truth_is_the_formula_written_out() -> None:
    """sum over x of p(x) times sum over s of P(s | c, x) P(diverted | c, s, x), by plain loops."""
    mean = {0: 0.0, 1: 0.0}
    for r, o, p in itertools.product(range(6), range(6), range(3)):
        share = sum(
            P_RACE[r] * (P_NONCITIZEN[r] if c else 1 - P_NONCITIZEN[r]) * P_OFFENCE[r, o] * P_PRIOR[c, p]
            for c in (0, 1)
        )
        for c in (0, 1):
            felony = expit(FELONY_BY_OFFENCE[o] + 0.55 * p + 0.5 * c)
            diverted = [expit(0.2 - 0.3 * o - 0.7 * p - 1.3 * s - 0.5 * c) for s in (0, 1)]
            mean[c] += share * ((1 - felony) * diverted[0] + felony * diverted[1])
    assert WORLD.standardised(DIVERTED) == pytest.approx([mean[1], mean[0]], abs=1e-12)


def test_with_every_path_closed_nothing_is_left_once_the_facts_are_alike() -> None:
    closed = World(charge=0, detention=0, diversion=0, ice=0)
    for outcome in (FELONY, DETAINED, DIVERTED, ICE):
        rates = closed.standardised(outcome)
        assert rates[0] == pytest.approx(rates[1], abs=1e-12)
    assert abs(closed.gap(DIVERTED)) > 0.001, "the crude gap comes from the facts"


def test_a_gap_that_runs_through_the_charge_disappears_given_the_charge() -> None:
    """Both answers are right, for different questions: why the second must carry its name."""
    through_charge = World(diversion=0)
    plain = through_charge.standardised(DIVERTED)
    given = through_charge.standardised(DIVERTED, (*FACTS, FELONY))
    assert plain[0] - plain[1] < -0.01
    assert given[0] - given[1] == pytest.approx(0, abs=1e-12)


def test_biased_charging_hides_in_a_gap_among_the_charged() -> None:
    """Marginal charging of one group lowers its conviction rate per charge while it raises convictions per arrest."""
    chance_of_guilt = {"strong": 0.9, "weak": 0.2}
    charged = {"noncitizen": {"strong": 1.0, "weak": 0.6}, "citizen": {"strong": 1.0, "weak": 0.1}}
    per_arrest = {g: sum(0.5 * c[e] * chance_of_guilt[e] for e in c) for g, c in charged.items()}
    per_charge = {g: per_arrest[g] / sum(0.5 * c[e] for e in c) for g, c in charged.items()}
    assert per_arrest["noncitizen"] > per_arrest["citizen"]
    assert per_charge["noncitizen"] < per_charge["citizen"]


def test_stage_ratios_multiply_to_the_cumulative_ratio() -> None:
    joint = together(WORLD.table, CITIZENSHIP, FELONY, DETAINED, ICE)
    reach = [joint[:, 1].sum(axis=(1, 2)), joint[:, 1, 1].sum(axis=1), joint[:, 1, 1, 1]]
    everyone = joint.sum(axis=(1, 2, 3))
    stages = [reach[0] / everyone, reach[1] / reach[0], reach[2] / reach[1]]
    product = np.prod([s[1] / s[0] for s in stages])
    assert product == pytest.approx((reach[2][1] / everyone[1]) / (reach[2][0] / everyone[0]), abs=1e-12)


def test_records_missing_not_at_random_mislead_and_the_bounds_do_not() -> None:
    """Exact: complete cases nearly double the gap; the worst case holds it; the true shares give it back."""
    joint = together(WORLD.table, CITIZENSHIP, MISSING, DETAINED)
    known, unknown = joint[:, 0], joint[:, 1]
    k0, k1 = known[:, 1]
    n0, n1 = known.sum(axis=1)
    m1, total = unknown[:, 1].sum(), unknown.sum()
    complete_cases = k1 / n1 - k0 / n0
    truth = WORLD.gap(DETAINED)
    assert complete_cases > truth + 0.05
    worst = bounds.gap_bounds(k1, n1, k0, n0, m1, total)
    assert worst.low < truth < worst.high
    shares = unknown[1] / unknown.sum(axis=0)
    back = bounds.gap_given_shares(k1, n1, k0, n0, m1, total, share_of_events=shares[1], share_of_others=shares[0])
    assert float(back) == pytest.approx(truth, abs=1e-12)


def test_intervals_cover_what_they_promise() -> None:
    for cases in (150, 400, 2000):
        found = check_rates(AUDIT, WORLD, cases=cases, times=500, seed=SEED)
        assert {f.promise for f in found if not f.kept} == set(), [(f.promise, f.found) for f in found]


def test_the_standardised_gap_is_unbiased_and_its_interval_covers() -> None:
    found = check_standardised(AUDIT, WORLD, cases=2000, times=500, seed=SEED)
    assert {f.promise for f in found if not f.kept} == set(), found


def test_the_bounds_hold_the_truth_in_every_single_sample() -> None:
    for cases in (60, 400, 5000):
        (found,) = check_bounds(AUDIT, WORLD, cases=cases, times=500, seed=SEED)
        assert found.found == 1


def test_without_adjustment_sixty_comparisons_raise_false_flags_and_with_it_hardly_any() -> None:
    null = check_false_discovery(WORLD, real=0.0, times=500, seed=SEED)
    assert null["any_false_none"] > 0.9
    assert null["any_false_bh"] <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 500)
    assert null["any_false_rule"] <= 0.05
    mixed = check_false_discovery(WORLD, real=0.2, times=500, seed=SEED)
    assert mixed["false_share_bh"] <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 500)
    assert mixed["power_none"] > mixed["power_bh"] > 0.1


def test_the_committed_report_keeps_every_promise() -> None:
    """`make calibrate` prints in bold what does not; the rows in brackets are there to show what would go wrong."""
    text = REPORT.read_text(encoding="utf-8")
    assert f"seed {SEED}" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len(tables) > 30
    assert [line for line in tables if "**" in line] == []


# ---- a wrong audit must be caught ------------------------------------------------------------------------------


def wald(events: object, cases: object) -> Interval:
    rate = np.asarray(events) / np.asarray(cases)
    reach = 1.959964 * np.sqrt(rate * (1 - rate) / np.asarray(cases))
    return Interval(low=rate - reach, high=rate + reach)


def swapped(four: Four) -> Four:
    """Events of the two groups exchanged: a slip of one index."""
    return four[2], four[1], four[0], four[3]


def without_first_offenders(facts: Counts) -> np.ndarray:
    return np.asarray(facts[:, FACTS.index(PRIOR)] != 0)


def test_the_audit_as_it_is_breaks_no_promise() -> None:
    assert failures(AUDIT, WORLD, cases=1000, times=200) == set()


def test_wald_limits_are_caught() -> None:
    found = check_rates(replace(AUDIT, rate_limits=wald), WORLD, cases=150, times=500, seed=SEED)
    assert "rare rate" in {f.promise for f in found if not f.kept}


def test_exchanged_cells_are_caught() -> None:
    found = check_rates(replace(AUDIT, count=swapped), WORLD, cases=2000, times=200, seed=SEED)
    assert {"rate", "gap", "ratio"} <= {f.promise for f in found if not f.kept}


def test_a_dropped_stratum_is_caught() -> None:
    found = check_standardised(
        replace(AUDIT, keep_stratum=without_first_offenders), WORLD, cases=6000, times=200, seed=SEED
    )
    assert "standardised gap" in {f.promise for f in found if not f.kept}


def test_the_charge_among_the_facts_held_equal_is_caught() -> None:
    found = check_standardised(replace(AUDIT, facts=(*FACTS, FELONY)), WORLD, cases=6000, times=200, seed=SEED)
    assert "standardised gap" in {f.promise for f in found if not f.kept}


def test_counting_the_unknown_as_citizens_is_caught() -> None:
    found = check_bounds(replace(AUDIT, unknown_are_citizens=True), WORLD, cases=2000, times=200, seed=SEED)
    assert [f.promise for f in found if not f.kept] == ["bounds"]


def test_limits_of_half_the_confidence_are_caught() -> None:
    def narrow(*counts: object) -> Interval:
        return intervals.newcombe(*counts, confidence=0.9)  # type: ignore[arg-type]

    found = check_rates(replace(AUDIT, gap_limits=narrow), WORLD, cases=2000, times=500, seed=SEED)
    assert {f.promise for f in found if not f.kept} == {"gap"}

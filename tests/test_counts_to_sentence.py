"""From counts to the sentence that a reader gets: what it says of samples of a known world is true as often as it says.

Each sample is one measure of one audit and takes the program's own path: cells, measures, comparisons by person, the
declared rule, the adjusted table, the words. What is checked is read back from the words. Then single steps are broken,
and the same checks must fail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pipeline import measures
from pipeline.estimands import Estimand, Fact, adjusted_table
from pipeline.findings import judge
from pipeline.measures import comparison_table, measure_table, with_clustered_p_values
from pipeline.report import words
from pipeline.report.language import Language
from pipeline.stats.intervals import Interval
from tests.known_world import (  # fmt: skip
    CITIZENSHIP,
    DETAINED,
    DIVERTED,
    FELONY,
    ICE,
    MISSING,
    OFFENCE,
    PRIOR,
    RACE,
    World,
    together,
)
from tests.report_example import SETTINGS as EXAMPLE

SETTINGS = replace(EXAMPLE, period_to=date(EXAMPLE.period_from.year, 3, 31))
SEED = 20240607
WORLD = World()
RACES = ["white", "black", "hispanic_latino", "asian", "aian", "other"]
ENGLISH, SPANISH = Language("en"), Language("es")
Cells = pd.DataFrame
SIGNED = r"([+−±][\d.]+)(?: points)?"


def as_they_are(cells: Cells) -> Cells:
    return cells


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the sentences of one sample say: shares and counts of both sides, gap, limits and worst case, in shares."""

    shares: tuple[float, ...]
    counts: tuple[int, ...]
    low: float
    high: float
    clear: bool
    worst: tuple[float, float] | None
    adjusted: tuple[float, float, float] | None


def cells_of(counts: NDArray[np.int64], outcome: int, *, known: bool) -> Cells:
    """One measure a sample. With `known`, every citizenship is on file; else those that the world left out are unknown."""
    joint = together(counts, CITIZENSHIP, MISSING, RACE, OFFENCE, PRIOR, FELONY, outcome, leading=1).astype(np.int64)
    places = np.indices(joint.shape[:-1]).reshape(7, -1)
    sample, citizenship, missing, race, offence, prior, felony = places
    cells = pd.DataFrame(
        {
            "measure_id": [f"W-{i:04}" for i in sample],
            "quarter": f"{SETTINGS.period_from.year}-Q1",
            "race": np.array(RACES)[race],
            "citizenship": np.where((missing == 1) & (not known), "unknown", np.array(["citizen", "noncitizen"])[citizenship]),
            "offence_group": offence.astype(str),
            "prior": prior.astype(str),
            "felony": felony.astype(str),
            "stratum": "",
            "numerator": joint[..., 1].ravel(),
            "denominator": joint.sum(axis=-1).ravel(),
        }
    )  # fmt: skip
    return cells[cells["denominator"] > 0].reset_index(drop=True)


def persons(cells: Cells) -> pd.DataFrame:
    """Every case is a person of their own."""
    sums = cells.groupby(["measure_id", "race", "citizenship", "stratum"], as_index=False)[["numerator", "denominator"]].sum()  # fmt: skip
    k, n = sums["numerator"], sums["denominator"]
    kept = sums[["measure_id", "race", "citizenship", "stratum"]]
    return kept.assign(persons=n, events_squared=k, events_times_cases=k, cases_squared=n)


def catalogue(cells: Cells) -> pd.DataFrame:
    row = {"mart": "bail", "kind": "rate", "unit": "share", "title": "Detained", "counted_unit": "cases", "fact": "mart_w", "stratum": "", "required_columns": ""}  # fmt: skip
    return pd.DataFrame([{"measure_id": name} | row for name in sorted(cells["measure_id"].unique())])


def asked(*columns: str) -> Estimand:
    held = tuple(
        Fact(name=name, column=name, fixed_by="police", reason="Before the decision.", facts=()) for name in columns
    )
    return Estimand(
        name="asked", kind="standardised_gap", contrast="citizenship", given="", risk_set="All.", facts=("mart_w",),
        hold_equal=held, benchmark=columns[-1],
    )  # fmt: skip


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("±", "").replace("+", "")) / 100


def told(cells: Cells, *, held: tuple[str, ...] = ()) -> list[Said]:
    """The sentences of every sample, read back."""
    listed = catalogue(cells)
    counted = cells.drop(columns=["prior", "felony"])
    table = measure_table(counted, counted.iloc[:0].assign(value=0, outcome="", cases=0), listed, [("citizenship_assertion", "value")], SETTINGS)  # fmt: skip
    compared = judge(with_clustered_p_values(comparison_table(table, SETTINGS), listed, persons(cells)))
    whole = compared[(compared[["period", "race", "stratum"]] == "all").all(axis=1) & compared["contrast"].eq("citizenship")]  # fmt: skip
    alike = {}
    if held:
        alike = {row.measure_id: row for row in adjusted_table(cells, listed, (asked(*held),), SETTINGS).itertuples()}
    return [read(gap, alike.get(gap.measure_id)) for gap in whole.itertuples()]


def read(gap: object, alike: object | None) -> Said:
    measure = SimpleNamespace(title="Detained", counted_unit="cases", kind="rate", stratum="", unit="share")
    english, spanish = (words.sentences(gap, measure, say, family=len(RACES)) for say in (ENGLISH, SPANISH))
    assert [re.findall(r"[+−±]?\d[\d.,]*", s) for s in english] == [re.findall(r"[+−±]?\d[\d.,]*", s) for s in spanish]
    shares, counts = re.findall(r"([\d.]+)%", english[0]), re.findall(r"([\d,]+) of ([\d,]+) cases", english[0])
    limits = re.search(rf"(?:interval|fit a gap from) {SIGNED} to {SIGNED}", english[1])
    worst = next((re.search(rf"between {SIGNED} and {SIGNED}", s) for s in english if s.startswith("Whatever")), None)
    assert limits
    held_equal = None
    if alike is not None:
        (sentence, *_) = words.with_facts_alike(alike, ENGLISH)
        found = re.search(rf"is {SIGNED} \(95% interval {SIGNED} to {SIGNED}\)", sentence)
        assert found
        held_equal = tuple(number(n) for n in found.groups())
    return Said(
        shares=tuple(float(s) / 100 for s in shares),
        counts=tuple(int(n.replace(",", "")) for pair in counts for n in pair),
        low=number(limits[1]),
        high=number(limits[2]),
        clear="clear by the rule" in english[1],
        worst=(number(worst[1]), number(worst[2])) if worst else None,
        adjusted=held_equal,  # type: ignore[arg-type]
    )


def covers(said: list[Said], truth: float, *, adjusted: bool = False) -> bool:
    """Whether the intervals in the words hold the truth in 95 % of the samples, within four Monte-Carlo errors."""
    ends = [(s.adjusted[1], s.adjusted[2]) if adjusted and s.adjusted else (s.low, s.high) for s in said]
    share = np.mean([low <= truth <= high for low, high in ends])
    return bool(abs(share - 0.95) <= 4 * np.sqrt(0.05 * 0.95 / len(said)))


def hold(said: list[Said], counts: NDArray[np.int64], outcome: int) -> bool:
    """Whether each worst case in the words holds the gap that complete records would have shown, to the half point printed."""
    joint = together(counts, CITIZENSHIP, outcome, leading=1)
    rates = joint[..., 1] / joint.sum(axis=-1)
    gaps = rates[:, 1] - rates[:, 0]
    return all(
        s.worst is not None and s.worst[0] - 0.005 <= gap <= s.worst[1] + 0.005
        for s, gap in zip(said, gaps, strict=True)
    )


@pytest.fixture(scope="module")
def sample() -> NDArray[np.int64]:
    return WORLD.sample(2_000, times=200, seed=SEED)


FACTS = ("race", "offence_group", "prior")


@pytest.fixture(scope="module")
def complete(sample: NDArray[np.int64]) -> list[Said]:
    return told(cells_of(sample, DIVERTED, known=True), held=FACTS)


def test_the_words_give_the_counts_and_shares_of_the_sample(sample: NDArray[np.int64], complete: list[Said]) -> None:
    for drawn, said in zip(sample, complete, strict=True):
        by = drawn.sum(axis=(RACE, OFFENCE, PRIOR, FELONY, DETAINED, ICE, MISSING))
        assert said.counts == (by[1, 1], by[1].sum(), by[0, 1], by[0].sum())
        assert said.shares[:2] == pytest.approx((by[1, 1] / by[1].sum(), by[0, 1] / by[0].sum()), abs=0.0005 + 1e-9)


def test_the_interval_in_the_words_holds_the_true_gap_as_often_as_it_says(complete: list[Said]) -> None:
    assert covers(complete, WORLD.gap(DIVERTED))


def test_the_interval_with_facts_alike_holds_the_true_standardised_gap(complete: list[Said]) -> None:
    rates = WORLD.standardised(DIVERTED)
    assert covers(complete, float(rates[0] - rates[1]), adjusted=True)


def test_the_worst_case_in_the_words_holds_the_gap_of_complete_records_in_every_sample(
    sample: NDArray[np.int64],
) -> None:
    said = told(cells_of(sample, DETAINED, known=False))
    assert hold(said, sample, DETAINED)
    assert not covers(said, WORLD.gap(DETAINED)), "known citizenship alone misleads: that is why the worst case is told"


def test_of_samples_without_a_gap_hardly_any_is_called_clear() -> None:
    """Detention dealt out anew, whoever it is: each sample is judged as an audit of its own would be."""
    nobody = together(WORLD.table, RACE, CITIZENSHIP, OFFENCE, PRIOR, FELONY)
    detained = together(WORLD.table, DETAINED)
    table = np.zeros_like(WORLD.table)
    table[..., 0, 0, 0] = nobody[..., None] * detained
    drawn = np.random.default_rng(SEED).multinomial(4_000, table.ravel(), size=200).reshape(200, *table.shape)
    said = told(cells_of(drawn, DETAINED, known=True))
    assert np.mean([s.clear for s in said]) <= 0.05
    assert covers(said, 0.0)


# ---- a wrong step must be caught -------------------------------------------------------------------------------


def swapped(cells: Cells) -> Cells:
    return cells.assign(citizenship=cells["citizenship"].map({"citizen": "noncitizen", "noncitizen": "citizen"}))


def without_a_stratum(cells: Cells) -> Cells:
    return cells[cells["prior"] != "0"]


def unknown_as_citizens(cells: Cells) -> Cells:
    return cells.assign(citizenship=cells["citizenship"].replace("unknown", "citizen"))


@pytest.fixture(scope="module")
def large() -> Cells:
    return cells_of(WORLD.sample(8_000, times=80, seed=SEED), DIVERTED, known=True)


def standardised() -> float:
    rates = WORLD.standardised(DIVERTED)
    return float(rates[0] - rates[1])


def test_large_samples_are_told_right_too(large: Cells) -> None:
    said = told(large, held=FACTS)
    assert covers(said, WORLD.gap(DIVERTED))
    assert covers(said, standardised(), adjusted=True)


def test_exchanged_groups_are_caught(large: Cells) -> None:
    said = told(swapped(large), held=FACTS)
    assert not covers(said, WORLD.gap(DIVERTED))
    assert not covers(said, standardised(), adjusted=True)


def test_a_dropped_stratum_is_caught(large: Cells) -> None:
    assert not covers(told(without_a_stratum(large), held=FACTS), standardised(), adjusted=True)


def test_the_charge_among_the_facts_held_equal_is_caught(large: Cells) -> None:
    """The office's own charge carries part of the gap: with it alike, what is left is another, smaller number."""
    assert not covers(told(large, held=(*FACTS, "felony")), standardised(), adjusted=True)


def test_the_unknown_counted_as_citizens_are_caught(sample: NDArray[np.int64]) -> None:
    said = told(unknown_as_citizens(cells_of(sample[:60], DETAINED, known=False)))
    assert not hold(said, sample[:60], DETAINED)


def test_wald_instead_of_wilson_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contact with ICE among 45 cases: where nobody of a group met it, Wald is sure that nobody does."""
    drawn = WORLD.sample(45, times=200, seed=SEED)
    truth = WORLD.gap(ICE)
    assert covers(told(cells_of(drawn, ICE, known=True)), truth)

    def wald(events: object, cases: object, **_: object) -> Interval:
        k, n = np.asarray(events, dtype=float), np.asarray(cases, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = k / n
            reach = 1.959964 * np.sqrt(rate * (1 - rate) / n)
        return Interval(low=rate - reach, high=rate + reach)

    monkeypatch.setattr(measures.intervals, "wilson", wald)
    assert not covers(told(cells_of(drawn, ICE, known=True)), truth)

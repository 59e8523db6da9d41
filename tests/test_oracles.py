"""The models agree with second, slow and plain implementations of the measures, over random worlds."""

from __future__ import annotations

import csv
from dataclasses import replace
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from pipeline.contract import ROOT
from tests import (
    oracle_cases,
    oracle_federal,
    oracle_pipeline,
    oracle_registers,
    oracle_sentences,
    oracle_spine,
)
from tests.oracle import AS_OF, PERIOD, Draw, SecondImplementation
from tests.worlds import build

ORACLES: dict[str, SecondImplementation] = {
    "spine": oracle_spine.ORACLE,
    "cases": oracle_cases.ORACLE,
    "sentences": oracle_sentences.ORACLE,
    "registers": oracle_registers.ORACLE,
    "pipeline": oracle_pipeline.ORACLE,
    "federal": oracle_federal.ORACLE,
}
#: What makes a small world of a whole one: some three persons and seven cases. Of larger ones Hypothesis cannot always draw enough.
SMALL = 0.03
#: Draws that Hypothesis makes, so that it can look for the smallest world in which the models and the oracle differ.
draws = st.randoms(use_true_random=False)
#: A world is more than Hypothesis expects to draw, and takes a second to build.
PATIENT = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]}
#: Computed measures without a second implementation here, and what holds them instead.
ELSEWHERE = {
    "the reference of consequences answers: tests/consequence_cases.csv, and scenarios of the mart": """
        DQ-09 DQ-09a DQ-10 CHG-06 CHG-07 CHG-12 CHG-14 CHG-14a OVC-07 OVC-07a OVC-07b OVC-07c OVC-08 OVC-09
        PLE-02 PLE-02a PLE-03 PLE-03a PLE-04 PLE-08 PLE-10 PLE-13 PLE-14 PLE-15 PCR-11
        SEN-02 SEN-03 SEN-04 SEN-05 SEN-06 SEN-13 SEN-13a SEN-18a
    """,
    "a table of offers and filings: tests/test_models_plea.py": "PLE-07 PLE-07a PLE-10b",
    "every way to serve terms that were drawn: tests/test_models_sentencing.py": "SEN-07",
    "terms counted in days, each edge written out: tests/test_models_sentencing.py": "SEN-09 SEN-09a SEN-12a",
}
every_oracle = pytest.mark.parametrize("name", ORACLES)


@every_oracle
def test_the_measures_agree_with_a_second_implementation(name: str) -> None:
    assert ORACLES[name].differing(Random(20240630), 1, at_least=5) == []


@every_oracle
@settings(max_examples=10, **PATIENT)
@given(random=draws)
def test_no_small_world_is_found_in_which_they_differ(name: str, random: Random) -> None:
    assert ORACLES[name].differing(random, SMALL) == []


@pytest.mark.slow
@every_oracle
@settings(max_examples=300, **PATIENT)
@given(random=draws)
def test_no_small_world_is_found_in_a_long_search(name: str, random: Random) -> None:
    assert ORACLES[name].differing(random, SMALL) == []


def test_each_computed_measure_has_a_second_implementation_or_a_reason_why_not() -> None:
    with (ROOT / "data" / "reference" / "measures.csv").open(encoding="utf-8") as file:
        computed = {row["measure_id"] for row in csv.DictReader(file) if row["numerator"] or row["denominator"]}
    implemented = [measure for oracle in ORACLES.values() for measure in oracle.measures]
    elsewhere = [measure for measures in ELSEWHERE.values() for measure in measures.split()]
    assert sorted([*implemented, *elsewhere]) == sorted(computed)


def test_a_definition_read_wrongly_is_found() -> None:
    registers = ORACLES["registers"]
    read = {**registers.measures, "VIC-05": registers.measures["VIC-10"]}
    differing = replace(registers, measures=read).differing(Random(20240630), 1)
    assert {measure for measure, *_ in differing} == {"VIC-05"}


def test_a_random_world_breaks_no_test_of_a_model() -> None:
    cases = ORACLES["cases"]
    made = cases.world(Draw(Random(20240630)))
    build(made, as_of=AS_OF, period=PERIOD)

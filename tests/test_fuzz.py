"""Mutants of real exports are read or refused: no traceback, no lost row, no changed value without a warning."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz_exports import outcome


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("subjects")


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@example(seed=1_000_008)  # line ends of both kinds once gave rows the numbers of others
@given(seed=st.integers(min_value=0, max_value=999_999))
def test_a_mutant_breaks_no_promise(seed: int, folder: Path) -> None:
    assert outcome(seed, folder).broken == []


@pytest.mark.slow
def test_two_thousand_mutants_break_no_promise(folder: Path) -> None:
    assert [promise for seed in range(1_000_000, 1_002_000) for promise in outcome(seed, folder).broken] == []

"""What the audit says of synthetic counties, against what the counties' own truth says.

Nothing here is compared with what the audit printed before: the rates come from the generator's probabilities.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from pipeline.audit import read_counts
from pipeline.contract import load_contract
from pipeline.findings import find
from pipeline.ingest.land import land
from pipeline.ingest.office import load_office, office_folder
from pipeline.measures import comparison_table, measure_table, with_clustered_p_values
from pipeline.synth import NO_EFFECTS, write_county
from pipeline.synth.county import EXAMPLE_EFFECTS
from pipeline.transform import build

#: Measures whose denominator is the same in the truth and in the audit.
MEASURES = ("CHG-01", "CHG-02", "BAIL-03", "BAIL-04", "DIV-01")
CASES = 12_000


@dataclass(frozen=True, kw_only=True)
class Audited:
    truth: pd.DataFrame
    effects: list[dict[str, object]]
    measures: pd.DataFrame
    comparisons: pd.DataFrame
    findings: list[dict[str, object]]


def audited(folder: Path, effects: Path, seed: int) -> Audited:
    write_county(out=folder, cases=CASES, seed=seed, effects=effects)
    office = load_office(office_folder("example_county"), load_contract())
    database = folder / "audit.duckdb"
    land(office=office, contract=load_contract(), raw=folder / "exports", database=database, work=folder)
    build(database=database, work=folder)
    counts = read_counts(database)
    measures = measure_table(counts.cells, counts.values, counts.catalogue, office.supplied, office.settings)
    comparisons = comparison_table(measures, office.settings)
    comparisons = with_clustered_p_values(comparisons, counts.catalogue, counts.clusters)
    return Audited(
        truth=pd.read_parquet(folder / "truth" / "rates.parquet"),
        effects=json.loads((folder / "truth" / "effects.json").read_text(encoding="utf-8"))["planted"],
        measures=measures,
        comparisons=comparisons,
        findings=find(measures, comparisons, counts.catalogue, as_of=office.settings.as_of_date),
    )


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """All effects of the Example County, and citizenship on file for a random part of the people."""
    folder = tmp_path_factory.mktemp("planted")
    effects = folder.with_suffix(".yml")
    text = EXAMPLE_EFFECTS.read_text(encoding="utf-8")
    assert "knowledge: not_at_random" in text
    effects.write_text(text.replace("knowledge: not_at_random", "knowledge: at_random"), encoding="utf-8")
    return audited(folder, effects, seed=71)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """All effects of the Example County, where who is asked about citizenship is no accident."""
    return audited(tmp_path_factory.mktemp("example"), EXAMPLE_EFFECTS, seed=72)


@pytest.fixture(scope="module")
def null(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    return audited(tmp_path_factory.mktemp("null"), NO_EFFECTS, seed=73)


def cells(county: Audited) -> pd.DataFrame:
    """Each race x citizenship cell over the whole period with its true rate beside the audit's."""
    key = ["measure_id", "race", "citizenship"]
    told = county.measures.query("period == 'all' and offence_group == 'all' and stratum == 'all' and status == 'ok'")
    told = told[told["measure_id"].isin(MEASURES) & told["race"].ne("all") & told["citizenship"].ne("all")]
    truth = county.truth.query("quarter == 'all' and stratum == 'all' and cases > 0")
    truth = truth.assign(rate=truth["expected"] / truth["cases"])[[*key, "rate", "cases"]]
    return told.merge(truth, on=key, validate="one_to_one")


def test_planted_rates_by_race_and_citizenship_are_recovered_within_their_intervals(planted: Audited) -> None:
    found = cells(planted)
    assert len(found) > 20
    inside = found["rate"].between(found["ci_low"], found["ci_high"])
    # 95% intervals, some twenty-six cells: fewer than 80% inside would happen by chance once in four hundred counties.
    assert inside.mean() > 0.80, found[~inside][["measure_id", "race", "citizenship", "estimate", "rate"]]


def test_a_county_with_other_rates_would_not_pass_for_this_one(planted: Audited) -> None:
    found = cells(planted)
    shifted = (found["rate"] * 0.85).between(found["ci_low"], found["ci_high"])
    assert shifted.mean() < 0.7


def test_the_true_gap_lies_within_the_worst_case_bounds_however_citizenship_became_known(example: Audited) -> None:
    truth = example.truth.query("quarter == 'all' and stratum == 'all' and race == 'all'")
    truth = truth.assign(rate=truth["observed"] / truth["cases"]).pivot(
        index="measure_id", columns="citizenship", values="rate"
    )
    gaps = example.comparisons.query("period == 'all' and contrast == 'citizenship' and stratum == 'all'")
    gaps = gaps.set_index("measure_id")
    for measure in MEASURES:
        true_gap = truth.loc[measure, "noncitizen"] - truth.loc[measure, "citizen"]
        assert gaps.loc[measure, "bound_low"] <= true_gap <= gaps.loc[measure, "bound_high"], measure


def test_the_planted_diversion_gap_is_found(planted: Audited) -> None:
    assert any(f["measure_id"] == "DIV-01" and f.get("contrast") == "citizenship" for f in planted.findings)


def test_where_nothing_is_planted_nothing_is_found(null: Audited) -> None:
    assert null.effects == []
    assert [f["id"] for f in null.findings] == []

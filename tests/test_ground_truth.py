"""What the audit says of synthetic counties, against what the counties' own truth says.

Nothing here is compared with what the audit printed before: the rates come from the generator's probabilities.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.audit import read_counts
from pipeline.contract import load_contract
from pipeline.findings import find, rules
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


#: By which finding an audit finds each effect of the Example County.
FOUND_BY = {
    "diversion_withheld": "gap|DIV-01|citizenship|all|all",
    "plea_before_diversion": "gap|DIV-03|citizenship|all|post_plea",
    "cash_bail_black": "gap|BAIL-01|race|black|cash",
    "cash_bail_hispanic": "gap|BAIL-01|race|hispanic_latino|cash",
    "immigration_argued_at_bail": "zero|BAIL-04",
    "declination_policy_not_followed": "gap|DEC-02|race|hispanic_latino|all",
    "deviation_unsigned": "gap|DEC-03|race|hispanic_latino|all",
    "documents_demanded": "zero|PLE-05",
    "one_year_line": "gap|SEN-01|race|hispanic_latino|all",
    "release_lag_with_detainer": "part|CUS-02|detainer",
    "outbound_contact": "zero|ICE-04c",
    "pre_padilla_opposition": "part|PCR-05|final_before_padilla",
    "certifications_unanswered": "target|VIC-03",
    "point_person_slow": "target|PPT-02",
}
#: What a policy changes is no finding but a change: the measure, its part, the year before and a year after.
CHANGES = {
    "cash_bail_policy": ("BAIL-01", "cash", "2020", "2021"),
    "declination_policy": ("CHG-02", "all", "2018", "2020"),
    "consideration_guideline": ("PLE-01", "all", "2021", "2022"),
}
#: Effects on few cases: in a county of this size they are planted twice as strong.
ON_FEW_CASES = {
    "plea_before_diversion", "cash_bail_black", "cash_bail_hispanic", "declination_policy_not_followed",
    "deviation_unsigned", "one_year_line", "pre_padilla_opposition", "certifications_unanswered", "point_person_slow",
}  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """All effects of the Example County, and citizenship on file for a random part of the people.

    Of whom too few have a citizenship on file at the one-year line, that effect is planted by race.
    """
    folder = tmp_path_factory.mktemp("planted")
    effects = folder.with_suffix(".yml")
    document = yaml.safe_load(EXAMPLE_EFFECTS.read_text(encoding="utf-8"))
    assert document["knowledge"] == "not_at_random"
    for effect in document["effects"]:
        effect["size"] *= 2 if effect["id"] in ON_FEW_CASES else 1
        if effect["id"] == "one_year_line":
            effect["group"] = {"race": "hispanic_latino"}
    effects.write_text(yaml.safe_dump(document | {"knowledge": "at_random"}), encoding="utf-8")
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


def test_every_effect_of_the_example_county_is_looked_for() -> None:
    document = yaml.safe_load(EXAMPLE_EFFECTS.read_text(encoding="utf-8"))
    assert {effect["id"] for effect in document["effects"]} == FOUND_BY.keys() | CHANGES.keys()


def test_an_effect_is_planted_for_every_rule() -> None:
    kinds = {finding.split("|")[0] for finding in FOUND_BY.values()}
    assert kinds == {"zero", "target", "part", "gap"}
    declared = rules()
    assert {f"zero|{measure}" for measure in declared["zero_tolerance"]} <= set(FOUND_BY.values())
    assert {f"target|{target['measure_id']}" for target in declared["targets"]} <= set(FOUND_BY.values())
    assert {f"part|{part['measure_id']}|{part['stratum']}" for part in declared["parts"]} <= set(FOUND_BY.values())


@pytest.mark.parametrize("effect", FOUND_BY)
def test_every_planted_effect_is_found(planted: Audited, effect: str) -> None:
    assert FOUND_BY[effect] in {finding["id"] for finding in planted.findings}


@pytest.mark.parametrize("effect", FOUND_BY)
def test_every_finding_says_how_grave_it_is_who_answers_and_by_when(planted: Audited, effect: str) -> None:
    (finding,) = (finding for finding in planted.findings if finding["id"] == FOUND_BY[effect])
    assert finding["severity"] in ("high", "medium")
    assert finding["owner"]
    assert finding["due"] > "2024-09-30"


@pytest.mark.parametrize("effect", CHANGES)
def test_what_a_policy_changes_is_seen_from_its_first_year_on(planted: Audited, null: Audited, effect: str) -> None:
    measure, part, before, after = CHANGES[effect]

    def limits(county: Audited, period: str) -> tuple[float, float]:
        told = county.measures.set_index(["measure_id", "stratum", "period", "race", "citizenship", "offence_group"])
        row = told.loc[(measure, part, period, "all", "all", "all")]
        return float(row["ci_low"]), float(row["ci_high"])

    def apart(county: Audited) -> bool:
        first, second = limits(county, before), limits(county, after)
        return first[1] < second[0] or second[1] < first[0]

    assert apart(planted)
    assert not apart(null)


def test_where_nothing_is_planted_certifications_are_in_time_beyond_doubt(null: Audited) -> None:
    (target,) = (target for target in rules()["targets"] if target["measure_id"] == "VIC-03")
    told = null.measures.query(
        "measure_id == 'VIC-03' and period == 'all' and stratum == 'all' and offence_group == 'all'"
    )
    (row,) = told.query("race == 'all' and citizenship == 'all'").to_dict("records")
    assert row["ci_low"] > target["at_least"]


def test_where_nothing_is_planted_nothing_is_found(null: Audited) -> None:
    assert null.effects == []
    assert [f["id"] for f in null.findings] == []

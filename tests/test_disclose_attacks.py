"""The classic attacks. Each finds its cell in a naive release and nothing in ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from pipeline.disclose import HIDDEN, attack, load_registry, publish, publish_adjusted
from pipeline.disclose.attack import propagate
from pipeline.disclose.challenge import challenge
from pipeline.disclose.history import stack
from pipeline.disclose.publish import _follows, _gate
from pipeline.disclose.suppress import make_gate
from pipeline.disclose.system import WINDOW, apart, build_system, same_counts
from pipeline.errors import ReleaseRefused
from pipeline.estimands import ADJUSTED_COLUMNS
from tests.test_disclose import CELL, NO_COMPARISONS, NO_RACE_UNKNOWN, UNCOARSENED, long_table

NUMBERS = [
    "numerator",
    "denominator",
    "unknown_citizenship",
    "estimate",
    "ci_low",
    "ci_high",
    "bound_low",
    "bound_high",
]
LONE = {("white", "citizen"): (200, 400), ("black", "citizen"): (100, 300), ("asian", "citizen"): (4, 90)}
PAIR = {**LONE, ("black", "citizen"): (5, 300)}
ALL_OF_A_SMALL_GROUP = {**LONE, ("asian", "citizen"): (25, 25)}


def naive(rows: pd.DataFrame) -> pd.DataFrame:
    """What many offices do: blank the small cells, and nothing else."""
    small = rows["numerator"].between(1, 10) | (rows["denominator"] - rows["numerator"]).between(1, 10)
    return rows.assign(**{c: rows[c].astype(object).mask(small, None) for c in NUMBERS})


def refusal(folder: Path, rows: pd.DataFrame) -> list[str]:
    """The codes and places for which the files are refused; none if they may leave."""
    try:
        challenge(folder, rows)
    except ReleaseRefused as refused:
        return [f"{p.code} {p.where}" for p in refused.problems]
    return []


def written(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(folder / "measures.csv", index=False)
    return folder


@pytest.mark.parametrize("cells", [LONE, PAIR], ids=["a lone cell", "a line of two whose sum is small"])
def test_total_minus_parts_finds_what_blanking_small_cells_leaves(
    cells: dict[tuple[str, str], tuple[int, int]], tmp_path: Path
) -> None:
    rows = long_table(cells)
    found = refusal(written(tmp_path, naive(rows)), rows)
    assert any(p.startswith("IIU605 filed numerator, asian") for p in found)
    assert refusal(written(tmp_path, publish(rows, NO_COMPARISONS).measures), rows) == []


def test_a_refusal_names_the_equation_that_exposes_the_count(tmp_path: Path) -> None:
    rows = long_table(LONE)
    with pytest.raises(ReleaseRefused) as refused:
        challenge(written(tmp_path, naive(rows)), rows)
    text = str(refused.value)
    assert refused.value.exit_code == 3
    assert "to lie between 4 and 4" in text
    assert "[filed numerator] = [filed numerator, " in text


@pytest.mark.parametrize(
    "least",
    [{"_FAILURES": 0, "_WORK": 0}, {"_WORK": -1}],
    ids=["one at a time, and little at a time", "many at once"],
)
def test_the_last_look_goes_on_while_it_proves_more(
    least: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a large county: what the gate proved in many goes, the last look refused after one."""
    few = {(race, citizenship): (4, 20) for race in ("asian", "hispanic") for citizenship in ("citizen", "noncitizen")}
    rows = long_table(LONE | few)
    published = publish(rows, NO_COMPARISONS).measures
    for name, value in least.items():
        monkeypatch.setattr(attack, name, value)
    monkeypatch.setattr(attack._Part, "add_people", lambda *_: None)
    assert refusal(written(tmp_path, published), rows) == []


@pytest.mark.parametrize("left", [["estimate"], ["ci_low", "ci_high"]], ids=["a rate with a known n", "an interval"])
def test_a_rate_or_an_interval_gives_its_counts_away(left: list[str], tmp_path: Path) -> None:
    rows = long_table(LONE)
    leaky = publish(rows, NO_COMPARISONS).measures
    at = leaky["race"].eq("asian") & leaky["citizenship"].eq("citizen")
    for column in left:
        leaky.loc[at, column] = 4 / 90
    assert any(p.startswith("IIU604 filed, all, asian, citizen") for p in refusal(written(tmp_path, leaky), rows))


def test_none_or_all_of_a_small_group_is_hidden(tmp_path: Path) -> None:
    rows = long_table(ALL_OF_A_SMALL_GROUP)
    assert any(p.startswith("IIU604 filed, all, asian") for p in refusal(written(tmp_path, naive(rows)), rows))
    assert refusal(written(tmp_path, publish(rows, NO_COMPARISONS).measures), rows) == []


def test_a_pool_published_beside_its_members_is_one_sum_with_them(tmp_path: Path) -> None:
    members = {("aian", "citizen"): (40, 100), ("mena", "citizen"): (3, 70), ("white", "citizen"): (300, 900)}
    rows = long_table(members)
    pool = (
        rows[rows["race"].isin(["aian", "mena"])]
        .groupby("citizenship", as_index=False)[["numerator", "denominator"]]
        .sum()
    )
    like = rows[rows["race"].eq("aian")].drop(columns=["numerator", "denominator"]).assign(race="another_group")
    rows = pd.concat([rows, like.merge(pool, on="citizenship")], ignore_index=True).astype({"numerator": "Int64"})
    found = refusal(written(tmp_path, naive(rows)), rows)
    assert any("filed numerator, mena" in p for p in found)
    assert refusal(written(tmp_path, publish(rows, NO_COMPARISONS).measures), rows) == []


def hover_text(folder: Path, cell: str) -> None:
    trace = {"x": [None], "y": ["Asian"], "hovertext": ["4 of 90"], "customdata": [cell]}
    (folder / "gaps.js").write_text(f"auditFigures['gaps']={json.dumps({'data': [trace]})};", encoding="utf-8")


def svg_coordinates(folder: Path, cell: str) -> None:
    (folder / "gaps.svg").write_text(
        f'<svg><g data-cell="{cell}"><circle cx="41.2" cy="9"/></g></svg>', encoding="utf-8"
    )


def html_table(folder: Path, cell: str) -> None:
    (folder / "page.html").write_text(
        f'<table><tr><td data-cell="{cell}"><b>4.4 %</b></td></tr></table>', encoding="utf-8"
    )


def notebook_output(folder: Path, cell: str) -> None:
    output = {"output_type": "display_data", "data": {"text/html": [f"<td data-cell='{cell}'>", "4</td>"]}}
    (folder / "filed.ipynb").write_text(json.dumps({"cells": [{"outputs": [output]}]}), encoding="utf-8")


def hidden_sheet(folder: Path, cell: str) -> None:
    book = openpyxl.Workbook()
    book.active.append(["about"])
    sheet = book.create_sheet("working")
    sheet.append([*CELL, "numerator"])
    sheet.append([*cell.split("|"), 4])
    sheet.sheet_state = "hidden"
    book.save(folder / "measures.xlsx")


def hidden_column(folder: Path, cell: str) -> None:
    hidden_sheet(folder, cell)
    book = openpyxl.load_workbook(folder / "measures.xlsx")
    book["working"].sheet_state = "visible"
    book["working"].column_dimensions["G"].hidden = True
    book.save(folder / "measures.xlsx")


@pytest.mark.parametrize(
    "leak", [hover_text, svg_coordinates, html_table, notebook_output, hidden_sheet, hidden_column]
)
def test_a_hidden_count_is_found_wherever_it_was_left(leak: Callable[[Path, str], None], tmp_path: Path) -> None:
    rows = long_table(LONE)
    written(tmp_path, publish(rows, NO_COMPARISONS).measures)
    assert refusal(tmp_path, rows) == []
    leak(tmp_path, "filed|all|asian|citizen|all|all")
    assert any(p.startswith("IIU604 filed, all, asian, citizen") for p in refusal(tmp_path, rows))


def test_the_words_of_an_estimand_are_no_numbers_of_its_cell(tmp_path: Path) -> None:
    rows = long_table(LONE)
    written(tmp_path, publish(rows, NO_COMPARISONS).measures)
    asked = {"estimand": "a", "measure_id": "filed", "period": "all", "race": "asian", "citizenship": "all"}
    frame = pd.DataFrame([asked | {"benchmark": "priors", "profile": "age=25 - 45;priors=0", "rate": None}])
    frame.to_csv(tmp_path / "adjusted.csv", index=False)
    assert refusal(tmp_path, rows) == []
    frame.assign(rate=0.1).to_csv(tmp_path / "adjusted.csv", index=False)
    assert any(p.startswith("IIU604 filed, all, asian") for p in refusal(tmp_path, rows))


def test_an_adjusted_amount_is_judged_with_the_median_that_it_adjusts(tmp_path: Path) -> None:
    amounts = long_table({("white", "citizen"): (0, 400), ("black", "citizen"): (0, 300)}).assign(
        stratum="median", ci_method="order_statistic", numerator=pd.NA
    )
    rows = amounts.astype({"numerator": "Int64"})
    published = publish(rows, NO_COMPARISONS).measures
    asked = {"estimand": "a", "measure_id": "filed", "race": "black", "citizenship": "all", "reference_race": "white"}
    ratio = {"reference_citizenship": "all", "amount_ratio": 1.2, "status": "ok", "reason": ""}
    adjusted = publish_adjusted(pd.DataFrame([dict.fromkeys(ADJUSTED_COLUMNS) | asked | ratio]), published)
    assert adjusted[["stratum", "amount_ratio"]].to_numpy().tolist() == [["median", 1.2]]
    adjusted.to_csv(written(tmp_path, published) / "adjusted.csv", index=False)
    assert refusal(tmp_path, rows) == []


def test_that_a_group_has_nobody_in_all_the_records_may_stand_in_the_files(tmp_path: Path) -> None:
    rows = long_table(NO_RACE_UNKNOWN)
    published = publish(rows, NO_COMPARISONS).measures
    assert set(published.loc[published["race"].eq("unknown"), "numerator"]) == {0}
    assert refusal(written(tmp_path, published), rows) == []
    one_is_unknown = long_table({**NO_RACE_UNKNOWN, ("unknown", "citizen"): (0, 1)})
    assert any(p.startswith("IIU604 filed, all, unknown") for p in refusal(tmp_path, one_is_unknown))


def test_a_group_that_only_measures_of_another_family_count_is_a_cell_of_this_one(tmp_path: Path) -> None:
    """That none of these is of unknown race is hidden, so the last look may not take it for said."""
    rows = long_table({**LONE, ("asian", "citizen"): (40, 90), ("unknown", "citizen"): (0, 0)})
    others = {("white", "citizen"): (70, 510), ("black", "citizen"): (80, 220), ("unknown", "citizen"): (60, 150)}
    rows = pd.concat([rows, long_table(others).assign(measure_id="declined")], ignore_index=True)
    published = publish(rows, NO_COMPARISONS, registry=UNCOARSENED).measures
    none = published.query("measure_id == 'filed' and race == 'unknown'")
    assert none["status"].tolist() == [HIDDEN] * len(none) != []
    assert refusal(written(tmp_path, published), rows) == []


def test_a_mark_that_only_says_that_a_number_is_hidden_may_stay(tmp_path: Path) -> None:
    rows = long_table(LONE)
    written(tmp_path, publish(rows, NO_COMPARISONS).measures)
    mark = '<svg><text data-cell="filed|all|asian|citizen|all|all" class="absent" x="4">hidden</text></svg>'
    (tmp_path / "gaps.svg").write_text(mark, encoding="utf-8")
    assert refusal(tmp_path, rows) == []


def test_of_a_whole_with_a_single_part_no_file_says_which(tmp_path: Path) -> None:
    """That a part is named, and no other, says that none of the few is of another kind."""
    rows = long_table({("white", "citizen"): (9, 9)}).assign(stratum="the only kind")
    published = publish(rows, NO_COMPARISONS).measures
    assert published[["stratum", "status"]].to_numpy().tolist() == [["all", HIDDEN]]
    assert refusal(written(tmp_path, published), rows) == []
    assert refusal(written(tmp_path, published.assign(stratum="the only kind")), rows) != []


@pytest.mark.parametrize("hide", [hidden_sheet, hidden_column])
def test_a_hidden_sheet_and_a_table_that_names_no_cell_are_refused(
    hide: Callable[[Path, str], None], tmp_path: Path
) -> None:
    rows = long_table(LONE)
    written(tmp_path, publish(rows, NO_COMPARISONS).measures)
    (tmp_path / "extra.csv").write_text("race,count\nasian,4\n", encoding="utf-8")
    hide(tmp_path, "filed|all|white|citizen|all|all")
    assert {p[:6] for p in refusal(tmp_path, rows)} >= {"IIU606", "IIU607"}


def quarters(counts: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """period -> counts of the whole office."""
    whole = long_table({("white", "citizen"): (1, 2)}).query("race == 'all' and citizenship == 'all'")
    return pd.concat(
        [whole.assign(period=p, numerator=k, denominator=n) for p, (k, n) in counts.items()], ignore_index=True
    ).astype({"numerator": "Int64", "denominator": "Int64"})


def test_an_unfinished_year_is_not_shown_beside_its_quarters() -> None:
    rows = quarters({"2024-Q1": (50, 100), "2024-Q2": (60, 100), "2024": (110, 200), "all": (110, 200)})
    assert publish(rows, NO_COMPARISONS).measures["period"].tolist() == ["2024-Q1", "2024-Q2", "all"]


def test_a_year_so_far_beside_its_quarters_gives_away_the_quarter_that_is_hidden(tmp_path: Path) -> None:
    counts = {"2024-Q1": (50, 100), "2024-Q2": (60, 100), "2024-Q3": (4, 90), "2024": (114, 290), "all": (114, 290)}
    rows = quarters(counts)
    assert any(p.startswith("IIU605 filed numerator, 2024-Q3") for p in refusal(written(tmp_path, naive(rows)), rows))
    assert refusal(written(tmp_path, publish(rows, NO_COMPARISONS).measures), rows) == []


def test_a_count_is_hidden_under_every_name_though_one_measure_is_told_by_quarter_and_another_by_year(
    tmp_path: Path,
) -> None:
    counts = {"2024-Q1": (50, 100), "2024-Q2": (60, 100), "2024-Q3": (4, 90), "2024-Q4": (70, 140)}
    filed = quarters(counts | {"2024": (184, 430), "all": (184, 430)})
    of_victims = filed.assign(measure_id="of victims", mart="victim")
    assert load_registry().finest_period["victim"] == "year"
    rows = pd.concat([filed, of_victims], ignore_index=True)
    leaky = rows[~(rows["mart"].eq("victim") & rows["period"].str.contains("Q"))]
    blank = leaky["measure_id"].eq("filed") & leaky["period"].isin(["2024-Q3", "2024", "all"])
    leaky = leaky.assign(**{c: leaky[c].astype(object).mask(blank, None) for c in NUMBERS})
    assert any(p.startswith("IIU605 filed numerator, 2024-Q3") for p in refusal(written(tmp_path, leaky), rows))
    assert refusal(written(tmp_path, publish(rows, NO_COMPARISONS).measures), rows) == []
    alone = leaky[leaky["measure_id"].eq("filed")]
    assert refusal(written(tmp_path, alone), rows) == [], "it is the other measure that gives it away"


def either(name: str, mart: str, first: int, second: int) -> pd.DataFrame:
    """How many met with one of two things that exclude each other, and with each: so few in 2023, and 100 with each later."""
    strata = []
    for stratum, few, many, one in (("one", first, 100, 1), ("other", second, 100, 1), ("all", first + second, 200, 2)):
        years = {"2023": (few, 400), "2024": (many, 400), "2025": (many, 400), "all": (few + 2 * many, 1200)}
        by_quarter = {"2023-Q1": (few - 3 * one, 100)} | {f"2023-Q{quarter}": (one, 100) for quarter in (2, 3, 4)}
        by_quarter |= {f"{year}-Q{quarter}": (many // 4, 100) for year in (2024, 2025) for quarter in (1, 2, 3, 4)}
        strata.append(quarters(by_quarter | years).assign(stratum=stratum))
    return pd.concat(strata).assign(measure_id=name, mart=mart)


def test_three_counts_that_measures_with_other_tables_tell_two_by_two_are_not_solved_for(tmp_path: Path) -> None:
    """No line alone, and no measure, bounds 11, 12 or 13 more narrowly than 0 to 23."""
    restricted, by_quarter = "CHG-11", "charging"
    assert restricted in load_registry().restricted["measure_id"] and by_quarter not in load_registry().finest_period
    measures = [
        either(restricted, by_quarter, 11, 12),
        either("not waived", "victim", 12, 13),
        either("not reduced", "victim", 11, 13),
    ]
    rows = pd.concat(measures, ignore_index=True)
    each = [publish(measure, NO_COMPARISONS).measures for measure in measures]
    for measure, alone in zip(measures, each, strict=True):
        assert refusal(written(tmp_path, alone), measure) == []
        assert alone.query("stratum == 'all' and period == '2023'")["numerator"].notna().all()
    found = refusal(written(tmp_path, pd.concat(each)), rows)
    assert any(p.startswith("IIU605 CHG-11 numerator, one, 2023") for p in found)
    assert refusal(written(tmp_path, publish(rows, NO_COMPARISONS).measures), rows) == []


def outcome(name: str, *numerators: int) -> pd.DataFrame:
    """Of 400 white, 300 black and 90 Asian citizens, how many met with this."""
    whole = {"white": 400, "black": 300, "asian": 90}
    cells = {(race, "citizen"): (n, whole[race]) for race, n in zip(whole, numerators, strict=True)}
    return long_table(cells).assign(measure_id=name)


THREE_OUTCOMES = [
    outcome("dismissed", 160, 120, 30),
    outcome("convicted", 200, 150, 56),
    outcome("acquitted", 40, 30, 4),
]
A_WHOLE_TOLD_ELSEWHERE = [
    pd.concat([m.assign(measure_id="how", stratum=m["measure_id"], denominator=pd.NA) for m in THREE_OUTCOMES]).astype(
        {"denominator": "Int64"}
    ),
    outcome("of all", 100, 80, 35),
]
NONE_OF_THE_CAUSES = [
    pd.concat(
        [
            outcome("ended", 60, 50, 4).assign(stratum="transfer_by_7"),
            outcome("ended", 100, 40, 20).assign(stratum="release_by_7"),
            outcome("ended", 40, 30, 16).assign(stratum="sentence_by_7"),
            outcome("ended", 90, 80, 24).assign(stratum="transfer_by_30"),
        ]
    ).assign(ci_method="kaplan_meier_log_log"),
    outcome("still held", 200, 180, 50),
]


@pytest.mark.parametrize(
    "measures",
    [THREE_OUTCOMES, A_WHOLE_TOLD_ELSEWHERE, NONE_OF_THE_CAUSES],
    ids=[
        "three outcomes of one denominator",
        "strata whose whole another measure tells",
        "none of the causes by a day",
    ],
)
def test_measures_that_are_safe_alone_are_added_up(measures: list[pd.DataFrame], tmp_path: Path) -> None:
    rows = pd.concat(measures, ignore_index=True)
    each = [publish(measure, NO_COMPARISONS).measures for measure in measures]
    for measure, alone in zip(measures, each, strict=True):
        assert refusal(written(tmp_path, alone), measure) == []
    found = refusal(written(tmp_path, pd.concat(each)), rows)
    assert any(p.startswith("IIU605") and "asian" in p for p in found)
    assert refusal(written(tmp_path, publish(rows, NO_COMPARISONS).measures), rows) == []


def test_a_year_that_has_grown_since_it_was_unfinished_is_no_change_of_a_published_number() -> None:
    first = quarters({"2024-Q1": (50, 100), "2024": (50, 100), "all": (50, 100)})
    second = quarters({"2024-Q1": (50, 100), "2024-Q2": (60, 100), "2024": (110, 200), "all": (110, 200)})
    whole = stack(second, [publish(first, NO_COMPARISONS).record], ())
    assert set(whole.rows["measure_id"]) == {"filed"}  # one that changed stands beside its earlier self, renamed
    assert (
        publish(second, NO_COMPARISONS, earlier=[publish(first, NO_COMPARISONS).record])
        .measures["status"]
        .eq("ok")
        .all()
    )


def test_what_was_all_is_no_sum_of_years_where_it_ended_within_one() -> None:
    rows = quarters({"2023": (40, 100), "2024": (60, 100), f"{WINDOW}2023-Q1/2025-Q1": (150, 300)})
    system = build_system(rows, load_registry())
    assert not system.is_margin_line.any()


@pytest.mark.parametrize(
    ("first", "second", "follow"),
    [((2023,), (2023, 2024), {"2023", "2024"}), ((2022, 2023), (2022, 2023, 2024), {"2024"})],
    ids=["each year", "the year between totals of years that nobody knows"],
)
def test_what_follows_from_two_earlier_totals_is_public_though_no_row_said_it(
    first: tuple[int, ...], second: tuple[int, ...], follow: set[str]
) -> None:
    def until(*years: int) -> pd.DataFrame:
        each = {f"{year}-Q{q}": (50, 100) for year in years for q in range(1, 5)}
        whole = {f"{year}": (200, 400) for year in years} | {"all": (200 * len(years), 400 * len(years))}
        return quarters(each | whole)

    records = []
    for years in (first, second):
        record = publish(until(*years), NO_COMPARISONS, earlier=records).record
        records.append(record.assign(**{c: record["period"].eq("all") for c in ("listed", "shown")}))
    whole = stack(until(*second), records, ())
    same = same_counts(whole.rows, load_registry())
    gate = _gate(whole, np.ones(len(whole.rows), dtype=bool), load_registry(), same)
    assert set(whole.rows.loc[_follows(gate, whole) & ~whole.fixed, "period"]) == follow


def test_a_revision_gives_away_the_few_whose_cases_were_revised() -> None:
    first = publish(quarters({"2024-Q1": (50, 200), "all": (50, 200)}), NO_COMPARISONS).record
    revised = quarters({"2024-Q1": (52, 200), "all": (52, 200)})
    whole = stack(revised, [first], ["filed"])
    gate = make_gate(build_system(whole.rows, load_registry(), whole.ties), whole.rows, load_registry())
    both = gate.known(np.ones(len(whole.rows), dtype=bool))  # the naive office shows both tables
    low, high = propagate(gate.system, both)
    found = gate.small & (low == high)
    assert {gate.system.value[node] for node in np.flatnonzero(found)} == {-2, 2}
    ours = publish(revised, NO_COMPARISONS, earlier=[first], corrected=["filed"]).measures
    assert ours["status"].eq(HIDDEN).all()


def test_what_a_measure_was_before_a_correction_is_as_delicate_as_the_measure() -> None:
    first = quarters({"2024-Q1": (50, 200), "all": (50, 200)}).assign(measure_id="CHG-11")
    revised = quarters({"2024-Q1": (90, 200), "all": (90, 200)}).assign(measure_id="CHG-11")
    whole = stack(revised, [publish(first, NO_COMPARISONS).record], ["CHG-11"])
    assert load_registry().thresholds(first).tolist() == [20, 20]
    assert whole.rows["measure_id"].nunique() == 2
    assert load_registry().thresholds(whole.rows).tolist() == [20, 20, 20, 20]


def test_two_totals_a_few_cases_apart_are_not_both_published() -> None:
    first = quarters({"2024-Q1": (50, 100), "2024-Q2": (60, 100), "all": (110, 200)})
    second = quarters({"2024-Q1": (50, 100), "2024-Q2": (60, 100), "2024-Q3": (2, 40), "all": (112, 240)})
    alone = publish(second, NO_COMPARISONS).measures.set_index("period")["status"]
    after = publish(second, NO_COMPARISONS, earlier=[publish(first, NO_COMPARISONS).record])
    status = after.measures.set_index("period")["status"]
    assert alone["all"] == "ok"
    assert status["2024-Q1"] == status["2024-Q2"] == "ok"
    assert status.get("2024-Q3", HIDDEN) == HIDDEN
    assert status["all"] == HIDDEN  # less the total published before, it is the quarter


def test_what_is_told_by_year_alone_is_told_again_with_a_year_more() -> None:
    first = publish(quarters({"2023": (50, 100), "all": (50, 100)}), NO_COMPARISONS).record
    more = quarters({"2023": (50, 100), "2024": (60, 100), "all": (110, 200)})
    assert publish(more, NO_COMPARISONS, earlier=[first]).measures["status"].eq("ok").all()


def test_a_release_is_not_refused_for_a_search_that_gave_up_as_people_may_be_added_to_all_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of the measure was ever shown, so that any of its counts may be anything: it must only be looked for."""
    first = publish(quarters({"2023": (3, 8), "all": (3, 8)}), NO_COMPARISONS).record
    for name, value in {"_FAILURES": 0, "_WORK": -1}.items():
        monkeypatch.setattr(attack, name, value)
    more = quarters({"2023": (3, 8), "2024": (2, 6), "all": (5, 14)})
    second = publish(more, NO_COMPARISONS, earlier=[first])
    assert not first["shown"].any()
    assert second.measures["status"].eq(HIDDEN).all()
    assert second.proof["counts_proved"] == second.proof["counts_protected"] > 0


def test_what_an_earlier_release_gave_away_stops_the_next_only_if_it_is_about_few() -> None:
    """As it may be found out later that two measures count the same people, or that one is the sum of others."""

    def released_again(second_quarter: tuple[int, int]) -> pd.DataFrame:
        whole = {
            "2024-Q1": (50, 100),
            "2024-Q2": second_quarter,
            "all": (50 + second_quarter[0], 100 + second_quarter[1]),
        }
        first = publish(quarters(whole), NO_COMPARISONS).record
        first = first.assign(listed=True, shown=first["period"].ne("2024-Q2"))
        return publish(quarters(whole), NO_COMPARISONS, earlier=[first]).measures.set_index("period")

    assert released_again((60, 100))["status"].eq("ok").all()
    with pytest.raises(ReleaseRefused, match="IIU602"):
        released_again((4, 40))


@pytest.mark.parametrize(
    ("quarter", "told", "refused"),
    [
        ((60, 100), {"filed"}, False),
        ((60, 100), set(), True),
        ((60, 100), {"another"}, True),
        ((4, 100), {"filed"}, True),
        ((0, 25), {"filed"}, True),
    ],
    ids=["no small count", "the first release", "of another measure", "few", "none of a small group"],
)
def test_what_earlier_releases_gave_away_is_no_exposure_of_the_next_unless_it_is_about_few(
    quarter: tuple[int, int], told: set[str], refused: bool, tmp_path: Path
) -> None:
    """The last look would stop a release for a count that the gate had conceded."""
    rows = quarters({"2024-Q1": (50, 100), "2024-Q2": quarter, "all": (50 + quarter[0], 100 + quarter[1])})
    lone = rows["period"].eq("2024-Q2")
    public = rows.assign(status=lone.map({True: HIDDEN, False: "ok"}), **{c: rows[c].mask(lone) for c in NUMBERS})
    folder = written(tmp_path, public)
    earlier = [pd.DataFrame({"measure_id": [measure], "listed": True}) for measure in told]
    if refused:
        with pytest.raises(ReleaseRefused, match=r"IIU605 filed .*, 2024-Q2"):
            challenge(folder, rows, earlier=earlier)
    else:
        challenge(folder, rows, earlier=earlier)


def without_2024(rows: pd.DataFrame) -> pd.DataFrame:
    """As published, with that year hidden."""
    lone = rows["period"].str.startswith("2024")
    return rows.assign(status=lone.map({True: HIDDEN, False: "ok"}), **{c: rows[c].mask(lone) for c in NUMBERS})


TOLD_OF_FILED = [pd.DataFrame({"measure_id": ["filed"], "listed": True})]


def test_the_last_look_asks_again_when_what_it_found_may_be_conceded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search ends with the first that it finds; behind one that earlier releases gave away stands one that they did not."""
    filed = quarters({"2023": (50, 100), "2024": (60, 120), "all": (110, 220)})
    other = quarters({"2023": (50, 90), "2024": (60, 110), "all": (110, 200)}).assign(measure_id="other")
    rows = pd.concat([filed, other], ignore_index=True)

    def the_first_of(*asked: Any) -> Any:
        found = attack.unproved(*asked)
        return found & (found.cumsum() == 1)

    monkeypatch.setattr(sys.modules[challenge.__module__], "unproved", the_first_of)
    with pytest.raises(ReleaseRefused, match=r"IIU605 other .*, 2024"):
        challenge(written(tmp_path, without_2024(rows)), rows, earlier=TOLD_OF_FILED)


def test_a_count_that_one_of_its_names_hides_for_a_reason_is_conceded_under_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of 25 had an outcome that a measure without quarters and total tells. Whole tables are sought name by name."""
    by_quarter = {f"2023-Q{q}": (15, 30) for q in (1, 2, 3, 4)} | {f"2024-Q{q}": (3, 6 + q // 4) for q in (1, 2, 3, 4)}
    filed = quarters(by_quarter | {"2023": (60, 120), "2024": (12, 25), "all": (72, 145)})
    other = filed.assign(
        measure_id="other", mart="victim", numerator=filed["period"].map({"2023": 48, "all": 48}).fillna(0)
    )
    listed = filed["period"].str.len().eq(4)
    look = sys.modules[challenge.__module__]
    both_looks = look._narrow

    def only_by_name(*asked: Any, whole: bool) -> Any:
        return both_looks(*asked, whole=whole) & whole

    monkeypatch.setattr(look, "_narrow", only_by_name)
    challenge(written(tmp_path, without_2024(filed)), filed, earlier=TOLD_OF_FILED)
    files = written(tmp_path, without_2024(pd.concat([filed, other[listed]])))
    with pytest.raises(ReleaseRefused, match="IIU605 filed denominator, 2024"):
        challenge(files, pd.concat([filed, other], ignore_index=True), earlier=TOLD_OF_FILED)


def test_of_a_measure_that_is_held_back_nothing_leaves_and_the_others_are_released() -> None:
    counts = {"2024-Q1": (50, 100), "2024-Q2": (4, 40), "all": (54, 140)}
    other = quarters({"2024-Q1": (60, 120), "2024-Q2": (70, 130), "all": (130, 250)}).assign(measure_id="other")
    rows = pd.concat([quarters(counts), other], ignore_index=True)
    first = publish(rows, NO_COMPARISONS).record
    first = first.assign(listed=True, shown=first["period"].ne("2024-Q2") | first["measure_id"].eq("other"))
    with pytest.raises(ReleaseRefused, match="IIU602 filed"):
        publish(rows, NO_COMPARISONS, earlier=[first])
    status = publish(rows, NO_COMPARISONS, earlier=[first], held_back=["filed"]).measures
    assert status.groupby("measure_id")["status"].agg(list).to_dict() == {"filed": [HIDDEN], "other": ["ok"] * 3}
    assert "whole measure" in status.set_index("measure_id").loc["filed", "reason"]


def test_what_a_measure_hid_that_is_held_back_is_not_given_away_by_the_others() -> None:
    years = [str(year) for year in range(2010, 2019)]
    few = {year: 3 if year == "2014" else 40 + place for place, year in enumerate(years)}
    rest = {year: 50 + place * place for place, year in enumerate(years)}
    counts = {"few": few, "rest": rest, "whole": {year: few[year] + rest[year] for year in years}}
    rows = pd.concat(
        [quarters({year: (k, 200) for year, k in of.items()}).assign(measure_id=name) for name, of in counts.items()],
        ignore_index=True,
    )
    first = publish(rows[rows["measure_id"].eq("few")], NO_COMPARISONS, registry=UNCOARSENED).record
    now = publish(rows, NO_COMPARISONS, earlier=[first], held_back=["few"], registry=UNCOARSENED).measures
    shown = now[now["period"].eq("2014") & now["status"].ne(HIDDEN)]["measure_id"].tolist()
    assert first.set_index("period")["shown"].to_dict() == {year: year != "2014" for year in years}
    assert len(shown) < 2, "the whole less the rest is 3"
    assert now.loc[now["measure_id"].eq("rest"), "status"].eq("ok").sum() >= 8


def test_a_sum_of_published_years_stops_no_release_though_few_of_it_had_another_outcome() -> None:
    """How many there were each year is told, so it is no secret of how many in all few were released."""
    asked = quarters({"2022": (3, 100), "2023": (50, 100), "2024": (40, 100), "all": (93, 300)})
    told = quarters({"2022": (60, 100), "2023": (4, 100), "2024": (30, 100), "all": (94, 300)})
    few = quarters({"2022": (1, 100), "2023": (2, 100), "2024": (2, 100), "all": (5, 300)})
    rows = pd.concat([asked, told.assign(measure_id="told"), few.assign(measure_id="few")], ignore_index=True)
    record = publish(rows, NO_COMPARISONS).record
    slip = record["numerator"].between(11, 60)  # as it was not known yet that the three speak of the same people
    again = publish(rows, NO_COMPARISONS, earlier=[record.assign(listed=True, shown=slip)])
    status = again.measures.set_index(["measure_id", "period"])["status"]
    assert status[status.ne(HIDDEN)].index.tolist() == record[slip].set_index(["measure_id", "period"]).index.tolist()


def test_what_a_measure_told_that_is_gone_since_is_known_of_those_that_are_left() -> None:
    """A measure that has another name since, or is not computed any more, is still in the reader's hands."""
    counts = {"2023": (60, 100), "2024": (3, 50), "all": (63, 150)}
    rows = quarters(counts)

    def now(earlier: list[pd.DataFrame]) -> dict[str, str]:
        measures = publish(rows, NO_COMPARISONS, earlier=earlier, registry=UNCOARSENED).measures
        return measures.set_index("period")["status"].to_dict()

    record = publish(rows, NO_COMPARISONS, registry=UNCOARSENED).record
    gone = record.assign(measure_id="gone", shown=rows["period"].eq("2023"))
    assert now([]) == {"2023": HIDDEN, "2024": HIDDEN, "all": "ok"}
    assert now([gone]) == {"2023": "ok", "2024": HIDDEN, "all": HIDDEN}


def test_what_a_measure_told_that_is_gone_since_is_known_of_those_that_it_was_the_sum_of() -> None:
    years = [str(year) for year in range(2010, 2019)]
    begun = {year: (40 + place, 200) for place, year in enumerate(years)}
    settled = {year: (3 if year == "2014" else 60 + place * place, 200) for place, year in enumerate(years)}
    both = {year: (begun[year][0] + settled[year][0], 200) for year in years}
    rows = [quarters(counts).assign(measure_id=name) for name, counts in {"begun": begun, "settled": settled}.items()]
    now = pd.concat(rows, ignore_index=True)
    gone = publish(quarters(both), NO_COMPARISONS, registry=UNCOARSENED).record.assign(measure_id="gone")
    assert gone["shown"].all()
    status = publish(now, NO_COMPARISONS, earlier=[gone], registry=UNCOARSENED).measures
    assert status.set_index(["period", "measure_id"]).loc["2014", "status"].to_dict() == {
        "begun": HIDDEN,
        "settled": HIDDEN,
    }


def test_that_two_totals_give_away_that_nobody_came_between_stops_no_release() -> None:
    """Of 2023 nobody spoke until a total of later years was as large as one before: its 8 are still no one's business."""
    counts = {"2022": (25, 300), "2023": (0, 8), "2024": (0, 300)}
    records: list[pd.DataFrame] = []
    for end in ("2022", "2024"):
        until = {year: count for year, count in counts.items() if year <= end}
        rows = quarters(until | {"all": (25, sum(n for _, n in until.values()))})
        named = rows["period"].isin(["2022", "all"]).to_numpy()
        records.append(publish(rows, NO_COMPARISONS, earlier=records).record.assign(listed=named, shown=named))
    later = {str(year): (40, 300) for year in range(2025, 2029)}
    third = publish(quarters(counts | later | {"all": (185, 1808)}), NO_COMPARISONS, earlier=records)
    status = third.measures.set_index("period")["status"]
    assert status.eq(HIDDEN).to_dict() == {period: period in {"2023", "2024"} for period in status.index}
    assert set(status.index) == {*counts, *later, "all"}
    assert third.proof["counts_proved"] == third.proof["counts_protected"] > 0


def test_what_earlier_releases_give_away_together_is_given_away_though_no_line_says_it() -> None:
    """Three counts told two by two: nothing is hidden for their sake that no hiding can bring back."""
    registry = load_registry()
    measures = [either("CHG-11", "charging", 31, 42), either("M-1", "victim", 42, 53), either("M-2", "victim", 31, 53)]
    rows = pd.concat(measures, ignore_index=True)
    system = build_system(rows, registry, same=same_counts(rows, registry))
    sums_were_told = rows["stratum"].eq("all").to_numpy()
    gate = make_gate(system, rows, registry, sums_were_told, told=frozenset(["CHG-11", "M-1", "M-2"]))
    low, high = propagate(system, gate.known(sums_were_told))
    names = system.names
    of_2023 = np.flatnonzero(
        gate.given_away & names["period"].eq("2023") & names["role"].eq("numerator") & names["stratum"].ne("all")
    )
    assert sorted(system.value[of_2023].tolist()) == [31, 42, 53]
    assert (high - low)[of_2023].min() >= 20, "as each line by itself has it"


def test_of_nobody_it_is_known_how_many_had_the_outcome() -> None:
    asked = outcome("asked", 200, 0, 50)
    told = long_table({("white", "citizen"): (90, 200), ("black", "citizen"): (0, 0), ("asian", "citizen"): (20, 50)})
    rows = pd.concat([asked, told.assign(measure_id="told")], ignore_index=True)
    gate = make_gate(
        build_system(rows, load_registry(), same=same_counts(rows, load_registry())), rows, load_registry()
    )
    at = (rows["measure_id"].eq("told") & rows["race"].eq("black")).to_numpy()
    nothing = np.zeros(len(rows), dtype=bool)
    assert not gate.known(nothing)[gate.system.nodes[at]].any()
    assert gate.known((rows["measure_id"].eq("asked") & rows["race"].eq("black")).to_numpy())[
        gate.system.nodes[at]
    ].all()


def test_totals_of_finished_years_are_told_again_each_quarter() -> None:
    whole = {"2023-Q1": (50, 100), "2023-Q2": (60, 100), "2023-Q3": (50, 90), "2023-Q4": (40, 90)}
    whole |= {"2023": (200, 380), "all": (200, 380)}
    first = publish(quarters(whole | {"2024-Q1": (50, 100)}), NO_COMPARISONS)
    second = publish(
        quarters(whole | {"2024-Q1": (50, 100), "2024-Q2": (2, 40)}), NO_COMPARISONS, earlier=[first.record]
    ).measures.set_index("period")["status"]
    assert set(first.record["window"]) == {"2023-Q1/2023-Q4"}
    assert second["all"] == second["2024-Q1"] == "ok"
    assert second["2024-Q2"] == HIDDEN, "and the total does not hold it"


def test_a_published_number_does_not_change_in_silence() -> None:
    record = publish(quarters({"2024-Q1": (50, 100), "all": (50, 100)}), NO_COMPARISONS).record
    revised = quarters({"2024-Q1": (52, 100), "all": (52, 100)})
    with pytest.raises(ReleaseRefused, match="IIU611"):
        publish(revised, NO_COMPARISONS, earlier=[record])


@pytest.mark.parametrize(("added", "visible"), [(2, False), (30, True)])
def test_a_correction_shows_a_number_only_if_the_change_is_not_about_few(added: int, visible: bool) -> None:
    record = publish(quarters({"2024-Q1": (50, 200), "all": (50, 200)}), NO_COMPARISONS).record
    revised = quarters({"2024-Q1": (50 + added, 200), "all": (50 + added, 200)})
    published = publish(revised, NO_COMPARISONS, earlier=[record], corrected=["filed"]).measures
    assert published["status"].ne(HIDDEN).all() == visible


def test_what_was_published_once_is_published_again() -> None:
    rows = long_table(LONE)
    first = publish(rows, NO_COMPARISONS)
    again = publish(rows, NO_COMPARISONS, earlier=[first.record])
    pd.testing.assert_frame_equal(first.measures, again.measures)


def test_counts_that_agree_in_the_few_rows_that_are_listed_are_not_one_for_that() -> None:
    one = long_table({("white", "citizen"): (40, 400), ("black", "citizen"): (30, 300)})
    other = long_table({("white", "citizen"): (30, 300), ("black", "citizen"): (40, 400)}).assign(measure_id="other")
    rows = pd.concat([one, other])
    totals = rows[rows["race"].eq("all") & rows["citizenship"].eq("all")]
    assert same_counts(totals, load_registry()).number.nunique() == 3
    assert apart(same_counts(rows, load_registry()), totals, load_registry()).number.nunique() == 6


def test_a_table_of_two_breakdowns_of_a_measure_that_counts_too_few_is_refused_in_the_files(tmp_path: Path) -> None:
    rows = long_table({("white", "citizen"): (400, 800), ("black", "citizen"): (300, 600)})
    few = rows.assign(measure_id="ICE-01")
    assert "ICE-01" in load_registry().too_few_to_cross["measure_id"]
    assert refusal(written(tmp_path, rows), rows) == []
    assert any(p.startswith("IIU603") for p in refusal(written(tmp_path, few), few))
    assert refusal(written(tmp_path, publish(few, NO_COMPARISONS).measures), few) == []


def test_the_default_registry_has_one_name_for_each_table() -> None:
    registry = load_registry()
    assert registry.threshold < registry.restricted_threshold < registry.all_or_none
    assert "" in registry.tables

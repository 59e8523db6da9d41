"""The gate: what it hides, what it lets through, and that the two cannot be told apart by subtraction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from pipeline.disclose import HIDDEN, load_registry, publish
from pipeline.errors import AuditError
from pipeline.measures import COMPARISON_COLUMNS, measure_table
from tests.small_county import county
from tests.test_measures import NO_VALUES, SETTINGS, SUPPLIED, catalogue

CELL = ["measure_id", "period", "race", "citizenship", "offence_group", "stratum"]
NO_COMPARISONS = pd.DataFrame(columns=COMPARISON_COLUMNS)


def long_table(counts: dict[tuple[str, str], tuple[int, int]], mart: str = "charging") -> pd.DataFrame:
    """(race, citizenship) -> (numerator, denominator), with the margins, for the period `all`."""
    parts = [{"race": r, "citizenship": c, "numerator": k, "denominator": n} for (r, c), (k, n) in counts.items()]
    cells = pd.DataFrame(parts)
    levels = [
        cells,
        cells.assign(race="all"),
        cells.assign(citizenship="all"),
        cells.assign(race="all", citizenship="all"),
    ]
    rows = pd.concat(levels).groupby(["race", "citizenship"], as_index=False).sum()
    unknown = rows.assign(citizenship="unknown")[["race"]].merge(
        rows.loc[rows["citizenship"].eq("unknown"), ["race", "denominator"]],
        on="race",
        how="left",
    )
    rows = rows.assign(
        measure_id="filed", mart=mart, period="all", offence_group="all", stratum="all", ci_method="wilson",
        unknown_citizenship=unknown["denominator"].fillna(0), estimate=rows["numerator"] / rows["denominator"],
        ci_low=0.0, ci_high=1.0, bound_low=0.0, bound_high=1.0, status="ok", reason="",
    )  # fmt: skip
    return rows.astype({"numerator": "Int64", "denominator": "Int64"})


#: Small tables show what is hidden beside a small cell; that a poor table is withheld whole is a matter of its own.
UNCOARSENED = replace(load_registry(), shown_share=0.0)


def shown(rows: pd.DataFrame) -> set[tuple[str, str]]:
    """The (race, citizenship) whose counts are published."""
    visible = publish(rows, NO_COMPARISONS, registry=UNCOARSENED).measures.query("status != @HIDDEN")
    return set(zip(visible["race"], visible["citizenship"], strict=True))


RACES_APART = {
    ("white", "citizen"): (200, 400),
    ("black", "citizen"): (100, 300),
    ("asian", "citizen"): (40, 90),
}


def test_large_groups_are_shown_as_they_are() -> None:
    rows = long_table(RACES_APART)
    published = publish(rows, NO_COMPARISONS, registry=UNCOARSENED).measures
    assert published["numerator"].tolist() == rows["numerator"].tolist()
    assert list(published.columns) == list(rows.columns)


def test_a_lone_small_cell_takes_another_with_it() -> None:
    hidden = {
        ("asian", "citizen"),
        ("asian", "all"),
        ("black", "citizen"),
        ("black", "all"),
    }
    rows = long_table({**RACES_APART, ("asian", "citizen"): (4, 90)})
    assert shown(rows) == {(r, c) for r in ("white", "black", "asian", "all") for c in ("citizen", "all")} - hidden


@pytest.mark.parametrize(
    ("numerator", "denominator", "visible"),
    [
        (10, 90, False),
        (11, 90, True),
        (80, 90, False),
        (79, 90, True),
        (0, 29, False),
        (0, 30, True),
        (30, 30, True),
    ],
)
def test_thresholds_hold_for_numerator_complement_and_whole_groups(
    numerator: int, denominator: int, visible: bool
) -> None:
    rows = long_table({**RACES_APART, ("asian", "citizen"): (numerator, denominator)})
    assert (("asian", "all") in shown(rows)) is visible


def test_cells_that_name_noncitizens_need_twenty() -> None:
    registry = load_registry()
    rows = long_table({(r, c): (15, 40) for r in ("white", "black") for c in ("citizen", "noncitizen", "unknown")})
    assert registry.restricted_threshold == 20
    assert ("white", "citizen") in shown(rows) or ("white", "unknown") in shown(rows)
    assert not {("white", "noncitizen"), ("black", "noncitizen")} & shown(rows)


def test_ice_contact_needs_twenty_in_every_cell() -> None:
    rows = long_table(
        {("white", "citizen"): (15, 100), ("black", "citizen"): (15, 100)},
        mart="ice_contact",
    )
    assert shown(rows) == {("all", "all"), ("all", "citizen")}


def test_a_hidden_row_says_nothing_but_that_it_is_hidden() -> None:
    rows = long_table({**RACES_APART, ("asian", "citizen"): (4, 90)})
    hidden = publish(rows, NO_COMPARISONS, registry=UNCOARSENED).measures.query("status == @HIDDEN")
    numbers = [
        "numerator",
        "denominator",
        "unknown_citizenship",
        "estimate",
        "ci_low",
        "ci_high",
        "bound_low",
        "bound_high",
    ]
    assert hidden[numbers].isna().all(axis=None)
    assert hidden["reason"].nunique() == 1
    assert len(hidden) == 4


def test_bounds_are_shown_only_where_the_unknown_group_is() -> None:
    cells = {(r, c): (60, 150) for r in ("white", "black") for c in ("citizen", "noncitizen", "unknown")}
    cells |= {
        ("white", "citizen"): (600, 1500),
        ("black", "citizen"): (600, 1500),
        ("white", "unknown"): (3, 8),
    }
    published = publish(long_table(cells), NO_COMPARISONS, registry=UNCOARSENED).measures.set_index(
        ["race", "citizenship"]
    )
    assert published.loc[("white", "citizen"), "status"] == "ok"
    assert pd.isna(published.loc[("white", "citizen"), "bound_low"])
    assert pd.isna(published.loc[("white", "citizen"), "unknown_citizenship"])
    assert published.loc[("all", "citizen"), "status"] == "ok"
    assert published.loc[("all", "citizen"), "unknown_citizenship"] == 158


def test_a_count_shown_under_one_name_is_hidden_under_another() -> None:
    filed = long_table({**RACES_APART, ("asian", "citizen"): (95, 100)})
    declined = filed.assign(measure_id="declined", numerator=filed["denominator"] - filed["numerator"])
    published = publish(pd.concat([filed, declined], ignore_index=True), NO_COMPARISONS).measures
    hidden = published[published["status"].eq(HIDDEN)].groupby("measure_id")[["race", "citizenship"]].agg(list)
    assert hidden.loc["filed"].equals(hidden.loc["declined"])
    assert "asian" in hidden.loc["filed", "race"]


def test_tables_that_are_not_declared_are_left_out() -> None:
    rows = long_table(RACES_APART)
    undeclared = rows.assign(offence_group="drug").query("race != 'all'")
    assert set(publish(pd.concat([rows, undeclared]), NO_COMPARISONS).measures["offence_group"]) == {"all"}


NOT_CROSSED = replace(UNCOARSENED, too_few_to_cross={"measure_id": ("filed",)})


def test_a_measure_that_counts_too_few_people_is_told_by_race_and_by_citizenship_and_not_by_both() -> None:
    rows = long_table({**RACES_APART, ("white", "noncitizen"): (60, 120), ("black", "noncitizen"): (50, 100)})
    published = publish(rows, NO_COMPARISONS, registry=NOT_CROSSED)
    assert published.tables["breakdown"].tolist() == ["", "citizenship", "race"]
    assert not (published.measures["race"].ne("all") & published.measures["citizenship"].ne("all")).any()
    assert published.measures["status"].eq("ok").all()
    assert publish(rows, NO_COMPARISONS).tables["breakdown"].tolist()[-1] == "race+citizenship"


def test_nobody_is_worked_out_from_the_margins_of_a_table_that_is_not_told() -> None:
    """Of 15 Asians with the outcome no more than 15 are noncitizens: of these 5 a reader may know nothing within 20."""
    cells = {**RACES_APART, ("black", "noncitizen"): (50, 100), ("asian", "citizen"): (10, 20)}
    rows = long_table({**cells, ("asian", "noncitizen"): (5, 20)})
    of_races_alone = rows[rows["citizenship"].eq("all")]

    def races(rows: pd.DataFrame) -> set[str]:
        visible = publish(rows, NO_COMPARISONS, registry=NOT_CROSSED).measures.query("status != @HIDDEN")
        return set(visible["race"])

    assert races(of_races_alone) == {"all", "white", "black", "asian"}
    assert "asian" not in races(rows)


def test_a_margin_that_is_not_the_sum_of_its_parts_stops_the_release() -> None:
    rows = long_table(RACES_APART)
    rows.loc[rows["race"].eq("asian"), "numerator"] += 1
    with pytest.raises(AuditError, match="IIU601"):
        publish(rows, NO_COMPARISONS)


def test_a_table_that_can_show_too_few_of_its_cells_is_withheld_whole() -> None:
    rows = long_table({**RACES_APART, ("asian", "citizen"): (4, 90)})
    published = publish(rows, NO_COMPARISONS)
    races = published.measures.query("race != 'all'")
    assert races["status"].eq(HIDDEN).all()
    assert published.tables.set_index("breakdown").loc["race", "finest_period"] == "withheld"


#: Six races, of which four can be shown; nobody's is unknown.
NO_RACE_UNKNOWN = {**RACES_APART, ("asian", "citizen"): (4, 90), ("latino", "citizen"): (70, 150), ("other races", "citizen"): (10, 130), ("unknown", "citizen"): (0, 0)}  # fmt: skip


def finest_of_races(*measures: pd.DataFrame) -> str:
    """The finest period at which the first measure is told by race."""
    rows = pd.concat([rows.assign(measure_id=f"M-{i}") for i, rows in enumerate(measures)], ignore_index=True)
    tables = publish(rows, NO_COMPARISONS).tables.set_index(["measure_id", "breakdown"])
    return str(tables.loc[("M-0", "race"), "finest_period"])


def test_a_group_that_has_nobody_in_all_the_records_is_told_so_and_is_no_cell() -> None:
    assert load_registry().shown_share == 0.6, "five races and two hidden show 60 %, six and three do not"
    rows = long_table(NO_RACE_UNKNOWN)
    published = publish(rows, NO_COMPARISONS)
    unknown = published.measures.query("race == 'unknown' and citizenship == 'all'")
    assert unknown[["numerator", "denominator", "status"]].to_numpy().tolist() == [[0, 0, "ok"]]
    assert published.tables.set_index("breakdown").loc["race", ["cells", "shown"]].tolist() == [5, 3]


def test_a_count_without_a_denominator_has_a_total_as_well() -> None:
    rows = long_table({**NO_RACE_UNKNOWN, ("asian", "citizen"): (7, 90)}).assign(denominator=pd.NA, estimate=pd.NA)
    rows = rows.astype({"denominator": "Int64"})
    published = publish(rows, NO_COMPARISONS).measures.set_index(["race", "citizenship"])
    assert published.loc[("all", "all"), "numerator"] == 387
    hidden = published.index[published["status"].eq(HIDDEN)].get_level_values("race")
    assert len(set(hidden)) == 2, "the total less all other races is the small one"


def test_a_group_that_is_missing_from_one_measure_alone_is_a_cell_of_it() -> None:
    rows = long_table(NO_RACE_UNKNOWN)
    recorded_for_one_less = long_table({**NO_RACE_UNKNOWN, ("unknown", "citizen"): (0, 1)})
    assert finest_of_races(rows, long_table(RACES_APART)) == "all"
    assert finest_of_races(rows, recorded_for_one_less) == "withheld"


def test_a_column_that_is_not_recorded_breaks_nothing_down() -> None:
    rows = long_table({("unknown", "citizen"): (300, 800), ("white", "citizen"): (0, 0), ("black", "citizen"): (0, 0)})
    assert not load_registry().of_nobody(rows).any()
    assert finest_of_races(rows) == "withheld"


def test_of_an_office_that_counted_nothing_nothing_is_published() -> None:
    assert load_registry().thresholds(long_table({("white", "citizen"): (30, 80)})[:0]).tolist() == []
    nothing = publish(long_table({("white", "citizen"): (30, 80)})[:0], NO_COMPARISONS)
    assert nothing.measures.empty
    assert nothing.proof["method"] == "nothing to hide"


def test_that_all_have_the_outcome_may_be_said_though_one_group_of_them_is_small() -> None:
    counted = long_table({**RACES_APART, ("asian", "citizen"): (12, 25)})
    of_all = counted.assign(measure_id="of all", numerator=counted["denominator"])
    rows = pd.concat([counted, of_all], ignore_index=True)
    published = publish(rows, NO_COMPARISONS, registry=UNCOARSENED).measures
    status = published.set_index(["measure_id", "race", "citizenship"])["status"]
    assert status["of all", "all", "all"] == "ok"
    assert status["of all", "asian", "all"] == HIDDEN, "all of twenty-five people"
    assert status["filed", "asian", "all"] == "ok"


def test_horizons_with_nobody_between_them_are_two_counts() -> None:
    rows = pd.concat(
        [long_table(RACES_APART).assign(stratum=s, ci_method="kaplan_meier_log_log") for s in ("by_2", "by_6")]
    )
    rows.loc[rows["stratum"].eq("by_2"), "numerator"] = 0
    rows = rows[rows["race"].eq("all") | rows["citizenship"].eq("all")]  # by day as well it would be too fine a table
    published = publish(rows, NO_COMPARISONS).measures
    assert published["status"].eq("ok").all()
    assert published["numerator"].tolist() == rows["numerator"].tolist()


def test_parts_that_happen_to_be_of_one_size_are_not_taken_for_the_same_people() -> None:
    part = long_table(
        {("white", "citizen"): (12, 40), ("black", "citizen"): (25, 60), ("white", "noncitizen"): (9, 50)}
    )
    whole = part.assign(numerator=part["numerator"] * 3, denominator=part["denominator"] * 3)
    parts = [part.assign(stratum=name) for name in ("advocate", "bail", "plea")]
    published = publish(pd.concat([whole, *parts], ignore_index=True), NO_COMPARISONS)
    assert "ok" in set(published.measures["status"])


def test_what_counts_no_people_is_shown_as_it_is_and_never_by_group() -> None:
    registry = replace(load_registry(), about_nobody=("POL-01",))
    policies = long_table({("unknown", "unknown"): (3, 4)}).assign(measure_id="POL-01", mart="policy")
    people = long_table({("white", "citizen"): (3, 400), ("black", "citizen"): (200, 400)})
    published = publish(pd.concat([policies, people]), NO_COMPARISONS, registry=registry).measures
    of_policies = published[published["measure_id"] == "POL-01"]
    assert of_policies[["race", "citizenship", "numerator", "status"]].to_numpy().tolist() == [["all", "all", 3, "ok"]]
    of_people = published[(published["measure_id"] != "POL-01") & (published["race"] == "white")]
    assert set(of_people["status"]) == {HIDDEN}


def test_a_measure_that_hiding_cannot_protect_is_hidden_whole_and_the_others_are_told() -> None:
    shown_alone = long_table(RACES_APART)
    # One case, and it is all there is of the one kind: that none is of another kind cannot be put in doubt.
    lone = long_table({("white", "citizen"): (1, 1)}).assign(measure_id="M-2")
    both = pd.concat([shown_alone, lone, lone.assign(stratum="kind")], ignore_index=True)
    published = publish(both, NO_COMPARISONS, registry=UNCOARSENED).measures
    assert published.query("measure_id == 'filed'")["status"].eq("ok").all()
    hidden = published.query("measure_id == 'M-2'")
    assert hidden["status"].tolist() == [HIDDEN]
    assert hidden["numerator"].isna().all()


def test_a_total_that_was_hidden_for_a_table_that_is_withheld_is_told() -> None:
    """How many were filed, how many were not, and how many there were: 132, 65 and 197."""
    cells = {("black", "citizen"): (45, 45), ("black", "noncitizen"): (62, 62)}
    filed = long_table(cells | {("white", "citizen"): (0, 0), ("white", "noncitizen"): (25, 90)})
    declined = filed.assign(measure_id="declined", numerator=filed["denominator"] - filed["numerator"])
    decided = filed.assign(measure_id="decided", numerator=filed["denominator"])
    rows = pd.concat([filed, declined, decided], ignore_index=True)
    told = publish(rows, NO_COMPARISONS).measures.query("race == 'all' and citizenship == 'all'")
    assert told.set_index("measure_id")["numerator"].to_dict() == {"filed": 132, "declined": 65, "decided": 197}


def test_each_table_shows_most_of_its_cells_in_a_county_of_120_000_cases() -> None:
    registry = load_registry()
    cells = county(120_000, 40, {"M-1": (1.0, 0.55)}, seed=1)
    # As in most offices: hardly an offence is of no group that has a name, and of few cases it is not recorded.
    rare = cells["offence_group"].isin(["other", "unknown"])
    cells.loc[rare, ["numerator", "denominator"]] //= 4
    settings = replace(SETTINGS, period_from=date(2015, 1, 1), period_to=date(2024, 12, 31))
    rows = measure_table(cells, NO_VALUES, catalogue().assign(mart="charging"), SUPPLIED, settings)
    tables = publish(rows, NO_COMPARISONS).tables.set_index("breakdown")
    declared = {name for name in registry.tables if "stratum" not in name and "horizon" not in name}
    assert set(tables.index) == declared
    assert "withheld" not in set(tables["finest_period"])
    assert tables["share"].min() >= registry.shown_share == 0.6
    # Only where small groups are shown together can the finest of the tables be told by year.
    assert tables.loc["race+citizenship", "finest_period"] == "year"

"""The two long tables, from a handful of cells whose sums can be done by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from pipeline.config import AuditSettings
from pipeline.disclose.history import window_of
from pipeline.measures import COMPARISON_COLUMNS, MEASURE_COLUMNS, MEASURE_KEY, comparison_table, measure_table

SETTINGS = AuditSettings(
    office="a_county",
    title="A County",
    jurisdiction="US-XX",
    as_of_date=date(2024, 7, 1),
    period_from=date(2023, 7, 1),
    period_to=date(2024, 6, 30),
    reference_race="white",
    reference_citizenship="citizen",
    seed=1,
)
SUPPLIED = [("citizenship_assertion", "value"), ("referral", "decision"), ("referral", "decision_date")]
NO_VALUES = pd.DataFrame(
    columns=["measure_id", "quarter", "race", "citizenship", "offence_group", "stratum", "value", "outcome", "cases"]
)


def catalogue(kind: str = "rate", *, unit: str = "share", needs: str = "referral.decision") -> pd.DataFrame:
    return pd.DataFrame([{"measure_id": "M-1", "mart": "m", "kind": kind, "unit": unit, "required_columns": needs}])


def cells(*rows: tuple[str | None, str, str, str, str | None, int, int]) -> pd.DataFrame:
    names = ["quarter", "race", "citizenship", "offence_group", "stratum", "numerator", "denominator"]
    return pd.DataFrame(list(rows), columns=names).assign(measure_id="M-1")


def values(*rows: tuple[str, str, str, int, str, int]) -> pd.DataFrame:
    names = ["quarter", "race", "citizenship", "value", "outcome", "cases"]
    return pd.DataFrame(list(rows), columns=names).assign(measure_id="M-1", offence_group="drug", stratum=None)


CELLS = cells(
    ("2023-Q3", "white", "citizen", "drug", None, 30, 100),
    ("2023-Q3", "white", "noncitizen", "drug", None, 12, 20),
    ("2024-Q1", "white", "citizen", "violent", None, 10, 50),
    ("2024-Q1", "black", "noncitizen", "drug", None, 24, 40),
    ("2024-Q1", "black", "unknown", "drug", None, 3, 10),
    (None, "black", "citizen", "drug", None, 500, 500),
)


def table(frame: pd.DataFrame = CELLS, **kwargs: str) -> pd.DataFrame:
    return measure_table(frame, NO_VALUES, catalogue(**kwargs), SUPPLIED, SETTINGS)


def row(frame: pd.DataFrame, **labels: str) -> pd.Series:
    """The one row with these labels; every other one is the margin."""
    wanted = dict.fromkeys(["period", "race", "citizenship", "offence_group", "stratum"], "all") | labels
    found = frame[np.logical_and.reduce([frame[c] == v for c, v in wanted.items()])]
    assert len(found) == 1
    return found.iloc[0]


def counts(of: pd.Series) -> list[int]:
    return [int(of["numerator"]), int(of["denominator"]), int(of["unknown_citizenship"])]


def test_columns_are_those_of_the_published_table_and_no_key_occurs_twice() -> None:
    found = table()
    assert list(found.columns) == MEASURE_COLUMNS
    assert not found.duplicated(MEASURE_KEY).any()


def test_every_margin_is_the_sum_of_its_cells() -> None:
    found = table()
    assert counts(row(found)) == [79, 220, 10]
    assert counts(row(found, race="white")) == [52, 170, 0]
    assert counts(row(found, period="2024")) == [37, 100, 10]
    assert counts(row(found, period="2024", citizenship="noncitizen", offence_group="drug")) == [24, 40, 10]
    assert counts(row(found, race="black", offence_group="drug")) == [27, 50, 10]
    assert counts(row(found, period="2023", race="white", citizenship="noncitizen")) == [12, 20, 0]


def test_decisions_without_a_quarter_are_not_counted() -> None:
    assert row(table(), race="black", citizenship="citizen")["denominator"] == 0


def test_an_empty_cell_is_a_row_without_a_rate_and_never_a_rate_of_zero() -> None:
    found = row(table(), period="2023-Q4", race="black")
    assert found["status"] == "not_estimable"
    assert found["denominator"] == 0
    assert pd.isna(found["estimate"])
    assert pd.isna(found["ci_low"])


def test_every_race_appears_in_every_period_and_in_each_breakdown() -> None:
    found = table()
    quarters = ["2023-Q3", "2023-Q4", "2024-Q1", "2024-Q2"]
    assert list(found["period"].unique()) == ["all", "2023", "2024", *quarters]
    per_period = found[found["citizenship"] == "all"].groupby("period")["race"].agg(set)
    assert all(races == {"all", "black", "unknown", "white"} for races in per_period)


def test_small_groups_are_counted_together_as_well_as_apart_and_never_twice_in_the_whole() -> None:
    more = cells(
        ("2023-Q3", "aian", "citizen", "public_order", None, 1, 4),
        ("2023-Q3", "nhpi", "noncitizen", "other", None, 2, 5),
        ("2024-Q1", "nhpi", "unknown", "drug", None, 3, 6),
    )
    found = table(pd.concat([CELLS, more], ignore_index=True))
    assert counts(row(found, race="another_group")) == [6, 15, 6]
    assert counts(row(found, race="another_group", citizenship="noncitizen", period="2023")) == [2, 5, 0]
    assert counts(row(found, offence_group="another_offence")) == [3, 9, 0]
    assert counts(row(found))[:2] == [79 + 6, 220 + 15]


def test_a_pool_of_one_group_is_that_group() -> None:
    assert not {"another_group", "another_offence"} & set(table()[["race", "offence_group"]].to_numpy().ravel())


def test_what_is_crossed_grows_with_the_period() -> None:
    found = table()
    crossed = found[["race", "citizenship", "offence_group"]] != "all"
    names = crossed.apply(lambda at: "+".join(c for c in crossed if at[c]), axis=1)
    length = found["period"].map(lambda period: "whole" if period == "all" else "quarter" if "Q" in period else "year")
    in_quarter = {"", "race", "citizenship"}
    in_year = in_quarter | {"offence_group", "race+citizenship", "citizenship+offence_group"}
    assert names.groupby(length).agg(set).to_dict() == {
        "quarter": in_quarter,
        "year": in_year,
        "whole": in_year | {"race+offence_group"},
    }


def test_totals_of_finished_years_end_with_the_last_year_that_is_over() -> None:
    settings = replace(SETTINGS, totals="finished_years")
    found = measure_table(CELLS, NO_VALUES, catalogue(), SUPPLIED, settings)
    assert counts(row(found)) == counts(row(found, period="2023")) == [42, 120, 0]
    assert counts(row(found, period="2024-Q1")) == [37, 100, 10]
    assert "2024" not in set(found["period"])
    assert (SETTINGS.window, settings.window, window_of(found)) == (
        "2023-Q3/2024-Q2",
        "2023-Q3/2023-Q4",
        "2023-Q3/2023-Q4",
    )
    none_is_over = replace(settings, period_from=date(2024, 1, 1))
    assert counts(row(measure_table(CELLS, NO_VALUES, catalogue(), SUPPLIED, none_is_over))) == [37, 100, 10]


def test_a_rate_has_wilsons_interval() -> None:
    found = row(table(), race="white", citizenship="citizen")
    assert found["estimate"] == pytest.approx(40 / 150)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(proportion_confint(40, 150, method="wilson"))
    assert found["ci_method"] == "wilson"
    assert found["status"] == "ok"


def test_few_cases_or_a_wide_interval_are_unreliable() -> None:
    few = row(table(), race="white", citizenship="noncitizen")
    assert (few["status"], few["reason"]) == ("unreliable", "Fewer than 30 cases.")
    wide = row(table(cells(("2024-Q1", "black", "citizen", "drug", None, 16, 32))))
    assert (wide["status"], wide["reason"]) == ("unreliable", "The interval is wider than 30%.")


def test_only_the_known_citizenship_groups_have_bounds() -> None:
    found = table()
    group = row(found, race="black", citizenship="noncitizen")
    # Ten are unknown, three of them with the event: those without it inside, or those with it.
    assert (group["bound_low"], group["bound_high"]) == pytest.approx((24 / 47, 27 / 43))
    for citizenship in ("all", "unknown"):
        assert pd.isna(row(found, race="black", citizenship=citizenship)["bound_low"])


def test_a_measure_that_lacks_a_column_is_one_row_that_names_it() -> None:
    found = table(needs="referral.decision charge.severity|charge.severity_rank hearing.at")
    assert len(found) == 1
    only = found.iloc[0]
    assert only["status"] == "not_computable"
    assert only["reason"] == "Not supplied by this office: charge.severity or charge.severity_rank; hearing.at."
    assert pd.isna(only["estimate"])
    assert pd.isna(only["denominator"])


def test_either_of_two_alternative_columns_is_enough() -> None:
    assert row(table(needs="referral.received_at|referral.decision_date"))["status"] == "ok"


def test_without_recorded_citizenship_one_row_says_so_and_none_is_guessed() -> None:
    found = measure_table(CELLS, NO_VALUES, catalogue(), SUPPLIED[1:], SETTINGS)
    specific = found[found["citizenship"] != "all"]
    assert specific["status"].tolist() == ["not_computable"]
    assert str(specific["reason"].item()).startswith("Not supplied by this office: citizenship_assertion.value.")
    assert counts(row(found, race="white")) == [52, 170, 0]


def test_a_measure_without_any_case_is_one_row() -> None:
    found = table(CELLS[:0])
    assert found[["status", "denominator"]].to_numpy().tolist() == [["not_estimable", 0]]


def test_a_mix_divides_each_stratum_by_all_strata() -> None:
    frame = cells(
        ("2023-Q3", "white", "citizen", "drug", "cash", 30, 30),
        ("2023-Q3", "white", "citizen", "drug", "release", 50, 50),
        ("2023-Q3", "white", "unknown", "drug", "release", 20, 20),
    )
    found = table(frame, kind="mix")
    assert counts(row(found, stratum="cash")) == [30, 100, 20]
    assert counts(row(found, stratum="release", citizenship="citizen")) == [50, 80, 20]
    assert row(found, stratum="cash", citizenship="citizen")["estimate"] == 30 / 80


def test_a_rate_with_strata_has_each_of_them_and_their_sum() -> None:
    frame = cells(
        ("2023-Q3", "white", "citizen", "drug", "felony", 3, 10),
        ("2023-Q3", "white", "citizen", "drug", "misdemeanor", 5, 40),
    )
    found = table(frame)
    assert counts(row(found)) == [8, 50, 0]
    assert counts(row(found, stratum="felony")) == [3, 10, 0]


def test_a_total_is_the_sum_of_the_values_and_of_nothing_it_is_zero() -> None:
    histogram = values(
        ("2023-Q3", "white", "citizen", 100, "event", 2),
        ("2023-Q3", "white", "unknown", 7, "event", 1),
        ("2024-Q1", "black", "citizen", -30, "event", 3),
    ).assign(stratum=["jail", "prison", "jail"])
    found = measure_table(CELLS[:0], histogram, catalogue("total", unit="usd"), SUPPLIED, SETTINGS)
    everything = row(found)
    assert (everything["estimate"], everything["denominator"], everything["status"]) == (117, 6, "ok")
    assert pd.isna(everything["numerator"])
    assert row(found, stratum="jail")["estimate"] == 110
    assert row(found, period="2024")["estimate"] == -90
    citizens = row(found, citizenship="citizen")
    assert (citizens["estimate"], citizens["bound_low"], citizens["bound_high"]) == (110, 110, 117)
    nothing = row(found, race="black", period="2023")
    assert (nothing["estimate"], nothing["denominator"], nothing["status"]) == (0, 0, "ok")
    assert comparison_table(found, SETTINGS).empty


def test_a_total_of_no_row_at_all_is_one_zero() -> None:
    found = measure_table(CELLS[:0], NO_VALUES, catalogue("total", unit="usd"), SUPPLIED, SETTINGS)
    assert len(found) == 1
    assert (found["estimate"][0], found["status"][0]) == (0, "ok")


def test_a_count_has_no_denominator_and_a_count_of_zero_is_a_count() -> None:
    found = table(kind="count")
    everything = row(found)
    assert everything["estimate"] == everything["numerator"] == 79
    assert pd.isna(everything["denominator"])
    assert everything["ci_method"] == ""
    assert everything["unknown_citizenship"] == 3
    none = row(found, race="black", citizenship="citizen")
    assert (none["estimate"], none["status"]) == (0, "ok")
    group = row(found, race="black", citizenship="noncitizen")
    assert (group["bound_low"], group["bound_high"]) == (24, 27)


def test_more_events_than_cases_is_an_error_of_the_catalogue() -> None:
    with pytest.raises(ValueError, match="M-1: more events than cases"):
        table(cells(("2023-Q3", "white", "citizen", "drug", None, 3, 2)))


def test_a_distribution_has_median_and_ninetieth_percentile() -> None:
    frame = values(
        ("2023-Q3", "white", "citizen", 500, "event", 30),
        ("2023-Q3", "white", "citizen", 1000, "event", 40),
        ("2024-Q1", "white", "unknown", 9000, "event", 30),
    )
    found = measure_table(CELLS[:0], frame, catalogue("distribution", unit="usd"), SUPPLIED, SETTINGS)
    median, p90 = row(found, stratum="median"), row(found, stratum="p90")
    assert (median["estimate"], p90["estimate"]) == (1000, 9000)
    assert (median["ci_low"], median["ci_high"], median["ci_method"]) == (1000, 1000, "order_statistic")
    assert median["denominator"] == 100
    assert pd.isna(median["numerator"])
    citizens = row(found, stratum="p90", citizenship="citizen")
    assert (citizens["estimate"], citizens["bound_low"], citizens["bound_high"]) == (1000, 1000, 9000)


def test_time_to_event_follows_open_cases_until_they_were_last_seen() -> None:
    frame = values(
        ("2023-Q3", "white", "citizen", 2, "event", 40),
        ("2023-Q3", "white", "citizen", 10, "censored", 20),
        ("2024-Q1", "white", "citizen", 200, "event", 40),
    )
    found = measure_table(CELLS[:0], frame, catalogue("time_to_event", unit="days"), SUPPLIED, SETTINGS)
    # 40 of 100 by day 2; the 20 lost on day 10 leave 40 at risk, all of whom meet the event on day 200.
    assert row(found, stratum="by_7")["estimate"] == pytest.approx(0.4)
    assert row(found, stratum="by_7")["numerator"] == 40
    assert row(found, stratum="median_days")["estimate"] == 200
    assert row(found, stratum="mean_within_30")["estimate"] == pytest.approx(0.4 * 2 + 0.6 * 30)
    assert row(found, stratum="by_7")["unit"] == "share"


def test_causes_that_compete_are_told_apart() -> None:
    frame = values(
        ("2023-Q3", "white", "citizen", 1, "event", 60),
        ("2023-Q3", "white", "citizen", 3, "ice_transfer", 20),
        ("2023-Q3", "white", "citizen", 90, "censored", 20),
    )
    found = measure_table(CELLS[:0], frame, catalogue("time_to_event", unit="days"), SUPPLIED, SETTINGS)
    transferred = row(found, stratum="ice_transfer_by_30")
    # Half of those still held would be 1 minus Kaplan-Meier; a fifth of all is what happened.
    assert transferred["estimate"] == pytest.approx(0.2)
    assert transferred["ci_method"] == "aalen_johansen_log_log"
    assert row(found, stratum="by_30")["estimate"] == pytest.approx(0.6)
    assert row(found, stratum="median_days")["estimate"] == 1
    assert not found["stratum"].str.startswith("mean_within").any()


def test_a_share_met_later_than_anybody_was_watched_is_not_estimable() -> None:
    frame = values(("2023-Q3", "white", "citizen", 10, "censored", 50))
    found = measure_table(CELLS[:0], frame, catalogue("time_to_event", unit="days"), SUPPLIED, SETTINGS)
    late = row(found, stratum="by_30")
    assert late["status"] == "not_estimable"
    assert pd.isna(late["estimate"])
    assert row(found, stratum="by_7")["estimate"] == 0


def test_the_order_of_the_rows_that_come_in_does_not_matter() -> None:
    pd.testing.assert_frame_equal(table(), table(CELLS.sample(frac=1, random_state=3)))


def comparison(frame: pd.DataFrame, **labels: str) -> pd.Series:
    wanted = {"period": "all", "stratum": "all"} | labels
    found = frame[np.logical_and.reduce([frame[c] == v for c, v in wanted.items()])]
    assert len(found) == 1
    return found.iloc[0]


def test_races_are_set_against_the_declared_reference_race() -> None:
    found = comparison_table(table(), SETTINGS)
    assert list(found.columns) == COMPARISON_COLUMNS
    black = comparison(found, contrast="race", race="black")
    assert (black["numerator"], black["denominator"]) == (27, 50)
    assert (black["reference_race"], black["reference_numerator"], black["reference_denominator"]) == ("white", 52, 170)
    assert black["difference"] == pytest.approx(27 / 50 - 52 / 170)
    assert black["ratio"] == pytest.approx((27 / 50) / (52 / 170))
    newcombe = confint_proportions_2indep(27, 50, 52, 170, method="newcomb")
    assert (black["difference_low"], black["difference_high"]) == pytest.approx(newcombe)
    koopman = confint_proportions_2indep(27, 50, 52, 170, compare="ratio", method="score", correction=False)
    assert (black["ratio_low"], black["ratio_high"]) == pytest.approx(koopman, rel=1e-5)
    assert pd.isna(black["bound_low"])
    assert not ((found["contrast"] == "race") & (found["race"] == "white")).any()


def test_noncitizens_are_set_against_citizens_overall_and_within_each_race() -> None:
    found = comparison_table(table(), SETTINGS)
    overall = comparison(found, contrast="citizenship")
    assert (overall["numerator"], overall["denominator"]) == (36, 60)
    assert (overall["reference_numerator"], overall["reference_denominator"]) == (40, 150)
    # 3 of the 10 unknown have the event: lowest gap with them among citizens, highest with them among noncitizens.
    assert overall["bound_low"] == pytest.approx(36 / 67 - 43 / 153)
    assert overall["bound_high"] == pytest.approx(39 / 63 - 40 / 157)
    within = comparison(found, contrast="citizenship_within_race", race="white")
    assert (within["denominator"], within["reference_denominator"]) == (20, 150)
    assert (within["status"], within["reason"]) == ("unreliable", "Fewer than 30 cases on one side.")


def test_a_gap_without_a_reference_case_is_not_estimable_and_not_zero() -> None:
    found = comparison_table(table(), SETTINGS)
    gap = comparison(found, contrast="citizenship_within_race", race="black")
    assert gap["status"] == "not_estimable"
    assert pd.isna(gap["difference"])
    assert gap["reason"] == "The reference group: No case in this cell."


def test_medians_are_compared_without_a_ratio() -> None:
    frame = values(
        *[("2023-Q3", "white", "citizen", v, "event", 20) for v in (1, 2, 3)],
        *[("2023-Q3", "black", "citizen", v, "event", 20) for v in (4, 5, 6)],
    )
    measures = measure_table(CELLS[:0], frame, catalogue("distribution", unit="charges"), SUPPLIED, SETTINGS)
    gap = comparison(comparison_table(measures, SETTINGS), contrast="race", race="black", stratum="median")
    assert (gap["difference"], gap["difference_method"]) == (3, "mover")
    assert pd.isna(gap["ratio"])
    assert gap["ratio_method"] == ""


def test_what_cannot_be_computed_is_listed_among_the_comparisons_too() -> None:
    found = comparison_table(table(needs="charge.severity"), SETTINGS)
    assert found[["contrast", "status"]].to_numpy().tolist() == [
        ["race", "not_computable"],
        ["citizenship", "not_computable"],
    ]


def test_a_measure_that_the_records_cannot_answer_gives_its_reason_and_no_number() -> None:
    settings = replace(SETTINGS, cannot_answer=(("M-1", "Only people with a detainer are in the file"),))
    found = measure_table(CELLS, NO_VALUES, catalogue(), SUPPLIED, settings)
    assert found["status"].tolist() == ["not_computable"]
    assert found["reason"].tolist() == ["Only people with a detainer are in the file"]
    assert found["estimate"].isna().all()


@pytest.mark.parametrize(("finest", "told_apart"), [("quarter", {4, 7, 3}), ("year", {4, 3}), ("all", {3})])
def test_nothing_is_computed_for_a_time_that_the_records_do_not_tell_apart(finest: str, told_apart: set[int]) -> None:
    settings = replace(SETTINGS, finest_period=finest)
    found = measure_table(CELLS, NO_VALUES, catalogue(), SUPPLIED, settings)
    assert {len(period) for period in found["period"]} == told_apart  # 2024, 2024-Q1, all
    whole = row(found, period="all", race="all", citizenship="all", offence_group="all", stratum="all")
    assert whole["denominator"] == 220

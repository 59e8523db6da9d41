"""What the records know: citizenship and race, links between files, and how far the reference answers.

All scenarios live in one world. Each has a year of its own, which keeps its counts apart.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd

from pipeline.measures import with_bound_widths
from tests.worlds import Scenarios, silent_measures, wrongly_documented

WORLD = Scenarios()
given = WORLD.given


# What is known of people on the day of a decision ------------------------------------------------------------------

given(
    "arrest",
    """
    arrest_id  person_id  custody_action
    a1         told       booked
    a2         told_late  cite_release
    a3         born       not_recorded
    a4         disputed   booked
    a5         silent     booked
    """,
    arrest_at="2001-03-01",
)
given("arrest_charge", "arrest_charge_id  arrest_id\na1  a1\na2  a2\na3  a3", offence_category="theft")
given("case_", "case_id  person_id  filed_on\na2  told_late  2001-06-01\na5  silent  2001-06-01")
given("bail_event", "bail_event_id  case_id  da_request_type  set_type  da_request_amount\na2  a2  cash  ror  100\na2_too  a2  cash  ror  -",
      at="2001-06-02")  # fmt: skip
given("charge", "charge_id  case_id  severity  section\na2  a2  felony  459\na5  a5  felony  -", version_no="1",
      stage="filed", offence_category="burglary", code="PC", jurisdiction="US-CA")  # fmt: skip
given("disposition", "disposition_id  charge_id  advisal\na2  a2  yes\na5  a5  recorded_unknown", disposed_on="2001-08-01",
      type="plea_guilty")  # fmt: skip
given(
    "sentence",
    """
    sentence_id  charge_id  sentence_type  imposed_value  imposed_unit
    a2           a2         jail           30             days
    a5           a5         jail           -              -
    """,
    sentenced_on="2001-09-01",
)
given(
    "citizenship_assertion",
    """
    assertion_id  person_id  value              source                 asserted_at
    s1            told       noncitizen         booking_self_report    2001-03-01
    s2            told_late  noncitizen         detainer               2001-07-01
    s3            born       noncitizen         booking_birth_country  2001-03-01
    s4            disputed   us_citizen         court_record           2001-01-01
    s5            disputed   noncitizen         detainer               2001-02-01
    s6            told       noncitizen         defence_disclosure     2001-05-01
    """,
)


def test_citizenship_is_unknown_where_nothing_usable_was_stated_by_the_day(cells: Any) -> None:
    assert cells("DQ-01", 2001) == {
        "arrest": (4, 5),
        "filing": (2, 2),
        "bail": (2, 2),
        "plea": (1, 2),
        "sentence": (1, 2),
    }


def test_what_became_known_after_the_decision_is_counted_by_stage(cells: Any) -> None:
    assert cells("DQ-04", 2001) == {
        "arrest": (1, 2),
        "filing": (1, 1),
        "bail": (2, 2),
        "plea": (0, 1),
        "sentence": (0, 1),
    }


def test_statements_are_shown_by_source_those_of_no_use_among_them(cells: Any) -> None:
    assert cells("DQ-02", 2001) == {
        "booking_self_report": (1, 1),
        "detainer": (2, 2),
        "booking_birth_country": (1, 1),
        "court_record": (1, 1),
        "defence_disclosure": (1, 1),
    }


given("person_race", "person_id  race_code\ntold  black\nborn  unmapped\ndisputed  white", race_source="court")
given("ice_contact", "contact_id  person_id  at\ni1  disputed  2009-01-01\ni2  silent  2009-01-01", type="detainer")


def test_people_are_counted_once_on_the_first_day_the_office_met_them(cells: Any) -> None:
    assert cells("DQ-03", 2001) == (1, 2)
    assert cells("DQ-03a", 2001) == (1, 1)
    assert cells("DQ-06", 2001) == (3, 5)


def test_a_record_is_complete_where_the_fields_of_its_stage_say_something(cells: Any) -> None:
    assert cells("DQ-08", 2001) == {
        "arrest": (2, 5),
        "filing": (1, 2),
        "bail": (1, 2),
        "plea": (1, 2),
        "sentence": (1, 2),
    }


# Links -------------------------------------------------------------------------------------------------------------

given("arrest", "arrest_id  person_id  arrest_at\nb1  b1  2002-01-01")
given("referral", "referral_id  person_id  arrest_id\nb1  b1  b1\nb2  b2  gone\nb3  b3  -", received_at="2002-01-02",
      decision="filed")  # fmt: skip
given("case_", "case_id  person_id  referral_id\nb1  b1  b1\nb2  b2  b2\nb3  b3  b3\nb4  b4  -", filed_on="2002-01-03")
given("custody_stay", "stay_id  person_id  case_id\nb1  b1  b1\nb2  b2  -", booked_at="2002-01-03")
given("hearing", "hearing_id  case_id\nb1  b1\nb1_too  b1\nb3  b3", at="2002-01-04")


def test_cases_are_linked_where_the_other_file_holds_what_is_named(cells: Any) -> None:
    assert cells("DQ-07", 2002) == (1, 4)
    assert cells("DQ-07a", 2002) == (1, 4)
    assert cells("DQ-07b", 2002) == (2, 4)


# The reference -----------------------------------------------------------------------------------------------------

given("case_", "case_id  person_id  filed_on\nc1  c1  2016-05-01")
given(
    "charge",
    """
    charge_id  section  is_enhancement
    c1         273.5    -
    c2         999      -
    c3         -        -
    c4         12022    true
    """,
    case_id="c1",
    version_no="1",
    stage="filed",
    jurisdiction="US-CA",
    code="PC",
    severity="felony",
    as_of="2016-05-01",
)


def test_the_reference_answers_for_what_it_holds_and_nobody_has_reviewed_it(cells: Any) -> None:
    assert cells("DQ-09", 2016) == (0, 3)
    assert cells("DQ-09a", 2016) == {"matched": (1, 1), "not_in_reference": (1, 1), "statute_not_recorded": (1, 1)}
    assert cells("DQ-10", 2016) == (0, 1)  # to be looked at again after the day of the export


# What cannot be true -----------------------------------------------------------------------------------------------

given(
    "referral",
    """
    referral_id  person_id  decision_date
    d1           d1         2004-01-01
    d2           d2         2004-01-02
    d3           d3         -
    """,
    received_at="2004-01-02",
    decision="filed",
)
given(
    "custody_stay",
    "stay_id  person_id  booked_at  released_at\nd1  d1  2004-01-02T09:00  2004-01-02T08:00\nd2  d2  2004-01-02  -",
)
given("case_", "case_id  person_id  filed_on\nd1  d1  2004-02-01\nd2  d2  -")
given("disposition", "disposition_id  charge_id  case_id  disposed_on\nd1  x  d1  2004-01-31\nd2  x  d1  2004-02-01\nd3  x  d2  2004-01-01",
      type="dismissed_da")  # fmt: skip
given(
    "bail_event",
    "bail_event_id  case_id  da_request_amount  set_amount\nd1  d1  -5  -\nd2  d1  -  0\nd3  d1  -  -",
    at="2004-02-02",
)


def test_records_are_checked_where_both_sides_are_on_file(cells: Any) -> None:
    assert cells("DQ-11", 2004) == {
        "decided_before_received": (1, 2),
        "released_before_booked": (1, 1),
        "disposed_before_filed": (1, 2),
        "amount_below_zero": (1, 2),
    }


# All of it ---------------------------------------------------------------------------------------------------------


def test_every_measure_with_sql_is_counted_in_this_world(built: duckdb.DuckDBPyConnection) -> None:
    assert silent_measures(built, "data_quality") == []


def test_every_column_of_every_fact_is_documented_and_no_other(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "data_quality") == []


def _measures(status: str) -> pd.DataFrame:
    margins = dict.fromkeys(["period", "race", "citizenship", "offence_group", "stratum"], "all")
    return pd.DataFrame(
        [
            {"measure_id": m, **margins, "estimate": None, "denominator": 0, "status": status, "reason": "x"}
            for m in ("DQ-04", "DQ-05", "DQ-06")
        ]
    )


def _comparisons(widths: list[float | None]) -> pd.DataFrame:
    same = {"contrast": "citizenship", "period": "all", "unit": "share", "mart": "bail"}
    good = [{**same, "bound_low": 0.0, "bound_high": width} for width in widths]
    other = [{**same, name: "data_quality", "bound_low": 0.0, "bound_high": 1.0} for name in same]
    return pd.DataFrame(good + other)


def test_the_widths_of_worst_case_ranges_are_told_by_their_middle_and_ninth_decile() -> None:
    widths = [i / 100 for i in range(1, 41)]
    found = with_bound_widths(_measures("not_estimable"), _comparisons([*widths, None]))
    assert list(found["measure_id"]) == ["DQ-04", "DQ-05", "DQ-05", "DQ-06"]
    derived = found[found["measure_id"] == "DQ-05"]
    assert list(
        zip(derived["stratum"], derived["estimate"], derived["denominator"], derived["status"], strict=True)
    ) == [
        ("median", 20.0, 40, "ok"),
        ("p90", 36.0, 40, "ok"),
    ]


def test_few_widths_are_called_few_and_none_stay_untold() -> None:
    few = with_bound_widths(_measures("not_estimable"), _comparisons([0.1]))
    assert list(few[few["measure_id"] == "DQ-05"]["status"]) == ["unreliable"] * 2
    for measures, widths in ((_measures("not_estimable"), [None]), (_measures("not_computable"), [0.1] * 50)):
        pd.testing.assert_frame_equal(with_bound_widths(measures, _comparisons(widths)), measures)

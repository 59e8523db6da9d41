"""What the models of the unit's own registers decide: the point person, the community, representation. Rows in, counts out.

All scenarios live in one world, so that dbt runs once. Each has a year of its own, which keeps its counts apart.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from tests.worlds import AS_OF, Scenarios, build, cells_of, values_of, wrongly_documented

WORLD = Scenarios()
given = WORLD.given
MARTS = ("point_person", "community", "representation")


@pytest.fixture(scope="module")
def built() -> duckdb.DuckDBPyConnection:
    select = [f"+mart_{mart}__{table}" for mart in MARTS for table in ("cells", "values")]
    return build(WORLD, period=(date(2000, 1, 1), AS_OF), select=select)


# The point person ---------------------------------------------------------------------------------------------------

given(
    "point_person_request",
    """
    request_id  received_at  acknowledged_at
    wednesday   2020-01-08   2020-01-10
    thursday    2020-01-09   2020-01-13
    thursday_2  2020-01-09   2020-01-14
    friday      2020-01-10   2020-01-14
    friday_2    2020-01-10   2020-01-15
    saturday    2020-01-11   2020-01-14
    saturday_2  2020-01-11   2020-01-15
    sunday      2020-01-12   2020-01-14
    sunday_2    2020-01-12   2020-01-15
    backwards   2020-01-08   2020-01-07
    never       2020-01-08   -
    too_young   2024-12-27   -
    just_late   2024-12-26   -
    at_once     2024-12-31   2024-12-31
    """,
)


def test_two_business_days_leap_over_the_weekend(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        "select request_id, is_acknowledged_in_time from marts.mart_point_person where received_on >= '2020-01-01'"
    ).fetchall()
    assert dict(found) == {
        "wednesday": True,
        "thursday": True,
        "thursday_2": False,
        "friday": True,
        "friday_2": False,
        "saturday": True,
        "saturday_2": False,
        "sunday": True,
        "sunday_2": False,
        "backwards": None,
        "never": False,
        "too_young": None,  # due on the day of the export
        "just_late": False,
        "at_once": True,
    }


given("person_race", "person_id  race_code  race_source\nann  black  self")
given(
    "case_",
    """
    case_id  person_id  filed_on    defence_type
    outside  ann        2010-01-01  private
    office   ann        2010-01-01  public_defender
    both     bob        2010-01-01  public_defender
    unknown  bob        2010-01-01  public_defender
    some     bob        2010-01-01  assigned
    nobody   bob        2010-01-01  -
    """,
)
given(
    "point_person_request",
    """
    request_id  case_id  requester_type  closed_at   outcome       escalated  upheld  documents_demanded
    a           outside  private         2010-01-11  refused       true       true    true
    b           office   ada             -           -             true       -       false
    c           both     ada             2009-12-31  referred      false      -       -
    d           both     advocate        2010-01-21  not_recorded  -          true    true
    e           unknown  redacted        2010-01-01  referred      true       false   false
    f           some     redacted        -           -             -          -       -
    g           some     self            -           -             -          -       -
    h           -        ada             -           -             -          -       -
    i           lost     ada             -           -             -          -       -
    """,
    received_at="2010-01-01",
    stage="plea",
)


def test_who_asked_about_a_case_is_open_only_where_nobody_known_did(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        "select case_id, is_asked_from_outside, is_asked_by_office from marts.mart_point_person__cases"
    ).fetchall()
    assert {case: answers for case, *answers in found} == {
        "outside": [True, False],
        "office": [False, True],
        "both": [True, True],
        "unknown": [None, None],
        "some": [True, None],
        "nobody": [False, False],
    }
    assert cells_of(built, "PPT-06", 2010) == (2, 4)
    assert cells_of(built, "PPT-07", 2010) == {
        "private": (1, 1),
        "public_defender": (1, 2),
        "assigned": (1, 1),
        "not_recorded": (0, 1),
    }


def test_a_request_is_of_the_person_of_its_case_and_counts_without_one(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        "select request_id, race from marts.mart_point_person where quarter = '2010-Q1' and request_id in ('a', 'h', 'i')"
    ).fetchall()
    assert dict(found) == {"a": "black", "h": "unknown", "i": "unknown"}
    assert cells_of(built, "PPT-01", 2010) == {
        "ada": (4, 4),
        "private": (1, 1),
        "advocate": (1, 1),
        "redacted": (2, 2),
        "self": (1, 1),
    }


def test_outcomes_are_of_closed_requests_and_open_ones_wait(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "PPT-04", 2010) == {"refused": (1, 1), "referred": (2, 2), "not_recorded": (1, 1)}
    waited = (AS_OF - date(2010, 1, 1)).days
    assert values_of(built, "PPT-03", 2010) == {
        (10, "event"): 1,
        (20, "event"): 1,
        (0, "event"): 1,
        (waited, "censored"): 5,
    }


def test_escalations_and_demands_leave_the_unanswered_out(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "PPT-05", 2010) == (1, 2)
    assert cells_of(built, "PPT-08", 2010) == {"plea": (2, 4)}


# The community ------------------------------------------------------------------------------------------------------

given(
    "community_event",
    """
    event_id  held_on     type       languages      attendance
    both      2011-01-01  forum      eng;spa        20
    english   2011-01-01  forum      English;ENG    30
    spanish   2011-01-01  town_hall  spa            0
    silent    2011-01-01  -          -              -
    """,
)


def test_an_event_is_in_another_language_if_one_is_named(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "COM-01", 2011) == {"forum": (2, 2), "town_hall": (1, 1), "not_recorded": (1, 1)}
    assert cells_of(built, "COM-01a", 2011) == (2, 3)
    assert values_of(built, "COM-01b", 2011) == {(20, "event"): 1, (30, "event"): 1, (0, "event"): 1}


given(
    "community_recommendation",
    """
    recommendation_id  received_at  answered_at  adopted
    day_90             2012-01-01   2012-03-31   true
    day_91             2012-01-01   2012-04-01   false
    never              2012-01-01   -            true
    silent             2012-01-01   2012-01-02   -
    young              2024-10-03   -            -
    old_enough         2024-10-02   -            -
    young_answered     2024-12-01   2024-12-11   false
    """,
)


def test_an_answer_is_late_only_after_ninety_days_of_following(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "COM-02", 2012) == (2, 4)
    assert cells_of(built, "COM-02", 2024) == (1, 2)
    assert cells_of(built, "COM-02a", 2012) == (1, 2)  # nobody can have adopted what was never answered
    assert values_of(built, "COM-02b", 2024) == {(89, "censored"): 1, (90, "censored"): 1, (10, "event"): 1}


given(
    "publication",
    """
    output_id  quarter  published_on  language
    on_day_90  2012-Q4  2013-03-31    eng
    on_day_91  2012-Q4  2013-04-01    spa
    too_soon   2013-Q2  2013-06-29    eng
    last_day   2013-Q2  2013-06-30    English
    nameless   2013     2013-06-30    spa
    """,
)


def test_publications_are_timed_from_the_end_of_their_quarter(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "COM-03", 2013) == (2, 3)
    assert values_of(built, "COM-03a", 2013) == {(90, "event"): 1, (91, "event"): 1, (0, "event"): 1}


def test_a_quarter_is_published_in_another_language_if_one_output_is(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "COM-04", 2013) == (2, 3)  # of 2012-Q4, 2013-Q2 and the one named 2013


given(
    "correction",
    "correction_id  reported_on  fixed_on\nf  2014-01-01  2014-01-03\no  2024-12-30  -\nb  2014-01-01  2013-12-01",
)
given("hr_aggregate", "year  category  staff_count\n2015  White  3\n2015  Black  1\n2015  Other  0")


def test_errors_and_staff_are_counted_by_their_own_year(built: duckdb.DuckDBPyConnection) -> None:
    assert values_of(built, "COM-05", 2014) == {(2, "event"): 1}
    assert values_of(built, "COM-05", 2024) == {(1, "censored"): 1}
    assert cells_of(built, "COM-06", 2015) == {"White": (3, 3), "Black": (1, 1)}


# Representation -----------------------------------------------------------------------------------------------------

given(
    "defender_aggregate",
    """
    quarter  cases  padilla_consults
    2016-Q1  5      2
    2016-Q2  3      0
    2016-Q3  2      9
    2016     7      7
    """,
)
given(
    "fund_aggregate",
    """
    quarter  requested  served  excluded_criminal_history  fields_collected  fields_not_minimal
    2016-Q1  4          3       1                          10                2
    2016-Q2  2          -       0                          -                 -
    """,
)


def test_counts_handed_over_are_counted_one_by_one_in_their_quarter(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "REP-01", 2016) == (4, 10)
    assert cells_of(built, "REP-02", 2016) == (3, 4)
    assert cells_of(built, "REP-02a", 2016) == (1, 6)
    assert cells_of(built, "REP-03", 2016) == (2, 10)


given(
    "clemency_request",
    """
    clemency_id  kind         received_at  answered_at  letter_given
    given        pardon       2017-01-01   2017-01-31   true
    refused      pardon       2017-01-01   2017-01-11   false
    open         pardon       2017-01-01   -            false
    undated      commutation  2017-01-01   -            true
    silent       commutation  2017-01-01   2017-01-02   -
    """,
)


def test_a_letter_not_given_is_a_refusal_only_once_the_request_is_answered(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "REP-04", 2017) == {"pardon": (1, 2), "commutation": (1, 1)}
    waited = (AS_OF - date(2017, 1, 1)).days
    assert values_of(built, "REP-04a", 2017) == {
        (30, "event"): 1,
        (10, "event"): 1,
        (1, "event"): 1,
        (waited, "censored"): 2,
    }


@pytest.mark.parametrize("mart", MARTS)
def test_every_column_of_the_facts_is_described(built: duckdb.DuckDBPyConnection, mart: str) -> None:
    assert wrongly_documented(built, mart) == []

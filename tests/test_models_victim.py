"""What the models of victims and witnesses decide, written as small tables: rows in, counts out.

All scenarios live in one world, so that dbt runs once. Each has a year of its own, which keeps its counts apart.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from tests.worlds import AS_OF, Scenarios, build, cells_of, values_of, wrongly_documented

WORLD = Scenarios()
given = WORLD.given


@pytest.fixture(scope="module")
def built() -> duckdb.DuckDBPyConnection:
    select = ["+mart_victim__cells", "+mart_victim__values"]
    return build(WORLD, period=(date(2000, 1, 1), AS_OF), select=select)


# Certifications -----------------------------------------------------------------------------------------------------

given(
    "victim_certification",
    """
    request_id  received_at  decision          decided_at  recert  is_defendant_overlap  denial_reason  written_denial
    certified   2010-01-01   certified         2010-01-11  true    true                  -              -
    denied      2010-01-01   denied            2010-01-21  true    -                     not_helpful    true
    silent      2010-01-01   denied            -           false   true                  -              -
    withdrawn   2010-01-01   withdrawn         2010-01-06  true    true                  -              -
    open        2010-12-31   pending           -           true    true                  -              -
    blank       2010-12-31   -                 -           -       -                     -              -
    redacted    2010-01-01   redacted          -           true    -                     -              -
    how         2010-01-01   recorded_unknown  2010-01-31  -       -                     -              -
    backwards   2010-01-01   certified         2009-12-31  -       -                     -              -
    """,
    form="i918b",
)


def test_only_requests_certified_or_denied_are_decided(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "VIC-02", 2010) == {"i918b": (2, 4)}
    assert cells_of(built, "VIC-05", 2010) == (1, 2)
    assert cells_of(built, "VIC-10", 2010) == (1, 2)


def test_an_open_request_waits_and_an_unreadable_answer_says_nothing(built: duckdb.DuckDBPyConnection) -> None:
    waited = (AS_OF - date(2010, 12, 31)).days
    assert values_of(built, "VIC-03a", 2010) == {
        (10, "event"): 1,
        (20, "event"): 1,
        (5, "withdrawn"): 1,
        (30, "event"): 1,
        (waited, "censored"): 2,
    }


def test_a_denial_without_a_reason_is_shown_as_such(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "VIC-04", 2010) == {"not_helpful": (1, 1), "not_recorded": (1, 1)}
    assert cells_of(built, "VIC-04a", 2010) == (1, 1)


given(
    "victim_certification",
    """
    request_id  form   received_at  in_proceedings  decided_at
    u_day_30    i918b  2020-01-01   false           2020-01-31
    u_day_31    i918b  2020-01-01   false           2020-02-01
    t_day_31    i914b  2020-01-01   false           2020-02-01
    s_day_31    i854   2020-01-01   false           2020-02-01
    in_8        i918b  2020-01-01   true            2020-01-09
    in_9        i918b  2020-01-01   true            2020-01-10
    weekend     i918b  2020-01-03   true            2020-01-13
    maybe_8     i918b  2020-01-01   -               2020-01-09
    maybe_9     i918b  2020-01-01   -               2020-01-10
    maybe_31    i918b  2020-01-01   -               2020-02-01
    old_law     i918b  2019-12-31   false           2020-03-30
    old_late    i918b  2019-12-31   false           2020-03-31
    before_t    i914b  2016-06-01   false           2016-06-02
    before_u    i918b  2015-12-31   false           2016-01-02
    """,
    decision="certified",
)


def test_a_request_is_in_time_by_the_law_of_its_day_and_form(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        """
        select request_id, is_decided_in_time from marts.mart_victim
        where received_on between '2015-12-31' and '2020-12-31'
        """
    ).fetchall()
    assert dict(found) == {
        "u_day_30": True,
        "u_day_31": False,
        "t_day_31": False,
        "s_day_31": None,  # no law sets a time
        "in_8": True,  # seven days from Thursday, the first business day after New Year's Day
        "in_9": False,
        "weekend": True,  # received on a Friday: seven days from Monday
        "maybe_8": True,
        "maybe_9": None,  # in time or late, as nobody knows about the proceedings
        "maybe_31": False,
        "old_law": True,
        "old_late": False,
        "before_t": None,
        "before_u": None,
    }
    assert cells_of(built, "VIC-03", 2020) == (4, 8)


given(
    "victim_certification",
    """
    request_id    received_at  decision      in_proceedings  decided_at
    due_today     2024-12-01   pending       false           -
    overdue       2024-11-30   pending       false           -
    overdue_soon  2024-12-01   pending       true            -
    perhaps_soon  2024-12-01   pending       -               -
    taken_back    2024-01-01   withdrawn     false           2024-06-01
    no_day        2024-01-01   certified     false           -
    """,
    form="i918b",
)


def test_an_open_request_is_late_only_once_its_time_has_passed(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        "select request_id, is_decided_in_time from marts.mart_victim where received_on >= '2024-01-01'"
    )
    assert dict(found.fetchall()) == {
        "due_today": None,
        "overdue": False,
        "overdue_soon": False,
        "perhaps_soon": None,
        "taken_back": None,
        "no_day": None,
    }


given(
    "victim_certification",
    """
    request_id  language  language_served  crime_category
    same        spa       SPA              assault
    other       spa       eng              theft
    unserved    spa       -                -
    unasked     -         eng              redacted
    """,
    form="i918b",
    received_at="2011-01-01",
)


def test_a_request_is_served_in_its_language_where_both_are_known(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "VIC-06", 2011) == (1, 2)


def test_a_request_is_grouped_by_the_crime_and_by_nobody(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        "select offence_group, race, citizenship from marts.mart_victim where quarter = '2011-Q1' order by all"
    ).fetchall()
    assert found == [
        ("property", "unknown", "unknown"),
        *[("unknown", "unknown", "unknown")] * 2,
        ("violent", "unknown", "unknown"),
    ]


# The report to the legislature --------------------------------------------------------------------------------------

given(
    "victim_certification",
    """
    request_id  form   received_at  decision   decided_at
    r1          i918b  2005-01-01   certified  2006-01-01
    r2          i918b  2005-01-01   denied     2005-02-01
    r3          i914b  2005-01-01   certified  2005-02-01
    """,
)
given(
    "reporting_total",
    """
    source                 period   measure                   total
    legislature_pc_679_10  2005     Certifications_requested  2
    legislature_pc_679_10  2005     Certifications_signed     1
    legislature_pc_679_10  2005     Certifications_denied     1
    legislature_pc_679_10  2004     Certifications_requested  0
    legislature_pc_679_10  2005     something_else            1
    legislature_pc_679_10  2005/06  Certifications_requested  2
    ice_detainers          2005     Certifications_requested  7
    """,
)


def test_the_report_is_about_one_form_by_calendar_year(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute("select total_id, is_equal, quarter from marts.mart_victim__reported_totals").fetchall()
    assert {row[0]: row[1:] for row in found} == {
        "2005|Certifications_requested": (True, "2005-Q4"),
        "2005|Certifications_signed": (False, "2005-Q4"),  # signed in 2006
        "2005|Certifications_denied": (True, "2005-Q4"),
        "2004|Certifications_requested": (True, "2004-Q4"),
        "2005|something_else": (None, "2005-Q4"),
        "2005/06|Certifications_requested": (False, None),
    }
    assert cells_of(built, "VIC-11", 2005) == (2, 3)


# The hotline, dismissals, inquiries ---------------------------------------------------------------------------------

given(
    "hotline_call",
    """
    quarter  language  topic          calls  referrals  cases_opened
    2008-Q2  SPA       fraud          3      1          4
    2008-Q2  eng       fraud          1      0          -
    2008-Q3  vie       certification  2      -          0
    2008-Q4  spa       other          0      0          -
    2008     spa       other          5      0          -
    """,
)


def test_calls_are_counted_one_by_one_and_fraud_cases_apart(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "VIC-07", 2008) == {"fraud": (4, 4), "certification": (2, 2)}
    assert cells_of(built, "VIC-07a", 2008) == (5, 6)
    assert cells_of(built, "VIC-07b", 2008) == (1, 4)  # who was referred of the Vietnamese callers was not counted
    assert cells_of(built, "VIC-07c", 2008) == (4, 0)
    undated = built.execute(
        "select count(*) from marts.mart_victim__hotline where uncounted_reason = 'undated'"
    ).fetchone()
    assert undated == (5,)


given("case_", "case_id  person_id\nabsent  ann\nproof  ann\nhalf  bob\nsilent  bob\nkept  bob", filed_on="2007-01-01")
given("charge", "charge_id  case_id  version_no  stage\nc_absent  absent  1  filed")
given(
    "disposition",
    """
    disposition_id  charge_id  case_id  disposed_on  type             reason
    d1              c_absent   -        2007-02-01   dismissed_da     witness_unavailable
    d2              c2         absent   2007-03-01   dismissed_court  -
    d3              c3         proof    2007-03-01   dismissed_da     proof
    d4              c4         half     2007-03-01   dismissed_da     proof
    d5              c5         half     2007-03-01   dismissed_da     redacted
    d6              c6         silent   2007-03-01   dismissed_da     -
    d7              c7         kept     2007-03-01   plea_guilty      victim_unavailable
    """,
)


def test_a_case_is_dropped_for_absence_if_one_charge_says_so_and_open_if_one_is_silent(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute("select case_id, is_for_absence from marts.mart_victim__dismissed_cases").fetchall()
    assert dict(found) == {"absent": True, "proof": False, "half": None, "silent": None}
    assert cells_of(built, "VIC-08", 2007) == (1, 2)


given("status_inquiry", "inquiry_id  at  made_by\nq1  2009-01-01  da\nq2  2009-01-01  -\nq3  2025-01-01  da")


def test_inquiries_into_status_are_counted_in_the_period(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "VIC-09", 2009) == (2, 0)
    assert cells_of(built, "VIC-09a", 2009) == {"da": (1, 1), "not_recorded": (1, 1)}


def test_every_column_of_the_facts_is_described(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "victim") == []

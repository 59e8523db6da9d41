"""Written policies against decisions: what a rule covers, whether it was kept, and who approved of an exception.

All scenarios live in one world. Each has a year of its own, which keeps its counts apart. Policy P declines possession
from 2010, and from 2012 by its second version, which is published; it lists the same offences as low-level. Policy B is
against cash bail from 2010. Policy C declines by a fact about the person.
"""

from __future__ import annotations

from typing import Any

import duckdb

from tests.worlds import Scenarios, silent_measures, wrongly_documented

WORLD = Scenarios()
given = WORLD.given


given(
    "policy",
    """
    policy_id  version  title  effective_from  effective_to  public_url
    P          1        low    2010-01-01      2011-12-31    -
    P          2        low    2012-01-01      -             https://da.example/p
    B          1        bail   2010-01-01      2014-12-31    https://da.example/b
    C          1        group  2010-01-01      -             -
    """,
)
given(
    "policy_rule",
    """
    rule_id  policy_id  jurisdiction  code  section  severity     action          group_condition
    p1       P          US-CA         HS    11357    -            decline         -
    p2       P          US-CA         PC    602      misdemeanor  decline         -
    p3       P          -             HS    11357    -            low_level_list  -
    b1       B          US-CA         -     -        misdemeanor  no_cash_bail    -
    c1       C          US-CA         PC    484      -            decline         caretaker
    """,
)

# What a rule covers ------------------------------------------------------------------------------------------------

given(
    "referral",
    """
    referral_id   person_id  decision
    written_else  a1         declined
    subdivision   a2         filed
    by_class      a3         declined
    other_class   a4         declined
    no_class      a5         declined
    no_section    a6         declined
    other_state   a7         declined
    lead_other    a8         filed
    by_fact       a9         declined
    nothing       a10        filed
    sent_back     a11        returned_for_investigation
    diverted      a12        diverted
    """,
    received_at="2011-01-01",
    decision_date="2011-06-01",
)
given(
    "charge",
    """
    charge_id     referral_id   jurisdiction  code   section   severity     is_primary  is_enhancement
    written_else  written_else  -             hs    011357    -            -           -
    subdivision   subdivision   US-CA         HS     11357(b)  misdemeanor  -           -
    by_class      by_class      US-CA         PC     602       misdemeanor  -           -
    other_class   other_class   US-CA         PC     602       felony       -           -
    no_class      no_class      US-CA         PC     602       -            -           -
    no_section    no_section    US-CA         HS     -         misdemeanor  -           -
    other_state   other_state   US-NV         HS     11357     misdemeanor  -           -
    lead_other    lead_other    US-CA         PC     211       felony       true        -
    lead_second   lead_other    US-CA         HS     11357     misdemeanor  -           -
    lead_enhance  by_class      US-CA         PC     12022     felony       true        true
    by_fact       by_fact       US-CA         PC     484       misdemeanor  -           -
    sent_back     sent_back     US-CA         HS     11357     misdemeanor  -           -
    diverted      diverted      US-CA         HS     11357     misdemeanor  -           -
    """,
    version_no="1",
    stage="referred",
)


def test_a_rule_covers_what_it_names_and_is_open_where_the_charge_does_not_say(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute("select referral_id, is_covered from marts.mart_declination where quarter = '2011-Q2'")
    assert dict(found.fetchall()) == {
        "written_else": True,
        "subdivision": True,
        "by_class": True,
        "other_class": False,
        "no_class": None,
        "no_section": None,
        "other_state": False,
        "lead_other": False,
        "by_fact": None,
        "nothing": None,
        "sent_back": True,
        "diverted": True,
    }


def test_coverage_is_of_decided_matters_and_keeping_the_policy_of_those_filed_or_declined(cells: Any) -> None:
    assert cells("DEC-01", 2011) == (4, 7)
    assert cells("DEC-02", 2011) == (2, 3)
    assert cells("DEC-04", 2011) == (1, 3)


given(
    "referral",
    """
    referral_id  person_id  arrest_id  decision  decision_date
    day_before   b1         -          filed     2009-12-31
    first_day    b2         -          filed     2010-01-01
    by_arrest    b3         b3         filed     2010-06-01
    undated      b4         -          filed     -
    """,
    received_at="2009-12-01",
)
given("charge", "charge_id  referral_id\nday_before  day_before\nfirst_day  first_day", jurisdiction="US-CA", code="HS",
      section="11357", version_no="1", stage="referred")  # fmt: skip
given("arrest", "arrest_id  person_id  arrest_at\nb3  b3  2010-05-01")
given("arrest_charge", "arrest_charge_id  arrest_id  jurisdiction  code  section\nb3  b3  US-CA  HS  11357")


def test_a_policy_covers_from_its_first_day_and_by_the_arrest_where_no_charge_was_referred(cells: Any) -> None:
    assert cells("DEC-01", 2009) == (0, 1)
    assert cells("DEC-01", 2010) == (2, 2)


# Exceptions --------------------------------------------------------------------------------------------------------

given(
    "referral",
    """
    referral_id  person_id  decision  decision_date
    in_time      c1         filed     2013-03-01
    by_filing    c2         filed     2013-03-01
    too_late     c3         filed     2013-03-01
    by_nobody    c4         filed     2013-03-01
    no_check     c5         filed     2013-03-01
    not_covered  c6         filed     2013-03-01
    own_word     c7         declined  2013-03-01
    """,
    received_at="2013-01-01",
)
given(
    "charge",
    """
    charge_id    referral_id  section
    in_time      in_time      11357
    by_filing    by_filing    11357
    too_late     too_late     11357
    by_nobody    by_nobody    11357
    no_check     no_check     11357
    not_covered  not_covered  11357
    own_word     own_word     999
    """,
    jurisdiction="US-CA",
    code="HS",
    version_no="1",
    stage="referred",
)
given("case_", "case_id  person_id  referral_id  filed_on\nc2  c2  by_filing  2013-03-05\nc3  c3  too_late  2013-03-05")
given(
    "policy_application",
    """
    application_id  referral_id  case_id  covered  complied  approved_by_role  approved_at  factor  fact_source
    c1              in_time      -        true     false     chief             2013-03-01   -       -
    c2              -            c2       true     false     chief             2013-03-05   -       -
    c3              too_late     -        true     false     chief             2013-03-06   -       -
    c4              by_nobody    -        true     false     -                 2013-02-01   -       -
    c6              not_covered  -        false    -         -                 -            -       -
    c7              own_word     -        true     true      -                 -            family  voluntary_defence_disclosure
    c8              own_word     -        true     true      -                 -            age     inquiry
    c9              own_word     -        true     true      -                 -            age     recorded_unknown
    c10             own_word     -        true     false     -                 -            age     inquiry
    """,
    policy_id="P",
    decided_at="2013-03-01",
)
given(
    "policy_application",
    "application_id policy_id referral_id covered factor decided_at\nc11 B own_word false family 2013-03-01",
)


def test_what_the_office_noted_of_a_matter_goes_before_its_charges(cells: Any) -> None:
    assert cells("DEC-01", 2013) == (6, 7)
    assert cells("DEC-02", 2013) == (1, 6)


def test_an_exception_is_approved_by_somebody_on_record_by_the_day_of_filing(cells: Any) -> None:
    assert cells("DEC-03", 2013) == (2, 5)


def test_facts_about_a_person_are_counted_where_the_policy_was_followed(cells: Any) -> None:
    assert cells("DEC-06", 2013) == {"family": (1, 1), "age": (2, 2)}
    assert cells("DEC-10", 2013) == (1, 2)


given(
    "referral",
    """
    referral_id  person_id  arrest_id  decision
    wanted       d1         d1         declined
    wanted_late  d2         d2         declined
    not_declined d3         d3         filed
    """,
    received_at="2014-05-02",
    decision_date="2014-05-20",
)
given("arrest", "arrest_id  person_id\nd1  d1\nd2  d2\nd3  d3", arrest_at="2014-05-01")
given(
    "arrest_charge",
    "arrest_charge_id  arrest_id\nd1  d1\nd2  d2\nd3  d3",
    jurisdiction="US-CA",
    code="HS",
    section="11357",
)
given(
    "ice_contact",
    "contact_id  person_id  at\nd1  d1  2014-05-08\nd2  d2  2014-05-09\nd3  d3  2014-05-02",
    type="detainer",
)


def test_a_detainer_within_seven_days_is_counted_of_what_was_covered_and_declined(cells: Any) -> None:
    assert cells("DEC-09", 2014) == (1, 2)


def test_arrests_are_counted_before_and_since_the_policy_that_covers_them(cells: Any) -> None:
    assert cells("DEC-07", 2014) == {"since_policy": (3, 0)}
    assert cells("DEC-07", 2004) == {"before_policy": (1, 0)}


given("arrest", "arrest_id  person_id  arrest_at\nd4  d4  2004-05-01\nd5  d5  2004-05-01")
given("arrest_charge", "arrest_charge_id  arrest_id  code  section\nd4  d4  HS  11357\nd5  d5  PC  211")

# Pending when the policy began -------------------------------------------------------------------------------------

given(
    "case_",
    """
    case_id      person_id  filed_on    closed_on
    dropped      e1         2009-06-01  2010-03-01
    half         e2         2009-06-01  2010-03-01
    pleaded      e3         2009-06-01  2010-03-01
    later        e4         2009-06-01  2010-08-01
    still_open   e5         2009-06-01  -
    no_end       e6         2009-06-01  2010-03-01
    closed_then  e7         2009-06-01  2009-12-31
    filed_since  e8         2010-01-01  2010-03-01
    """,
)
given(
    "charge",
    """
    charge_id    case_id
    dropped      dropped
    half         half
    half_too     half
    pleaded      pleaded
    later        later
    still_open   still_open
    no_end       no_end
    closed_then  closed_then
    filed_since  filed_since
    """,
    jurisdiction="US-CA",
    code="HS",
    section="11357",
    version_no="1",
    stage="filed",
)
given(
    "disposition",
    """
    disposition_id  charge_id    disposed_on  type
    dropped         dropped      2010-03-01   dismissed_da
    half            half         2010-03-01   dismissed_da
    half_too        half_too     2010-03-01   dismissed_court
    pleaded         pleaded      2010-03-01   plea_guilty
    later           later        2010-08-01   dismissed_da
    closed_then     closed_then  2009-12-31   dismissed_da
    filed_since     filed_since  2010-03-01   dismissed_da
    """,
)


def test_pending_cases_are_dropped_by_the_office_within_180_days_of_the_policy(cells: Any) -> None:
    assert cells("DEC-05", 2010) == (1, 5)


# Warrants and rules ------------------------------------------------------------------------------------------------

given(
    "warrant",
    """
    warrant_id  issued_on   vacated_on  reason
    cleared     1990-01-01  2001-01-01  old_low_level
    in_error    1990-01-01  2001-12-31  error
    arrested    1990-01-01  2001-06-01  served
    no_reason   1990-01-01  2001-06-01  -
    outstanding 1996-01-01  2002-06-01  old_low_level
    too_young   1996-01-02  2001-06-01  old_low_level
    gone        1990-01-01  2000-12-31  old_low_level
    """,
)


def test_old_warrants_are_followed_through_the_year_at_whose_start_they_were_outstanding(cells: Any) -> None:
    assert cells("DEC-08", 2001) == (2, 4)
    assert cells("DEC-08", 2002) == (1, 1)


def test_the_rules_in_force_at_the_end_are_published_or_not(cells: Any) -> None:
    assert cells("DEC-11", 2024) == (2, 3)


# The same registry, at filing and at bail --------------------------------------------------------------------------

given(
    "case_",
    "case_id  person_id  filed_on\nf1  f1  2012-02-01\nf2  f2  2012-02-01\nf3  f3  2012-02-01\nf4  f4  2012-02-01",
)
given(
    "charge",
    """
    charge_id  case_id  jurisdiction  code  section  severity
    f1         f1       US-CA         HS    11357    misdemeanor
    f2         f2       US-CA         PC    602      misdemeanor
    f3         f3       US-CA         HS    -        -
    """,
    version_no="1",
    stage="filed",
)
given(
    "bail_event",
    """
    bail_event_id  case_id  at                da_request_type
    f1             f1       2012-03-01T09:00  ror
    f1_again       f1       2012-04-01T09:00  cash
    f2             f2       2012-03-01T09:00  not_recorded
    f3             f3       2012-03-01T09:00  cash
    f4             f4       2012-03-01T09:00  cash
    f1_since       f1       2015-03-01T09:00  cash
    """,
)


def test_the_list_of_low_level_offences_is_held_against_the_top_charge_as_filed(cells: Any) -> None:
    assert cells("CHG-04", 2012) == (1, 2)


def test_hearings_covered_by_the_bail_policy_are_those_of_its_days_and_class(cells: Any) -> None:
    assert cells("BAIL-05", 2012) == (1, 2)
    assert cells("BAIL-05", 2015) == {}


# All of it ---------------------------------------------------------------------------------------------------------


def test_every_measure_with_sql_is_counted_in_this_world(built: duckdb.DuckDBPyConnection) -> None:
    assert silent_measures(built, "declination") == []


def test_every_column_of_every_fact_is_documented_and_no_other(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "declination", "charging", "bail") == []

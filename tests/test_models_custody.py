"""Custody and release: how long people stay, what holds them once release is due, and when ICE reaches for them.

All scenarios live in one world. Each has a year of its own, which keeps its counts apart.
"""

from __future__ import annotations

from typing import Any

import duckdb

from tests.worlds import Scenarios, silent_measures, wrongly_documented

WORLD = Scenarios()
given = WORLD.given


# How long people stay ----------------------------------------------------------------------------------------------

given(
    "custody_stay",
    """
    stay_id      person_id    booked_at         released_at       release_type  eligible_reason
    short        a1           2001-05-01T08:00  2001-05-04T08:00  ror           ror_order
    within_day   a2           2001-05-01T08:00  2001-05-01T20:00  bail          bail_posted
    backwards    a3           2001-05-02T08:00  2001-05-01T08:00  ror           ror_order
    end_unknown  a4           2001-05-01T08:00  -                 ror           -
    handed_over  a5           2001-05-01T08:00  2001-05-03T08:00  transfer_ice  ror_order
    no_kind      a6           2001-05-01T08:00  2001-05-03T08:00  -             ror_order
    still_held   a7           2024-12-21T08:00  -                 -             -
    """,
)


def test_a_stay_ends_in_any_way_and_who_is_held_still_waits(values: Any) -> None:
    assert values("CUS-01", 2001) == {(3, "event"): 1, (0, "event"): 1, (2, "event"): 2}
    assert values("CUS-01", 2024)[(10, "censored")] == 1


def test_transfers_to_ice_are_told_by_why_release_was_due(cells: Any) -> None:
    assert cells("CUS-05", 2001) == {"ror_order": (1, 3), "bail_posted": (0, 1), "not_recorded": (0, 1)}


# After release was due ---------------------------------------------------------------------------------------------

given(
    "custody_stay",
    """
    stay_id       person_id  booked_at         release_eligible_at  released_at       booked_at_precision
    prompt        b1         2002-05-01T08:00  2002-05-02T10:00     2002-05-02T13:59  -
    at_four       b2         2002-05-01T08:00  2002-05-02T10:00     2002-05-02T14:00  -
    detained      b3         2002-05-01T08:00  2002-05-02T10:00     2002-05-04T11:00  -
    lodged_late   b4         2002-05-01T08:00  2002-05-02T10:00     2002-05-03T09:00  -
    ended_before  b5         2002-05-01T08:00  2002-05-02T10:00     2002-05-02T15:00  -
    same_day      b6         2002-05-01T08:00  2002-05-02T10:00     2002-05-02T15:00  -
    by_month      b7         2002-05-01T08:00  2002-05-02T10:00     2002-05-02T15:00  -
    day_only      b8         2002-05-01T00:00  2002-05-02T00:00     2002-05-04T00:00  -
    said_day      b9         2002-05-01T08:00  2002-05-02T10:00     2002-05-04T09:00  day
    too_early     b10        2002-05-01T08:00  2002-05-03T10:00     2002-05-02T09:00  -
    never_due     b11        2002-05-01T08:00  -                    2002-05-04T09:00  -
    waits_on      b12        2024-12-01T08:00  2024-12-30T12:00     -                 -
    waits_new     b13        2024-12-01T08:00  2024-12-30T21:00     -                 -
    """,
)
given(
    "ice_contact",
    """
    contact_id  person_id  stay_id   at                at_precision  type      outcome_at
    b3          b3         -         2002-05-01T20:00  minute        detainer  -
    b4          b4         -         2002-05-02T10:01  minute        detainer  -
    b5          b5         -         2002-05-01T20:00  minute        detainer  2002-05-02T09:00
    b6          b6         -         2002-05-02T00:00  day           detainer  -
    b7          b7         by_month  2002-05-01T00:00  month         detainer  -
    """,
)


def test_hours_after_release_was_due_are_told_by_whether_a_detainer_was_in_force_by_then(cells: Any) -> None:
    assert cells("CUS-02", 2002) == {
        "detainer": (1, 1),
        "no_detainer_on_file": (3, 4),  # lodged after release was due, or ended before it, it explains nothing
        "not_recorded": (2, 2),  # lodged on that day, or in that month
    }
    assert cells("CUS-02a", 2002)["no_detainer_on_file"] == (0, 4)
    assert cells("CUS-02b", 2002)["detainer"] == (1, 1)


def test_who_is_still_held_counts_once_the_hours_have_passed(cells: Any, values: Any) -> None:
    assert cells("CUS-02", 2024) == {"no_detainer_on_file": (1, 1)}  # twelve hours; of three nothing is known yet
    assert values("CUS-02c", 2024) == {(12, "censored"): 1, (3, "censored"): 1}


given(
    "custody_stay",
    """
    stay_id   person_id  booked_at         release_eligible_at  released_at
    alone     c1         2003-05-01T08:00  2003-05-02T10:00     2003-05-03T11:00
    jail_log  c2         2003-05-01T08:00  2003-05-02T10:00     2003-05-02T12:30
    warrant   c3         2003-05-01T08:00  2003-05-02T10:00     2003-05-03T10:00
    next      c4         2003-05-01T08:00  2003-05-02T10:00     2003-05-03T10:00
    cleared   c5         2003-05-01T08:00  2003-05-02T10:00     2003-05-02T10:30
    unmapped  c6         2003-05-01T08:00  2003-05-02T10:00     2003-05-03T10:00
    no_ice    c7         2003-05-01T08:00  2003-05-02T10:00     2003-05-03T10:00
    """,
)
given(
    "custody_hold",
    """
    hold_id  stay_id   type          hold_from         hold_to
    c2       jail_log  ice_detainer  2003-05-01T20:00  -
    c3       warrant   warrant       -                 -
    c4       next      other_county  2003-05-02T20:00  -
    c5       cleared   probation     2003-05-01T08:00  2003-05-02T09:00
    c6       unmapped  unmapped      2003-05-01T08:00  -
    c7       no_ice    ice_detainer  2003-05-02T11:00  -
    """,
)
given(
    "ice_contact",
    """
    contact_id  stay_id
    c1          alone
    c3          warrant
    c4          next
    c5          cleared
    c6          unmapped
    """,
    at="2003-05-01T20:00",
    type="detainer",
)


def test_a_detainer_holds_alone_where_no_other_hold_reaches_from_then_to_the_release(values: Any, cells: Any) -> None:
    assert values("CUS-03", 2003) == {(25, "event"): 1, (2, "event"): 1, (0, "event"): 1}
    assert cells("CUS-03a", 2003) == (2, 0)


# Found by ICE ------------------------------------------------------------------------------------------------------

given(
    "custody_stay",
    """
    stay_id     person_id  booked_at         released_at
    met         d1         2004-05-01T08:00  2004-05-10T08:00
    met_at_end  d2         2004-05-01T08:00  2004-05-03T08:00
    not_met     d3         2004-05-01T08:00  2004-05-05T08:00
    met_after   d4         2004-05-01T08:00  2004-05-05T08:00
    some_time   d5         2004-05-01T08:00  2004-05-05T08:00
    no_match    d6         2004-05-01T08:00  2004-05-05T08:00
    outbound    d7         2004-05-01T08:00  2004-05-05T08:00
    """,
)
given(
    "custody_stay",
    """
    stay_id      person_id  booked_at         released_at       release_type
    handed_to_ice  d8       2004-05-01T08:00  2004-05-07T08:00  transfer_ice
    """,
)
given(
    "ice_contact",
    """
    contact_id  person_id  stay_id    at                at_precision  type
    d1          d1         -          2004-05-04T08:00  minute        interview
    d1_later    d1         -          2004-05-05T08:00  minute        detainer
    d2          d2         -          2004-05-03T09:00  minute        transfer
    d4          d4         met_after  2004-05-07T08:00  minute        arrest
    d5          d5         some_time  2004-05-01T00:00  month         interview
    d6          d6         -          2004-05-01T00:00  month         interview
    d7          d7         -          2004-05-02T08:00  minute        notification
    """,
)


def test_being_found_by_ice_competes_with_release(values: Any) -> None:
    assert values("CUS-04", 2004) == {(3, "event"): 1, (2, "event"): 1, (6, "event"): 1, (4, "released"): 4}


given(
    "custody_stay",
    """
    stay_id     person_id  booked_at         released_at
    named       m1         2022-05-01T08:00  2022-05-10T08:00
    not_named   m2         2022-05-01T08:00  2022-05-10T08:00
    """,
)
given(
    "ice_contact",
    """
    contact_id  person_id  stay_id  at                at_precision  type
    m1          m1         named    2022-05-01T00:00  month         detainer
    m2          m2         -        2022-05-01T00:00  month         detainer
    """,
)


def test_a_detainer_known_only_to_the_month_belongs_to_the_stay_it_names(cells: Any, values: Any) -> None:
    assert cells("ICE-01", 2022) == (1, 2)
    assert cells("ICE-12", 2022) == {"interim_and_later_priorities": (1, 2)}
    assert sum(values("ICE-13", 2022).values()) == 1  # its hour is not known; the other stay ended without one


# What the office supports ------------------------------------------------------------------------------------------

given(
    "custody_stay",
    """
    stay_id    person_id  booked_at   released_at  release_type       release_mechanism      imm_advice_at
    advised    e1         2005-05-01  2005-06-01   sentence_complete  sentence_modification  2005-06-01
    too_late   e2         2005-05-01  2005-06-01   transfer_ice       compassionate          2005-06-02
    unadvised  e3         2005-05-01  2005-06-01   -                  sentence_modification  -
    ordinary   e4         2005-05-01  2005-06-01   transfer_ice       none                   2005-06-01
    blank      e5         2005-05-01  2005-06-01   ror                recorded_unknown       2005-06-01
    """,
)


def test_supported_releases_are_those_with_a_known_mechanism(cells: Any) -> None:
    assert cells("CUS-06", 2005) == {"sentence_modification": (2, 2), "compassionate": (1, 1)}
    assert cells("CUS-05a", 2005) == (1, 2)
    assert cells("CUS-07", 2005) == (1, 3)


given(
    "sentence",
    """
    sentence_id  charge_id  modified_from  modified_reason
    first        f1         -              none
    defect       f1         first          legal_defect
    mercy        f2         first_2        rehabilitation_immigration
    no_reason    f3         first_3        -
    """,
    sentenced_on="2006-05-01",
)


def test_only_a_recorded_reason_says_whether_a_modification_rests_on_a_legal_defect(cells: Any) -> None:
    assert cells("CUS-06a", 2006) == (1, 2)


# The last day of a quarter -----------------------------------------------------------------------------------------

given("case_", "case_id  person_id  filed_on\ng1  g1  2007-01-01\ng2  g2  2007-01-01")
given("charge", "charge_id  case_id  version_no  stage\ng1  g1  1  filed")
given("disposition", "disposition_id  charge_id  disposed_on  type\ng1  g1  2007-06-30  plea_guilty")
given(
    "custody_stay",
    """
    stay_id   person_id  case_id  booked_at         released_at       release_type
    g1        g1         g1       2007-02-01T08:00  2007-07-15T08:00  ror
    g1_too    g1         -        2007-03-01T08:00  2007-04-01T08:00  ror
    g2        g2         g2       2007-03-31T23:00  2007-06-30T08:00  ror
    g3        g3         -        2007-06-30T08:00  -                 ror
    g4        g4         -        2007-04-01T08:00  2007-06-29T08:00  ror
    """,
)
given(
    "ice_contact",
    """
    contact_id  stay_id  at                outcome_at
    g1          g1       2007-02-02T08:00  2007-05-01T08:00
    g2          g2       2007-04-02T08:00  -
    """,
    type="detainer",
)


def test_each_person_in_jail_on_the_last_day_of_a_quarter_counts_once(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        """
        select quarter, person_id, custody_status, is_detainer_in_force from marts.mart_custody__snapshots
        where quarter like '2007%' order by all
        """
    ).fetchall()
    assert found == [
        ("2007-Q1", "g1", "no_case_on_file", True),  # the later booking says how far the case had come
        ("2007-Q1", "g2", "not_convicted", False),
        ("2007-Q2", "g1", "convicted", False),
    ]


def test_people_in_jail_are_counted_by_how_far_their_case_had_come(cells: Any) -> None:
    assert cells("CUS-08", 2007) == {"no_case_on_file": (1, 0), "not_convicted": (1, 0), "convicted": (1, 0)}
    assert cells("CUS-08a", 2007) == (1, 3)


# Before jail -------------------------------------------------------------------------------------------------------

given(
    "arrest",
    """
    arrest_id  person_id  custody_action
    cited      h1         cite_release
    diverted   h2         diverted
    booked     h3         booked
    blank      h4         -
    felony     h5         cite_release
    open       h6         cite_release
    no_charge  h7         cite_release
    """,
    arrest_at="2008-05-01",
)
given(
    "arrest_charge",
    """
    arrest_charge_id  arrest_id  severity
    h1                cited      misdemeanor
    h1_too            cited      violation_infraction
    h2                diverted   misdemeanor
    h3                booked     wobbler_misdemeanor
    h4                blank      misdemeanor
    h5                felony     misdemeanor
    h5_too            felony     wobbler_felony
    h6                open       misdemeanor
    h6_too            open       unmapped
    """,
)


def test_bookings_avoided_are_of_arrests_known_to_be_below_felony(cells: Any) -> None:
    assert cells("CUS-09", 2008) == (2, 3)


# All of it ---------------------------------------------------------------------------------------------------------


def test_every_measure_with_sql_is_counted_in_this_world(built: duckdb.DuckDBPyConnection) -> None:
    assert silent_measures(built, "custody") == []


def test_every_column_of_every_fact_is_documented_and_no_other(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "custody") == []

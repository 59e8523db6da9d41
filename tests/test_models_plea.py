"""What the mart of pleas decides, written as small tables: rows in, counts out. Each scenario has its own year."""

from __future__ import annotations

from typing import Any

import duckdb

from tests.worlds import Scenarios, silent_measures, wrongly_documented

WORLD = Scenarios()
given = WORLD.given


# Offers -------------------------------------------------------------------------------------------------------------

given(
    "plea_offer",
    """
    offer_id  case_id  made_at     made_by  imm_considered  imm_considered_at  imm_raised_by_defence  documents_demanded
    o1        x        2001-03-01  da       yes             2001-03-01         true                   true
    o2        x        2001-03-01  da       yes             -                  true                   false
    o3        x        2001-03-01  da       yes             2001-03-02         true                   false
    o4        x        2001-03-01  da       no              -                  true                   -
    o5        x        2001-03-01  da       -               -                  true                   -
    o6        x        2001-03-01  da       yes             2001-02-01         false                  true
    o7        x        2001-03-01  defence  yes             2001-02-01         true                   true
    """,
)


def test_consideration_is_written_down_by_the_day_of_the_offer(cells: Any) -> None:
    assert cells("PLE-01", 2001) == (2, 4)
    assert cells("PLE-01a", 2001) == (3, 5)


def test_documents_are_asked_about_only_where_the_defence_had_asked(cells: Any) -> None:
    assert cells("PLE-05", 2001) == (2, 4)


given("case_", "case_id person_id\ngrave grave\nlight light")
given(
    "charge",
    """
    charge_id  case_id  version_no  stage  jurisdiction  code  section  severity
    grave      grave    1           filed  US-CA         PC    273.5    felony
    light      light    1           filed  US-CA         PC    242      misdemeanor
    """,
)
given(
    "plea_offer",
    """
    offer_id  case_id  made_at     charge_code  charge_section  sentence_days  imm_raised_by_defence
    safe      light    2012-03-01  PC           459/460(b)      10             true
    exposed   grave    2012-03-01  PC           273.5           20             true
    unheard   grave    2012-03-01  PC           99999           30             true
    unasked   grave    2012-03-01  PC           273.5           -              false
    """,
    made_by="da",
)


def test_an_offer_that_the_reference_cannot_answer_for_is_not_safe(cells: Any) -> None:
    assert cells("PLE-02", 2012) == (1, 3)
    assert cells("PLE-02a", 2012) == {"no_known_ground": (1, 1), "possible": (1, 1), "cannot_determine": (1, 1)}
    assert cells("PLE-08", 2012) == {"felony": (0, 2), "misdemeanor": (1, 1)}


def test_the_price_is_counted_where_days_are_stated(values: Any) -> None:
    assert values("PLE-15", 2012) == {(10, "event"): 1, (20, "event"): 1, (30, "event"): 1}


given(
    "plea_offer",
    """
    offer_id  case_id  made_at     expires_on  outcome    answered_at  refusal_reason
    taken     x        2003-03-01  2003-04-01  accepted   2003-03-11   -
    refused   x        2003-03-01  2003-04-01  rejected   2003-03-11   policy
    countered  x       2003-03-01  2003-04-01  countered  -            -
    expired   x        2003-03-01  2003-03-31  expired    -            -
    lapsed    x        2003-03-01  -           expired    -            -
    withdrawn  x       2003-03-01  -           withdrawn  -            -
    waiting   x        2003-03-01  -           -          -            -
    backward  x        2003-03-01  -           accepted   2003-02-01   -
    """,
    made_by="defence",
    imm_raised_by_defence="true",
)


def test_waiting_for_an_answer_ends_with_it_or_with_the_expiry_or_goes_on(values: Any, cells: Any) -> None:
    assert values("PLE-06", 2003) == {(10, "event"): 2, (30, "expired"): 1, (7976, "censored"): 1}
    assert cells("PLE-12", 2003) == (2, 4)
    assert cells("PLE-09", 2003) == {"policy": (1, 1)}


given(
    "plea_offer", "offer_id case_id made_at made_by status_as_leverage\nl1 x 2004-03-01 da true\nl2 x 2004-03-01 da -"
)


def test_leverage_is_counted_only_where_it_was_flagged(cells: Any) -> None:
    assert cells("PLE-11", 2004) == (1, 0)


# Standard offers ----------------------------------------------------------------------------------------------------

given(
    "standard_offer",
    """
    standard_offer_id  code  section   jurisdiction  effective_from
    so1                PC    487       US-CA         2005-03-01
    so2                pc    487(a)    -             2005-06-01
    so3                PC    459       US-NY         2005-01-01
    so4                PC    470       US-CA         -
    """,
)
for _section in ("487(a)", "459", "470"):
    given("case_", f"case_id person_id filed_on\nsd{_section} sd{_section} 2005-03-01")
    given("charge", f"charge_id case_id version_no stage code section\nsd{_section} sd{_section} 1 filed PC {_section}")
    given(
        "plea_offer",
        f"offer_id case_id made_at made_by is_standard_offer\n"
        f"sd1{_section} sd{_section} 2005-02-28 da true\nsd2{_section} sd{_section} 2005-03-01 da true\n"
        f"sd3{_section} sd{_section} 2005-03-01 da false\nsd4{_section} sd{_section} 2005-03-01 da -",
    )
given("case_", "case_id person_id filed_on\nsd_early sd_early 2005-02-01\nsd_open sd_open 2005-04-01")
given(
    "charge",
    "charge_id case_id version_no stage code section\nsd_early sd_early 1 filed PC 487\nsd_open sd_open 1 filed PC -",
)


def test_a_standard_offer_is_open_from_its_day_to_every_charge_of_its_section(cells: Any) -> None:
    assert cells("PLE-07", 2005) == (1, 2)
    assert cells("PLE-07a", 2005) == (1, 4)


# From filing to conviction ------------------------------------------------------------------------------------------

given(
    "case_",
    """
    case_id     person_id   filed_on    closed_on
    ex_kept     ex_kept     2013-01-01  2013-03-01
    ex_dropped  ex_dropped  2013-01-01  2013-03-01
    ex_safe     ex_safe     2013-01-01  2013-03-01
    ex_open     ex_open     2013-01-01  -
    ex_unheard  ex_unheard  2013-01-01  2013-03-01
    ex_short     ex_short     2013-01-01  2013-03-01
    """,
)
given(
    "charge",
    """
    charge_id   case_id     version_no  stage      section     severity
    ex_kept     ex_kept     1           filed      273.5       felony
    ex_kept     ex_kept     2           convicted  273.5       misdemeanor
    ex_dropped  ex_dropped  1           filed      273.5       felony
    ex_safe     ex_safe     1           filed      273.5       felony
    ex_safe     ex_safe     2           convicted  459/460(b)  misdemeanor
    ex_safe_2   ex_safe     1           filed      273.5       felony
    ex_open     ex_open     1           filed      273.5       felony
    ex_unheard  ex_unheard  1           filed      273.5       felony
    ex_unheard  ex_unheard  2           convicted  99999       felony
    ex_short     ex_short     1           filed      459/460(b)  felony
    """,
    code="PC",
    jurisdiction="US-CA",
)
given(
    "disposition",
    """
    disposition_id  charge_id   disposed_on  type            advisal  factual_basis_type
    ex_kept         ex_kept     2013-03-01   plea_guilty     yes      elements
    ex_dropped      ex_dropped  2013-03-01   dismissed_da    -        -
    ex_safe         ex_safe     2013-02-01   plea_nolo       no       police_report
    ex_safe_2       ex_safe_2   2013-02-01   dismissed_da    -        -
    ex_unheard      ex_unheard  2013-03-01   verdict_guilty  -        -
    ex_short         ex_short     2013-03-01   plea_guilty     -        -
    """,
)


given(
    "sentence",
    """
    sentence_id  charge_id   sentenced_on  sentence_type  imposed_value  imposed_unit
    ex_safe      ex_safe     2013-02-01    jail           10             days
    ex_short      ex_short     2013-03-01    jail           10             days
    """,
)


def test_exposure_at_filing_is_followed_to_the_end_of_the_case(cells: Any) -> None:
    """Kept, dropped, pleaded away, short of a year; an open case and an offence not in the reference have no answer."""
    assert cells("PLE-04", 2013) == (1, 4)


def test_convictions_are_classed_by_the_gravest_of_the_case(cells: Any) -> None:
    assert cells("PLE-03", 2013) == (2, 4)
    assert cells("PLE-03a", 2013) == {"no_known_ground": (2, 2), "possible": (1, 1), "cannot_determine": (1, 1)}


def test_a_plea_is_told_from_a_verdict_and_what_it_changed_from_what_was_filed(cells: Any, values: Any) -> None:
    assert cells("PLE-10", 2013) == (3, 4)
    assert cells("PLE-10b", 2013) == {
        "charge": (1, 1),
        "charge_and_counts": (1, 1),
        "neither_charge_nor_counts": (1, 1),
    }
    assert values("PLE-10a", 2013) == {
        (31, "event"): 1,
        (59, "event"): 2,
        (59, "ended_without_plea"): 2,
        (4382, "censored"): 1,
    }


def test_an_advisal_or_a_basis_that_is_not_recorded_is_no_answer(cells: Any) -> None:
    assert cells("PLE-13", 2013) == (1, 2)
    assert cells("PLE-14", 2013) == (1, 2)


def test_every_measure_of_pleas_counts_something_here(built: duckdb.DuckDBPyConnection) -> None:
    assert silent_measures(built, "plea") == []


def test_every_column_of_a_fact_is_described(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "plea") == []

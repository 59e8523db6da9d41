"""How charges move from filing to outcome, in gravity and in what they expose to in immigration law.

All scenarios live in one world; each has years of its own. Of the reference, Penal Code 242 has no known ground, 273.5 is
a possible one with 242's like as its neutral alternative below felony, 487(a) is named in the Laken Riley Act, and
section 999 is not in it.
"""

from __future__ import annotations

from typing import Any

import duckdb

from tests.worlds import Scenarios, silent_measures, wrongly_documented

WORLD = Scenarios()
given = WORLD.given


# From filing in 2016 to the end in 2019 ----------------------------------------------------------------------------

given(
    "case_",
    """
    case_id  person_id  referral_id  closed_on
    reduced  m1         reduced      2019-05-01
    as_is    m2         -            2019-05-01
    traded   m3         -            2019-05-01
    dropped  m4         -            2019-05-01
    exposed  m5         exposed      2019-05-01
    safe     m6         -            2019-05-01
    unclear  m7         -            2019-05-01
    half     m8         -            2019-05-01
    open     m9         -            -
    three    m10        -            2019-05-01
    """,
    filed_on="2016-05-01",
)
given(
    "charge",
    """
    charge_id  case_id  version_no  stage      code  section  severity     is_primary  is_enhancement
    reduced    reduced  1           filed      PC    273.5    felony       -           -
    reduced    reduced  2           convicted  PC    242      misdemeanor  -           -
    as_is      as_is    1           filed      PC    273.5    misdemeanor  -           -
    traded     traded   1           filed      PC    273.5    misdemeanor  -           -
    traded     traded   2           convicted  PC    242      misdemeanor  -           -
    dropped    dropped  1           filed      PC    273.5    felony       -           -
    exposed    exposed  1           filed      PC    242      misdemeanor  -           -
    exposed    exposed  2           convicted  PC    273.5    misdemeanor  -           -
    safe       safe     1           filed      PC    242      misdemeanor  -           -
    unclear    unclear  1           filed      PC    999      felony       -           -
    unclear    unclear  2           convicted  PC    999      -            -           -
    half       half     1           filed      PC    273.5    felony       true        -
    half_too   half     1           filed      PC    242      misdemeanor  -           -
    open       open     1           filed      PC    273.5    felony       -           -
    three      three    1           filed      PC    273.5    felony       -           -
    three_2    three    1           filed      PC    242      misdemeanor  -           -
    three_3    three    1           filed      PC    12022    felony       -           true
    """,
    jurisdiction="US-CA",
    as_of="2016-05-01",
)
given(
    "disposition",
    """
    disposition_id  charge_id  type           version_no
    reduced         reduced    plea_guilty    2
    as_is           as_is      plea_nolo      -
    traded          traded     plea_guilty    -
    dropped         dropped    dismissed_da   -
    exposed         exposed    plea_guilty    2
    safe            safe       plea_guilty    1
    unclear         unclear    plea_guilty    2
    half            half_too   dismissed_da   -
    three           three      plea_guilty    -
    three_2         three_2    dismissed_da   -
    three_3         three_3    dismissed_da   -
    """,
    disposed_on="2019-05-01",
)


def test_felonies_end_in_felonies_where_outcome_and_class_are_on_record(cells: Any) -> None:
    assert cells("OVC-01", 2019) == (1, 3)
    assert cells("OVC-01a", 2019) == {
        "felony": (1, 1),
        "misdemeanor": (1, 1),
        "no_conviction": (1, 1),
        "class_not_recorded": (1, 1),
        "outcome_not_recorded": (1, 1),  # one charge dismissed, of the other nothing is known
    }


def test_the_gravest_conviction_is_held_against_the_top_charge_filed(cells: Any) -> None:
    assert cells("OVC-02", 2019) == (1, 6)
    assert cells("OVC-02a", 2019) == {"lowered": (1, 1), "same": (5, 5), "not_recorded": (1, 1)}


def test_the_top_charge_is_convicted_as_filed_under_its_section_and_in_no_lower_class(cells: Any) -> None:
    assert cells("OVC-04", 2019) == (3, 7)


def test_charges_are_dropped_in_cases_with_a_conviction_and_enhancements_count_apart(cells: Any) -> None:
    assert cells("OVC-03", 2019) == (1, 8)
    assert cells("OVC-11", 2019) == (1, 1)


def test_exposure_at_filing_is_set_against_exposure_at_the_end(cells: Any) -> None:
    assert cells("OVC-07", 2019) == (3, 5)  # what cannot be classified at the end is left out
    assert cells("OVC-07a", 2019) == {
        "no_known_ground": (2, 2),
        "possible": (2, 2),
        "no_conviction": (1, 1),
        "cannot_determine": (1, 1),
    }
    assert cells("OVC-07b", 2019) == {"no_known_ground": (1, 1), "possible": (1, 1)}
    assert cells("OVC-07c", 2019) == {"cannot_determine": (1, 1)}


def test_a_safer_outcome_without_a_lower_charge_is_pleading_up(cells: Any) -> None:
    assert cells("OVC-08", 2019) == (1, 4)
    assert cells("OVC-09", 2019) == (1, 2)


def test_cases_are_classified_as_filed_by_their_worst_charge(cells: Any) -> None:
    assert cells("CHG-06", 2016) == {"possible": (7, 7), "no_known_ground": (2, 2), "cannot_determine": (1, 1)}


def test_exposure_was_avoidable_where_a_neutral_offence_of_the_class_is_listed(cells: Any) -> None:
    assert cells("CHG-07", 2016) == (2, 7)


given(
    "referral",
    """
    referral_id  person_id  prosecutor_unit
    reduced      m1         Smith
    exposed      m5         Jones
    no_case      m1         Jones
    """,
    received_at="2016-05-01",
    decision="filed",
    decision_date="2016-05-01",
)


def test_units_stand_under_a_number_the_largest_first(cells: Any) -> None:
    assert cells("CHG-12", 2016) == {"unit_1": (0, 1), "unit_2": (1, 1), "not_recorded": (6, 9)}


# Verdicts ----------------------------------------------------------------------------------------------------------

given(
    "case_", "case_id  person_id\nv1  v1\nv2  v2\nv3  v3\nv4  v4\nv5  v5", filed_on="2018-01-01", closed_on="2018-05-01"
)
given("charge", "charge_id  case_id\nv1  v1\nv2  v2\nv3  v3\nv4  v4\nv5  v5", version_no="1", stage="filed")
given(
    "disposition",
    """
    disposition_id  charge_id  type
    v1              v1         verdict_guilty
    v2              v2         acquitted
    v3              v3         mistrial
    v4              v4         plea_guilty
    v5              v5         recorded_unknown
    """,
    disposed_on="2018-05-01",
)


def test_proof_is_of_charges_that_ended_in_a_verdict(cells: Any) -> None:
    assert cells("OVC-06", 2018) == (1, 2)
    assert cells("OVC-06a", 2018) == (2, 4)


# Jail before the sentence ------------------------------------------------------------------------------------------

given(
    "case_",
    "case_id  person_id\nj1  j1\nj2  j2\nj3  j3\nj4  j4\nj5  j5\nj6  j6\nj7  j7\nj8  j8",
    filed_on="2017-01-01",
    closed_on="2017-05-31",
)
given(
    "charge",
    "charge_id  case_id\nj1  j1\nj2  j2\nj3  j3\nj4  j4\nj5  j5\nj6  j6\nj7  j7\nj8  j8",
    version_no="1",
    stage="filed",
)
given(
    "disposition",
    "disposition_id  charge_id\nj1  j1\nj2  j2\nj3  j3\nj4  j4\nj5  j5\nj6  j6\nj7  j7\nj8  j8",
    type="plea_guilty",
    disposed_on="2017-05-31",
)
given(
    "sentence",
    """
    sentence_id  charge_id  sentence_type  imposed_value  executed_days  concurrent_group  modified_from
    j1           j1         jail           30             10             -                 -
    j2           j2         jail           10             10             -                 -
    j3           j3         fine           -              -              -                 -
    j4           j4         jail           10             10             -                 -
    j4_too       j4         jail           20             20             -                 -
    j5           j5         jail           10             10             g                 -
    j5_too       j5         jail           20             20             g                 -
    j5_later     j5         jail           90             90             g                 j5
    j6           j6         jail           10             10             -                 -
    j7           j7         jail           10             10             -                 -
    j8           j8         jail           10             -              -                 -
    """,
    sentenced_on="2017-05-31",
)
given(
    "custody_stay",
    """
    stay_id  person_id  case_id  booked_at   released_at  release_type
    j1       j1         j1       2017-05-01  2017-06-15   sentence_complete
    j2       j2         j2       2017-05-01  2017-05-06   bail
    j3       j3         -        2017-05-01  2017-05-06   bail
    j4       j4         j4       2017-05-01  2017-05-26   bail
    j5       j5         j5       2017-05-01  2017-05-11   bail
    j5_too   j5         j5       2017-05-13  2017-05-28   bail
    j6       j6         j6       2017-05-01  -            bail
    j7       j7         j7       2017-05-21  -            -
    j8       j8         j8       2017-05-01  2017-05-26   bail
    """,
)


def test_days_in_jail_before_the_sentence_are_compared_where_both_are_known(cells: Any, values: Any) -> None:
    assert cells("OVC-10", 2017) == (2, 5)
    assert values("OVC-10a", 2017) == {(20, "event"): 1, (5, "event"): 1}


# What the office added ---------------------------------------------------------------------------------------------

given("referral", "referral_id  person_id  received_at  decision  decision_date\nk1  k1  2014-01-01  filed  2014-02-01")
given("case_", "case_id  person_id  referral_id  filed_on\nk1  k1  k1  2014-02-01")
given(
    "charge",
    """
    charge_id  case_id  referral_id  version_no  stage
    k1         -        k1           1           referred
    k1         k1       -            2           filed
    k2         k1       -            1           filed
    """,
)


def test_charges_added_are_of_matters_whose_referred_charges_are_on_file(cells: Any) -> None:
    assert cells("OVC-05", 2014) == (1, 2)


# A charge alone ----------------------------------------------------------------------------------------------------

given(
    "case_",
    "case_id  person_id  closed_on\nl1  l1  2015-06-01\nl2  l2  2015-06-01\nl3  l3  -\nl4  l4  2015-06-01",
    filed_on="2015-01-01",
)
given(
    "charge",
    """
    charge_id  case_id  section
    l1         l1       487(a)
    l2         l2       487(a)
    l3         l3       487(a)
    l4         l4       242
    """,
    jurisdiction="US-CA",
    code="PC",
    version_no="1",
    stage="filed",
)
given(
    "disposition",
    "disposition_id  charge_id  type\nl1  l1  dismissed_da\nl2  l2  plea_guilty\nl4  l4  dismissed_da",
    disposed_on="2015-06-01",
)


def test_charges_that_alone_trigger_detention_are_counted_and_followed_to_their_end(cells: Any) -> None:
    assert cells("CHG-14", 2015) == (3, 0)
    assert cells("CHG-14a", 2015) == (1, 2)


# Other measures that waited for tables -----------------------------------------------------------------------------

given(
    "diversion_referral",
    """
    diversion_id  program_code  stage              referred_on
    p1            moved         post_plea          2016-01-01
    p2            moved         pre_plea           2016-06-01
    p3            moved         pre_plea           2016-07-01
    p4            moved_back    pre_plea           2016-01-01
    p5            moved_back    post_plea          2016-06-01
    p6            to_and_fro    deferred_judgment  2016-01-01
    p7            to_and_fro    pre_charge         2016-02-01
    p8            to_and_fro    post_plea          2016-03-01
    p9            to_and_fro    pre_charge         2017-04-01
    p10           never         pre_plea           2016-01-01
    p11           unknown       post_plea          2016-01-01
    p12           unknown       not_recorded       2016-02-01
    """,
    person_id="p",
)


def test_a_programme_has_moved_once_nobody_is_referred_after_a_plea_any_more(cells: Any) -> None:
    assert (cells("DIV-06", 2016), cells("DIV-06", 2017)) == ((1, 0), (1, 0))


given(
    "ice_contact",
    """
    contact_id  person_id  at
    q1          q1         2015-01-04
    q2          q2         2015-01-05
    q3          q3         2017-02-19
    q4          q4         2017-02-20
    """,
    type="detainer",
)
given(
    "reporting_total",
    """
    source         period   measure    total
    ice_detainers  2015     detainers  5
    ice_detainers  2017-Q1  detainers  2
    ice_detainers  2016-05  detainers  0
    ice_detainers  FY2017   detainers  9
    other          2017     detainers  9
    """,
)


def test_detainers_have_a_priority_while_the_memorandum_was_in_effect(cells: Any) -> None:
    assert cells("ICE-11", 2015) == {"none_on_record": (1, 1)}
    assert cells("ICE-11", 2017) == {"none_on_record": (1, 1)}


def test_detainers_on_file_are_set_beside_the_published_number(values: Any) -> None:
    assert values("ICE-20", 2015) == {(-3, "event"): 1}
    assert values("ICE-20", 2016) == {(0, "event"): 1}
    assert values("ICE-20", 2017) == {(0, "event"): 1}


# All of it ---------------------------------------------------------------------------------------------------------


def test_every_measure_with_sql_is_counted_in_this_world(built: duckdb.DuckDBPyConnection) -> None:
    assert silent_measures(built, "charge_movement") == []


def test_every_column_of_every_fact_is_documented_and_no_other(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "charge_movement", "charging", "diversion", "ice_contact") == []

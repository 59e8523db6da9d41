"""What the models decide, written as small tables: rows in, counts out.

All scenarios live in one world, so that dbt runs once. Each has a year of its own, which keeps its counts apart.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from tests.worlds import AS_OF, Scenarios, build, rows, silent_measures, wrongly_documented

WORLD = Scenarios()
given = WORLD.given
MARTS = ("charging", "bail", "diversion", "ice_contact")


def _column(
    built: duckdb.DuckDBPyConnection,
    model: str,
    key: str,
    column: str,
    where: str = "true",
) -> dict[str, Any]:
    return dict(built.execute(f"select {key}, {column} from {model} where {where}").fetchall())


# The same row twice ------------------------------------------------------------------------------------------------

given(
    "case_",
    """
    case_id  person_id  filed_on    closed_on   _batch_id  _source_file  _source_row
    resent   ann        2000-01-01  2000-02-01  b1         cases.csv     9
    resent   ann        2000-01-01  -           b2         cases.csv     2
    twice    ann        2000-01-01  2000-02-01  b1         cases.csv     3
    twice    ann        2000-01-01  2000-03-01  b1         cases.csv     4
    """,
)


def test_a_case_sent_again_is_taken_whole_from_the_latest_batch_and_its_last_row(
    built: duckdb.DuckDBPyConnection,
) -> None:
    closed = _column(
        built,
        "staging.stg_cases",
        "case_id",
        "closed_on",
        "case_id in ('resent', 'twice')",
    )
    assert closed == {"resent": None, "twice": date(2000, 3, 1)}


given(
    "person",
    """
    person_id  birth_year  sex               _batch_id  _source_file  _source_row
    merged     1980        female            b1         a.csv         2
    merged     1981        -                 b1         a.csv         3
    merged     -           recorded_unknown  b2         a.csv         2
    blank      -           redacted          b1         a.csv         4
    blank      -           not_recorded      b1         a.csv         5
    """,
)


def test_a_person_keeps_the_last_value_that_says_something(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select birth_year, sex from staging.stg_persons where person_id in ('merged', 'blank') order by person_id desc"
    ).fetchall()
    assert found == [(1981, "female"), (None, "not_recorded")]


def test_a_code_that_was_never_mapped_is_not_recorded(
    built: duckdb.DuckDBPyConnection,
) -> None:
    assert set(_column(built, "staging.stg_cases", "case_id", "defence_type").values()) == {"not_recorded"}


# Who is counted in which group -------------------------------------------------------------------------------------

given(
    "referral",
    """
    referral_id  person_id
    c1           stated_before
    c2           stated_that_day
    c3           stated_after
    c4           contradicted
    c5           contradicted_later
    c6           born_abroad
    c7           national
    c8           source_unmapped
    c9           withheld
    c10          declined_to_state
    c11          nothing_stated
    """,
    received_at="2012-05-01",
    decision="filed",
    decision_date="2012-06-01",
)
given(
    "citizenship_assertion",
    """
    assertion_id  person_id           value              source                asserted_at  permission
    a1            stated_before       us_citizen         booking_self_report   2012-05-01   -
    a2            stated_that_day     noncitizen         defence_disclosure    2012-06-01   defence_limited_use
    a3            stated_after        noncitizen         detainer              2012-06-02   -
    a4            contradicted        us_citizen         booking_self_report   2012-01-01   -
    a5            contradicted        noncitizen         detainer              2012-02-01   -
    a6            contradicted_later  us_citizen         booking_self_report   2012-01-01   -
    a7            contradicted_later  noncitizen         detainer              2012-07-01   -
    a8            born_abroad         noncitizen         booking_birth_country 2012-01-01   -
    a9            national            us_national        court_record          2012-01-01   public_record
    a10           source_unmapped     noncitizen         unmapped              2012-01-01   -
    a11           withheld            noncitizen         voluntary_form        2012-01-01   withheld
    a12           declined_to_state   declined_to_state  booking_self_report   2012-01-01   -
    """,
)


def test_citizenship_is_what_was_on_file_on_the_day_of_the_decision(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select person_id, citizenship, citizenship_latest from marts.mart_charging where quarter = '2012-Q2'"
    ).fetchall()
    assert {person: (then, latest) for person, then, latest in found} == {
        "stated_before": ("citizen", "citizen"),
        "stated_that_day": ("noncitizen", "noncitizen"),
        "stated_after": ("unknown", "noncitizen"),
        "contradicted": ("unknown", "unknown"),
        "contradicted_later": ("citizen", "unknown"),
        "born_abroad": ("unknown", "unknown"),
        "national": ("citizen", "citizen"),
        "source_unmapped": ("unknown", "unknown"),
        "withheld": ("unknown", "unknown"),
        "declined_to_state": ("unknown", "unknown"),
        "nothing_stated": ("unknown", "unknown"),
    }


given(
    "person_race",
    """
    person_id  race_code        race_source
    r_single   black            self
    r_agreed   asian            self
    r_agreed   asian            court
    r_latino   hispanic_latino  self
    r_latino   white            self
    r_two      white            self
    r_two      aian             self
    r_blank    not_recorded     self
    r_half     unmapped         self
    r_half     mena             court
    """,
)


def test_races_are_rolled_up_in_one_place(built: duckdb.DuckDBPyConnection) -> None:
    found = _column(
        built,
        "intermediate.int_persons__race_rolled_up",
        "person_id",
        "race",
        "person_id like 'r\\_%' escape '\\'",
    )
    assert found == {
        "r_single": "black",
        "r_agreed": "asian",
        "r_latino": "hispanic_latino",
        "r_two": "multiracial",
        "r_half": "mena",
    }


given("arrest", "arrest_id  person_id  arrest_at\nfew  ann  1990-01-01")
given(
    "arrest_charge",
    """
    arrest_charge_id  arrest_id  severity     offence_category
    few1              few        misdemeanor  theft
    few2              few        felony       robbery
    """,
)
given(
    "referral",
    """
    referral_id  person_id  arrest_id  received_at  decision  decision_date  offence_category
    o1           ann        few        1990-01-02   filed     1990-01-03     drug_sale
    o2           ann        few        1990-01-02   filed     2025-01-03     not_recorded
    o3           ann        -          1990-01-02   filed     -              -
    """,
)


def test_a_matter_is_grouped_by_the_offence_as_it_came_to_the_office(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = _column(
        built,
        "marts.mart_charging",
        "referral_id",
        "offence_group",
        "referral_id in ('o1', 'o2', 'o3')",
    )
    assert found == {"o1": "drug", "o2": "violent", "o3": "unknown"}


def test_a_row_outside_the_period_is_in_no_quarter_and_says_why(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select referral_id, quarter, uncounted_reason from marts.mart_charging where referral_id in ('o1', 'o2', 'o3')"
    ).fetchall()
    assert sorted(found) == [
        ("o1", None, "before_period"),
        ("o2", None, "after_period"),
        ("o3", None, "undated"),
    ]


given(
    "case_",
    """
    case_id  person_id
    t_flag   ann
    t_scale  ann
    t_class  ann
    t_tie    ann
    t_enh    ann
    t_first  ann
    """,
    filed_on="2000-05-01",
)
given(
    "charge",
    """
    charge_id  case_id  version_no  stage     is_primary  is_enhancement  severity_rank  severity     offence_category
    f1         t_flag   1           filed     true        -               1              misdemeanor  theft
    f2         t_flag   1           filed     false       -               9              felony       homicide
    s1         t_scale  1           filed     -           -               5              felony       theft
    s2         t_scale  1           filed     -           -               7              misdemeanor  assault
    k1         t_class  1           filed     -           -               -              misdemeanor  theft
    k2         t_class  1           filed     -           -               -              felony       burglary
    e2         t_tie    1           filed     -           -               -              felony       robbery
    e1         t_tie    1           filed     -           -               -              felony       assault
    h1         t_enh    1           filed     true        true            9              felony       weapons
    h2         t_enh    1           filed     -           false           -              misdemeanor  traffic
    v1         t_first  2           filed     -           -               -              misdemeanor  theft
    v1         t_first  3           amended   -           -               -              felony       robbery
    v1         t_first  1           referred  -           -               -              felony       homicide
    v2         t_first  1           arrested  -           -               9              felony       sexual
    """,
)


def test_the_top_charge_is_the_offices_own_then_the_gravest_then_the_first_by_key(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = _column(
        built,
        "intermediate.int_cases__offence_picked",
        "case_id",
        "offence_category",
        "case_id like 't\\_%' escape '\\'",
    )
    assert found == {
        "t_flag": "theft",
        "t_scale": "assault",
        "t_class": "burglary",
        "t_tie": "assault",
        "t_enh": "traffic",
        "t_first": "theft",
    }


# Charging ----------------------------------------------------------------------------------------------------------

given(
    "referral",
    """
    referral_id  person_id  decision                    decline_reason
    d1           ann        filed                       -
    d2           ann        declined                    victim
    d3           ann        declined                    -
    d4           ann        diverted                    -
    d5           ann        pending                     -
    d6           ann        returned_for_investigation  -
    d7           ann        unmapped                    -
    """,
    received_at="2001-01-01",
    decision_date="2001-02-01",
)


def test_filing_and_declining_are_shares_of_what_was_finally_decided(
    cells: Any,
) -> None:
    assert cells("CHG-01", 2001) == (1, 4)
    assert cells("CHG-02", 2001) == (2, 4)


def test_declined_matters_without_a_reason_are_shown_as_such(cells: Any) -> None:
    assert cells("CHG-02a", 2001) == {"victim": (1, 1), "not_recorded": (1, 1)}


given(
    "referral",
    """
    referral_id  person_id  received_at  decision  decision_date
    m1           ann        2003-01-01   filed     2003-02-01
    m2           ann        2003-01-01   declined  2003-02-01
    m3           ann        2003-01-01   filed     2003-02-01
    m4           ann        2003-01-01   pending   -
    """,
)
given(
    "case_",
    """
    case_id  person_id  referral_id  filed_on
    m1       ann        m1           2003-02-01
    m3       ann        m3           2003-02-01
    """,
)
given(
    "charge",
    """
    charge_id  lineage_id  referral_id  case_id  version_no  stage     code  section  severity
    ma1        same        m1           -        1           referred  PC    459      felony
    ma2        same        -            m1       2           filed     PC    459      felony
    mb1        raised      m1           -        1           referred  PC    484      misdemeanor
    mb2        raised      -            m1       2           filed     PC    487      felony
    mc1        lowered     m1           -        1           referred  PC    211      felony
    mc2        lowered     -            m1       2           filed     PC    240      misdemeanor
    md1        changed     m1           -        1           referred  PC    470      felony
    md2        changed     -            m1       2           filed     PC    476      felony
    me1        dropped     m1           -        1           referred  PC    148      misdemeanor
    mf1        added       -            m1       1           filed     PC    182      felony
    mg1        classless   m1           -        1           referred  PC    12       felony
    mg2        classless   -            m1       2           filed     PC    12       -
    mh1        declined    m2           -        1           referred  PC    602      misdemeanor
    mi1        alone       -            m3       1           filed     PC    602      misdemeanor
    mj1        pending     m4           -        1           referred  PC    602      misdemeanor
    mk1        codeless    m1           -        1           referred  -     459      felony
    mk2        codeless    -            m1       2           filed     PC    459      felony
    """,
)


def test_what_became_of_charges_is_known_only_in_decided_matters_with_charges_as_referred(
    cells: Any,
) -> None:
    assert cells("CHG-03a", 2003) == {
        "filed_as_referred": (1, 1),
        "raised": (1, 1),
        "lowered": (1, 1),
        "changed_in_class": (1, 1),
        "dropped": (2, 2),
        "added": (1, 1),
        "unknown": (2, 2),
    }


def test_a_referred_charge_without_a_class_is_neither_accepted_nor_changed(
    cells: Any,
) -> None:
    assert cells("CHG-03", 2003) == (1, 6)


given(
    "case_",
    """
    case_id       person_id
    e_part        ann
    e_all         ann
    e_pleaded     ann
    e_retried     ann
    e_mistrial    ann
    """,
    filed_on="2014-01-01",
)
given(
    "charge",
    """
    charge_id      case_id       is_enhancement
    e_part_1       e_part        -
    e_part_2       e_part        -
    e_all_1        e_all         -
    e_all_2        e_all         -
    e_all_3        e_all         true
    e_pleaded_1    e_pleaded     -
    e_pleaded_2    e_pleaded     -
    e_retried_1    e_retried     -
    e_mistrial_1   e_mistrial    -
    """,
    version_no=1,
    stage="filed",
)
given(
    "disposition",
    """
    disposition_id  charge_id     type           disposed_on
    e1              e_part_1      dismissed_da   2014-02-01
    e2              e_all_1       dismissed_da   2014-02-01
    e3              e_all_2       dismissed_da   2014-03-01
    e4              e_pleaded_1   plea_guilty    2014-02-01
    e5              e_retried_1   mistrial       2014-02-01
    e6              e_retried_1   dismissed_da   2014-03-01
    e7              e_mistrial_1  mistrial       2014-02-01
    """,
)


def test_a_case_without_a_day_of_closing_closed_once_each_of_its_charges_had_ended(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        """select case_id, closed_on, is_without_conviction, is_dismissed_by_office
        from intermediate.int_cases__outcome_reached where starts_with(case_id, 'e_') order by all"""
    ).fetchall()
    assert found == [
        ("e_all", date(2014, 3, 1), True, True),
        ("e_mistrial", None, None, None),  # a mistrial is no end
        ("e_part", None, None, None),  # the other charge is pending
        ("e_pleaded", None, False, False),  # pending as well, but the plea stands
        ("e_retried", date(2014, 3, 1), True, True),
    ]


given(
    "case_",
    """
    case_id     person_id
    felony      ann
    misd        ann
    open        ann
    enhanced    ann
    chargeless  ann
    """,
    filed_on="2004-03-01",
)
given(
    "charge",
    """
    charge_id  case_id   version_no  stage  severity        is_enhancement  prior_pleaded
    fe1        felony    1           filed  wobbler_felony  false           true
    fe2        felony    1           filed  misdemeanor     false           false
    fe3        misd      1           filed  misdemeanor     false           false
    fe4        open      1           filed  felony          false           true
    fe5        open      1           filed  -               -               -
    fe6        enhanced  1           filed  misdemeanor     false           false
    fe7        enhanced  1           filed  felony          true            false
    """,
)


def test_a_case_with_a_charge_of_unknown_class_is_left_out_even_if_another_is_a_felony(
    cells: Any,
) -> None:
    assert cells("CHG-05", 2004) == (1, 3)


def test_old_records_are_known_only_where_every_charge_is_marked(cells: Any) -> None:
    assert cells("CHG-15", 2004) == (1, 3)


def test_charges_and_enhancements_are_counted_by_case(values: Any) -> None:
    assert values("CHG-08", 2004) == {(1, "event"): 2, (2, "event"): 2}
    assert values("CHG-08a", 2004) == {(0, "event"): 2, (1, "event"): 1}


given("case_", "case_id  person_id  filed_on\nwobble  ann  2005-03-01")
given(
    "charge",
    """
    charge_id  case_id  version_no  stage    severity             amend_reason
    w1         wobble   1           filed    wobbler_felony       -
    w2         wobble   1           filed    wobbler_misdemeanor  -
    w3         wobble   1           filed    felony               -
    w1         wobble   2           amended  wobbler_misdemeanor  immigration_language
    w2         wobble   2           amended  wobbler_misdemeanor  proof
    w3         wobble   2           amended  felony               -
    """,
)


def test_wobblers_count_as_they_were_first_filed(cells: Any) -> None:
    assert cells("CHG-05a", 2005) == (1, 2)


def test_struck_language_is_a_share_of_amendments_with_a_reason(cells: Any) -> None:
    assert cells("CHG-10", 2005) == (1, 2)


given(
    "arrest",
    """
    arrest_id  person_id  arrest_at         custody_action
    w_four     ann        2007-01-01T10:00  -
    w_two      ann        2007-01-01T10:00  -
    w_undated  ann        2007-01-01T10:00  -
    w_alone    ann        2007-01-01T10:00  -
    w_waiting  ann        2024-12-20T10:00  -
    """,
)
given(
    "referral",
    """
    referral_id  person_id  arrest_id  received_at  decision                    decision_date
    w1           ann        w_four     2007-01-02   filed                       2007-01-05
    w2           ann        w_two      2007-01-02   returned_for_investigation  2007-01-02
    w3           ann        w_two      2007-01-02   declined                    2007-01-03
    w4           ann        w_two      2007-01-02   filed                       2007-01-09
    w5           ann        w_undated  2007-01-02   declined                    -
    w6           ann        w_waiting  2024-12-21   pending                     -
    """,
)


def test_days_to_the_decision_end_with_the_first_final_one_or_with_the_export(
    values: Any,
) -> None:
    assert values("CHG-09", 2007) == {(4, "event"): 1, (2, "event"): 1}
    assert values("CHG-09", 2024)[(11, "censored")] == 1


given(
    "arrest",
    """
    arrest_id  person_id  arrest_at         custody_action  arrest_at_precision
    h_short    ann        2008-03-01T10:30  booked          minute
    h_long     ann        2008-03-01T10:00  transported     -
    h_cited    ann        2008-03-01T10:00  cite_release    minute
    h_dropped  ann        2008-03-01T10:00  booked          minute
    h_day      ann        2008-03-01        booked          day
    h_silent   ann        2008-03-01T10:00  -               minute
    """,
)
given(
    "referral",
    """
    referral_id  arrest_id  decision
    h1           h_short    filed
    h2           h_long     filed
    h3           h_cited    filed
    h4           h_dropped  declined
    h5           h_day      filed
    h6           h_silent   filed
    """,
    person_id="ann",
    received_at="2008-03-02",
    decision_date="2008-03-02",
)
given(
    "case_",
    """
    case_id  referral_id
    h1       h1
    h2       h2
    h3       h3
    h5       h5
    h6       h6
    """,
    person_id="ann",
    filed_on="2008-03-02",
)
given(
    "hearing",
    """
    hearing_id  case_id  at                kind
    h0          h1       2008-03-01T12:00  pretrial
    h1          h1       2008-03-02T09:00  arraignment
    h2          h2       2008-03-04T10:00  first_appearance
    h3          h3       2008-03-20T10:00  arraignment
    h5          h5       2008-03-02T09:00  arraignment
    h6          h6       2008-03-02T09:00  arraignment
    """,
)


def test_hours_to_court_are_of_people_in_custody_whose_times_are_known(values: Any, cells: Any) -> None:
    assert values("CHG-09a", 2008) == {(22, "event"): 1, (72, "event"): 1}
    assert (cells("CHG-09b", 2008), cells("CHG-09c", 2008), cells("CHG-09d", 2008)) == (
        (1, 2),
        (1, 2),
        (1, 2),
    )


def test_an_action_that_is_not_recorded_is_not_a_release(cells: Any) -> None:
    assert cells("ICE-19", 2008) == (4, 5)


given(
    "arrest",
    """
    arrest_id  person_id  arrest_at
    i_soon     i_soon     2010-01-01
    i_late     i_late     2010-01-01
    i_never    i_never    2010-01-01
    i_recent   i_recent   2024-12-28
    """,
)
given(
    "referral",
    """
    referral_id  person_id   arrest_id  received_at  decision  decision_date
    i1           i_soon      i_soon     2010-01-02   declined  2010-01-03
    i2           i_late      i_late     2010-01-02   declined  2010-02-01
    i3           i_never     i_never    2010-01-02   declined  2010-01-03
    i4           i_unlinked  -          2010-01-02   declined  2010-01-03
    i5           i_recent    i_recent   2024-12-28   declined  2024-12-29
    """,
)
given(
    "ice_contact",
    """
    contact_id  person_id  at                type      at_precision
    i1          i_soon     2010-01-05T08:00  detainer  minute
    i2          i_late     2010-01-20        detainer  day
    i3          i_never    2009-12-01        detainer  day
    i4          i_never    2010-01-01        detainer  month
    i5          i_never    2010-01-03        arrest    day
    """,
)


def test_a_detainer_after_a_declined_arrest_counts_within_seven_days_that_have_passed(
    cells: Any,
) -> None:
    assert cells("CHG-11", 2010) == (1, 3)
    assert cells("CHG-11", 2024) == {}


def test_a_detainer_before_the_decision_lies_between_arrest_and_decision(
    cells: Any,
) -> None:
    assert cells("CHG-11a", 2010) == (1, 3)


given(
    "referral",
    """
    referral_id  person_id  severity
    n_refused    ann        misdemeanor
    n_offered    ann        violation_infraction
    n_silent     ann        misdemeanor
    n_felony     ann        felony
    n_none       ann        misdemeanor
    """,
    received_at="2011-01-01",
    decision="filed",
    decision_date="2011-02-01",
)
given(
    "diversion_referral",
    """
    diversion_id  referral_id  stage       offered_on  ineligible_reason
    n1            n_refused    pre_charge  -           residence_or_id
    n2            n_offered    pre_arrest  2011-01-05  -
    n3            n_silent     pre_charge  -           -
    n4            n_felony     pre_charge  -           residence_or_id
    n5            n_none       post_plea   -           residence_or_id
    """,
    person_id="ann",
    program_code="p",
    referred_on="2011-01-04",
)


def test_a_refusal_without_a_reason_leaves_the_identity_barrier_open(
    cells: Any,
) -> None:
    assert cells("CHG-13", 2011) == (1, 2)


# Bail --------------------------------------------------------------------------------------------------------------

given("case_", "case_id  person_id  filed_on\nbail  ann  2013-12-01")
given(
    "bail_event",
    """
    bail_event_id  da_request_type  da_request_amount  set_type   set_amount  immigration_argument
    b1             cash             1000               cash       500.75      status
    b2             cash             5000               cash       5000        none
    b3             detention        -                  detention  -           not_coded
    b4             ror              -                  cash       250         -
    b5             -                -                  ror        -           other
    b6             detention        -                  ror        -           none
    b7             cash             -                  cash       100.50      not_coded
    """,
    case_id="bail",
    at="2014-01-01T09:00",
)


def test_hearings_without_a_recorded_request_stay_in_the_mix_and_out_of_the_shares(
    cells: Any,
) -> None:
    assert cells("BAIL-01", 2014) == {
        "cash": (3, 3),
        "detention": (2, 2),
        "ror": (1, 1),
        "not_recorded": (1, 1),
    }
    assert cells("BAIL-03", 2014) == (2, 6)
    assert cells("BAIL-13", 2014) == (5, 6)
    assert cells("BAIL-03a", 2014) == (1, 2)


def test_amounts_are_of_cash_and_a_gap_needs_both_sides(values: Any, cells: Any) -> None:
    assert values("BAIL-02", 2014) == {(1000, "event"): 1, (5000, "event"): 1}
    assert values("BAIL-02a", 2014) == {(-500, "event"): 1, (0, "event"): 1}
    assert cells("BAIL-02b", 2014) == (1, 2)
    assert values("BAIL-02c", 2014) == {
        (500, "event"): 1,
        (5000, "event"): 1,
        (250, "event"): 1,
        (100, "event"): 1,
    }


def test_an_argument_that_was_not_coded_is_not_a_no(cells: Any) -> None:
    assert cells("BAIL-04", 2014) == (2, 4)
    assert cells("BAIL-04a", 2014) == {
        "status": (1, 1),
        "none": (2, 2),
        "other": (1, 1),
    }
    assert cells("BAIL-04b", 2014) == (4, 7)


given(
    "case_",
    """
    case_id  person_id
    q_open   q_open
    q_ended  q_ended
    q_later  q_later
    q_none   q_none
    """,
    filed_on="2015-01-01",
)
given(
    "bail_event",
    """
    bail_event_id  case_id  da_request_type  da_request_amount
    q1             q_open   cash             9000
    q2             q_ended  ror              -
    q3             q_later  cash             700
    q4             q_none   -                -
    """,
    at="2015-02-01T09:00",
)
given(
    "ice_contact",
    """
    contact_id  person_id  at                type      outcome           outcome_at
    q1          q_open     2015-01-20T10:00  detainer  -                 -
    q2          q_ended    2015-01-20T10:00  detainer  cancelled_by_ice  2015-01-25T10:00
    q3          q_later    2015-02-01T10:00  detainer  -                 -
    """,
)


def test_a_detainer_is_on_file_at_bail_if_lodged_before_and_not_ended(
    cells: Any,
) -> None:
    assert cells("BAIL-09", 2015) == {
        "detainer_open": (1, 1),
        "no_detainer_on_file": (1, 2),
    }


given(
    "case_",
    """
    case_id  person_id
    g1       ann
    g2       ann
    g3       ann
    g4       ann
    """,
    filed_on="2016-01-01",
)
given(
    "custody_stay",
    """
    stay_id  case_id  released_at       release_type
    g1       g1       2016-01-03T08:00  bail
    g2       g2       2016-01-02T10:00  ror
    g3       g3       2016-01-01T12:00  ror
    g4       g4       2016-01-09        bail
    """,
    person_id="ann",
    booked_at="2016-01-01T08:00",
)
given(
    "bail_event",
    """
    bail_event_id  case_id  at                set_type  set_amount
    g1             g1       2016-01-01T20:00  cash      500
    g2             g2       2016-01-01T20:00  cash      2000
    g3             g3       2016-01-05T20:00  cash      2000
    g4             g4       2016-01-01T20:00  cash      -
    """,
)


def test_people_held_on_bail_are_counted_from_the_hour_it_was_set(cells: Any) -> None:
    assert cells("BAIL-06", 2016) == {"up_to_500": (1, 1), "up_to_5000": (0, 1)}
    assert cells("BAIL-06a", 2016) == {"up_to_500": (0, 1), "up_to_5000": (0, 1)}


given(
    "custody_stay",
    """
    stay_id  booked_at         released_at       release_type
    j1       2017-01-01T23:00  2017-01-06T01:00  bail
    j2       2017-01-01T10:00  2017-01-04T10:00  transfer_ice
    j3       2017-01-01T10:00  2017-01-11T10:00  sentence_complete
    j4       2017-01-01T10:00  2017-01-03T10:00  unmapped
    j5       2017-01-01T10:00  2017-01-02T10:00  death
    j6       2017-01-01T10:00  -                 ror
    j7       2017-01-05T10:00  2017-01-02T10:00  ror
    j8       2024-12-21T10:00  -                 -
    """,
    person_id="ann",
)


def test_what_comes_instead_of_a_release_is_named(values: Any) -> None:
    assert values("BAIL-08", 2017) == {
        (5, "event"): 1,
        (3, "ice_transfer"): 1,
        (10, "disposition"): 1,
        (2, "release_unspecified"): 1,
        (1, "other"): 1,
    }
    assert values("BAIL-08", 2024)[(10, "censored")] == 1


def test_people_still_held_are_part_of_how_stays_end(cells: Any) -> None:
    assert cells("BAIL-07", 2017) == {
        "bail": (1, 1),
        "transfer_ice": (1, 1),
        "sentence_complete": (1, 1),
        "unknown": (1, 1),
        "death": (1, 1),
        "ror": (2, 2),
    }
    assert cells("BAIL-07", 2024)["held_or_not_recorded"] == (1, 1)


def test_a_stay_that_ended_in_an_unknown_way_is_no_evidence_of_a_transfer(
    cells: Any,
) -> None:
    assert cells("ICE-19b", 2017) == (1, 6)


given(
    "case_",
    """
    case_id  person_id
    l1       ann
    l2       ann
    l3       ann
    l4       ann
    l5       ann
    """,
    filed_on="2018-01-01",
)
given("case_", "case_id person_id filed_on closed_on\nl6 ann 2018-01-01 2018-04-01")
given(
    "custody_stay",
    """
    stay_id  case_id
    l1       l1
    l2       l2
    l3       l3
    l4       l4
    l5       l5
    l6       l6
    """,
    person_id="ann",
    booked_at="2018-01-01T08:00",
    released_at="2018-01-02T08:00",
    release_type="ror",
)
given(
    "hearing",
    """
    hearing_id  case_id  at                role       appeared  nonappearance_reason
    l1          l1       2018-02-01T09:00  defendant  false     fta
    l2          l2       2018-02-01T09:00  defendant  true      -
    l3          l3       2018-02-01T09:00  defendant  false     in_ice_custody
    l4          l4       2018-02-01T09:00  defendant  false     -
    l5          l4       2018-03-01T09:00  -          false     fta
    l6          l5       2018-01-01T09:00  defendant  true      -
    l7          l2       2018-02-01T09:00  witness    false     fta
    l8          l6       2018-02-01T09:00  defendant  true      -
    l9          l6       2018-06-01T09:00  defendant  false     fta
    """,
)


def test_who_is_held_by_ice_did_not_fail_to_appear(cells: Any) -> None:
    assert cells("BAIL-10", 2018) == (1, 4)
    assert cells("BAIL-10a", 2018) == (1, 4)


def test_appearances_are_the_defendants_and_of_known_attendance(cells: Any) -> None:
    assert cells("BAIL-15", 2018) == (1, 7)


given(
    "case_",
    """
    case_id  person_id  closed_on
    v1       v1         -
    v2       v2         2019-01-20
    v3       v3         -
    v4       v4         -
    """,
    filed_on="2019-01-01",
)
given(
    "custody_stay",
    """
    stay_id  person_id  case_id  booked_at   released_at  release_type
    v1       v1         v1       2019-01-02  2019-01-10   bail
    v2       v2         v2       2019-01-02  2019-01-10   bail
    v3       v3         v3       2019-01-02  2019-01-10   bail
    v4       v4         v4       2024-11-01  2024-12-01   bail
    """,
)
given(
    "arrest",
    """
    arrest_id  person_id  arrest_at
    v1         v1         2019-02-01
    v2         v2         2019-02-01
    v4         v4         2024-12-05
    """,
)


def test_a_new_arrest_counts_while_the_case_is_open_and_once_the_window_has_passed(cells: Any, values: Any) -> None:
    assert cells("BAIL-11", 2019) == (1, 3)
    assert cells("BAIL-11", 2024) == {}
    days = (AS_OF - date(2019, 1, 10)).days
    assert values("BAIL-11a", 2019) == {
        (22, "event"): 1,
        (10, "disposition"): 1,
        (days, "censored"): 1,
    }


given(
    "case_",
    """
    case_id  person_id
    p1       p1
    p2       p2
    p3       p3
    p4       p4
    """,
    filed_on="2020-01-01",
)
given(
    "hearing",
    """
    hearing_id  case_id
    p1          p1
    p2          p2
    p3          p3
    p4          p4
    """,
    at="2020-01-02T09:00",
    kind="arraignment",
)
given(
    "custody_stay",
    """
    stay_id  person_id  booked_at   released_at
    p1       p1         2020-01-01  2020-01-05
    p2       p2         2020-01-01  2020-02-05
    p4       p4         2020-01-01  2020-01-03
    """,
)
given(
    "disposition",
    """
    disposition_id  charge_id  case_id  disposed_on  type
    p1              p1         p1       2020-01-05   plea_guilty
    p2              p2         p2       2020-01-22   plea_nolo
    p4              p4         p4       2020-01-03   plea_guilty
    """,
)


def test_early_pleas_are_set_apart_by_custody_at_the_start(cells: Any) -> None:
    assert cells("BAIL-12", 2020) == {"detained": (1, 2), "not_detained": (1, 2)}
    assert cells("BAIL-12a", 2020) == {"detained": (2, 2), "not_detained": (1, 2)}


given(
    "case_",
    """
    case_id  person_id
    x1       x1
    x2       x2
    x3       x3
    """,
    filed_on="2021-01-01",
)
given(
    "custody_stay",
    """
    stay_id  person_id  case_id  released_at
    x1       x1         x1       2021-01-04T10:00
    x2       x2         x2       2021-01-02T12:00
    x3       x3         x3       2021-01-03T16:00
    """,
    booked_at="2021-01-01T08:00",
    release_type="bail",
)
given(
    "bail_event",
    """
    bail_event_id  case_id
    x1             x1
    x2             x2
    x3             x3
    """,
    at="2021-01-02T09:00",
    set_type="cash",
    set_amount="100",
    posted_at="2021-01-02T10:00",
)
given("ice_contact", "contact_id  stay_id  at  type\nx1  x1  2021-01-01T10:00  detainer")


def test_bail_paid_but_not_released_is_counted_with_and_without_a_detainer(
    cells: Any,
) -> None:
    assert cells("BAIL-14", 2021) == {"detainer": (1, 1), "no_detainer_on_file": (1, 2)}


# Diversion ---------------------------------------------------------------------------------------------------------

given(
    "diversion_referral",
    """
    diversion_id  eligible_on  screened_on  offered_on  accepted_on  enrolled_on  completed_on  terminated_on
    y1            2001-01-01   2001-01-02   2001-01-03  2001-01-04   2001-01-05   2001-06-01    -
    y2            2001-01-01   -            -           2001-01-04   -            -             -
    y3            2001-01-01   2001-01-02   -           -            -            -             2001-01-09
    y4            2001-01-01   -            -           -            -            -             -
    y5            -            -            2001-01-03  -            -            -             -
    """,
    person_id="ann",
    program_code="p",
)


def test_each_step_of_diversion_is_a_share_of_those_dated_at_the_step_before(
    cells: Any,
) -> None:
    assert cells("DIV-01", 2001) == (2, 4)
    assert cells("DIV-02", 2001) == (3, 4)
    assert cells("DIV-02a", 2001) == (1, 2)
    assert cells("DIV-02b", 2001) == (1, 2)
    assert cells("DIV-02c", 2001) == (1, 2)


given(
    "diversion_referral",
    """
    diversion_id  stage      outcome       state_disposition  requires_plea  requires_admission  admission_in_court  judge_ordered_restraint
    z1            post_plea  completed     dismissed          true           false               -                   true
    z2            pre_plea   completed     dismissed          false          true                true                true
    z3            pre_plea   completed     dismissed          false          true                false               true
    z4            pre_plea   completed     dismissed          false          false               -                   -
    z5            -          completed     dismissed          true           -                   -                   true
    z6            pre_plea   completed     convicted          true           true                true                true
    z7            pre_plea   failed        open               true           -                   -                   -
    z8            pre_plea   open          -                  false          false               -                   -
    z9            pre_plea   not_recorded  -                  -              -                   -                   -
    z10           pre_plea   completed     dismissed          -              -                   true                true
    z11           pre_plea   completed     dismissed          false          true                -                   true
    """,
    person_id="ann",
    program_code="p",
    enrolled_on="2002-01-01",
)


def test_open_and_unrecorded_ends_are_neither_completed_nor_failed(cells: Any) -> None:
    assert cells("DIV-02d", 2002) == (8, 9)
    assert cells("DIV-02e", 2002) == (7, 8)


def test_a_plea_up_front_is_known_only_where_both_questions_are_answered(
    cells: Any,
) -> None:
    assert cells("DIV-04", 2002) == (5, 7)


def test_a_dismissal_is_a_federal_conviction_only_with_both_parts_on_record_and_a_plea_is_one_part(
    cells: Any,
) -> None:
    assert cells("DIV-05", 2002) == (4, 5)
    assert cells("DIV-05a", 2002) == {
        "both_parts_met": (4, 4),
        "ruled_out": (2, 2),
        "cannot_be_ruled_out": (1, 1),
    }


def test_the_stages_of_diversion_include_the_unrecorded(cells: Any) -> None:
    assert cells("DIV-03", 2002) == {
        "post_plea": (1, 1),
        "pre_plea": (9, 9),
        "not_recorded": (1, 1),
    }


given(
    "diversion_referral",
    """
    diversion_id  program_type  accepted_on  enrolled_on  refusal_reason            fee  outcome  failure_reason
    k1            drug_court    2003-01-02   2003-01-03   -                         0    failed   nonpayment
    k2            drug_court    -            2003-01-03   -                         50   failed   new_arrest
    k3            veterans      -            2003-01-03   -                         -    failed   -
    k4            other         -            -            plea_required             10   -        -
    k5            other         -            -            immigration_consequences  10   -        -
    k6            other         -            -            -                         10   open     -
    """,
    person_id="ann",
    program_code="p",
    offered_on="2003-01-01",
    requires_plea="true",
    requires_admission="false",
)
given(
    "diversion_referral",
    """
    diversion_id  ineligible_reason
    k7            detainer
    k8            immigration_status
    k9            -
    """,
    person_id="ann",
    program_code="p",
    referred_on="2003-01-01",
)


def test_offers_refused_because_of_the_plea_are_a_share_of_those_answered(
    cells: Any,
) -> None:
    assert cells("DIV-10", 2003) == (2, 5)


def test_refusals_of_diversion_are_mixed_by_reason(cells: Any) -> None:
    assert cells("DIV-07", 2003) == {"detainer": (1, 1), "immigration_status": (1, 1)}


def test_special_courts_are_shown_one_by_one(cells: Any) -> None:
    assert cells("DIV-11", 2003) == {"drug_court": (2, 2), "veterans": (1, 1)}


def test_a_fee_that_is_not_recorded_is_not_free(cells: Any) -> None:
    assert cells("DIV-14", 2003) == (1, 2)
    assert cells("DIV-14a", 2003) == (1, 2)


given(
    "case_",
    """
    case_id  person_id
    u1       u1
    u2       u2
    """,
    filed_on="2004-06-01",
)
given(
    "diversion_referral",
    """
    diversion_id  person_id  case_id  offered_on  enrolled_on  completed_on  language_needed  language_provided
    u1            u1         u1       2004-07-01  2004-07-05   2004-09-01    spa              SPA
    u2            u2         u2       2004-07-01  2004-07-05   -             eng              eng
    u3            u3         -        2004-07-01  2004-07-05   2004-09-01    vie              eng
    u4            u4         -        2004-07-01  2004-07-05   -             vie              -
    """,
    program_code="p",
)
given(
    "hearing",
    """
    hearing_id  case_id  at                role
    u1          u1       2004-06-30T09:00  defendant
    u2          u1       2004-07-01T09:00  defendant
    u3          u1       2004-09-01T09:00  defendant
    u4          u1       2004-08-01T09:00  victim
    u5          u2       2004-08-01T09:00  defendant
    """,
)
given(
    "ice_contact",
    """
    contact_id  person_id  at          type
    u1          u1         2004-09-02  arrest
    u2          u2         2006-01-01  arrest
    u3          u3         2004-08-01  arrest
    u4          u4         2004-08-01  deconfliction
    """,
)


def test_court_days_are_those_of_the_defendant_between_offer_and_end(
    values: Any,
) -> None:
    assert values("DIV-08", 2004) == {(2, "event"): 1}


def test_ice_meets_people_between_enrolment_and_the_end_or_the_export(
    cells: Any,
) -> None:
    assert cells("DIV-13", 2004) == (2, 4)


def test_language_counts_where_another_than_english_is_needed_and_the_service_is_on_record(
    cells: Any,
) -> None:
    assert cells("DIV-09", 2004) == (1, 2)


given(
    "diversion_referral",
    """
    diversion_id  stage       offence_category
    aa1           pre_arrest  drug_possession
    aa2           pre_arrest  not_recorded
    aa3           post_plea   theft
    """,
    person_id="ann",
    program_code="p",
    referred_on="2005-01-01",
)
given(
    "arrest",
    """
    arrest_id  custody_action
    aa1        booked
    aa2        booked
    aa3        diverted
    """,
    person_id="ann",
    arrest_at="2005-02-01",
)
given(
    "arrest_charge",
    """
    arrest_charge_id  arrest_id  offence_category
    aa1               aa1        drug_possession
    aa2               aa2        theft
    aa3               aa3        drug_possession
    """,
)


def test_diversion_before_arrest_is_set_against_arrests_for_the_same_offences(
    cells: Any,
) -> None:
    assert cells("DIV-12", 2005) == (1, 2)


# ICE contact -------------------------------------------------------------------------------------------------------

given(
    "custody_stay",
    """
    stay_id  person_id  booked_at         released_at       release_type
    bb1      bb1        2022-01-01T08:00  2022-01-03T08:00  transfer_ice
    bb2      bb2        2022-01-01T08:00  2022-01-02T08:30  bail
    bb3      bb3        2022-01-01T08:00  2022-01-05T08:00  -
    bb4      bb4        2022-01-01T08:00  2022-01-05T08:00  ror
    """,
)
given(
    "ice_contact",
    """
    contact_id  person_id  stay_id  at                type      outcome              judicial_warrant  criminal_history
    bb1         bb1        -        2022-01-01T20:59  detainer  honoured_extra_hold  no                none
    bb2         bb2        -        2022-01-04T08:00  detainer  released_before      -                 -
    bb3         -          bb3      2022-01-01T09:00  detainer  declined             yes               conviction
    bb4         bb4        -        2022-01-02T09:00  arrest    -                    no                pending
    bb5         bb4        -        2022-01-02T09:00  transfer  -                    -                 -
    """,
    direction="inbound",
    initiator="ice",
)
given(
    "citizenship_assertion",
    """
    assertion_id  person_id  value       source               asserted_at
    bb1           bb1        us_citizen  court_record         2023-01-01
    bb2           bb1        noncitizen  detainer             2022-01-01
    bb3           bb2        us_citizen  booking_birth_country  2022-01-01
    """,
)


def test_a_detainer_belongs_to_the_stay_it_names_or_the_one_that_covers_its_day(
    cells: Any,
) -> None:
    assert cells("ICE-01", 2022) == (2, 4)
    assert cells("ICE-12", 2022) == {"interim_and_later_priorities": (2, 4)}


def test_hours_to_a_detainer_compete_with_release(values: Any) -> None:
    assert values("ICE-13", 2022) == {
        (12, "event"): 1,
        (1, "event"): 1,
        (24, "released"): 1,
        (96, "released"): 1,
    }


def test_the_last_step_leaves_out_stays_whose_end_is_unknown(cells: Any) -> None:
    assert cells("ICE-19a", 2022) == (1, 1)
    assert cells("ICE-19b", 2022) == (1, 3)


def test_outcomes_of_detainers_are_mixed_and_their_shares_are_of_those_on_record(
    cells: Any,
) -> None:
    assert cells("ICE-03", 2022) == {
        "honoured_extra_hold": (1, 1),
        "released_before": (1, 1),
        "declined": (1, 1),
    }
    assert cells("ICE-03a", 2022) == (1, 3)


def test_a_blank_criminal_history_is_not_a_clean_one(cells: Any) -> None:
    assert cells("ICE-10", 2022) == (1, 2)
    assert cells("ICE-10b", 2022) == (1, 1)


def test_warrants_are_counted_where_they_are_on_record(cells: Any) -> None:
    assert cells("ICE-18", 2022) == (1, 3)


def test_detainers_on_recorded_citizens_are_counted_whenever_the_record_was_made(
    cells: Any,
) -> None:
    assert cells("ICE-14", 2022) == (1, 0)
    assert cells("ICE-14a", 2022) == (0, 1)


given(
    "case_",
    """
    case_id  person_id  filed_on
    cc1      cc1        2001-03-01
    """,
)
given("hearing", "hearing_id  case_id  at  kind\ncc1  cc1  2001-03-05T09:00  arraignment")
given(
    "disposition",
    "disposition_id  charge_id  case_id  disposed_on  type\ncc1  cc1  cc1  2001-06-01  verdict_guilty",
)
given(
    "ice_contact",
    """
    contact_id  person_id  case_id  at
    cc1         cc1        cc1      2001-02-28
    cc2         cc1        cc1      2001-03-01
    cc3         cc1        cc1      2001-03-05
    cc4         cc1        cc1      2001-06-01
    cc5         cc1        -        2001-07-01
    """,
    type="detainer",
)


def test_the_stage_of_a_detainer_is_that_of_the_case_it_names(cells: Any) -> None:
    assert cells("ICE-02", 2001) == {
        "before_filing": (1, 1),
        "before_first_appearance": (1, 1),
        "case_pending": (1, 1),
        "after_conviction": (1, 1),
        "no_case_on_file": (1, 1),
    }


def test_a_conviction_here_is_one_on_or_before_the_day_of_the_detainer(
    cells: Any,
) -> None:
    assert cells("ICE-10a", 2001) == (3, 5)


given(
    "ice_contact",
    """
    contact_id  type                 direction  initiator     channel   policy_compliant  outcome        location_type      role     judicial_warrant   person_id
    dd1         notification         outbound   da            email     false             -              -                  -        -                  p1
    dd2         information_request  outbound   da            phone     true              -              -                  -        -                  -
    dd3         notification         outbound   jail          database  -                 -              -                  -        -                  -
    dd4         notification         -          da            email     true              -              -                  -        -                  -
    dd5         access_request       inbound    ice           email     -                 declined       -                  -        -                  -
    dd6         subpoena             inbound    ice           email     -                 notified_only  -                  -        -                  -
    dd7         subpoena             inbound    ice           email     -                 -              -                  -        -                  -
    dd8         arrest               -          ice           -         -                 -              courthouse_inside  witness  no                 -
    dd9         arrest               -          ice           -         -                 -              courthouse_near    -        yes                -
    dd10        arrest               -          ice           -         -                 -              home               -        -                  -
    dd11        transfer             -          state_prison  -         -                 -              -                  -        -                  -
    dd12        writ                 -          da            -         -                 -              -                  -        -                  -
    """,
    at="2003-05-05T09:00",
)


def test_contacts_by_the_office_are_those_it_began_towards_ice(cells: Any) -> None:
    assert cells("ICE-04", 2003) == (2, 0)
    assert cells("ICE-04a", 2003) == {
        "notification": (1, 1),
        "information_request": (1, 1),
    }
    assert cells("ICE-04b", 2003) == (1, 2)


def test_a_contact_by_the_office_that_names_nobody_is_not_one_about_a_person(cells: Any) -> None:
    assert cells("ICE-04c", 2003) == (1, 0)


def test_information_is_counted_by_channel_whoever_gave_it(cells: Any) -> None:
    assert cells("ICE-07", 2003) == {
        "email": (1, 1),
        "phone": (1, 1),
        "database": (1, 1),
    }
    assert cells("ICE-07a", 2003) == (1, 2)


def test_arrests_at_the_courthouse_are_counted_by_whom_they_met(cells: Any) -> None:
    assert cells("ICE-05", 2003) == {"witness": (1, 0), "not_recorded": (1, 0)}
    assert cells("ICE-05b", 2003) == (1, 2)


def test_requests_without_an_answer_on_record_are_neither_refused_nor_answered(
    cells: Any,
) -> None:
    assert cells("ICE-17", 2003) == (1, 2)
    assert cells("ICE-17a", 2003) == {"access_request": (1, 1), "subpoena": (2, 2)}


def test_prison_transfers_and_writs_are_counts(cells: Any) -> None:
    assert cells("ICE-09", 2003) == (1, 0)
    assert cells("ICE-16a", 2003) == (1, 0)


given(
    "case_",
    """
    case_id  person_id
    ee1      ee1
    ee2      ee2
    ee3      ee3
    ee4      ee4
    """,
    filed_on="2006-01-01",
)
given(
    "disposition",
    """
    disposition_id  charge_id  case_id  disposed_on  type             reason
    ee1             ee1        ee1      2006-03-01   dismissed_da     proof
    ee2             ee2        ee1      2006-03-02   acquitted        -
    ee3             ee3        ee2      2006-03-01   dismissed_court  removed_or_ice_custody
    ee4             ee4        ee3      2006-03-01   plea_guilty      plea_bargain
    ee5             ee5        ee3      2006-03-01   dismissed_da     plea_bargain
    ee6             ee6        ee4      2006-03-01   deferred_entry   -
    """,
)
given(
    "referral",
    "referral_id  person_id  received_at  decision  decision_date\nee5  ee5  2006-01-01  declined  2006-03-01",
)
given(
    "ice_contact",
    """
    contact_id  person_id  at          type
    ee1         ee1        2006-04-01  arrest
    ee2         ee2        2006-04-01  arrest
    ee3         ee3        2006-03-05  arrest
    ee5         ee5        2006-03-31  arrest
    """,
)


def test_arrests_after_a_dropped_case_follow_within_thirty_days(cells: Any) -> None:
    assert cells("ICE-06", 2006) == (2, 3)


def test_removal_as_an_end_is_a_share_of_the_cases_with_a_reason(cells: Any) -> None:
    assert cells("ICE-16", 2006) == (1, 3)


given("case_", "case_id  person_id  filed_on\nff  ff  2007-01-01")
given(
    "sentence",
    """
    sentence_id  charge_id  case_id  sentenced_on  sentence_type  probation_months
    ff1          ff         ff       2007-02-01    probation      12
    ff2          ff         ff       2007-02-01    jail           -
    ff3          ff         ff       2024-02-01    probation      12
    """,
)
given(
    "ice_contact",
    """
    contact_id  person_id  at          type          direction  initiator  location_type
    ff1         ff         2007-06-01  notification  outbound   probation  -
    ff2         ff         2008-06-01  arrest        -          ice        probation_office
    """,
)


def test_probation_is_followed_for_a_year(cells: Any) -> None:
    assert (cells("ICE-08", 2007), cells("ICE-08", 2024)) == ((1, 1), {})
    assert cells("ICE-08a", 2007) == (0, 1)


given(
    "case_",
    """
    case_id  person_id
    gg1      gg1
    gg2      gg2
    """,
    filed_on="2009-01-01",
)
given(
    "hearing",
    """
    hearing_id  case_id  at                role       appeared  nonappearance_reason
    gg1         gg1      2009-05-01T09:00  defendant  true      -
    gg2         gg1      2009-06-15T09:00  defendant  false     in_ice_custody
    gg3         gg2      2009-06-20T09:00  defendant  false     fta
    gg4         gg2      2009-05-20T09:00  victim     true      -
    gg5         gg2      2009-06-01T09:00  victim     false     fta
    gg6         gg2      2009-08-01T09:00  victim     false     fta
    """,
)
given(
    "ice_contact",
    "contact_id  person_id  at  type  location_type  publicised\n"
    "gg1  gg1  2009-06-01T12:00  arrest  courthouse_inside  true\n"
    "gg2  gg1  2009-06-15T12:00  arrest  courthouse_near  -",
)


def test_arrests_on_a_day_in_court_are_a_share_of_the_defendants_appearances(
    cells: Any,
) -> None:
    assert cells("ICE-05a", 2009) == (1, 3)


def test_staying_away_is_compared_before_and_after_the_day_itself_left_out(
    cells: Any,
) -> None:
    assert cells("ICE-15", 2009) == {"before": (0, 1), "after": (1, 2)}


# All of it ---------------------------------------------------------------------------------------------------------


def test_coverage_says_why_rows_are_not_counted(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select * exclude (measure_id) from marts.mart_coverage where measure_id = 'CHG-01'"
    ).fetchone()
    referrals = WORLD["referral"]
    decided = [r for r in referrals if r["decision"] in ("filed", "declined", "diverted")]
    undated = [r for r in decided if r["decision_date"] is None]
    assert found == (
        len(decided),
        len(decided) - len(undated) - 2,
        0,
        len(undated),
        1,
        1,
    )


def test_every_measure_with_sql_is_counted_in_this_world(built: duckdb.DuckDBPyConnection) -> None:
    elsewhere = {"BAIL-05", "CHG-04"}  # tests/test_models_declination.py
    elsewhere |= {
        "CHG-06",
        "CHG-07",
        "CHG-12",
        "CHG-14",
        "CHG-14a",
        "DIV-06",
        "ICE-11",
        "ICE-20",
    }  # ..._charge_movement.py
    assert set(silent_measures(built, *MARTS)) <= elsewhere


def test_every_column_of_every_fact_is_documented_and_no_other(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, *MARTS) == []


# Offices that lack almost everything -------------------------------------------------------------------------------


def test_an_office_with_nothing_but_diversion_builds_and_is_grouped_by_its_own_offences() -> None:
    world = {
        "person_race": rows("person_id race_code\nann black"),
        "diversion_referral": rows(
            """
            diversion_id  person_id  program_code  referred_on  offence_category  outcome
            d1            ann        p             2024-01-05   theft             completed
            d2            ann        p             2024-02-05   drug_possession   failed
            d3            bob        p             1946-02-05   theft             failed
            """
        ),
    }
    built = build(world, data_tests=False)
    found = built.execute(
        "select race, offence_group, numerator, denominator from marts.mart_diversion__cells where measure_id = 'DIV-02d'"
    ).fetchall()
    assert sorted(found) == [("black", "drug", 0, 1), ("black", "property", 1, 1)]


def test_an_office_with_nothing_at_all_builds_empty_marts() -> None:
    built = build({}, data_tests=False)
    for mart in MARTS:
        for table in ("cells", "values"):
            assert built.execute(f"select count(*) from marts.mart_{mart}__{table}").fetchone() == (0,)


def test_marts_are_tables_and_staging_is_views() -> None:
    kinds = build({}, data_tests=False).execute(
        """
        select distinct table_schema, table_type from information_schema.tables
        where table_schema in ('staging', 'marts') order by all
        """
    )
    assert kinds.fetchall() == [("marts", "BASE TABLE"), ("staging", "VIEW")]

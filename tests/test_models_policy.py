"""What the models of the policy registry decide, written as small tables: rows in, counts out.

All scenarios live in one world, so that dbt runs once. Each has years of its own, which keep its counts apart.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from tests.worlds import Scenarios, build, cells_of, values_of, wrongly_documented

WORLD = Scenarios()
given = WORLD.given
AS_OF = date(2025, 2, 15)


@pytest.fixture(scope="module")
def built() -> duckdb.DuckDBPyConnection:
    select = ["+mart_policy__cells", "+mart_policy__values"]
    return build(WORLD, as_of=AS_OF, period=(date(2000, 1, 1), date(2025, 3, 31)), select=select)


# The registry, quarter by quarter -----------------------------------------------------------------------------------

given(
    "policy",
    """
    policy_id  version  stage     proposal_no  effective_from  effective_to  adopted_form      signoff_required
    old        1        bail      9            1999-05-01      2001-03-31    written_internal  true
    old        2        bail      9            2001-04-01      2001-12-31    written_public    true
    overlap    1        plea      4            2001-01-01      2001-12-31    written_public    -
    overlap    2        plea      4            2001-01-01      2001-12-31    verbal            -
    unclear    1        charging  3            2001-01-01      2001-12-31    not_recorded      false
    one_day    1        custody   -            2001-06-30      2001-06-30    none              -
    missed     1        custody   -            2001-07-01      2001-09-29    written_public    -
    """,
    title="t",
)


def test_a_policy_counts_on_the_last_day_of_each_quarter_in_its_latest_version(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select policy_id, version, quarter from marts.mart_policy__in_force where quarter like '2001%' order by all"
    ).fetchall()
    assert found == [
        ("old", 1, "2001-Q1"),
        *(("old", 2, f"2001-Q{q}") for q in (2, 3, 4)),
        ("one_day", 1, "2001-Q2"),
        *(("overlap", 2, f"2001-Q{q}") for q in (1, 2, 3, 4)),
        *(("unclear", 1, f"2001-Q{q}") for q in (1, 2, 3, 4)),
    ]


def test_a_form_nobody_wrote_down_is_neither_written_nor_verbal(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "POL-01", 2001) == (4, 9)  # old, against overlap and one_day; unclear says nothing
    assert cells_of(built, "POL-01a", 2001) == (3, 9)
    assert cells_of(built, "POL-01d", 2001) == (4, 8)


def test_a_subject_without_a_policy_is_not_covered_and_one_of_unknown_form_is_unknown(
    built: duckdb.DuckDBPyConnection,
) -> None:
    proposals = cells_of(built, "POL-02", 2001)
    assert proposals["proposal_9"] == (4, 4)
    assert proposals["proposal_4"] == (0, 4)  # verbal
    assert "proposal_3" not in proposals
    assert proposals["proposal_12"] == (0, 4)
    assert len(proposals) == 11
    stages = cells_of(built, "POL-02a", 2001)
    assert (stages["bail"], stages["plea"], stages["custody"], stages["victim"]) == ((4, 4), (0, 4), (0, 4), (0, 4))
    assert "charging" not in stages


def test_the_period_ends_with_the_last_quarter_that_had_ended_by_the_export(built: duckdb.DuckDBPyConnection) -> None:
    assert built.execute("select max(ended_quarter) from intermediate.int_quarters__ended").fetchone() == ("2024-Q4",)


given(
    "policy",
    """
    policy_id  reviewed_on  effective_from  effective_to
    reviewed   2024-12-01   2024-01-01      -
    today      2024-12-31   2024-12-31      -
    later      2025-02-01   2024-01-01      -
    never      -            2024-01-01      -
    ended      2024-12-01   2024-01-01      2024-12-30
    """,
    version="1",
    title="t",
)


def test_the_age_of_a_policy_is_told_for_the_last_day_of_the_period_alone(built: duckdb.DuckDBPyConnection) -> None:
    assert values_of(built, "POL-07", 2024) == {(30, "event"): 1, (0, "event"): 1}


given(
    "policy",
    """
    policy_id  effective_from
    padilla_1  2009-12-31
    padilla_2  2009-12-30
    padilla_3  2010-06-29
    padilla_4  2010-06-30
    new_york   2019-04-12
    """,
    version="1",
    title="t",
    effective_to="2019-04-30",
)


def test_a_policy_is_near_another_change_up_to_ninety_days_on_either_side(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        """
        select policy_id, is_near_other_change from marts.mart_policy__versions
        where policy_id like 'padilla%' or policy_id = 'new_york'
        """
    ).fetchall()
    # Padilla v. Kentucky: 31 March 2010; the law of New York is no law of California
    assert dict(found) == {
        "padilla_1": True,
        "padilla_2": False,
        "padilla_3": True,
        "padilla_4": False,
        "new_york": False,
    }


given(
    "policy_measure",
    """
    policy_id  measure_id
    padilla_1  PLE-01
    new_york   PLE-01
    old        PLE-01
    overlap    PLE-01
    today      PLE-01
    """,
    expected_direction="up",
)


def test_a_policy_has_a_year_on_both_sides_if_four_full_quarters_lie_there(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        "select policy_id, version, has_a_year_on_both_sides, other_changes from marts.mart_policy__targets"
    ).fetchall()
    assert {(policy, version): has for policy, version, has, _ in found} == {
        ("old", 1): False,
        ("old", 2): True,
        ("overlap", 1): True,
        ("overlap", 2): True,
        ("padilla_1", 1): True,
        ("new_york", 1): True,
        ("today", 1): False,
    }
    changes = {policy: named for policy, _, _, named in found}
    assert changes["padilla_1"] == "Padilla v. Kentucky" and changes["new_york"] is None
    assert changes["today"].split("; ")[0] == "Race-blind charging" and "Laken Riley Act" in changes["today"]


# Decisions measured by a policy -------------------------------------------------------------------------------------

given("person_race", "person_id  race_code  race_source\nann  black  self\nbob  white  self")
given(
    "case_",
    """
    case_id  person_id  filed_on
    k1       ann        2003-01-01
    k2       bob        2003-01-01
    """,
)
given(
    "referral",
    """
    referral_id  person_id  received_at  decision  offence_category
    m1           bob        2003-01-01   filed     theft
    """,
)
given(
    "policy",
    """
    policy_id  version  stage  effective_from  effective_to  signoff_required
    rule       1        bail   2003-01-01      2003-06-30    true
    rule       2        plea   2003-07-01      2003-12-31    false
    """,
    title="t",
)
given(
    "policy_application",
    """
    application_id  case_id  referral_id  decided_at  covered  complied  deviation_reason  approved_at
    followed        k1       -            2003-02-01  true     true      -                 -
    before          k1       -            2003-02-01  true     false     public_safety     2003-01-31
    that_day        k1       -            2003-02-01  true     false     not_recorded      2003-02-01
    after           k2       -            2003-02-01  true     false     victim            2003-02-02
    unsigned        k2       m1           2003-08-01  true     false     redacted          -
    not_told        k2       -            2003-08-01  true     -         -                 -
    not_covered     k2       -            2003-08-01  false    false     other             -
    open            k2       -            2003-08-01  -        false     other             -
    too_late        -        -            2004-01-01  true     true      -                 -
    undated         k1       -            -           true     false     other             2003-01-01
    """,
    policy_id="rule",
)


def test_only_covered_decisions_can_follow_a_policy_or_depart_from_it(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "POL-05d", 2003) == {"bail": (1, 4), "plea": (0, 1)}
    assert cells_of(built, "POL-05d", 2004) == {"not_recorded": (1, 1)}


def test_an_exception_is_approved_only_by_a_date(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "POL-05", 2003) == {"bail": (3, 3), "plea": (0, 1)}
    assert cells_of(built, "POL-05a", 2003) == (2, 4)


def test_an_exception_without_a_known_reason_is_shown_as_such(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "POL-05b", 2003) == (2, 4)
    assert cells_of(built, "POL-05c", 2003) == {
        "public_safety": (1, 1),
        "victim": (1, 1),
        "not_recorded": (1, 1),
        "redacted": (1, 1),
    }


def test_a_check_against_a_policy_that_had_ended_is_counted_against_the_registry(
    built: duckdb.DuckDBPyConnection,
) -> None:
    assert cells_of(built, "POL-05e", 2003) == (0, 8)
    assert cells_of(built, "POL-05e", 2004) == (1, 1)


def test_a_check_belongs_to_the_person_and_the_offence_of_its_referral_else_of_its_case(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        """
        select application_id, race, offence_group, uncounted_reason from marts.mart_policy
        where application_id in ('followed', 'unsigned', 'too_late', 'undated')
        """
    ).fetchall()
    assert {row[0]: row[1:] for row in found} == {
        "followed": ("black", "unknown", None),
        "unsigned": ("white", "property", None),
        "too_late": ("unknown", "unknown", None),
        "undated": ("black", "unknown", "undated"),
    }


# Trainings, bills, findings -----------------------------------------------------------------------------------------

given(
    "training",
    """
    training_id  held_on     topic         attended_count  prosecutor_count
    t1           2005-01-01  consequences  2               3
    t2           2005-06-01  consequences  0               3
    t3           2005-06-01  policy        -               2
    t4           2005-06-01  policy        2               -
    t5           2005-06-01  policy        4               2
    """,
)


def test_each_training_counts_every_prosecutor_of_that_day(built: duckdb.DuckDBPyConnection) -> None:
    # who attended t3 was not counted, how many there were at t4 neither; and no more can attend than there are
    assert cells_of(built, "POL-06", 2005) == {"consequences": (2, 6), "policy": (2, 2)}


given(
    "legislative_position",
    """
    position_id  bill  topic            position      taken_on
    b1           x     misdemeanor_364  support       2006-01-01
    b2           x     misdemeanor_364  oppose        2006-01-01
    b3           x     bail             support       2006-01-01
    b4           x     not_recorded     not_recorded  2006-01-01
    b5           x     misdemeanor_364  support       -
    """,
)


def test_bills_are_counted_by_position_on_the_day_it_was_taken(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "POL-09", 2006) == {"support": (2, 2), "oppose": (1, 1), "not_recorded": (1, 1)}
    assert cells_of(built, "POL-09a", 2006) == (1, 0)


given(
    "remediation",
    """
    finding_id  found_on    owner_role  due_on      closed_on
    on_time     2007-01-01  Chief       2007-03-01  2007-03-01
    late        2007-01-01  Chief       2007-03-01  2007-03-02
    never       2007-01-01  -           2007-03-01  -
    no_date     2007-01-01  Chief       -           2007-01-11
    backwards   2007-01-01  Chief       2007-03-01  2006-12-31
    due_today   2024-11-01  Chief       2025-02-15  -
    overdue     2024-11-01  Chief       2025-02-14  -
    early       2024-11-01  Chief       2025-09-01  2024-11-11
    """,
)


def test_a_finding_is_late_only_after_its_day_has_passed(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "POL-10", 2007) == (2, 4)
    assert cells_of(built, "POL-10", 2024) == (1, 2)
    assert cells_of(built, "POL-10a", 2007) == (3, 5)


def test_findings_still_open_wait_until_the_export(built: duckdb.DuckDBPyConnection) -> None:
    assert values_of(built, "POL-10b", 2024) == {(106, "censored"): 2, (10, "event"): 1}
    assert values_of(built, "POL-10b", 2007) == {
        (59, "event"): 1,
        (60, "event"): 1,
        (10, "event"): 1,
        (6620, "censored"): 1,
    }


def test_every_column_of_the_facts_is_described(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "policy") == []

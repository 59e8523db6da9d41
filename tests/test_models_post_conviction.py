"""What the mart of relief after conviction decides, written as small tables. Each scenario has its own year."""

from __future__ import annotations

from typing import Any

import duckdb

from tests.worlds import Scenarios, silent_measures, wrongly_documented

WORLD = Scenarios()
given = WORLD.given


given(
    "post_conviction_motion",
    """
    motion_id  da_position  position_at  outcome    outcome_at  conviction_final_date  initiator  urgency_flag  counselled
    agreed     stipulated   2020-03-11   granted    2020-04-01  2010-03-30             defence    true          true
    neutral    non_opposed  2020-03-02   granted    2020-04-01  2010-03-31             office     false         true
    against    opposed      -            denied     -           2010-03-31             -          -             false
    silent     no_response  -            granted    2020-03-31  2009-01-01             defence    -             -
    waiting    pending      -            pending    -           2009-01-01             defence    true          -
    unsaid     -            -            withdrawn  2020-03-21  -                      court      false         -
    backward   stipulated   2020-02-01   denied     2020-02-01  -                      -          -             -
    """,
    case_id="x",
    filed_at="2020-03-01",
    type="ca_pc_1473_7_a1",
    reviewer_body="independent_board",
)


def test_a_position_that_is_still_pending_is_none_and_silence_is_one(cells: Any) -> None:
    assert cells("PCR-02", 2020) == (3, 5)
    assert cells("PCR-02a", 2020) == {
        "stipulated": (2, 2),
        "non_opposed": (1, 1),
        "opposed": (1, 1),
        "no_response": (1, 1),
    }


def test_motions_are_granted_among_those_granted_or_denied(cells: Any) -> None:
    assert cells("PCR-03", 2020) == {
        "stipulated": (1, 2),
        "non_opposed": (1, 1),
        "opposed": (0, 1),
        "no_response": (1, 1),
    }


def test_waiting_for_a_position_ends_with_it_or_with_the_case_or_goes_on(values: Any) -> None:
    assert values("PCR-04", 2020) == {
        (10, "event"): 1,
        (1, "event"): 1,
        (30, "ended_first"): 1,
        (20, "ended_first"): 1,
        (1766, "censored"): 1,
    }
    assert values("PCR-04a", 2020) == {
        (31, "event"): 2,
        (30, "event"): 1,
        (20, "withdrawn"): 1,
        (1766, "censored"): 1,
    }


def test_a_conviction_final_on_the_day_of_padilla_is_not_before_it(cells: Any) -> None:
    assert cells("PCR-05", 2020) == {"final_before_padilla": (1, 2), "final_since_padilla": (0, 2)}


def test_who_began_a_motion_and_who_had_a_lawyer_count_only_where_recorded(cells: Any, values: Any) -> None:
    assert cells("PCR-07a", 2020) == (1, 5)
    assert cells("PCR-08", 2020) == {"independent_board": (7, 7)}
    assert cells("PCR-14", 2020) == (2, 4)
    assert values("PCR-14a", 2020) == {(10, "event"): 1, (1766, "censored"): 1}
    assert cells("PCR-15", 2020) == (2, 3)


given(
    "post_conviction_motion",
    """
    motion_id  type           requested_at  outcome  order_names_legal_defect
    d_by_day   ca_pc_18_5_b   2019-10-25    granted  yes
    d_later    ca_pc_18_5_b   2019-10-26    granted  no
    d_filed    ny_cpl_440_20  -             granted  yes
    d_denied   ca_pc_18_5_b   2019-10-26    denied   yes
    d_unsaid   ca_pc_17_b     2019-10-26    granted  -
    d_vacated  ca_pc_1016_5   2019-10-26    granted  no
    """,
    case_id="x",
    filed_at="2021-03-01",
)


def test_a_changed_sentence_is_split_at_the_day_on_which_it_was_asked_for(cells: Any) -> None:
    assert cells("PCR-06", 2021) == (2, 4)
    assert cells("PCR-06a", 2021) == {"asked_by_25_october_2019": (1, 1), "asked_later": (1, 2)}
    assert cells("PCR-13", 2021) == (3, 4)
    assert cells("PCR-01", 2021) == {
        "ca_pc_18_5_b": (3, 3),
        "ny_cpl_440_20": (1, 1),
        "ca_pc_17_b": (1, 1),
        "ca_pc_1016_5": (1, 1),
    }


given(
    "conviction_review",
    "review_id case_id reviewed_at relief_moved\nv1 x 2022-01-01 true\nv2 x 2022-01-01 false\nv3 x 2022-01-01 -",
)
given(
    "community_event",
    """
    event_id  held_on     type             persons_served  petitions_filed
    e1        2022-02-01  record_clearing  40              12
    e2        2022-02-01  record_clearing  -               -
    e3        2022-02-01  forum            99              99
    """,
)
given(
    "clemency_request",
    """
    clemency_id  kind         received_at  letter_given  answered_at
    c1           pardon       2022-03-01   true          2022-03-11
    c2           commutation  2022-03-01   false         2022-03-11
    c3           pardon       2022-03-01   -             -
    """,
)


def test_reviews_events_and_letters_are_counted_where_they_are_answered(cells: Any, values: Any) -> None:
    assert cells("PCR-07", 2022) == (1, 2)
    assert cells("PCR-10", 2022) == (2, 0)
    assert values("PCR-10a", 2022) == {(40, "event"): 1}
    assert values("PCR-10b", 2022) == {(12, "event"): 1}
    assert cells("PCR-12", 2022) == {"commutation": (0, 1), "pardon": (1, 1)}
    assert values("PCR-12a", 2022) == {(10, "event"): 2, (1036, "censored"): 1}


for _case, _day in {"undone": "2017-12-31", "kept": "2017-12-31", "denied": "2017-05-01", "new": "2018-01-01"}.items():
    given("case_", f"case_id person_id\ndej_{_case} dej_{_case}")
    given("charge", f"charge_id case_id version_no stage jurisdiction\ndej_{_case} dej_{_case} 1 disposed US-CA")
    given("disposition", f"disposition_id charge_id disposed_on type\ndej_{_case} dej_{_case} {_day} deferred_entry")
given(
    "post_conviction_motion",
    """
    motion_id  case_id     type           outcome
    j1         dej_undone  ca_pc_1203_43  granted
    j2         dej_denied  ca_pc_1203_43  denied
    j3         dej_kept    ca_pc_1016_5   granted
    """,
    filed_at="2019-03-01",
)


def test_a_deferral_on_a_plea_is_cleaned_up_by_its_own_statute_and_only_before_2018(cells: Any) -> None:
    assert cells("PCR-11", 2017) == (1, 3)


def test_every_measure_of_relief_counts_something_here(built: duckdb.DuckDBPyConnection) -> None:
    assert silent_measures(built, "post_conviction") == []


def test_every_column_of_a_fact_is_described(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "post_conviction") == []

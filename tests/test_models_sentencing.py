"""What the mart of sentencing decides, written as small tables: rows in, counts out. Each scenario has its own year."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import duckdb

from tests.worlds import Scenarios, rows, silent_measures, wrongly_documented

WORLD = Scenarios()
given = WORLD.given


def convicted(year: int, text: str, *, section: str = "422") -> None:
    """One charge each, pleaded guilty and sentenced in one year: charge, class, and the sentence."""
    for row in rows(text):
        charge, day = row["charge_id"], f"{year}-05-01"
        given("case_", f"case_id person_id\n{charge} {row.get('person_id', charge)}")
        facts = f"{row.get('severity', 'felony')} {row.get('loss_amount') or '-'}"
        given(
            "charge",
            f"charge_id case_id version_no stage code section severity loss_amount\n"
            f"{charge} {charge} 1 convicted PC {section} {facts}",
        )
        given("disposition", f"disposition_id charge_id disposed_on type\n{charge} {charge} {day} plea_guilty")
        sentence = {k: v for k, v in row.items() if k not in ("person_id", "severity", "loss_amount")}
        if row.get("sentence_type"):
            WORLD["sentence"].append({"sentence_id": charge, "case_id": charge, "sentenced_on": day, **sentence})


# The line of one year -----------------------------------------------------------------------------------------------

given(
    "sentence",
    """
    sentence_id  charge_id  sentenced_on  sentence_type  imposed_value  imposed_unit  suspended_days  modified_from
    short        l1         2001-02-01    jail           364            days          -               -
    days         l2         2001-02-01    jail           365            days          -               -
    months       l3         2001-02-01    prison         12             months        -               -
    year         l4         2001-02-01    jail           1              years         -               -
    suspended    l5         2001-02-01    probation      365            days          365             -
    below        l6         2001-02-01    jail           363            days          -               -
    beyond       l7         2001-02-01    jail           370            days          -               -
    far          l8         2001-02-01    jail           371            days          -               -
    eleven       l9         2001-02-01    jail           11             months        -               -
    supervised   l10        2001-02-01    probation      1              years         0               -
    no_kind      l11        2001-02-01    -              365            days          -               -
    no_term      l12        2001-02-01    jail           -              -             -               -
    later        l2         2001-08-01    jail           364            days          -               days
    """,
)


def test_one_year_is_at_the_line_in_days_months_and_years_and_364_days_are_not(cells: Any) -> None:
    assert cells("SEN-01", 2001) == {"before_cap_of_364_days": (1, 5)}


def test_terms_close_to_a_year_keep_the_unit_pronounced(cells: Any) -> None:
    assert cells("SEN-01a", 2001) == {
        "days_360_to_363": (1, 1),
        "days_364": (1, 1),
        "days_365": (2, 2),
        "months_12_or_year_1": (2, 2),
        "days_366_to_370": (1, 1),
    }


def test_a_year_is_set_against_whole_months_however_they_are_pronounced(cells: Any) -> None:
    """365 and 365 suspended, twelve months and one year; eleven months. 360, 364 and 371 days are none."""
    assert cells("SEN-01b", 2001) == (4, 5)


given(
    "sentence",
    """
    sentence_id  charge_id  sentenced_on  sentence_type  imposed_value  imposed_unit
    cap_last     l20        2014-12-31    jail           364            days
    cap_first    l21        2015-01-01    jail           364            days
    """,
)


def test_the_cap_of_the_state_holds_from_its_first_day(cells: Any) -> None:
    assert cells("SEN-01", 2014) == {"before_cap_of_364_days": (1, 1)}
    assert cells("SEN-01", 2015) == {"since_cap_of_364_days": (1, 1)}


given(
    "sentence",
    """
    sentence_id  charge_id  sentenced_on  sentence_type  imposed_value  imposed_unit
    s174         m1         2002-02-01    jail           174            days
    s175         m2         2002-02-01    jail           175            days
    s180         m3         2002-02-01    jail           180            days
    s6m          m4         2002-02-01    jail           6              months
    s181         m5         2002-02-01    jail           181            days
    s184         m6         2002-02-01    jail           184            days
    s185         m7         2002-02-01    jail           185            days
    s190         m8         2002-02-01    jail           190            days
    s191         m9         2002-02-01    jail           191            days
    """,
)


def test_terms_close_to_six_months_keep_the_unit_pronounced(cells: Any) -> None:
    assert cells("SEN-04a", 2002) == {
        "days_175_to_179": (1, 1),
        "days_180": (1, 1),
        "months_6": (1, 1),
        "days_181_to_184": (2, 2),
        "days_185_to_190": (2, 2),
    }


# Convictions for which a line matters -------------------------------------------------------------------------------

convicted(
    2013,
    """
    charge_id  sentence_type  imposed_value  imposed_unit  suspended_days  executed_days
    t_short    jail           364            days          0               364
    t_line     jail           365            days          0               365
    t_wholly   jail           1              years         365             0
    t_partly   prison         18             months        200             -
    t_five     jail           370            days          0               370
    t_six      jail           371            days          0               371
    t_life     prison         -              life          -               -
    t_open     jail           -              -             -               -
    t_serve    jail           12             months        -               -
    """,
)
convicted(
    2013, "charge_id sentence_type imposed_value imposed_unit suspended_days\nother jail 2 years 0\n", section="148"
)


def test_a_year_counts_with_its_suspended_part_and_an_unknown_term_is_left_out(cells: Any) -> None:
    assert cells("SEN-02", 2013) == (7, 8)


def test_a_few_days_beyond_the_year_are_told_apart_from_more(cells: Any) -> None:
    assert cells("SEN-03", 2013) == (4, 7)


def test_a_year_by_suspended_time_needs_to_know_what_was_to_be_served(cells: Any) -> None:
    """Wholly and partly suspended; 12 months without a record of what was suspended, and life, are left out."""
    assert cells("SEN-05", 2013) == (2, 6)


convicted(
    2012,
    """
    charge_id  person_id  severity     sentence_type  imposed_value  imposed_unit
    p_180      p180       misdemeanor  jail           180            days
    p_6m       p6m        misdemeanor  jail           6              months
    p_185      p185       misdemeanor  jail           185            days
    p_182      p182       misdemeanor  jail           182            days
    p_felony   pfelony    felony       jail           300            days
    p_first    ptwo       misdemeanor  jail           200            days
    p_second   ptwo       misdemeanor  jail           200            days
    p_none     pnone      misdemeanor  probation      -              -
    """,
)


def test_a_petty_offence_is_the_only_one_and_days_that_the_law_leaves_open_are_left_out(cells: Any) -> None:
    """The felony could bring more than a year; the two of one person are two; probation says nothing of custody."""
    assert cells("SEN-04", 2012) == (1, 3)


def test_a_maximum_of_a_year_is_a_year_until_the_cap(cells: Any) -> None:
    assert cells("SEN-06", 2012) == {"before_cap_of_364_days": (8, 8)}
    assert cells("SEN-06", 2016) == {"since_cap_of_364_days": (1, 2)}


convicted(
    2016,
    """
    charge_id  severity     sentence_type  imposed_value  imposed_unit
    c_felony   felony       jail           30             days
    c_less     misdemeanor  jail           30             days
    """,
)

convicted(
    2011,
    """
    charge_id  severity  loss_amount  sentence_type
    f_8000     felony    8000         fine
    f_10000    felony    10000        fine
    f_cent     felony    10000.01     fine
    f_12000    felony    12000        fine
    f_more     felony    12000.50     fine
    f_none     felony    -            fine
    """,
    section="550(a)",
)


def test_ten_thousand_dollars_are_not_above_the_line(cells: Any) -> None:
    assert cells("SEN-13", 2011) == (3, 5)
    assert cells("SEN-13a", 2011) == {
        "up_to_8000": (1, 1),
        "over_8000_to_10000": (1, 1),
        "over_10000_to_12000": (2, 2),
        "over_12000": (1, 1),
    }


# Terms that add up --------------------------------------------------------------------------------------------------

ADDED: dict[str, list[tuple[str | None, str | None, str | None]]] = {
    "line": [("3", "years", "a"), ("24", "months", "b")],
    "line_in_days": [("3", "years", "a"), ("730", "days", "b")],
    "short": [("3", "years", "a"), ("729", "days", "b")],
    "line_of_three": [("20", "months", "a"), ("20", "months", "b"), ("20", "months", "c")],
    "short_of_three": [("20", "months", "a"), ("20", "months", "b"), ("19", "months", "c")],
    "together": [("4", "years", "a"), ("3", "years", "a")],
    "line_together": [("5", "years", "a"), ("3", "years", "a")],
    "unmarked": [("4", "years", None), ("3", "years", None)],
    "line_unmarked": [("5", "years", None), ("1", "days", None)],
    "alone": [("9", "years", "a")],
    "never": [("1", "years", None), ("2", "years", None)],
    "for_life": [(None, "life", None), ("1", "days", None)],
    "not_on_file": [(None, None, "a"), ("2", "years", "b")],
}
_draw = Random(20240630)
LENGTHS = [("20", "months"), ("1", "years"), ("2", "years"), ("3", "years"), ("4", "years"), ("60", "months"), ("366", "days"), ("730", "days")]  # fmt: skip
DRAWN: dict[str, list[tuple[str | None, str | None, str | None]]] = {
    f"drawn_{_n}": [
        (*_draw.choice([*LENGTHS, *LENGTHS, (None, None)]), _draw.choice([None, "a", "b", "c"]))
        for _ in range(_draw.randint(2, 5))
    ]
    for _n in range(200)
}
for _person, _terms in {**ADDED, **DRAWN}.items():
    given("case_", f"case_id person_id\nadd_{_person} add_{_person}")
    for _i, (_value, _unit, _mark) in enumerate(_terms):
        _charge = f"add_{_person}_{_i}"
        given("charge", f"charge_id case_id version_no stage\n{_charge} add_{_person} 1 convicted")
        _day = f"{2009 if _person in DRAWN else 2010}-0{_i + 1}-01"
        given("disposition", f"disposition_id charge_id disposed_on type\n{_charge} {_charge} {_day} plea_guilty")
        given(
            "sentence",
            f"sentence_id charge_id case_id sentenced_on sentence_type imposed_value imposed_unit concurrent_group\n"
            f"{_charge} {_charge} add_{_person} {_day} prison {_value or '-'} {_unit or '-'} {_mark or '-'}",
        )


def test_terms_add_up_unless_served_together_and_stay_open_where_the_record_does(
    cells: Any, built: duckdb.DuckDBPyConnection
) -> None:
    found = built.execute(
        """
        select person_id, reaches_five_years from marts.mart_sentencing__persons
        where person_id like 'add_%' and person_id not like 'add_drawn_%'
        """
    ).fetchall()
    assert dict(found) == {
        "add_line": True,
        "add_line_in_days": True,
        "add_short": False,
        "add_line_of_three": True,
        "add_short_of_three": False,
        "add_together": False,
        "add_line_together": True,
        "add_unmarked": None,
        "add_line_unmarked": True,
        "add_never": False,
        "add_for_life": True,
        "add_not_on_file": None,
    }
    assert cells("SEN-07", 2010) == (6, 10)


DAYS = {"days": Fraction(1), "months": Fraction(365, 12), "years": Fraction(365)}


def five_years_in_every_way(terms: list[tuple[str | None, str | None, str | None]]) -> bool | None:
    """Do the terms come to five years, whichever sentences without a mark were served beside the others, and whichever
    after them? None where that, or a term that is not on file, decides.
    """
    length = [Fraction(value) * DAYS[unit or "days"] if value else None for value, unit, _ in terms]
    marks = {mark for *_, mark in terms if mark}
    answers = set()
    for unwritten, *is_after in product((Fraction(0), Fraction(10**6)), *[(False, True) for _ in terms]):
        served = [unwritten if days is None else days for days in length]
        in_turn = sum(max(d for d, (*_, mark) in zip(served, terms, strict=True) if mark == m) for m in marks)
        alone = [(d, after) for d, after, (*_, mark) in zip(served, is_after, terms, strict=True) if mark is None]
        beside = max([in_turn, *(d for d, after in alone if not after)])
        answers.add(beside + sum(d for d, after in alone if after) >= 5 * 365)
    return answers.pop() if len(answers) == 1 else None


def test_terms_that_were_drawn_add_up_as_every_way_to_serve_them_does(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        "select person_id, reaches_five_years from marts.mart_sentencing__persons where person_id like 'add_drawn_%'"
    ).fetchall()
    expected = {f"add_{person}": five_years_in_every_way(terms) for person, terms in DRAWN.items()}
    assert dict(found) == expected
    assert all(list(expected.values()).count(answer) >= 20 for answer in (True, False, None))


# Recommendations, memos and what became of them ---------------------------------------------------------------------

for _case in ("m_good", "m_signed_late", "m_written_late", "m_unsigned", "m_no_days", "m_none", "m_no_advice", "m_two"):
    given("case_", f"case_id person_id\n{_case} {_case}")
    _days = "-" if _case == "m_no_advice" else "90"
    given(
        "sentence",
        f"sentence_id charge_id case_id sentenced_on sentence_type da_recommended_days\n"
        f"{_case} {_case} {_case} 2009-03-01 jail {_days}",
    )
given(
    "justification_memo",
    """
    memo_id  case_id         written_at  approved_by_role  approved_at  recommendation_at  factors
    o1       m_good          2009-02-20  chief             2009-02-28   2009-02-28         severity;record
    o2       m_signed_late   2009-02-20  chief             2009-03-01   2009-02-28         severity
    o3       m_written_late  2009-03-01  chief             2009-03-01   2009-02-28         -
    o4       m_unsigned      2009-02-20  -                 -            2009-02-28         Record;zodiac
    o5       m_no_days       2009-02-20  chief             -            2009-02-28         severity
    o6       m_no_advice     2009-02-20  chief             2009-02-20   2009-02-28         age
    o7       m_two           2009-03-05  chief             2009-03-05   2009-02-28         age
    o8       m_two           2009-02-20  chief             2009-02-20   2009-02-28         age
    """,
)


def test_a_memo_counts_if_written_and_signed_by_the_day_of_the_recommendation(cells: Any) -> None:
    assert cells("SEN-08", 2009) == (2, 6)
    assert cells("SEN-08a", 2009) == {
        "written_and_signed_in_time": (2, 2),
        "signed_late": (1, 1),
        "written_late": (1, 1),
        "not_signed": (1, 1),
        "days_not_recorded": (1, 1),
        "no_memo": (1, 1),
    }


def test_factors_of_memos_are_counted_each_and_rare_ones_together(cells: Any) -> None:
    assert cells("SEN-17", 2009) == {
        "severity": (3, 3),
        "record": (2, 2),
        "age": (3, 3),
        "other": (1, 1),
        "not_recorded": (1, 1),
    }


given("case_", "case_id person_id\nr_two r_two\nr_one r_one\nr_open r_open\nr_silent r_silent")
given(
    "sentence",
    """
    sentence_id  charge_id  case_id   sentence_type  imposed_value  imposed_unit  suspended_days  probation_months
    r1           h1         r_two     jail           6              months        0               -
    r2           h2         r_two     probation      -              -             0               12
    r3           h3         r_one     fine           -              -             -               -
    r4           h4         r_open    probation      -              -             -               36
    r5           h5         r_silent  jail           100            days          0               -
    r6           h6         r_silent  prison         1              years         0               -
    r7           h7         -         jail           1              years         0               -
    """,
    sentenced_on="2008-04-01",
)
# what the prosecution had asked for: days, kind, and the cost stated
for _row in WORLD["sentence"][-7:]:
    _row.update(
        {
            "r1": {"da_recommended_days": "183", "da_recommended_type": "jail", "da_cost_stated": "1200.75"},
            "r2": {"da_recommended_days": "10", "da_recommended_type": "probation", "da_cost_stated": "100"},
            "r3": {"da_recommended_days": "0", "da_recommended_type": "fine"},
            "r4": {"da_recommended_type": "probation"},
            "r5": {"da_recommended_days": "90"},
            "r6": {"da_recommended_days": "364"},
            "r7": {"da_recommended_days": "366", "da_recommended_type": "prison"},
        }[str(_row["sentence_id"])]
    )


def test_a_recommendation_is_met_by_any_number_of_days_that_the_term_may_last(cells: Any, values: Any) -> None:
    assert cells("SEN-09a", 2008) == {
        "as_recommended": (3, 3),
        "below_recommendation": (1, 1),
        "above_recommendation": (2, 2),
    }
    assert values("SEN-09", 2008) == {
        (-1, "event"): 2,
        (-10, "event"): 1,
        (0, "event"): 1,
        (1, "event"): 1,
        (10, "event"): 1,
    }


def test_a_case_asks_for_custody_if_any_charge_does_and_silence_is_no_answer(cells: Any, values: Any) -> None:
    assert cells("SEN-10", 2008) == (1, 3)
    assert cells("SEN-11", 2008) == (1, 4)
    assert values("SEN-11a", 2008) == {(1300, "event"): 1}


def test_a_case_has_custody_if_any_charge_does_and_probation_alone_is_none(cells: Any, values: Any) -> None:
    assert cells("SEN-12", 2008) == (2, 4)
    assert values("SEN-12a", 2008) == {(182, "event"): 1, (365, "event"): 1}
    assert values("SEN-15", 2008) == {(12, "event"): 1, (36, "event"): 1}


given(
    "sentence",
    """
    sentence_id  charge_id  sentence_type  probation_months  supervision_reports_to_ice
    i1           i1         probation      -                 true
    i2           i2         jail           12                false
    i3           i3         jail           -                 true
    i4           i4         probation      12                -
    """,
    sentenced_on="2007-04-01",
)


def test_only_supervision_with_an_answer_on_record_is_asked_about_ice(cells: Any) -> None:
    assert cells("SEN-16", 2007) == (1, 2)


# No conviction in state law -----------------------------------------------------------------------------------------

given("case_", "case_id person_id\nma ma")
given(
    "charge",
    """
    charge_id  case_id  version_no  stage     jurisdiction
    cwof       ma       1           disposed  US-MA
    probated   ma       1           disposed  US-MA
    guilty     ma       1           disposed  US-MA
    dropped    ma       1           disposed  US-MA
    withdrawn  ma       1           disposed  US-MA
    moved      ma       1           disposed  US-MA
    own_word   ma       1           disposed  US-MA
    """,
)
given(
    "disposition",
    """
    disposition_id  charge_id  disposed_on  type                       is_conviction_state
    d1              cwof       2006-03-01   continued_without_finding  -
    d2              probated   2006-03-01   pretrial_probation         -
    d3              guilty     2006-03-01   plea_guilty                -
    d4              dropped    2006-03-01   dismissed_da               -
    d5              withdrawn  2006-03-01   plea_guilty                -
    d6              withdrawn  2006-09-01   dismissed_court            -
    d7              moved      2006-03-01   transferred                -
    d8              own_word   2006-03-01   plea_guilty                false
    """,
)


def test_a_continuance_without_a_finding_may_be_a_federal_conviction_and_pretrial_probation_is_none(
    cells: Any,
) -> None:
    """A plea that was withdrawn later may be one too; what was moved to another court is no end."""
    assert cells("SEN-18", 2006) == (3, 6)
    assert cells("SEN-18a", 2006) == {
        "continued_deferred_or_diverted": (1, 1),
        "pretrial_probation": (0, 1),
        "dismissed_filed_or_acquitted": (1, 2),
        "other": (1, 1),
    }


def test_every_measure_of_sentencing_counts_something_here(built: duckdb.DuckDBPyConnection) -> None:
    assert silent_measures(built, "sentencing") == []


def test_every_column_of_a_fact_is_described(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "sentencing") == []

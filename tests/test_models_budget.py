"""What the models of cost decide, written as small tables: rows in, dollars out.

All scenarios live in one world, so that dbt runs once. Each has a year of its own, which keeps its sums apart.
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
    select = ["+mart_budget__cells", "+mart_budget__values"]
    return build(WORLD, period=(date(2000, 1, 1), AS_OF), select=select)


given(
    "unit_cost",
    """
    jurisdiction  item        amount  year  source_url
    US-CA         jail_day    100.50  2010  https://county.example
    US            jail_day    999     2010  https://county.example
    US-CA         prison_day  200     2010  https://county.example
    US-CA         jail_day    777     2011  -
    US-NV         jail_day    10      2012  https://county.example
    US-NV         jail_hour   2.50    2012  https://county.example
    US-CA         jail_day    10      2024  https://county.example
    """,
)


def test_a_cost_is_used_if_it_names_its_source_and_the_offices_own_goes_first(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute("select item, cost_year, amount from intermediate.int_unit_costs__picked order by all")
    assert [(item, year, float(amount)) for item, year, amount in found.fetchall()] == [
        ("jail_day", 2010, 100.5),
        ("jail_day", 2012, 10.0),
        ("jail_day", 2024, 10.0),
        ("jail_hour", 2012, 2.5),
        ("low_level_case_hours", 2016, 3.5),
        ("prison_day", 2010, 200.0),
        ("prosecution_hour", 2016, 71.0),
    ]


given("person_race", "person_id  race_code  race_source\nann  black  self")
given("case_", "case_id  person_id  filed_on    closed_on\nk1  ann  2010-01-01  -\nk2  bob  2010-01-01  -")
given("charge", "charge_id  case_id  version_no  stage\nh1  k1  1  filed")
given(
    "sentence",
    """
    sentence_id  charge_id  case_id  sentenced_on  da_recommended_type  da_recommended_days  concurrent_group  modified_from  da_cost_stated
    jail         h1         -        2010-05-01    jail                 3                    -                 -              300
    prison       h2         k1       2010-05-01    prison               2                    -                 -              -
    longest      h3         k2       2010-05-01    jail                 10                   a                 -              -
    together     h4         k2       2010-05-01    jail                 8                    a                 -              -
    other_case   h5         k1       2010-05-01    jail                 8                    a                 -              0
    later        h6         k2       2010-06-01    jail                 50                   -                 longest        -
    probation    h7         k2       2010-05-01    probation            30                   -                 -              -
    no_days      h8         k2       2010-05-01    jail                 -                    -                 -              -
    unknown      h9         k2       2010-05-01    redacted             9                    -                 -              99
    no_source    h10        k2       2011-05-01    jail                 9                    -                 -              -
    """,
)


def test_recommended_custody_costs_the_longest_of_the_sentences_served_together(
    built: duckdb.DuckDBPyConnection,
) -> None:
    found = built.execute(
        "select stratum, value, cases from marts.mart_budget__values where measure_id = 'BUD-01' and quarter like '2010%'"
    ).fetchall()
    # 3, 10 and 8 days of jail at 100.50, downwards to whole dollars; 2 of prison at 200
    assert sorted(found) == [("jail", 301, 1), ("jail", 804, 1), ("jail", 1005, 1), ("prison", 400, 1)]


def test_without_a_published_cost_nothing_is_computed(built: duckdb.DuckDBPyConnection) -> None:
    assert values_of(built, "BUD-01", 2011) == {}


def test_a_cost_is_stated_or_not_where_a_recommendation_is_on_record(built: duckdb.DuckDBPyConnection) -> None:
    assert cells_of(built, "BUD-09", 2010) == (2, 7)  # a statement of 0 dollars is one


def test_a_cost_belongs_to_the_person_of_the_case_that_the_charge_names(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute("select case_id, race from marts.mart_budget__sentences where sentence_id = 'jail'")
    assert found.fetchone() == ("k1", "black")


given(
    "case_",
    """
    case_id  person_id  filed_on    closed_on
    open     cat        2012-01-01  -
    closed   cat        2012-01-01  2012-01-06
    """,
)
given(
    "custody_stay",
    """
    stay_id    case_id  booked_at         released_at       release_type       release_eligible_at
    to_end     closed   2012-01-01T10:00  2012-01-11T10:00  sentence_complete  -
    before     closed   2012-01-01T10:00  2012-01-03T10:00  bail               -
    after      closed   2012-01-07T10:00  2012-01-11T10:00  sentence_complete  -
    open_case  open     2012-01-01T10:00  2012-01-05T10:00  ror                -
    no_case    -        2012-01-01T10:00  2012-01-08T10:00  ror                -
    serving    -        2012-01-01T10:00  2012-01-08T10:00  sentence_complete  -
    lost_day   open     2012-01-01T10:00  -                 ror                -
    held       open     2024-12-21T10:00  -                 -                  -
    unpriced   open     2013-01-01T10:00  2013-01-05T10:00  ror                -
    """,
    person_id="cat",
    booked_at_precision="minute",
)


def test_days_before_the_end_of_the_case_are_priced_and_no_others(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute("select stay_id, pretrial_days, pretrial_cost_usd from marts.mart_budget__stays")
    costs = {stay: (days, cost) for stay, days, cost in found.fetchall()}
    assert {stay: costs[stay] for stay in costs if not stay.startswith("hold")} == {
        "to_end": (5, 50),
        "before": (2, 20),
        "after": (0, 0),
        "open_case": (4, 40),
        "no_case": (7, 70),
        "serving": (None, None),
        "lost_day": (None, None),
        "held": (10, 100),
        "unpriced": (4, None),
    }
    assert sum(value * cases for (value, _), cases in values_of(built, "BUD-02", 2024).items()) == 100


given(
    "custody_stay",
    """
    stay_id     released_at
    hold_ice    2012-03-03T03:30
    hold_both   2012-03-03T03:30
    hold_none   2012-03-03T03:30
    """,
    person_id="dee",
    booked_at="2012-03-01T10:00",
    booked_at_precision="minute",
    release_type="ror",
    release_eligible_at="2012-03-03T00:00",
)
given(
    "custody_hold",
    """
    hold_id  stay_id    type
    i1       hold_ice   ice_detainer
    i2       hold_both  ice_detainer
    w2       hold_both  warrant
    """,
    hold_from="2012-03-01T12:00",
)


def test_hours_are_priced_where_a_detainer_alone_held_the_person(built: duckdb.DuckDBPyConnection) -> None:
    assert values_of(built, "BUD-07", 2012) == {(7, "event"): 1}  # three whole hours at 2.50


given(
    "budget_line",
    """
    budget_line_id  line           amount     participatory  immigration_condition  purpose
    b1              iiu            610000.99  -              -                      -
    b2              office_total   42000000   -              -                      -
    b3              discretionary  900        false          -                      -
    b4              discretionary  100        true           -                      -
    b5              discretionary  7          -              -                      -
    b6              grant          50         -              true                   -
    b7              grant          60         -              false                  -
    b8              reinvestment   5          -              -                      services
    """,
    fiscal_year="2015",
)


def test_budget_lines_are_summed_by_what_is_asked(built: duckdb.DuckDBPyConnection) -> None:
    found = built.execute(
        """
        select measure_id, stratum, sum(value * cases) from marts.mart_budget__values
        where quarter = '2015-Q1' group by all
        """
    ).fetchall()
    assert {(measure, stratum): int(total) for measure, stratum, total in found} == {
        ("BUD-04", ""): 610_000,
        ("BUD-04a", ""): 42_000_000,
        ("BUD-05", "otherwise"): 900,
        ("BUD-05", "participatory"): 100,
        ("BUD-05", "not_recorded"): 7,
        ("BUD-06", "with_immigration_condition"): 50,
        ("BUD-06", "without_immigration_condition"): 60,
        ("BUD-08", "services"): 5,
    }


given(
    "unit_cost",
    "item  amount\nlow_level_case_hours  3.5\nprosecution_hour  71",
    jurisdiction="US-CA",
    year="2016",
    source_url="x",
)
given("policy", "policy_id  version  effective_from\nlist  1  2016-02-01", title="t")
given("policy_rule", "rule_id  policy_id  code  section  action\nr1  list  HS  11357  low_level_list")
given("case_", "case_id  filed_on\nlisted  2016-03-01\nearlier  2016-01-31\ngraver  2016-03-01", person_id="eve")
given(
    "charge",
    """
    charge_id  case_id  section
    l1         listed   11357
    e1         earlier  11357
    g1         graver   11350
    """,
    version_no="1",
    stage="filed",
    code="HS",
    severity="misdemeanor",
)


def test_cases_on_the_list_of_their_day_are_priced_by_the_hour(built: duckdb.DuckDBPyConnection) -> None:
    assert values_of(built, "BUD-03", 2016) == {(248, "event"): 1}  # 3.5 hours at 71 dollars


def test_every_column_of_the_facts_is_described(built: duckdb.DuckDBPyConnection) -> None:
    assert wrongly_documented(built, "budget") == []

"""What the checks at the two doors say of small tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from pipeline.contract import load_contract
from pipeline.errors import AuditError
from pipeline.validate import CATALOGUE, EXPECTATIONS_FOLDER, REQUIRED_KEYS, CheckResult, validate
from tests.worlds import World, land, rows

PERIOD = (date(2023, 1, 1), date(2024, 12, 31))


def check_landed(
    folder: Path,
    world: World,
    *,
    supplied: set[tuple[str, str]] | None = None,
    office: str | None = None,
    sql: Sequence[str] = (),
) -> Mapping[str, CheckResult]:
    """The results by id for a world, by default one whose office supplies the columns that some row names."""
    database = folder / "audit.duckdb"
    land(database, world, as_of=date(2024, 12, 31), period=PERIOD, supplied=None)
    with duckdb.connect(str(database)) as connection:
        for statement in sql:
            connection.execute(statement)
        named = set(connection.execute("from landed.supplied").fetchall())
    if office is not None:
        (folder / "checks.yml").write_text(office, encoding="utf-8")
    results = validate(database, door="landed", supplied=named if supplied is None else supplied, office_folder=folder)
    assert [r.check_id for r in results] == sorted(r.check_id for r in results)
    return {r.check_id: r for r in results}


def stays(text: str) -> World:
    return {"custody_stay": rows(text)}


def referrals(early: int, late: int) -> World:
    """Referrals decided a day before they were received, and a day after."""
    return {
        "referral": [
            {"referral_id": f"r{i}", "received_at": "2024-03-02", "decision_date": f"2024-03-0{1 if i < early else 3}"}
            for i in range(early + late)
        ]
    }


DECIDED = "referral.decision_date.decided_after_receipt"

# --- counting ---------------------------------------------------------------------------------------------------------


def test_a_release_before_its_booking_is_counted_among_those_released(tmp_path):
    result = check_landed(
        tmp_path,
        stays(
            """
            stay_id booked_at         released_at
            s1      2024-01-05T10:00  2024-01-04T10:00
            s2      2024-01-05T10:00  2024-01-05T11:00
            s3      2024-01-05T10:00  -
            s4      2024-01-05T10:00  2024-01-09T10:00
            """
        ),
    )["custody_stay.released_at.released_after_booking"]
    assert (result.violated, result.denominator, result.status) == (1, 3, "failed")
    assert result.percent == pytest.approx(100 / 3)
    assert result.threshold == 0.1


def test_a_check_asked_of_no_row_is_not_applicable_and_never_a_pass(tmp_path):
    result = check_landed(tmp_path, stays("stay_id booked_at released_at\ns1 2024-01-05T10:00 -"))
    released = result["custody_stay.released_at.released_after_booking"]
    assert (released.status, released.denominator, released.percent) == ("not_applicable", 0, None)
    assert released.note == "No row has what the check asks about."


def test_an_empty_table_says_so(tmp_path):
    result = check_landed(tmp_path, stays("stay_id booked_at\ns1 2024-01-05T10:00"))["referral.complete"]
    assert (result.status, result.violated, result.note) == ("not_applicable", None, "The table referral is empty.")


def test_a_column_that_the_office_does_not_supply_is_named(tmp_path):
    result = check_landed(tmp_path, stays("stay_id booked_at\ns1 2024-01-05T10:00"))
    note = result["custody_stay.released_at.released_after_booking"].note
    assert note == "The office does not supply custody_stay.released_at."


def test_a_reference_into_a_table_that_is_not_there_is_not_applicable(tmp_path):
    result = check_landed(tmp_path, {"case_": [{"case_id": "c1", "person_id": "p1"}]})
    assert result["case_.person_id.resolves"].note == "The table person is empty."


def test_a_reference_is_missed_once_a_row_however_often_its_parent_landed(tmp_path):
    world = {
        "person": [{"person_id": "p1"}, {"person_id": "p1"}, {"person_id": "p2"}],
        "case_": [{"case_id": f"c{i}", "person_id": person} for i, person in enumerate(("p1", "p1", "p2", "p9"))],
    }
    result = check_landed(tmp_path, world)["case_.person_id.resolves"]
    assert (result.violated, result.denominator) == (1, 4)


def test_the_counts_of_two_tables_are_kept_apart(tmp_path):
    world = stays("stay_id booked_at released_at\ns1 2024-01-05T10:00 2024-01-04T10:00") | referrals(2, 3)
    result = check_landed(tmp_path, world)
    stay, referral = result["custody_stay.released_at.released_after_booking"], result[DECIDED]
    assert (stay.violated, stay.denominator, referral.violated, referral.denominator) == (1, 1, 2, 5)


def test_a_threshold_is_reached_before_it_is_passed(tmp_path):
    office = f"thresholds:\n  - {{check: {DECIDED}, threshold: 7, note: Half the clerks were new.}}\n"
    at_it = check_landed(tmp_path, referrals(7, 93), office=office)[DECIDED]
    assert (at_it.percent, at_it.threshold, at_it.status, at_it.note) == (7, 7, "passed", "Half the clerks were new.")
    (tmp_path / "audit.duckdb").unlink()
    assert check_landed(tmp_path, referrals(8, 92), office=office)[DECIDED].status == "failed"


def test_the_query_of_a_result_lists_its_violations(tmp_path):
    result = check_landed(tmp_path, referrals(2, 3))[DECIDED]
    with duckdb.connect(str(tmp_path / "audit.duckdb"), read_only=True) as connection:
        found = connection.execute(result.query).fetchdf()
    assert sorted(found["referral_id"]) == ["r0", "r1"]


def test_the_database_can_be_written_again_right_after(tmp_path):
    check_landed(tmp_path, referrals(1, 1))
    with duckdb.connect(str(tmp_path / "audit.duckdb")) as connection:
        connection.execute("create table landed.later as select 1 as one")


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_every_shipped_check_of_the_landed_tables_fits_the_contract(tmp_path):
    """Each table has one row of nothing: no condition may stumble over a name, a type or a missing value."""
    contract = load_contract()
    world = {table.name: [dict.fromkeys(table.columns)] for table in contract.values()}
    results = check_landed(tmp_path, world)
    assert {r.check_id: r.note for r in results.values() if r.status == "error"} == {}
    assert len(results) > 500


@pytest.mark.parametrize("name", sorted(name for names in CATALOGUE.values() for name in names))
def test_every_rule_is_whole_and_speaks_of_columns_that_exist(name):
    contract = load_contract()
    columns = {f"{t.name}.{c}" for t in contract.values() for c in t.columns}
    rules = yaml.safe_load((EXPECTATIONS_FOLDER / name).read_text(encoding="utf-8"))["rules"]
    for rule in rules:
        assert set(rule) >= REQUIRED_KEYS, rule.get("rule")
        assert rule["category"] in ("conformance", "completeness", "plausibility")
        assert 0 <= rule["threshold"] <= 100
        if name == "marts.yml":
            continue
        named = [*rule.get("columns", ()), *rule.get("only_when", ()), *rule.get("except", ())]
        named += [need for need in rule.get("needs", ()) if "{" not in need]
        assert set(named) <= columns, (rule["rule"], set(named) - columns)


@pytest.fixture(scope="module")
def flawed(tmp_path_factory) -> Mapping[str, CheckResult]:
    """One world with a flaw or two in each table."""
    return check_landed(
        tmp_path_factory.mktemp("flawed"),
        {
            "person": rows(
                """
                person_id    birth_year _batch_id
                AbCdEfGh_-01 2015       b1
                AbCdEfGh_-01 2015       b1
                AbCdEfGh_-02 2014       b1
                AbCdEfGh_-02 1924       b1
                AbCdEfGh_-03 1923       b1
                AbCdEfGh_-03 1922       b2
                1234567      1990       b1
                """
            ),
            "arrest": rows(
                """
                arrest_id person_id    arrest_at
                a1        AbCdEfGh_-01 2024-06-01T00:00
                a2        AbCdEfGh_-02 2024-06-01T00:00
                a3        AbCdEfGh_-03 2024-06-01T00:00
                a4        1234567      2024-06-01T00:00
                a5        unheard-of   2024-06-01T00:00
                """
            ),
            "referral": rows(
                """
                referral_id received_at decision
                r1          1946-05-01  filed
                r2          1950-01-01  unmapped
                r3          2024-12-31  Filed
                r4          2025-01-01  redacted
                """
            ),
            "case_": rows("case_id filed_on\nc1 2024-02-01\nc2 2024-02-01"),
            "disposition": rows(
                "disposition_id case_id disposed_on\nd1 c1 2024-01-31\nd2 c2 2024-02-01\nd3 c9 2024-01-01"
            ),
            "hearing": rows("hearing_id case_id at\nh1 c1 2025-06-01T09:00\nh2 c1 9999-12-31T00:00\nh3 c1 -"),
            "bail_event": rows("bail_event_id set_amount\nb1 -5\nb2 0\nb3 10000000\nb4 10000000.01"),
            "diversion_referral": rows(
                """
                diversion_id eligible_on offered_on accepted_on enrolled_on completed_on
                v1           2024-01-01  2024-01-02 2024-01-03  2024-01-04  2024-06-01
                v2           2024-01-05  -          2024-01-03  -           -
                v3           -           2024-01-02 -           -           2024-01-02
                v4           2024-01-09  -          -           -           -
                """
            ),
        },
    )


@pytest.mark.parametrize(
    ("check", "violated", "denominator"),
    [
        ("hearing.complete", 1, 3),
        ("referral.allowed", 1, 4),
        ("referral.decision.mapped", 1, 4),
        ("person.hashed", 1, 7),
        ("person.consistent", 1, 5),
        ("referral.received_at.plausible_day", 2, 4),
        ("hearing.at.plausible_day_ahead", 1, 2),
        ("bail_event.set_amount.not_negative", 1, 4),
        ("bail_event.set_amount.at_most_ten_million", 1, 4),
        ("disposition.disposed_on.after_filing", 1, 2),
        ("diversion_referral.completed_on.steps_in_order", 1, 3),
    ],
)
def test_a_flaw_is_counted_once_among_the_rows_that_could_have_it(flawed, check, violated, denominator):
    assert (flawed[check].violated, flawed[check].denominator) == (violated, denominator)


def test_a_person_arrested_is_10_to_100_years_old(flawed):
    """Ages 9, 10 (by the later year of two), 101 and 34; one person is not known."""
    result = flawed["arrest.arrest_at.age"]
    assert (result.violated, result.denominator) == (2, 4)


def test_a_hearing_may_be_scheduled_after_the_export(flawed):
    assert "hearing.at.plausible_day" not in flawed


@pytest.mark.parametrize(
    ("text", "violated"),
    [("A 123 456", 0), ("A123456789", 1), ("alien no. a-12345678", 1), ("123-45-6789", 1), ("x@example.org", 1)],
)
def test_no_text_may_hold_an_identifier(tmp_path, text, violated):
    world = {"charge": [{"charge_id": "c1", "description_raw": text, "section": "459"}]}
    assert check_landed(tmp_path, world)["charge.no_identifier"].violated == violated


def test_an_extension_column_may_not_hold_an_identifier_either(tmp_path):
    world = {"case_": [{"case_id": "c1", "prosecutor_unit": "felony"}]}
    added = ["alter table landed.case_ add column x_remark varchar default 'A123456789'"]
    assert check_landed(tmp_path, world, sql=added)["case_.no_identifier"].violated == 1


def test_an_export_cut_off_early_leaves_a_thin_quarter(tmp_path):
    full = [f"{year}-{month:02}-15" for year in (2023, 2024) for month in range(1, 13)]
    world = {"referral": [{"referral_id": f"r{i}", "received_at": day} for i, day in enumerate(full[:-2])]}
    result = check_landed(tmp_path, world)["referral.received_at.full_quarters"]
    assert (result.violated, result.denominator, result.status) == (1, 8, "failed")


# --- an office's own checks -------------------------------------------------------------------------------------------

FOLLOWED = """
rules:
  - rule: followed_for_two_years
    columns: [case_.x_returned]
    category: plausibility
    description: Nobody is counted who could not be followed for two years.
    holds: "x_returned is not null and filed_on <= {{ as_of_date }} - interval 2 year"
    threshold: 0
    note: Of those who came too late only the ones who returned were kept.
"""


def test_an_office_can_declare_that_a_cohort_must_be_followed_to_its_end(tmp_path):
    """Broward's flaw: of those screened in the last two years only those who came back are in the file."""
    world = {
        "case_": rows("case_id filed_on\nc1 2022-01-01\nc2 2022-06-01\nc3 2022-12-31\nc4 2023-01-01\nc5 2023-05-01")
    }
    added = ["alter table landed.case_ add column x_returned boolean default true"]
    result = check_landed(tmp_path, world, sql=added, office=FOLLOWED)["case_.x_returned.followed_for_two_years"]
    assert (result.violated, result.denominator, result.status) == (2, 5, "failed")


def exemption(until: str) -> str:
    return f"exemptions:\n  - {{check: {DECIDED}, kind: broken_at_source, reason: ticket 12, until: {until}}}\n"


def test_an_exempt_check_does_not_fail_and_still_shows_its_numbers(tmp_path):
    result = check_landed(tmp_path, referrals(2, 2), office=exemption("2025-06-30"))[DECIDED]
    assert (result.status, result.violated, result.denominator) == ("not_applicable", 2, 4)
    assert result.note == "Exempt until 2025-06-30, broken_at_source: ticket 12"


def test_an_exemption_that_has_ended_lets_the_check_fail(tmp_path):
    result = check_landed(tmp_path, referrals(2, 2), office=exemption("2024-12-30"))[DECIDED]
    assert (result.status, result.note) == ("failed", "The exemption (ticket 12) ended on 2024-12-30.")


def test_an_exemption_that_is_not_needed_fails_its_check(tmp_path):
    result = check_landed(tmp_path, referrals(0, 4), office=exemption("2025-06-30"))[DECIDED]
    assert (result.status, result.note) == ("failed", "The exemption (ticket 12) is not needed: remove it.")


def own_rule(holds: str) -> str:
    return (
        "rules:\n  - {rule: own, columns: [referral.decision_date], category: plausibility, description: Own,"
        f" threshold: 0, note: none, holds: {holds!r}}}\n"
    )


@pytest.mark.parametrize(
    ("holds", "note"),
    [
        ("decided_on > received_at", "decided_on"),
        ("referral_id::integer > 1", "does not suit a value"),
        ("(select count(*) from read_csv('/etc/hostname')) > 0", "does not"),
    ],
)
def test_a_condition_that_breaks_is_an_error_of_its_own_and_quotes_no_cell(tmp_path, holds, note):
    result = check_landed(tmp_path, referrals(2, 2), office=own_rule(holds))
    own = result["referral.decision_date.own"]
    assert own.status == "error"
    assert note in own.note
    assert "r0" not in own.note
    assert result[DECIDED].violated == 2


def test_everything_wrong_in_checks_yml_is_said_at_once(tmp_path):
    office = f"""
thresholds:
  - {{check: {DECIDED}x, threshold: 7, note: n}}
  - {{check: {DECIDED}, threshold: many, note: n}}
  - {{check: {DECIDED}, threshold: 7}}
exemptions:
  - {{check: {DECIDED}, kind: forgotten, reason: r, until: 2025-01-01}}
  - {{check: {DECIDED}, kind: does_not_apply, reason: r, until: soon}}
rules:
  - {{rule: own, category: plausibility, description: d, holds: "true", threshold: 0, note: n}}
  - {{rule: own, columns: [referral.decision], category: beauty, description: d, holds: "true", threshold: 0, note: n}}
  - {{rule: own, columns: [referral.decision], colour: red, category: c, description: d, holds: "true", threshold: 0, note: n}}
else: 1
"""
    with pytest.raises(AuditError) as raised:
        check_landed(tmp_path, referrals(1, 1), office=office)
    said = str(raised.value)
    assert [f"checks.yml:{line}" in said for line in (3, 4, 5, 7, 8, 10, 11, 12, 13)] == [True] * 9
    assert f"there is no check [{DECIDED}x]; nearest [{DECIDED}]" in said
    assert said.count("IIU501") == 9


# --- the marts --------------------------------------------------------------------------------------------------------

MEASURES = """
create schema reference;
create table reference.measures as select * from (values
    ('CHG-01', 'charging', 'mart_charging', 'rate', 'is_filed', 'is_decided', null, null),
    ('CHG-02', 'charging', 'mart_charging', 'mix', null, 'is_decided', null, null),
    ('CHG-03', 'charging', 'mart_charging', 'count', 'is_filed', null, null, null),
    ('CHG-04', 'charging', 'mart_charging', 'distribution', null, 'is_decided', 'days', null)
    ) as m(measure_id, mart, fact, kind, numerator, denominator, value, outcome);
create schema marts;
create table marts.mart_charging as select * from (values
    ('r1', 'p1', '2024-Q1', 'black', 'citizen', 'citizen', 'drug', true, true, 3),
    ('r2', 'p1', '2024-Q1', 'black', 'citizen', 'citizen', 'drug', true, false, 3),
    ('r3', 'p2', '2024-Q1', 'white', 'unknown', 'unknown', 'drug', true, null, null),
    ('r4', 'p3', null,      'white', 'unknown', 'unknown', 'drug', true, true, 4)
    ) as f(referral_id, person_id, quarter, race, citizenship, citizenship_latest, offence_group, is_decided, is_filed, days);
create table marts.mart_charging__cells as select * from (values
    ('CHG-01', '2024-Q1', 'black', 'citizen', 'drug', '', 1, 2),
    ('CHG-02', '2024-Q1', 'black', 'citizen', 'drug', '', 2, 2),
    ('CHG-02', '2024-Q1', 'white', 'unknown', 'drug', '', 1, 1),
    ('CHG-03', '2024-Q1', 'black', 'citizen', 'drug', '', 1, 0)
    ) as c(measure_id, quarter, race, citizenship, offence_group, stratum, numerator, denominator);
create table marts.mart_charging__values as
    select 'CHG-04' as measure_id, '2024-Q1' as quarter, 'black' as race, 'citizen' as citizenship,
        'drug' as offence_group, '' as stratum, 3 as value, 'event' as outcome, 2 as cases;
"""


def check_marts(folder: Path, *spoil: str) -> Mapping[str, CheckResult]:
    database = folder / "audit.duckdb"
    said = rows("assertion_id person_id source\na1 p1 court_record\na2 p2 booking_birth_country")
    land(database, {"citizenship_assertion": said}, as_of=date(2024, 12, 31), period=PERIOD, supplied=None)
    with duckdb.connect(str(database)) as connection:
        for statement in (MEASURES, *spoil):
            connection.execute(statement)
    return {r.check_id: r for r in validate(database, door="marts", supplied=set())}


def test_sound_marts_pass_every_check(tmp_path):
    results = check_marts(tmp_path)
    assert {r.check_id: r.status for r in results.values() if r.status != "passed"} == {}
    assert results["mart_charging__cells.adds_up"].denominator == 3
    assert results["mart_charging__values.values_add_up"].denominator == 1
    assert results["mart_charging.one_row_a_key"].denominator == 4


@pytest.mark.parametrize(
    ("spoil", "failing"),
    [
        ("insert into marts.mart_charging from marts.mart_charging where referral_id = 'r4'", {"mart_charging.one_row_a_key"}),
        ("update marts.mart_charging set quarter = '2024-1' where referral_id = 'r4'", {"mart_charging.quarter.quarter"} | {
            "mart_charging__cells.adds_up", "mart_charging__values.values_add_up"}),
        ("update marts.mart_charging__cells set quarter = '2025-Q1' where race = 'white'", {"mart_charging__cells.quarter.quarter"}),
        ("update marts.mart_charging__cells set race = 'all' where race = 'white'", {"mart_charging__cells.race.race"}),
        ("update marts.mart_charging__cells set citizenship = 'asylum_seeker' where race = 'white'",
            {"mart_charging__cells.citizenship.citizenship"}),
        ("update marts.mart_charging__cells set numerator = 3 where measure_id = 'CHG-01'",
            {"mart_charging__cells.part_of_whole", "mart_charging__cells.adds_up"}),
        ("update marts.mart_charging__cells set denominator = 3 where measure_id = 'CHG-01'", {"mart_charging__cells.adds_up"}),
        ("insert into marts.mart_charging__cells from marts.mart_charging__cells where race = 'white'",
            {"mart_charging__cells.one_row_a_cell", "mart_charging__cells.adds_up"}),
        ("update marts.mart_charging set citizenship_latest = 'noncitizen' where person_id = 'p2'",
            {"mart_charging.person_id.birthplace_is_no_citizenship"}),
        ("update marts.mart_charging__values set cases = 3", {"mart_charging__values.values_add_up"}),
        ("update marts.mart_charging__cells set measure_id = 'CHG-99' where measure_id = 'CHG-03'",
            {"mart_charging__cells.measure_id.known_measure", "mart_charging__cells.part_of_whole"}),
    ],
)  # fmt: skip
def test_a_spoilt_mart_fails_the_check_that_is_about_it(tmp_path, spoil, failing):
    results = check_marts(tmp_path, spoil)
    assert {r.check_id for r in results.values() if r.status == "failed"} == failing


def test_an_office_may_set_a_threshold_at_the_second_door_without_troubling_the_first(tmp_path):
    (tmp_path / "checks.yml").write_text(
        "thresholds: [{check: mart_charging.one_row_a_key, threshold: 50, note: n}]", encoding="utf-8"
    )
    check_marts(tmp_path, "insert into marts.mart_charging from marts.mart_charging where referral_id = 'r4'")
    marts = validate(tmp_path / "audit.duckdb", door="marts", supplied=set(), office_folder=tmp_path)
    assert {r.check_id for r in marts if r.status == "failed"} == set()
    assert validate(tmp_path / "audit.duckdb", door="landed", supplied=set(), office_folder=tmp_path)

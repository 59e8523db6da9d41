"""The synthetic county: the same from the same seed, fair where nothing is planted, and honest about its own dirt."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.contract import load_contract
from pipeline.errors import AuditError
from pipeline.ingest.keys import office_key
from pipeline.ingest.land import FileCount, land
from pipeline.ingest.office import load_office, office_folder
from pipeline.synth import NO_EFFECTS, write_county
from pipeline.synth import county as county_module
from pipeline.synth.county import AS_OF, EXAMPLE_EFFECTS, LAST_DAY, County, build_world
from pipeline.synth.effects import load_effects
from pipeline.synth.sql import pick

FIRST, SECOND = "through_2023-12-31", "through_2025-03-31"


@dataclass(frozen=True)
class Made:
    """A county that was written and, once landed, its database."""

    folder: Path
    database: Path
    files: tuple[FileCount, ...]

    def truth(self, name: str) -> Any:
        return json.loads((self.folder / "truth" / name).read_text(encoding="utf-8"))

    def landed(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("county")
    write_county(out=folder, cases=5_000, seed=3)
    contract = load_contract()
    office = load_office(office_folder("example_county"), contract)
    work = tmp_path_factory.mktemp("work")
    database = work / "audit.duckdb"
    landing = land(office=office, contract=contract, raw=folder / "exports", database=database, work=work)
    return Made(folder=folder, database=database, files=landing.files)


def world(effects: Path, *, cases: int = 4_000, seed: int = 5) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    build_world(connection, County(cases=cases, seed=seed, quarters=40, effects=load_effects(effects)))
    return connection


@pytest.fixture(scope="module")
def quiet() -> duckdb.DuckDBPyConnection:
    return world(NO_EFFECTS)


@pytest.fixture(scope="module")
def loud() -> duckdb.DuckDBPyConnection:
    return world(EXAMPLE_EFFECTS)


def expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# --- the same seed ------------------------------------------------------------------------------------------------


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = duckdb.connect
    for threads in (1, 3):
        monkeypatch.setattr(
            county_module.duckdb, "connect", lambda path, n=threads: connect(path, config={"threads": n})
        )
        write_county(out=tmp_path / f"{threads}", cases=300, seed=8, quarters=8)
    assert hashes(tmp_path / "1") == hashes(tmp_path / "3")


def test_another_seed_is_another_county(tmp_path: Path, example: Made) -> None:
    write_county(out=tmp_path, cases=300, seed=1, quarters=8)
    first = hashes(tmp_path)
    write_county(out=tmp_path, cases=300, seed=2, quarters=8)
    changed = {name for name, digest in hashes(tmp_path).items() if first.get(name) != digest}
    assert "exports/through_2024-09-30/matters.txt" in changed


def test_draws_are_uniform_and_independent_between_salts_and_neighbours(quiet: duckdb.DuckDBPyConnection) -> None:
    found = quiet.execute(
        """SELECT avg(draw(i, 'a')), corr(draw(i, 'a'), draw(i, 'b')), corr(draw(i, 'a'), draw(i + 1, 'a')),
            corr(draw(i, 'a'), draw(2 * i, 'a')), avg(CAST(draw(i, 'a') < 0.01 AND draw(i, 'b') < 0.01 AS INTEGER))
        FROM range(400000) AS t (i)"""
    ).fetchone()
    assert found is not None
    mean, *correlations, both = found
    assert mean == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / 400_000))
    assert all(abs(c) < 4 / math.sqrt(400_000) for c in correlations)
    assert both == pytest.approx(1e-4, abs=4 * math.sqrt(1e-4 / 400_000))


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[sex\] sum to 0.9"):
        pick("sex", {"f": 0.5, "m": 0.4})


# --- what is planted, and what is not -----------------------------------------------------------------------------

#: Every probability of a decision, with all it may depend on in a county where nothing is planted.
CHANCES = {
    "p_booking": "grave, priors",
    "p_charge_added": "TRUE",
    "p_declination": "grave, priors, before_arrest",
    "p_diversion_offer": "TRUE",
    "p_deviation_signoff": "TRUE",
    "p_wobbler_felony": "priors",
    "p_detention_request": "unit, priors",
    "p_cash_otherwise": "filed_grave, priors",
    "p_immigration_argument": "TRUE",
    "p_plea_up_front": "TRUE",
    "p_neutral_resolution": "TRUE",
    "p_carceral_recommendation": "convicted_grave, priors",
    "p_one_year_sentence": "TRUE",
    "p_release_lag": "TRUE",
    "p_consideration": "TRUE",
    "p_documents_demanded": "TRUE",
    "p_outbound_ice_contact": "TRUE",
    "p_memo_signoff": "TRUE",
}


@pytest.mark.parametrize("chance", CHANCES)
def test_in_the_null_county_no_decision_knows_race_citizenship_or_the_year(
    quiet: duckdb.DuckDBPyConnection, chance: str
) -> None:
    worst = quiet.execute(
        f"SELECT max(n) FROM (SELECT count(DISTINCT {chance}) AS n FROM matter GROUP BY {CHANCES[chance]})"
    ).fetchone()
    assert worst == (1,)


def test_in_the_null_county_what_a_case_is_does_not_depend_on_who_it_is_about(
    quiet: duckdb.DuckDBPyConnection,
) -> None:
    for trait in ("grave", "priors", "booked", "defence = 'public_defender'", "category = 'theft'", "divertible"):
        rows = quiet.execute(
            f"SELECT citizenship, count(*), avg(CAST({trait} AS DOUBLE)), var_samp(CAST({trait} AS DOUBLE)) FROM matter GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        (_, n0, m0, v0), (_, n1, m1, v1) = rows
        assert abs(m0 - m1) < 4 * math.sqrt(v0 / n0 + v1 / n1), trait


def test_the_null_county_knows_of_citizens_and_noncitizens_alike_from_their_first_arrest_on(
    quiet: duckdb.DuckDBPyConnection,
) -> None:
    known = dict(
        quiet.execute(
            """SELECT citizenship, avg(CAST(first_known = first_day AS INTEGER)) FROM person
            LEFT JOIN (SELECT person, min(asserted_on) AS first_known FROM citizenship_assertion
                WHERE source <> 'booking_birth_country' GROUP BY person) USING (person)
            WHERE first_known IS NOT NULL GROUP BY ALL"""
        ).fetchall()
    )
    assert known == {"citizen": 1.0, "noncitizen": 1.0}


def chances(loud: duckdb.DuckDBPyConnection, chance: str, by: str, where: str = "TRUE") -> dict[Any, float]:
    rows = loud.execute(f"SELECT DISTINCT {by}, {chance} FROM matter WHERE {where} ORDER BY ALL").fetchall()
    found = dict(rows)
    assert len(found) == len(rows), "the chance depends on something else too"
    return found


def test_a_planted_effect_is_as_large_as_it_says(loud: duckdb.DuckDBPyConnection) -> None:
    assert chances(loud, "p_diversion_offer", "citizenship") == pytest.approx(
        {"citizen": expit(0.9), "noncitizen": expit(0.9 - 0.8)}
    )
    assert chances(loud, "p_one_year_sentence", "citizenship") == pytest.approx(
        {"citizen": 0.5, "noncitizen": expit(1.1)}
    )
    cash = chances(loud, "p_cash_otherwise", "race", "filed_grave = 1 AND priors = 0")
    assert cash["black"] == pytest.approx(expit(-0.5 + 0.9 + 0.45))
    assert cash["hispanic_latino"] == pytest.approx(expit(-0.5 + 0.9 + 0.35))
    assert cash["asian"] == cash["white"] == pytest.approx(expit(-0.5 + 0.9))


def test_a_policy_acts_from_its_day_on_and_on_whom_it_covers(loud: duckdb.DuckDBPyConnection) -> None:
    whites = "race = 'white' AND priors = 0 AND filed_grave"
    since = "first_at >= TIMESTAMP '2021-01-01'"
    assert chances(loud, "p_cash_otherwise", since, f"{whites} = 0 AND is_filed") == pytest.approx(
        {False: expit(-0.5), True: expit(-0.5 - 1.4)}
    )
    assert chances(loud, "p_cash_otherwise", since, f"{whites} = 1 AND is_filed") == pytest.approx(
        {False: expit(0.4), True: expit(0.4)}
    )


def test_what_happened_is_what_the_chances_say(example: Made) -> None:
    rates = duckdb.execute(
        "SELECT measure_id, race, citizenship, cases, expected, observed FROM read_parquet(?)",
        [str(example.folder / "truth" / "rates.parquet")],
    ).fetchall()
    assert {"CHG-01", "BAIL-01", "BAIL-04", "DIV-01", "DIV-04", "SEN-01", "CUS-02", "PCR-02", "VIC-03"} <= {
        row[0] for row in rates
    }
    for measure, race, citizenship, cases, expected, observed in rates:
        spread = math.sqrt(max(expected * (1 - expected / cases), 1.0))
        assert abs(observed - expected) < 5.5 * spread, (measure, race, citizenship)


def test_every_planted_effect_shows_in_the_true_rates(example: Made) -> None:
    planted = example.truth("effects.json")["planted"]
    assert len(planted) == 17
    for effect in planted:
        if effect["cases_elsewhere"] == 0:
            continue  # it holds for everyone, so there is nobody to compare with
        # SEN-01 counts sentences of 364 days: the likelier 365 is, the fewer they are.
        raises = (effect["size"] > 0) != (effect["measure"] == "SEN-01")
        assert (effect["rate_where_it_holds"] > effect["rate_elsewhere"]) == raises, effect["id"]


@pytest.mark.parametrize("county", ["quiet", "loud"])
def test_a_certification_is_late_by_the_law_or_not_at_all(county: str, request: pytest.FixtureRequest) -> None:
    """7 days for who is in removal proceedings, else 30; late is past the 90 days of the years before 2020 as well."""
    found = request.getfixturevalue(county).execute(
        """
        SELECT in_proceedings, is_late, min(decided_on - received_on), max(decided_on - received_on) FROM certification
        GROUP BY ALL
        """
    )
    days = {(in_proceedings, is_late): (low, high) for in_proceedings, is_late, low, high in found.fetchall()}
    assert days[True, False][1] <= 7
    assert days[False, False][1] <= 30
    assert all(low > 90 for (_, is_late), (low, _) in days.items() if is_late and low is not None)


def test_late_and_missing_knowledge_of_citizenship_is_no_accident(loud: duckdb.DuckDBPyConnection) -> None:
    known = dict(
        loud.execute(
            """SELECT booked, avg(CAST(k IS NOT NULL AS INTEGER)) FROM matter
            LEFT JOIN (SELECT k // 16 AS m, any_value(k) AS k FROM citizenship_assertion
                WHERE source <> 'booking_birth_country' GROUP BY 1) USING (m) GROUP BY ALL"""
        ).fetchall()
    )
    assert known[True] > 2 * known[False], "the booked are asked, the cited are not"
    late = loud.execute(
        """SELECT count(*) FROM citizenship_assertion AS a JOIN matter AS c ON a.k // 16 = c.m
        WHERE source = 'detainer' AND asserted_on > CAST(first_at AS DATE)"""
    ).fetchone()
    assert late is not None and late[0] > 0, "some detainers reveal noncitizens only after the hearing"


# --- the exports --------------------------------------------------------------------------------------------------


def test_the_example_office_fills_every_table_of_the_contract(example: Made) -> None:
    empty = [name for name in load_contract() if example.landed(f'SELECT count(*) FROM landed."{name}"') == [(0,)]]
    assert empty == []


def test_each_file_has_the_rows_and_loses_the_rows_that_the_truth_says(example: Made) -> None:
    said = {f["file"]: (f["rows"], f["rejected"]) for f in example.truth("dirt.json")}
    assert {f.path: (f.read, f.rejected) for f in example.files} == said
    assert 0 < sum(rejected for _, rejected in said.values()) < 0.002 * sum(rows for rows, _ in said.values())


def test_every_kind_of_dirt_is_there(example: Made) -> None:
    kinds = Counter[str]()
    for file in example.truth("dirt.json"):
        kinds.update({kind: file[kind] for kind in ("duplicated", "sent_again", "corrected")})
        kinds.update({d["kind"]: d["rows"] for d in file["dirt"]})
    assert all(
        kinds[kind] > 0
        for kind in (
            "duplicated", "sent_again", "corrected", "missing", "unknown", "redacted", "unmapped", "garbled",
            "garbled, row lost", "impossible date", "lower case", "white space",
        )
    ), kinds  # fmt: skip


def test_unmapped_and_garbled_cells_land_as_the_truth_counts_them(example: Made) -> None:
    dirt = Counter[tuple[str, str]]()
    for file in example.truth("dirt.json"):
        for d in file["dirt"]:
            dirt[d["kind"], d["column"]] += d["rows"]
    assert example.landed("SELECT count(*) FROM landed.person WHERE sex = 'unmapped'") == [(dirt["unmapped", "SEX"],)]
    assert example.landed("SELECT count(*) FROM landed.rejects WHERE kind = 'cell' AND source_column = 'DECN_DT'") == [
        (dirt["garbled", "DECN_DT"],)
    ]


def test_what_should_never_be_read_is_in_the_exports_and_not_in_the_landed_tables(example: Made) -> None:
    canaries = example.truth("canaries.json")
    patterns = canaries["patterns"]
    assert len(patterns) == 6
    raw = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((example.folder / "exports" / FIRST).rglob("*.csv"))
    )
    for pattern in patterns:
        assert re.search(pattern, raw), pattern
    everywhere = re.compile("|".join(patterns))
    for schema, table in example.landed("SELECT table_schema, table_name FROM information_schema.tables"):
        for row in example.landed(f'SELECT * FROM "{schema}"."{table}"'):
            assert not any(isinstance(cell, str) and everywhere.search(cell) for cell in row), (table, row)


def test_race_lands_as_it_is_unless_it_was_not_written_down(example: Made) -> None:
    key = office_key("example_county", "published")
    truth = duckdb.execute(
        "SELECT person_no, race FROM read_parquet(?)", [str(example.folder / "truth" / "persons.parquet")]
    ).fetchall()
    true_race = {
        base64.urlsafe_b64encode(hmac.digest(key, f"person.person_id|{no}".encode(), "sha256"))[:12].decode(): race
        for no, race in truth
    }
    landed = example.landed(
        """SELECT person_id, list(DISTINCT race_code ORDER BY race_code) FROM landed.person_race
        WHERE _batch_id = (SELECT max(_batch_id) FROM landed.person_race AS later
            WHERE later.person_id = person_race.person_id) GROUP BY person_id"""
    )
    assert {person for person, _ in landed} == set(true_race)
    unknowns = {"not_recorded", "recorded_unknown", "redacted", "unmapped"}
    wrong = Counter[tuple[str, str]]()
    for person, codes in landed:
        known = set(codes) - unknowns
        rolled = "hispanic_latino" if "hispanic_latino" in known else known.pop() if len(known) == 1 else "multiracial"
        if set(codes) <= unknowns:
            rolled = "unknown"
        if rolled != true_race[person]:
            wrong[true_race[person], rolled] += 1
    assert sum(wrong.values()) < 0.06 * len(landed)
    # A lost ethnicity makes a Hispanic person White; one lost race of two makes a multiracial person one of them.
    assert {rolled for _, rolled in wrong} <= {"unknown", "white", "black", "asian", "aian"}
    assert {race for race, rolled in wrong if rolled == "white"} <= {"hispanic_latino", "multiracial"}


def test_a_row_that_was_wrong_comes_again_and_is_right(example: Made) -> None:
    again = example.landed(
        """SELECT first.race_code, second.race_code FROM landed.person_race AS first
        JOIN landed.person_race AS second USING (person_id)
        WHERE first._batch_id < second._batch_id AND first.race_code = 'other' AND second.race_code <> 'hispanic_latino'"""
    )
    assert again
    assert all(later != "other" for _, later in again)


def test_birthplace_says_noncitizen_of_citizens_too(example: Made) -> None:
    found = example.landed(
        """SELECT count(*) FROM landed.citizenship_assertion AS born JOIN landed.citizenship_assertion AS said USING (person_id)
        WHERE born.source = 'booking_birth_country' AND born.value = 'noncitizen'
            AND said.source = 'court_record' AND said.value = 'us_citizen'"""
    )
    assert found[0][0] > 0


def test_sources_contradict_each_other_about_some_persons(example: Made) -> None:
    found = example.landed(
        """SELECT count(*) FROM (SELECT person_id FROM landed.citizenship_assertion
        WHERE source <> 'booking_birth_country' AND value IN ('us_citizen', 'noncitizen')
        GROUP BY person_id HAVING count(DISTINCT value) = 2)"""
    )
    assert found[0][0] > 0


def test_headers_differ_between_the_batches(example: Made) -> None:
    headers = []
    for batch in (FIRST, SECOND):
        with (example.folder / "exports" / batch / "BAIL.csv").open(encoding="utf-8", newline="") as stream:
            headers.append(next(csv.reader(stream)))
    assert {"DA_REQ", "DA_AMT", "CT_ORDER"} <= set(headers[0])
    assert {"PEOPLE_ASK", "PEOPLE_AMT", "ORDERED"} <= set(headers[1])


def test_nothing_is_dated_after_the_day_of_its_export(example: Made) -> None:
    latest = example.landed(
        """SELECT max(disposed_on) FILTER (_batch_id = 'through_2023-12-31'), max(disposed_on) FROM landed.disposition"""
    )
    assert latest[0][0] <= date(2023, 12, 31)
    assert latest[0][1] <= AS_OF


def test_people_come_back(example: Made) -> None:
    ((people, matters, most),) = example.landed(
        """SELECT count(*), sum(n), max(n) FROM (SELECT person_id, count(DISTINCT referral_id) AS n FROM landed.referral GROUP BY ALL)"""
    )
    assert 1.5 < matters / people < 3
    assert most < 40


# --- sizes and mistakes -------------------------------------------------------------------------------------------


def test_quarters_end_with_the_last_of_2024(tmp_path: Path) -> None:
    county = County(cases=1_000, seed=1, quarters=6, effects=load_effects(NO_EFFECTS))
    assert (county.start, LAST_DAY) == (date(2023, 7, 1), date(2024, 12, 31))
    assert county.first_export == date(2024, 9, 30)


def test_a_small_county_is_clean_enough_for_any_office(tmp_path: Path) -> None:
    write_county(out=tmp_path, cases=200, seed=4)
    dirt = json.loads((tmp_path / "truth" / "dirt.json").read_text(encoding="utf-8"))
    assert not {d["kind"] for f in dirt for d in f["dirt"]} & {"unmapped", "garbled", "garbled, row lost"}


def test_a_folder_of_real_exports_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "real.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(AuditError, match=r"IIU151 .*no synthetic county wrote"):
        write_county(out=tmp_path, cases=200, seed=4)
    assert (tmp_path / "exports" / "real.csv").read_text(encoding="utf-8") == "a\n1\n"


def test_all_mistakes_of_an_effects_file_are_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "effects.yml"
    file.write_text(
        """
        effects_language: 2
        knowledge: at_random
        effects:
          - {id: a, title: A, measure: M-1, decision: cash_requests, size: 1}
          - {id: b, title: B, measure: M-1, decision: cash_request, group: {race: blue}, size: much}
          - {id: c, title: C, measure: M-1, decision: certification_late, group: {race: white}, size: 1}
        """,
        encoding="utf-8",
    )
    with pytest.raises(AuditError) as raised:
        load_effects(file)
    text = str(raised.value)
    assert len(raised.value.problems) == 5
    assert "effects_language is 2" in text
    assert "[cash_requests] is no decision of the county; nearest [cash_request]" in text
    assert "race is [blue]" in text
    assert "size is [much]" in text
    assert "[certification_late] cannot depend on [race]" in text

"""What an office asks of its records beyond the catalogue: counted, compared, adjusted and told as everything else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipeline.contract import ROOT, load_contract
from pipeline.disclose import publish, publish_adjusted
from pipeline.errors import AuditError
from pipeline.findings import judge
from pipeline.ingest.land import land
from pipeline.ingest.office import load_office
from pipeline.measures import saturation, saturations, with_saturations
from pipeline.own import count_own_measures
from pipeline.report import words
from pipeline.report.language import ENGLISH, LANGUAGES, Language
from pipeline.report.notebooks import NOTEBOOKS, PLOTLY_MIME, execute
from pipeline.report.story import Story
from pipeline.report.tables import PublicData, write_tables
from tests.own_office import STAND_IN, Counted, counted
from tests.report_example import SETTINGS
from tests.tiny_office import TinyOffice

DATA = ROOT.parent / "shared" / "data"
needs_records = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public records are not in {DATA}")
DECLARED: dict[str, Any] = {
    "rows": {
        "referrals": "select referral_id, person_id, cast(received_at as date) as decided_on, decision = 'filed' as is_filed, "
        "extract(month from received_at) as month from landed.referral"
    },
    "facts": {"month": {"column": "month", "fixed_by": "calendar", "reason": "The month of the referral."}},
    "estimands": {
        "by_race": {
            "kind": "standardised_gap", "contrast": "race", "risk_set": "All.", "in": ["referrals"], "hold_equal": ["month"],
        }
    },
    "measures": {
        "T-01": {
            "title": "Filed", "definition": "Filed referrals of all.", "rows": "referrals", "kind": "rate", "unit": "share",
            "counted_unit": "referrals", "numerator_text": "filed", "denominator_text": "referrals", "numerator": "is_filed",
        }
    },
}  # fmt: skip


class Tiny:
    """The tiny office with a `measures.yml`, which a test may break."""

    def __init__(self, folder: Path) -> None:
        self.office = TinyOffice(folder)
        self.declared: dict[str, Any] = yaml.safe_load(yaml.safe_dump(DECLARED))
        self.work = folder / "work"

    def count(self, as_of: date = date(2024, 12, 31)) -> list[tuple[Any, ...]]:
        (self.office.office / "measures.yml").write_text(yaml.safe_dump(self.declared), encoding="utf-8")
        self.work.mkdir(exist_ok=True)
        database = self.work / "audit.duckdb"
        mapping = load_office(self.office.office, load_contract())
        land(office=mapping, contract=load_contract(), raw=self.office.raw, database=database, work=self.work)
        with duckdb.connect(str(database)) as connection:
            connection.execute(STAND_IN)
        settings = replace(mapping.settings, as_of_date=as_of)
        count_own_measures(office_folder=self.office.office, database=database, settings=settings)
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute(
                "select quarter, month, numerator, denominator from marts.mart_own__cells order by all"
            ).fetchall()


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path)


def codes(tiny: Tiny) -> set[str]:
    with pytest.raises(AuditError) as caught:
        tiny.count()
    return {problem.what for problem in caught.value.problems}


def test_a_declared_measure_is_counted_by_group_and_declared_fact(tiny: Tiny) -> None:
    assert tiny.count() == [("2024-Q1", "1", 1, 2), ("2024-Q1", "2", 0, 1)]


def test_who_had_not_the_whole_window_is_in_no_part_of_the_rate(tiny: Tiny) -> None:
    """Two referrals of January, one of February: on 31 July only January is six months old."""
    tiny.declared["measures"]["T-01"]["window"] = {"from": "decided_on", "length": "6 months"}
    assert tiny.count(as_of=date(2024, 7, 31)) == [("2024-Q1", "1", 1, 2)]


def test_an_office_without_the_file_has_no_own_measures(tmp_path: Path) -> None:
    assert count_own_measures(office_folder=tmp_path, database=tmp_path / "none", settings=SETTINGS).estimands == ()


def test_what_is_wrong_in_the_file_is_said_with_its_place(tiny: Tiny) -> None:
    tiny.declared["measures"]["T-01"] |= {"kind": "score", "rows": "cases"}
    assert codes(tiny) == {"rows [cases] are not declared", "kind [score] is not known"}


def test_a_query_that_does_not_run_and_rows_without_a_person_are_refused(tiny: Tiny) -> None:
    tiny.declared["rows"] = {"referrals": "select 1 as a", "broken": "select nothing from nowhere"}
    found = codes(tiny)
    assert "has no column person_id, decided_on" in found
    assert any("nowhere" in what for what in found)


def test_an_office_cannot_say_itself_who_is_of_which_group(tiny: Tiny) -> None:
    """Race and citizenship come from the records by the audit's own rules, never from a query."""
    tiny.declared["rows"]["referrals"] = DECLARED["rows"]["referrals"].replace("select ", "select 'black' as race, ", 1)
    assert codes(tiny) == {"has a column race of its own"}


# ---- a case too young to have reached a stage --------------------------------------------------------------------


DAYS = [date(2024, 1, d) for d in range(1, 21)]


def test_cohorts_of_which_all_have_the_outcome_are_named_with_their_first_day() -> None:
    found = saturation("M", DAYS, [4] * 15 + [10] * 5, [10] * 20)
    assert found is not None
    assert (found.since, found.cases, found.rate_before) == (date(2024, 1, 16), 50, 0.4)
    assert "every one of the 50 cases that entered from 2024-01-16 on has the outcome" in str(found)


def test_a_few_certain_outcomes_at_the_end_are_chance() -> None:
    assert saturation("M", DAYS, [6] * 19 + [10], [10] * 20) is None
    assert saturation("M", [], [], []) is None


def test_rates_of_the_catalogue_are_looked_at_quarter_by_quarter() -> None:
    import pandas as pd

    quarters = ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4"]
    cells = pd.DataFrame({"measure_id": "M", "quarter": quarters, "numerator": [30, 40, 90, 90], "denominator": 90})
    catalogue = pd.DataFrame({"measure_id": ["M"], "kind": ["rate"]})
    (found,) = saturations(cells, catalogue)
    assert found.since == date(2023, 7, 1)
    assert saturations(cells.assign(numerator=[30, 40, 90, 89]), catalogue) == []


# ---- real records ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broward(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return counted("broward_fl", DATA / "broward_fl", tmp_path_factory.mktemp("broward"))


@pytest.fixture(scope="module")
def ussc(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return counted("ussc", DATA / "ussc", tmp_path_factory.mktemp("ussc"))


def published(found: Counted) -> PublicData:
    public = publish(found.measures, found.comparisons)
    return PublicData(
        measures=public.measures, comparisons=judge(public.comparisons), catalogue=found.catalogue,
        adjusted=publish_adjusted(found.adjusted, public.measures), settings=found.office.settings, run={},
    )  # fmt: skip


def of(found: Counted, measure: str, **groups: str) -> Any:
    where = {"measure_id": measure, "period": "all", "race": "all", "citizenship": "all", "offence_group": "all", "stratum": "all"}  # fmt: skip
    rows = found.measures
    for column, value in (where | groups).items():
        rows = rows[rows[column] == value]
    (row,) = rows.itertuples()
    return row


@needs_records
def test_broward_has_both_the_ratio_that_became_famous_and_the_one_of_the_groups(broward: Counted) -> None:
    """ProPublica 2016: 1.45 at one profile. The same model over all 6,172 people: 1.20, and 8.3 points."""
    (row,) = broward.adjusted.query("estimand == 'scored_high_race' and race == 'black'").itertuples()
    assert round(row.profile_ratio, 5) == 1.45284
    assert round(row.ratio, 5) == 1.20085
    assert round(row.difference, 6) == 0.083209
    assert (row.denominator, row.reference_denominator) == (3175, 2103)


@needs_records
def test_broward_warns_of_the_998_of_whom_only_those_who_returned_were_kept(broward: Counted) -> None:
    (warned,) = broward.own.saturations
    assert (warned.measure_id, warned.since, warned.cases) == ("BRO-01", date(2014, 4, 2), 998)
    assert f"{warned.rate_before:.3%}" == "36.245%"
    assert f"{warned.rate:.3%}" == "45.065%"
    whole = of(broward, "BRO-02")
    assert (whole.denominator, f"{whole.estimate:.3%}") == (6216, "36.245%")


@needs_records
def test_what_broward_may_publish_tells_it_without_the_day_or_the_exact_number(broward: Counted) -> None:
    told = " ".join(Story(published(broward), ENGLISH).sentences("own"))
    assert "since April 2014 every case has this outcome (about 1,000 people), against 36% before" in told
    assert "a ratio of 1.2." in told
    assert "the same model gives 1.45: a figure for such people, not for the groups" in told
    assert "998" not in told
    assert "Not fixed before the decision: whether the person returned." in told


@needs_records
def test_revocation_is_told_by_race_and_citizenship_as_it_is_and_with_grade_and_history_alike(ussc: Counted) -> None:
    crossed = of(ussc, "USSC-01", race="hispanic_latino", citizenship="noncitizen")
    assert crossed.status == "ok"
    asked = ussc.adjusted.set_index(["estimand", "measure_id", "race"])
    history = asked.loc[("supervision_citizenship", "USSC-01", "all")]
    grade = asked.loc[("given_grade_citizenship", "USSC-01", "all")]
    assert round(history["crude_difference"], 4) == 0.0418
    assert history["difference"] == pytest.approx(history["mantel_haenszel"], abs=0.01)
    assert grade["given"] == "the grade of the violation"
    assert history["counted_by"] == "person", "no prosecutor is on file, and people return"
    days = asked.loc[("supervision_citizenship", "USSC-02", "all")]
    assert days["amount_ratio_low"] < days["amount_ratio"] < days["amount_ratio_high"]


@needs_records
def test_ussc_counts_are_those_of_the_file_read_by_hand(ussc: Counted) -> None:
    import pandas as pd

    hearings = pd.read_csv(DATA / "ussc" / "USSC_PV_Report_2020.csv.xz", dtype=str).drop_duplicates()
    known = hearings[hearings["PV_DISP"].notna()]
    by = known.assign(revoked=known["PV_DISP"].eq("1")).groupby(["NEWRACE", "NEWCIT"])["revoked"].agg(["sum", "size"])
    for race, code in (("white", "1"), ("black", "2"), ("hispanic_latino", "3"), ("other", "6")):
        for citizenship, cit in (("citizen", "0"), ("noncitizen", "1")):
            row = of(ussc, "USSC-01", race=race, citizenship=citizenship)
            assert (row.numerator, row.denominator) == tuple(by.loc[(code, cit)])


@needs_records
@pytest.mark.parametrize("say", LANGUAGES, ids=lambda say: say.code)
def test_the_sentences_of_ussc_stand_in_both_languages(ussc: Counted, say: Language) -> None:
    told = " ".join(Story(published(ussc), say).sentences("own"))
    assert {"en": "Supervision revoked: 85.5% for noncitizens (12,548 of 14,668 hearings)", "es": "Supervisión revocada: 85.5% en personas no ciudadanas (12,548 de 14,668 audiencias)"}[say.code] in told  # fmt: skip
    assert {"en": "below the 5 points declared beforehand, so it is not called clear", "es": "por lo que no se llama clara"}[say.code] in told  # fmt: skip


@needs_records
def test_the_notebook_of_own_questions_tells_and_draws_what_the_page_does(ussc: Counted, tmp_path: Path) -> None:
    public = published(ussc)
    write_tables(out=tmp_path / "public", public=public)
    (notebook,) = execute([(NOTEBOOKS / "12_own_questions.ipynb", {"data": str(tmp_path / "public")})], tmp_path)
    outputs = [output["data"] for cell in notebook.cells for output in cell.get("outputs", [])]
    told = "\n".join(output["text/plain"] for output in outputs)
    story = Story(public, ENGLISH)
    assert len(story.sentences("own")) > 2
    assert all(sentence in told for sentence in story.sentences("own"))
    assert len([output for output in outputs if PLOTLY_MIME in output]) == len(story.pictures("own")) > 0
    assert "published, and computed again from the published counts" in "".join(o.get("text/html", "") for o in outputs)


@needs_records
def test_days_after_revocation_are_compared_as_a_ratio_of_amounts(ussc: Counted) -> None:
    public = published(ussc)
    row = next(r for r in public.adjusted.itertuples() if r.measure_id == "USSC-02" and r.contrast == "citizenship")
    assert "the amount for noncitizens is 1.16 times that for citizens" in words.with_facts_alike(row, ENGLISH)[0]


def test_only_the_rows_over_all_say_that_the_youngest_are_certain() -> None:
    import pandas as pd

    found = saturation("M", DAYS, [4] * 15 + [10] * 5, [10] * 20)
    assert found is not None
    cell = {"measure_id": "M", "period": "all", "race": "all", "citizenship": "all", "offence_group": "all", "stratum": "all", "status": "ok", "reason": ""}  # fmt: skip
    rows = pd.DataFrame([cell, cell | {"race": "black"}, cell | {"measure_id": "N"}, cell | {"status": "suppressed"}])
    said = with_saturations(rows, [found])["reason"].tolist()
    assert said == ["Every case since 2024-01 (about 50) has the outcome, 40% before: were those without it too young to be in?", "", "", ""]  # fmt: skip

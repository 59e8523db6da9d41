"""Several offices beside each other: every published row as it was, with the days it counts, and nothing of two offices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.report.side_by_side import days_of
from tests import report_example
from tests.test_release import TWO, change_a_digit, remake_the_hashes, write_audit

OTHER = replace(report_example.SETTINGS, office="other_county", title="Other County", period_from=date(2022, 2, 1))


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A release of each of two offices, of which the second began a year later."""
    made = []
    for settings in (report_example.SETTINGS, OTHER):
        folder = tmp_path_factory.mktemp(settings.office)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(report_example, "SETTINGS", settings)
            audit = write_audit(folder / "audit")
        approvals = [f"--approve={role}={who}" for role, who in TWO.items()]
        assert main(["release", "--name=2026-Q2", f"--audit={audit}", f"--to={folder}", *approvals]) == 0
        made.append(folder / "2026-Q2")
    return made


@pytest.fixture(scope="module")
def beside(offices: Sequence[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("beside") / "out"
    assert put(offices, out) == 0
    return out


def put(releases: Sequence[Path], out: Path) -> int:
    return main(["side-by-side", *map(str, releases), f"--out={out}"])


@pytest.mark.parametrize("table", ["measures", "comparisons"])
def test_every_row_of_each_office_is_there_as_it_was_published(
    table: str, offices: Sequence[Path], beside: Path
) -> None:
    whole = pd.read_parquet(beside / f"{table}.parquet")
    assert list(whole["office"].unique()) == ["example_county", "other_county"]
    for release, (_, rows) in zip(offices, whole.groupby("office"), strict=True):
        published = pd.read_parquet(release / "data" / f"{table}.parquet")
        pd.testing.assert_frame_equal(rows[published.columns].reset_index(drop=True), published, check_dtype=False)


def test_each_row_says_which_days_it_counts(beside: Path) -> None:
    rows = pd.read_csv(beside / "measures.csv").query("measure_id == 'CHG-01'")
    days = {
        (r.office, r.period): (r.counted_from, r.counted_to)
        for r in rows.drop_duplicates(["office", "period"]).itertuples()
    }
    assert days["example_county", "all"] == ("2021-01-01", "2026-06-30")
    assert days["other_county", "all"] == ("2022-02-01", "2026-06-30")
    assert days["other_county", "2023"] == days["example_county", "2023"] == ("2023-01-01", "2023-12-31")


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("all", date(2022, 2, 1), date(2025, 12, 31)),  # totals end with the last finished year
        ("2022", date(2022, 2, 1), date(2022, 12, 31)),  # the office's period begins in it
        ("2022-Q1", date(2022, 2, 1), date(2022, 3, 31)),
        ("2024-Q2", date(2024, 4, 1), date(2024, 6, 30)),
        ("2026", date(2026, 1, 1), date(2026, 6, 30)),  # and ends in it
    ],
)
def test_a_period_is_counted_as_far_as_it_lies_within_the_office_s_own(period: str, first: date, last: date) -> None:
    assert days_of(period, replace(OTHER, totals="finished_years")) == (first, last)


def test_no_count_is_of_two_offices(offices: Sequence[Path], beside: Path) -> None:
    rows = pd.read_csv(beside / "measures.csv")
    assert len(rows) == sum(len(pd.read_parquet(release / "data" / "measures.parquet")) for release in offices)
    assert set(rows["office"]) == {"example_county", "other_county"}


def test_the_measures_of_one_office_alone_are_left_out(offices: Sequence[Path], tmp_path: Path) -> None:
    own = Path(shutil.copytree(offices[0], tmp_path / "own"))
    path = own / "data" / "measures.parquet"
    rows = pd.read_parquet(path)
    rows.loc[rows["measure_id"] == "CHG-01", "mart"] = "own"
    rows.to_parquet(path, index=False)
    remake_the_hashes(own)
    approve_again(own)
    assert put([own, offices[1]], tmp_path / "out") == 0
    beside = pd.read_csv(tmp_path / "out" / "measures.csv")
    assert list(beside[beside["measure_id"] == "CHG-01"]["office"].unique()) == ["other_county"]


def test_the_offices_are_listed_with_what_a_reader_must_compare_first(beside: Path) -> None:
    rows = pd.read_csv(beside / "offices.csv").set_index("office")
    assert list(rows["title"]) == [report_example.SETTINGS.title, "Other County"]
    assert list(rows["period_from"]) == ["2021-01-01", "2022-02-01"]
    assert {"as_of_date", "jurisdiction", "note", "synthetic", "release"} <= set(rows)
    described = set(pd.read_csv(beside / "dictionary.csv")["column"])
    assert set(pd.read_csv(beside / "measures.csv")) | set(pd.read_csv(beside / "comparisons.csv")) <= described


def test_what_to_mind_is_said_in_both_languages_and_names_columns_and_measures_that_exist(beside: Path) -> None:
    columns = {name for table in beside.glob("*.csv") for name in pd.read_csv(table, nrows=0)}
    catalogue = set(pd.read_csv(report_example.ROOT / "data" / "reference" / "measures.csv")["measure_id"])
    files = {path.name for path in beside.iterdir()}
    said = {
        name: set((beside / name).read_text(encoding="utf-8").split("`")[1::2]) for name in ("README.md", "LEAME.md")
    }
    assert said["README.md"] == said["LEAME.md"]
    assert said["README.md"] <= columns | catalogue | files | {"all"}


def test_the_order_in_which_releases_are_named_changes_no_byte(
    offices: Sequence[Path], beside: Path, tmp_path: Path
) -> None:
    assert put(offices[::-1], tmp_path / "again") == 0
    assert {p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()} == {
        p.name: p.read_bytes() for p in beside.iterdir()
    }


def test_all_that_does_not_belong_together_is_told_at_once_and_nothing_is_written(
    offices: Sequence[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered, draft, other = (Path(shutil.copytree(offices[1], tmp_path / name)) for name in ("altered", "draft", "new"))
    change_a_digit(altered)
    (draft / "approvals.json").unlink()
    provenance = json.loads((other / "provenance.json").read_text(encoding="utf-8"))
    provenance["program"]["sha256"] = "0" * 64
    (other / "provenance.json").write_text(json.dumps(provenance), encoding="utf-8")
    remake_the_hashes(other)
    approve_again(other)
    (tmp_path / "there").mkdir()
    (tmp_path / "empty").mkdir()
    assert put([offices[0], offices[0], altered, draft, other, tmp_path / "empty"], tmp_path / "there") == 1
    told = capsys.readouterr().err
    assert "IIU642 " + str(altered) in told
    assert "IIU642 " + str(tmp_path / "empty") in told
    assert "IIU671 " + str(tmp_path / "there") in told
    assert "IIU672 " + str(draft) in told
    assert "IIU673 example_county: 2 releases" in told
    assert "IIU674 " + str(other) in told
    assert not list((tmp_path / "there").iterdir())


def test_one_release_stands_beside_nothing(offices: Sequence[Path], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        put(offices[:1], tmp_path / "out")


def approve_again(release: Path) -> None:
    """As if what was changed had been approved so."""
    from pipeline.report.tables import sha256

    approvals = json.loads((release / "approvals.json").read_text(encoding="utf-8"))
    approvals["approved"] = sha256(release / "SHA256SUMS")
    (release / "approvals.json").write_text(json.dumps(approvals), encoding="utf-8")

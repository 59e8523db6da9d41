"""The main job, as a user runs it, on a small synthetic county: everything is written, twice the same, and no row is lost."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.cli import main
from pipeline.disclose.leaks import _texts
from pipeline.synth import write_county

CASES = 6_000

# Minutes long: run with `-m slow`.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    write_county(out=folder, cases=CASES, seed=11)
    return folder


@pytest.fixture(scope="session")
def audited(county: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("first") / "audit"
    assert main(["audit", "example_county", "--raw", str(county / "exports"), "--out", str(out)]) == 0
    return out


def run_record(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "run.json").read_text(encoding="utf-8")))


def test_every_row_of_every_file_is_landed_rejected_or_filtered(audited: Path) -> None:
    files = run_record(audited)["files"]
    assert len(files) > 30
    for file in files:
        assert file["read"] == file["landed"] + file["rejected"] + file["filtered"], file["path"]
    assert sum(file["rejected"] for file in files) > 0, "the county is dirty on purpose"


def test_the_audit_writes_what_its_design_promises(audited: Path) -> None:
    written = {path.relative_to(audited).as_posix() for path in audited.rglob("*") if path.is_file()}
    promised = {
        "run.json", "findings.json", "restricted/rejects.parquet", "restricted/measures.parquet",
        "public/measures.parquet", "public/measures.csv", "site/index.html", "site/en/index.html", "site/es/index.html",
        "site/en/charging.html", "site/en/bail.html", "site/en/diversion.html", "site/en/ice-contact.html",
    }  # fmt: skip
    assert promised <= written
    assert not any(part.startswith("work") for part in written), "the database of the run is not left behind"


@pytest.fixture(scope="session")
def again(county: Path, audited: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same exports under another name, audited beside the first audit."""
    folder = tmp_path_factory.mktemp("again")
    copy = folder / "exports under another name"
    shutil.copytree(county / "exports", copy)
    out = folder / "audit"
    assert main(["audit", "example_county", "--raw", str(copy), "--out", str(out), "--since", str(audited)]) == 0
    return out


def test_an_audit_beside_an_earlier_one_says_what_became_of_its_findings(audited: Path, again: Path) -> None:
    for folder in ("", "restricted"):
        earlier = json.loads((audited / folder / "findings.json").read_text(encoding="utf-8"))
        since = json.loads((again / folder / "findings_since.json").read_text(encoding="utf-8"))
        assert earlier
        assert [(f["id"], f["status"]) for f in since] == [(f["id"], "persisting") for f in earlier]


def test_two_audits_of_the_same_exports_write_the_same_bytes(audited: Path, again: Path) -> None:
    files = [sorted(p.relative_to(out) for p in out.rglob("*") if p.is_file()) for out in (audited, again)]
    assert set(files[1]) - set(files[0]) == {Path("findings_since.json"), Path("restricted/findings_since.json")}
    assert set(files[0]) <= set(files[1])
    different = [
        str(path)
        for path in files[0]
        if path.name != "run.json" and (audited / path).read_bytes() != (again / path).read_bytes()
    ]
    assert not different
    records = [
        {k: v for k, v in run_record(out).items() if k not in ("steps", "peak_memory_mb")} for out in (audited, again)
    ]
    assert records[0] == records[1], "seconds and memory alone may differ"


def test_no_measure_is_dropped_and_no_empty_one_becomes_zero(audited: Path) -> None:
    rows = duckdb.execute(
        f"""select count(distinct measure_id), count(*) filter (status = 'not_estimable' and estimate is not null),
            count(*) filter (status = 'not_computable' and reason not like '%supplied%' and reason not like '%later%')
        from read_parquet('{audited}/restricted/measures.parquet')"""
    ).fetchall()
    catalogue = duckdb.execute("select count(*) from read_csv('data/reference/measures.csv')").fetchall()
    assert rows[0][0] == catalogue[0][0]
    assert rows[0][1] == 0


def test_a_run_that_fails_leaves_the_last_good_audit_as_it_was(audited: Path, county: Path, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    shutil.copytree(audited, out)
    before = (out / "run.json").read_bytes()
    broken = tmp_path / "broken"
    shutil.copytree(county / "exports", broken)
    next(iter(sorted(broken.rglob("CASES.csv")))).unlink()
    next(iter(sorted(broken.rglob("BAIL.csv")))).write_text("a,b\n", encoding="utf-8")
    assert main(["audit", "example_county", "--raw", str(broken), "--out", str(out)]) == 1
    assert (out / "run.json").read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.endswith((".building", ".old"))]


def test_a_folder_that_holds_no_audit_is_never_overwritten(
    county: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    assert main(["audit", "example_county", "--raw", str(county / "exports"), "--out", str(tmp_path)]) == 1
    assert "IIU140" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_canaries_of_the_exports_are_in_no_file_of_the_audit(county: Path, audited: Path) -> None:
    listed = json.loads((county / "truth" / "canaries.json").read_text(encoding="utf-8"))
    canary = re.compile("|".join(listed["patterns"]))
    exports = [path.read_text(encoding="utf-8", errors="replace") for path in (county / "exports").rglob("*.csv")]
    assert sum(len(canary.findall(text)) for text in exports) > 1000, "they are in the exports"
    for path in audited.rglob("*"):
        if path.is_file():
            assert not [text for text in _texts(path) if canary.search(text)], path


def test_unknown_offices_and_usage_exit_with_their_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "example_conty"]) == 1
    assert "nearest [example_county]" in capsys.readouterr().err
    assert main([]) == 2

"""Restricted files of real records are sealed, and what is forgotten is gone: no key of it is in any file that is left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import xlsxwriter

from pipeline.cli import main
from pipeline.contract import ROOT
from pipeline.disclose.leaks import key_like
from pipeline.errors import AuditError
from pipeline.restricted import RECEIPT, SEALED, forget, opened, seal, unseal
from tests.crash import tree
from tests.tiny_office import OFFICE_YML, TinyOffice

KEYS = ["qN3vYxJ0aB-_", "Zk81hhTTxPq4"]
AS_OF = pd.Timestamp("2024-12-31").date()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IIU_KEY", "ab" * 32)


@pytest.fixture(params=["plain", "sealed"])
def audit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What an audit leaves, as far as it matters here."""
    folder = tmp_path / "audit"
    restricted = folder / "restricted"
    (restricted / "worklists").mkdir(parents=True)
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("<p>2 persons</p>", encoding="utf-8")
    (folder / "run.json").write_text('{"office": "tiny", "as_of_date": "2024-12-31"}', encoding="utf-8")
    pd.DataFrame({"case_id": ["a" * 12, "b" * 12], "person_id": KEYS}).to_parquet(restricted / "mart_bail.parquet")
    pd.DataFrame({"measure_id": ["BAIL-01"], "denominator": [2]}).to_parquet(restricted / "measures.parquet")
    pd.DataFrame({"_source_row": [7], "row_shape": ["{}"]}).to_parquet(restricted / "rejects.parquet")
    with xlsxwriter.Workbook(str(restricted / "worklists" / "list.xlsx")) as book:
        book.add_worksheet().write_string(0, 0, KEYS[0])
    if request.param == "sealed":
        seal(restricted, office="tiny", as_of=AS_OF)
    return folder


# --- sealed -------------------------------------------------------------------------------------------------------


def sealed(tmp_path: Path) -> Path:
    folder = tmp_path / "audit"
    (folder / "restricted").mkdir(parents=True)
    (folder / "run.json").write_text('{"office": "tiny", "as_of_date": "2024-12-31"}', encoding="utf-8")
    for name in ("a.parquet", "b.parquet"):
        (folder / "restricted" / name).write_text(f"{name} {KEYS[0]}", encoding="utf-8")
    seal(folder / "restricted", office="tiny", as_of=AS_OF)
    return folder


def test_a_sealed_file_shows_nothing_and_opens_again(tmp_path: Path) -> None:
    audit = sealed(tmp_path)
    files = sorted((audit / "restricted").iterdir())
    assert [path.name for path in files] == ["a.parquet.sealed", "b.parquet.sealed"]
    assert not any(KEYS[0].encode() in path.read_bytes() for path in files)
    with opened(audit) as plain:
        assert (plain / "a.parquet").read_text(encoding="utf-8") == f"a.parquet {KEYS[0]}"
    assert not plain.exists(), "the copy is gone afterwards"


def other_key(audit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IIU_KEY", "cd" * 32)


def other_audit(audit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (audit / "run.json").write_text('{"office": "tiny", "as_of_date": "2025-03-31"}', encoding="utf-8")


def swapped(audit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(audit / "restricted" / f"b.parquet{SEALED}", audit / "restricted" / f"a.parquet{SEALED}")


def changed(audit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = audit / "restricted" / f"a.parquet{SEALED}"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("wrong", [other_key, other_audit, swapped, changed], ids=lambda f: f.__name__)
def test_a_sealed_file_opens_with_the_key_of_its_audit_alone_unchanged_and_under_its_name(
    wrong: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = sealed(tmp_path)
    wrong(audit, monkeypatch)  # type: ignore[operator]
    assert main(["unseal", f"--audit={audit}", f"--to={tmp_path / 'to'}"]) == 1
    assert f"IIU121 restricted/a.parquet{SEALED}: cannot be opened" in capsys.readouterr().err
    assert tree(tmp_path / "to") == {}


def test_what_is_unsealed_goes_into_an_empty_folder_that_others_cannot_read(tmp_path: Path) -> None:
    audit = sealed(tmp_path)
    assert main(["unseal", f"--audit={audit}", f"--to={tmp_path / 'to'}"]) == 0
    assert sorted(tree(tmp_path / "to")) == ["a.parquet", "b.parquet"]
    assert (tmp_path / "to").stat().st_mode & 0o077 == 0
    with pytest.raises(AuditError, match="IIU140"):
        unseal(audit, tmp_path / "to")


def test_where_nothing_is_sealed_it_is_said_and_no_empty_folder_is_taken_for_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = sealed(tmp_path)
    for path in (audit / "restricted").iterdir():
        path.rename(path.with_suffix(""))
    assert main(["unseal", f"--audit={audit}", f"--to={tmp_path / 'to'}"]) == 1
    assert "IIU144" in capsys.readouterr().err


# --- one key an audit ---------------------------------------------------------------------------------------------


def persons(tiny: TinyOffice, as_of: str, identifiers: str) -> set[str]:
    tiny.write_office(OFFICE_YML.replace("2024-12-31", as_of, 1).replace("identifiers: published", f"identifiers: {identifiers}"))  # fmt: skip
    tiny.database.unlink(missing_ok=True)
    tiny.land()
    with duckdb.connect(str(tiny.database), read_only=True) as connection:
        return {key for (key,) in connection.execute("select person_id from landed.person").fetchall()}


def test_secret_identifiers_of_two_audits_cannot_be_joined_and_those_of_one_are_the_same(tmp_path: Path) -> None:
    tiny = TinyOffice(tmp_path)
    first, again, later = (persons(tiny, day, "secret") for day in ("2024-12-31", "2024-12-31", "2025-03-31"))
    assert first == again
    assert len(first | later) == 4
    published = [persons(tiny, day, "published") for day in ("2024-12-31", "2025-03-31")]
    assert published[0] == published[1]


def test_the_key_of_a_list_is_found_again_by_file_and_row_and_nothing_of_the_row_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = TinyOffice(tmp_path)
    office, as_of = tmp_path / "office", "2025-03-31"
    persons(tiny, as_of, "secret")
    with duckdb.connect(str(tiny.database), read_only=True) as connection:
        ((key,),) = connection.execute("select distinct person_id from landed.person where sex = 'female'").fetchall()
    options = ["find", str(office), key, "a" * 12, f"--raw={tiny.raw}"]
    assert main([*options, f"--as-of={as_of}"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[:2] == [f"{key}: referrals.csv, row 2", f"{key}: referrals.csv, row 4"]
    assert f"{'a' * 12}: in no row" in said and "Ann" not in said and "P1" not in said


# --- forgotten ----------------------------------------------------------------------------------------------------


def test_what_is_forgotten_is_in_no_file_that_is_left_and_counts_stay(audit: Path) -> None:
    building = audit.with_name(f".{audit.name}.building")
    (building / "work").mkdir(parents=True)
    (building / "work" / "audit.duckdb").write_text(KEYS[0])
    receipt = forget(audit)
    assert [entry["file"] for entry in receipt.removed] == ["mart_bail.parquet", "rejects.parquet", "worklists/list.xlsx"]  # fmt: skip
    assert (receipt.keys, receipt.found) == (4, ())
    assert receipt.searched == len([p for p in audit.rglob("*") if p.is_file() and p.name != RECEIPT])
    assert not building.exists()
    with opened(audit) as plain:
        assert list(tree(plain)) == ["measures.parquet"]
    texts = b"".join(path.read_bytes() for path in audit.rglob("*") if path.is_file())
    assert not any(key.encode() in texts for key in KEYS)
    assert json.loads((audit / RECEIPT).read_text(encoding="utf-8"))["removed"][0]["rows"] == 2
    assert forget(audit) == receipt, "a second time changes nothing"


def test_a_key_that_is_left_somewhere_is_found_and_named(audit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (audit / "site" / "data.js").write_text(f'x = ["{KEYS[1]}"]', encoding="utf-8")
    assert key_like(audit / "site" / "data.js") == {KEYS[1]}
    assert main(["forget", f"--audit={audit}"]) == 1
    assert "IIU143 site/data.js: still holds a key" in capsys.readouterr().err
    assert json.loads((audit / RECEIPT).read_text(encoding="utf-8"))["found"] == ["site/data.js"]


def test_a_folder_that_is_no_audit_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "restricted").mkdir()
    (tmp_path / "restricted" / "a.xlsx").write_text("mine")
    assert main(["forget", f"--audit={tmp_path}"]) == 1
    assert "IIU141" in capsys.readouterr().err
    assert (tmp_path / "restricted" / "a.xlsx").exists()


@pytest.mark.parametrize("audit", ["plain"], indirect=True)  # damaged while sealed, it cannot be opened at all
def test_nothing_is_forgotten_while_a_table_cannot_be_read_whose_keys_nobody_could_look_for(
    audit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (audit / "restricted" / "mart_bail.parquet").write_bytes(b"PAR1")
    before = tree(audit)
    assert main(["forget", f"--audit={audit}"]) == 1
    assert "IIU148 mart_bail.parquet" in capsys.readouterr().err
    assert tree(audit) == before


@pytest.mark.parametrize("text", ["[]", "{}", '{"office": "tiny", "as_of_date": "soon"}', "no record"])
def test_a_run_record_that_says_neither_office_nor_day_is_no_audit(
    text: str, audit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (audit / "run.json").write_text(text, encoding="utf-8")
    assert main(["forget", f"--audit={audit}"]) == 1
    assert "IIU141" in capsys.readouterr().err


# --- the whole way ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_audit_of_secret_records_without_a_home_is_sealed_and_can_be_released_after_it_was_forgotten(
    tmp_path: Path,
) -> None:
    """As a service would run it: no HOME, the key in the environment, the exports in a folder that cannot be written."""
    tiny = TinyOffice(tmp_path)
    tiny.write_office(OFFICE_YML.replace("identifiers: published", "identifiers: secret"))
    tiny.raw.chmod(0o555)
    audit, releases = tmp_path / "audits" / "tiny", tmp_path / "releases"

    def iiu(*arguments: object) -> None:
        command = [sys.executable, "-m", "pipeline.cli", *map(str, arguments)]
        environment = {"PATH": os.environ["PATH"], "IIU_KEY": "ab" * 32, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]

    iiu("audit", tiny.office, "--raw", tiny.raw, "--out", audit)
    assert {path.suffix for path in (audit / "restricted").rglob("*") if path.is_file()} == {SEALED}
    iiu("forget", "--audit", audit)
    assert not any(path.name.startswith("mart_charging.") for path in (audit / "restricted").iterdir())
    approvals = ("--approve", "unit lead=A. Alvarez", "--approve", "counsel=B. Brown")
    iiu("release", tiny.office, "--name", "2024-Q4", *approvals, "--audit", audit, "--to", releases)
    iiu("verify", releases / "2024-Q4")

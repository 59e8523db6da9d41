"""A release is whole, says the same each time, and anybody can see that it was altered."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.disclose import publish
from pipeline.disclose.ledger import read_ledger
from pipeline.errors import ReleaseRefused
from pipeline.estimands import ADJUSTED_COLUMNS
from pipeline.findings import find, judge
from pipeline.measures import comparison_table, measure_table
from pipeline.report.release import (
    APPROVALS,
    PROVENANCE,
    SIGNATURE,
    SIGNERS,
    SUMS,
    refuse_leaks,
    release,
    write_package,
    write_sums,
)
from pipeline.report.tables import PublicData, sha256, write_tables
from pipeline.report.verify import verify
from pipeline.report.words import told
from tests import report_example

MEASURES = ("CHG-01", "DIV-01", "CHG-09")
TWO = {"unit lead": "A. Reviewer", "data steward": "B. Keeper"}
KEY = "Zk3_x-9QpLm2"


def write_audit(folder: Path, more: int = 0) -> Path:
    """An audit's folder as `iiu audit` leaves it. `more` referrals of one quarter had been left out."""
    rng = np.random.default_rng(5)
    cells, values = [], []
    for measure in MEASURES:
        _, kind, *_rest, size, level, extra = report_example.MEASURES[measure]
        for stratum, share in report_example.STRATA.get(measure, {"all": level}).items():
            counted = report_example._cells(rng, size=size, level=share, extra=extra, kind=kind)
            counted = counted.assign(measure_id=measure, stratum=stratum)
            if kind == "time_to_event":
                values.append(report_example._values(rng, counted, kind))
            else:
                cells.append(counted)
    counts = pd.concat(cells, ignore_index=True)
    where = counts["measure_id"].eq("CHG-01") & counts["quarter"].eq("2022-Q2") & counts["race"].eq("white")
    counts.loc[counts.index[where & counts["citizenship"].eq("citizen")][0], ["numerator", "denominator"]] += more
    catalogue = report_example.catalogue()
    catalogue = catalogue[catalogue["measure_id"].isin(MEASURES)]
    supplied = [("referral", "decision"), ("referral", "decision_date"), ("citizenship_assertion", "value")]
    settings = report_example.SETTINGS
    measures = measure_table(counts, pd.concat(values), catalogue, supplied, settings)
    comparisons = comparison_table(measures, settings)
    published = publish(measures, comparisons)
    run = {"version": "0.1.0", "engine": "duckdb", "files": [{"path": "cases.csv", "sha256": "ab" * 32}]}
    public = PublicData(
        measures=published.measures, comparisons=judge(published.comparisons), catalogue=catalogue, settings=settings, run=run,
        findings=told(
            find(published.measures, published.comparisons, catalogue, as_of=settings.as_of_date), catalogue
        ), synthetic=True,
    )  # fmt: skip
    (folder / "restricted").mkdir(parents=True)
    measures.to_parquet(folder / "restricted" / "measures.parquet", index=False)
    comparisons.to_parquet(folder / "restricted" / "comparisons.parquet", index=False)
    adjusted = pd.DataFrame(columns=ADJUSTED_COLUMNS)
    adjusted.to_parquet(folder / "restricted" / "adjusted.parquet", index=False)
    pd.DataFrame({"person_id": [KEY], "received_on": ["2022-05-03"]}).to_parquet(folder / "restricted" / "fact.parquet")
    check = {"check_id": "a", "door": "landed", "category": "plausibility", "description": "b", "status": "passed"}
    checks = pd.DataFrame([check])
    checks.to_parquet(folder / "restricted" / "checks.parquet", index=False)
    write_tables(out=folder / "public", public=public)
    write_package(out=folder / "release", public=public, published=published, checks=checks)
    write_sums(folder / "release")
    (folder / "run.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_audit(tmp_path_factory.mktemp("audit") / "first")


@pytest.fixture(scope="session")
def releases(audit: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of releases, with the first in it."""
    to = tmp_path_factory.mktemp("releases")
    approvals = [f"--approve={role}={who}" for role, who in TWO.items()]
    assert main(["release", "--name=2026-Q2", f"--audit={audit}", f"--to={to}", *approvals]) == 0
    return to


@pytest.fixture
def copy(releases: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(releases / "2026-Q2", tmp_path / "copy"))


def test_a_release_verifies_with_nothing_but_itself(copy: Path) -> None:
    assert main(["verify", str(copy)]) == 0


def test_a_draft_verifies_as_well_and_nobody_has_approved_it(audit: Path) -> None:
    assert verify(audit / "release") == []
    assert not (audit / "release" / APPROVALS).exists()


def test_the_same_audit_gives_the_same_bytes(audit: Path, tmp_path: Path) -> None:
    again = write_audit(tmp_path / "again")
    assert (again / "release" / SUMS).read_bytes() == (audit / "release" / SUMS).read_bytes()


def test_the_approval_names_roles_and_the_hash_of_what_they_saw(releases: Path) -> None:
    approved = json.loads((releases / "2026-Q2" / APPROVALS).read_text(encoding="utf-8"))
    assert approved["by"] == TWO
    assert approved["approved"] == sha256(releases / "2026-Q2" / SUMS)


def change_a_digit(folder: Path) -> None:
    path = folder / "data" / "measures.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith("CHG-01,charging,all,all,all,all,all,"))
    cells = lines[at].split(",")
    cells[7] = str(int(cells[7]) + 1)
    lines[at] = ",".join(cells)
    path.write_text("".join(lines), encoding="utf-8")


def remove_a_row(folder: Path) -> None:
    path = folder / "data" / "charging.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:5] + lines[6:]), encoding="utf-8")


def change_the_hashes(folder: Path) -> None:
    path = folder / SUMS
    text = path.read_text(encoding="utf-8")
    path.write_text(("0" if text[0] != "0" else "1") + text[1:], encoding="utf-8")


def add_a_file(folder: Path) -> None:
    (folder / "data" / "more.csv").write_text("a\n", encoding="utf-8")


def change_a_sentence(folder: Path) -> None:
    path = folder / "findings.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found[0]["text"] = found[0]["text"].replace("1", "2", 1)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def rewritten(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame], table: str = "measures") -> None:
    """Changes a table in every file that holds it, so that all copies agree."""
    whole = change(pd.read_parquet(folder / "data" / f"{table}.parquet"))
    frames = {table: whole} | (dict(list(whole.groupby("mart"))) if table == "measures" else {})
    for name, rows in frames.items():
        rows.to_parquet(folder / "data" / f"{name}.parquet", index=False)
        rows.to_csv(folder / "data" / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")


def swap_two_quarters(folder: Path) -> None:
    def swapped(rows: pd.DataFrame) -> pd.DataFrame:
        at = rows["measure_id"].eq("CHG-01") & rows["race"].eq("all") & rows["citizenship"].eq("all")
        other = {"2022-Q1": "2022-Q2", "2022-Q2": "2022-Q1"}
        period = rows["period"].mask(at & rows["offence_group"].eq("all"), rows["period"].replace(other))
        return rows.assign(period=period)

    rewritten(folder, swapped)


def a_rate_that_does_not_follow(folder: Path) -> None:
    def raised(rows: pd.DataFrame) -> pd.DataFrame:
        at = rows["measure_id"].eq("DIV-01") & rows["period"].eq("all") & rows["race"].eq("all")
        return rows.assign(estimate=rows["estimate"].mask(at, rows["estimate"] + 0.02))

    rewritten(folder, raised)


def a_gap_that_does_not_follow(folder: Path) -> None:
    rewritten(
        folder, lambda rows: rows.assign(difference=rows["difference"].where(rows.index != 0, 0.5)), "comparisons"
    )


def a_verdict_that_the_rule_does_not_give(folder: Path) -> None:
    def reversed_(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(verdict=rows["verdict"].where(rows["verdict"] != "clear", "no_clear_difference"))

    rewritten(folder, reversed_, "comparisons")


def a_ledger_without_its_last_number(folder: Path) -> None:
    """The chain of what is left holds: each line seals those before it alone."""
    path = folder / "ledger.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")


def remake_the_hashes(folder: Path) -> None:
    """What a careful forger does: descriptions, hashes and the approval of the hashes all fit again."""
    package = folder / "datapackage.json"
    described = json.loads(package.read_text(encoding="utf-8"))
    for resource in described["resources"]:
        path = folder / resource["path"]
        resource |= {"hash": f"sha256:{sha256(path)}", "rows": len(pd.read_csv(path, dtype=str))}
    package.write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_sums(folder)
    approved = json.loads((folder / APPROVALS).read_text(encoding="utf-8")) | {"approved": sha256(folder / SUMS)}
    (folder / APPROVALS).write_text(json.dumps(approved), encoding="utf-8")


TAMPERED = {
    change_a_digit: "IIU645",
    remove_a_row: "IIU645",
    swap_two_quarters: "IIU647",
    a_rate_that_does_not_follow: "IIU646",
    a_gap_that_does_not_follow: "IIU648",
    a_verdict_that_the_rule_does_not_give: "IIU648",
    change_a_sentence: "IIU649",
    a_ledger_without_its_last_number: "IIU650",
}


@pytest.mark.parametrize("tamper", [change_a_digit, change_the_hashes, add_a_file])
def test_what_was_altered_is_found(
    tamper: Callable[[Path], None], copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(copy)
    assert main(["verify", str(copy)]) == 1
    assert "IIU642" in capsys.readouterr().err


@pytest.mark.parametrize(("tamper", "code"), TAMPERED.items())
def test_what_was_altered_is_found_though_the_hashes_were_made_again(
    tamper: Callable[[Path], None], code: str, copy: Path
) -> None:
    tamper(copy)
    remake_the_hashes(copy)
    codes = {problem.code for problem in verify(copy)}
    assert "IIU642" not in codes
    assert code in codes


def test_all_problems_are_listed_at_once(copy: Path) -> None:
    change_a_digit(copy)
    change_a_sentence(copy)
    assert {"IIU642", "IIU645", "IIU649"} <= {problem.code for problem in verify(copy)}


def test_a_folder_that_is_no_release_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    assert {problem.code for problem in verify(tmp_path)} == {"IIU641", "IIU642"}


DAMAGED = {
    **dict.fromkeys(["data/charging.xlsx", "data/measures.parquet", "data/measures.csv", "datapackage.json"], "IIU641"),
    **dict.fromkeys(["provenance.json", "findings.json", "ledger.jsonl"], "IIU641"),
    "approvals.json": "IIU643",
    "SHA256SUMS": "IIU642",
}
SAY_THE_SENTENCES = ("data/measures.parquet", "provenance.json", "findings.json")


@pytest.mark.parametrize(("file", "code"), DAMAGED.items())
def test_what_cannot_be_read_is_a_problem_and_stops_no_other_look(file: str, code: str, copy: Path) -> None:
    change_a_sentence(copy)
    (copy / file).write_bytes(b"\xff\xfe\x00")
    codes = {problem.code for problem in verify(copy)}
    assert code in codes
    assert ("IIU649" in codes) == (file not in SAY_THE_SENTENCES)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"approved"'])
def test_approvals_of_no_hash_are_a_problem_and_no_crash(text: str, copy: Path) -> None:
    (copy / APPROVALS).write_text(text, encoding="utf-8")
    assert [problem.code for problem in verify(copy)] == ["IIU643"]


def test_a_package_describes_no_file_outside_of_the_release(copy: Path) -> None:
    shutil.copyfile(copy / "checks.csv", copy.parent / "checks.csv")
    described = json.loads((copy / "datapackage.json").read_text(encoding="utf-8"))
    described["resources"][0]["path"] = "../checks.csv"
    (copy / "datapackage.json").write_text(json.dumps(described), encoding="utf-8")
    assert "IIU644 ../checks.csv: missing" in " ".join(map(str, verify(copy)))


@pytest.mark.parametrize("named", ["the office's", "nobody's"])
def test_where_signers_are_named_a_release_without_a_signature_is_none_of_theirs(
    named: str, copy: Path, tmp_path: Path
) -> None:
    signers = tmp_path / "signers"
    if named == "the office's":
        signers.write_text("office ssh-ed25519 AAAA\n", encoding="utf-8")
    assert [problem.code for problem in verify(copy, signers)] == ["IIU651"]


@pytest.mark.parametrize(
    ("file", "bytes_", "code"),
    [
        ("ledger.jsonl", b"no line\n", "IIU612"),
        ("ledger.jsonl", b"[]\n", "IIU612"),
        ("2026-Q2/ledger.jsonl", b"\xff\xfe\n", "IIU612"),
        ("restricted/2026-Q2.parquet", b"PAR1", "IIU638"),
        ("restricted/2026-Q2.parquet", None, "IIU638"),
    ],
)
def test_what_earlier_releases_are_known_by_must_be_readable(
    file: str,
    bytes_: bytes | None,
    code: str,
    audit: Path,
    releases: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    to = Path(shutil.copytree(releases, tmp_path / "releases"))
    if bytes_ is None:
        (to / file).unlink()
    else:
        (to / file).write_bytes(bytes_)
    options = ["release", "--name=2026-Q3", f"--audit={audit}", f"--to={to}"]
    assert main([*options, *(f"--approve={role}={who}" for role, who in TWO.items())]) == 1
    assert f"{code} {to / file}" in capsys.readouterr().err
    assert not (to / "2026-Q3").exists()


def test_an_audit_that_does_not_say_which_program_made_it_is_refused(
    audit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = Path(shutil.copytree(audit, tmp_path / "older"))
    (older / "release" / PROVENANCE).write_text("[]", encoding="utf-8")
    options = ["release", "--name=x", f"--audit={older}", f"--to={tmp_path / 'to'}"]
    assert main([*options, *(f"--approve={role}={who}" for role, who in TWO.items())]) == 1
    assert "IIU636" in capsys.readouterr().err


def test_what_is_no_audit_becomes_no_release_and_a_path_is_no_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["release", "--name=../2026-Q2", f"--audit={tmp_path}", f"--to={tmp_path / 'releases'}"]
    assert main([*options, *(f"--approve={role}={who}" for role, who in TWO.items())]) == 1
    said = capsys.readouterr().err
    assert "IIU631" in said
    assert "IIU632" in said
    assert not (tmp_path / "releases").exists()


def test_a_release_is_never_changed_and_needs_two_persons(
    audit: Path, releases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["release", "--name=2026-Q2", f"--audit={audit}", f"--to={releases}"]
    assert main([*options, "--approve=unit lead=A. Reviewer", "--approve=data steward=a. reviewer"]) == 1
    said = capsys.readouterr().err
    assert "IIU633" in said
    assert "IIU634" in said


@pytest.mark.parametrize("of_the_card", [{}, {"policies": None}], ids=["a program alike", "one that knew less"])
def test_an_audit_by_another_version_of_the_program_is_refused_and_says_what_to_do(
    of_the_card: dict[str, None], audit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = Path(shutil.copytree(audit, tmp_path / "older"))
    card = json.loads((older / "public" / "audit.json").read_text(encoding="utf-8"))
    kept = {key: value for key, value in card.items() if key not in of_the_card}
    (older / "public" / "audit.json").write_text(json.dumps(kept), encoding="utf-8")
    draft = older / "release" / PROVENANCE
    said = json.loads(draft.read_text(encoding="utf-8"))
    draft.write_text(json.dumps(said | {"program": {"version": "0.0.9", "sha256": "00" * 32}}), encoding="utf-8")
    options = ["release", "--name=x", f"--audit={older}", f"--to={tmp_path / 'to'}"]
    assert main([*options, *(f"--approve={role}={who}" for role, who in TWO.items())]) == 1
    told = capsys.readouterr().err
    assert "IIU636" in told
    assert "Run `iiu audit` again" in told
    assert not (tmp_path / "to" / "x").exists()


def test_a_changed_number_is_refused_and_a_correction_is_kept_with_what_it_was(releases: Path, tmp_path: Path) -> None:
    to = Path(shutil.copytree(releases, tmp_path / "releases"))
    changed = write_audit(tmp_path / "changed", more=200)
    options = ["release", "--name=2026-Q2-corrected", f"--audit={changed}", f"--to={to}"]
    options += [f"--approve={role}={who}" for role, who in TWO.items()]
    assert main(options) == 3
    assert sorted(p.name for p in to.iterdir()) == ["2026-Q2", "ledger.jsonl", "restricted"]
    reason = "a batch of referrals had been left out"
    assert main([*options, f"--correct=CHG-01={reason}"]) == 0
    corrections = pd.read_csv(to / "2026-Q2-corrected" / "corrections.csv")
    whole = corrections[corrections["race"].eq("all") & corrections["citizenship"].eq("all")].set_index("period")
    quarter = whole[whole["offence_group"].eq("all")].loc["2022-Q2"]
    assert quarter["denominator"] - quarter["denominator_before"] == 200
    assert set(corrections["reason"]) == {reason}
    assert read_ledger(to / "ledger.jsonl").releases == ("2026-Q2", "2026-Q2-corrected")
    assert verify(to / "2026-Q2-corrected") == []


def test_a_measure_is_held_back_by_its_name_and_the_rest_is_released(
    audit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["release", "--name=x", f"--audit={audit}", f"--to={tmp_path}"]
    options += [f"--approve={role}={who}" for role, who in TWO.items()]
    assert main([*options, "--hold-back=CHG-O1"]) == 1
    said = capsys.readouterr().err
    assert "IIU637 CHG-O1" in said
    assert "CHG-01" in said
    assert main([*options, "--hold-back=CHG-01"]) == 0
    measures = pd.read_csv(tmp_path / "x" / "data" / "measures.csv").groupby("measure_id")["numerator"].count()
    assert measures["CHG-01"] == 0 < measures["DIV-01"]
    assert verify(tmp_path / "x") == []


def test_a_key_in_a_public_file_refuses_the_release(
    audit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_key(*, out: Path, **rest: object) -> None:
        write_package(out=out, **rest)  # type: ignore[arg-type]
        (out / "README.md").write_text(f"Made from {KEY}.", encoding="utf-8")

    monkeypatch.setattr("pipeline.report.release.write_package", with_a_key)
    options = ["release", "--name=x", f"--audit={audit}", f"--to={tmp_path}"]
    assert main([*options, *(f"--approve={role}={who}" for role, who in TWO.items())]) == 3
    assert not (tmp_path / "x").exists()


def test_a_number_of_a_hidden_row_in_a_page_is_found_and_what_follows_from_shown_rows_is_not(
    audit: Path, tmp_path: Path
) -> None:
    true = pd.read_parquet(audit / "restricted" / "measures.parquet")
    public = pd.read_parquet(audit / "public" / "measures.parquet")
    # An end of an interval that no shown row has, and the mirror of one that a shown row has.
    of_hidden = true.loc[~true["ci_high"].isin(public["ci_high"]) & true["ci_method"].eq("wilson"), "ci_high"].iloc[0]
    of_shown = public["ci_high"].dropna().iloc[0]
    shutil.copytree(audit / "public", tmp_path / "public")
    page = tmp_path / "public" / "page.html"
    page.write_text(f'{{"x": [{1 - of_shown!r}]}}', encoding="utf-8")
    refuse_leaks(tmp_path / "public", restricted=audit / "restricted")
    page.write_text(f'{{"x": [{of_hidden!r}]}}', encoding="utf-8")
    with pytest.raises(ReleaseRefused, match=r"IIU623 page\.html"):
        refuse_leaks(tmp_path / "public", restricted=audit / "restricted")


def a_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="session")
def signed(audit: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    folder = tmp_path_factory.mktemp("signed")
    key = a_key(folder / "key")
    return release(audit=audit, to=folder / "to", name="signed", approvals=TWO, corrections={}, key=key)


def change_a_digit_and_the_hashes(folder: Path) -> None:
    change_a_digit(folder)
    remake_the_hashes(folder)


def sign_again(folder: Path) -> None:
    (folder / SIGNATURE).unlink()
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(a_key(folder.parent / "other")), "-n", "release"]
    subprocess.run([*command, str(folder / SUMS)], check=True)


def test_a_signed_release_verifies_against_its_own_signers_and_the_office_s(signed: Path, tmp_path: Path) -> None:
    assert verify(signed) == []
    assert verify(signed, shutil.copyfile(signed / SIGNERS, tmp_path / "published_signers")) == []


@pytest.mark.parametrize(
    "tamper",
    [
        change_a_digit_and_the_hashes,
        lambda folder: (folder / SIGNATURE).unlink(),
        lambda folder: (folder / SIGNATURE).write_text("nothing\n", encoding="utf-8"),
        sign_again,
    ],
    ids=["hashes made again", "removed", "no signature", "signed by another"],
)
def test_a_signature_that_is_not_the_office_s_is_found(
    tamper: Callable[[Path], None], signed: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(signed, tmp_path / "copy"))
    tamper(copy)
    assert "IIU651" in {problem.code for problem in verify(copy)}


def test_a_signature_by_another_key_is_found_though_the_release_names_that_key(signed: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(signed, tmp_path / "copy"))
    other = a_key(tmp_path / "other").with_suffix(".pub").read_text(encoding="utf-8")
    (copy / SIGNERS).write_text(f"example {other}", encoding="utf-8")
    remake_the_hashes(copy)
    (copy / SIGNATURE).unlink()
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", str(tmp_path / "other"), "-n", "release", str(copy / SUMS)], check=True
    )
    assert verify(copy) == []
    assert [problem.code for problem in verify(copy, signed / SIGNERS)] == ["IIU651"]

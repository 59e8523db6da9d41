"""A run that is killed, or that the machine lets down, leaves what was there, and the next one starts clean."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.contract import load_contract
from pipeline.disclose.ledger import Ledger, write_ledger
from pipeline.errors import AuditError
from pipeline.ingest.freeze import MANIFEST, find_sources
from pipeline.ingest.keys import office_key
from pipeline.ingest.office import load_office
from pipeline.report.release import _enter, _whole_ledger
from pipeline.whole import alone, replacing, write_whole
from tests.crash import killed_at_every_step, tree
from tests.tiny_office import TinyOffice


@pytest.fixture
def tiny() -> Iterator[TinyOffice]:
    """In a folder that others may enter, so that a test can be somebody who may do less than root."""
    with TemporaryDirectory(prefix="iiu-test-") as folder:
        Path(folder).chmod(0o755)
        yield TinyOffice(Path(folder))


def write_audit(target: Path, word: str) -> None:
    with replacing(target) as building:
        for name in ("run.json", "site/index.html", "restricted/measures.parquet"):
            (building / name).parent.mkdir(exist_ok=True)
            (building / name).write_text(word)


@pytest.mark.parametrize("exchange", [True, False], ids=["exchanged", "moved twice"])
def test_an_audit_killed_at_any_step_leaves_the_last_one_whole(
    exchange: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchange:
        monkeypatch.setattr("pipeline.whole._exchanged", lambda one, other: False)
    target = tmp_path / "audit"
    write_audit(target, "old")
    old, new, seen = tree(target), {}, set()
    for step in killed_at_every_step(lambda: write_audit(target, "new")):
        if not exchange and not target.exists():  # the next run puts it back, whatever becomes of that run
            with pytest.raises(KeyError), replacing(target):
                raise KeyError
        found = tree(target)
        assert found.keys() == old.keys(), step
        assert len(set(found.values())) == 1, step
        seen.add("old" if found == old else "new")
        if found != old:
            new = found
            write_audit(target, "old")
            assert tree(target) == old
    assert seen == {"old", "new"}, "it was killed before the exchange and after it"
    assert tree(target) == new
    assert {path.name for path in tmp_path.iterdir()} == {"audit", ".audit.lock"}


def test_a_file_written_in_place_is_torn_by_a_kill_and_one_written_whole_is_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    ways: dict[str, Callable[[str], object]] = {"in place": path.write_text, "whole": lambda text: write_whole(path, text)}  # fmt: skip
    found = {}
    for way, write in ways.items():
        path.write_text("old")
        found[way] = {path.read_text() for _ in killed_at_every_step(lambda write=write: write("new"))}  # type: ignore[misc]
    assert found == {"in place": {"old", ""}, "whole": {"old"}}


def test_a_freeze_killed_at_any_step_leaves_no_manifest_or_a_whole_one(tiny: TinyOffice) -> None:
    office = load_office(tiny.office, load_contract())
    for _ in killed_at_every_step(lambda: find_sources(office, tiny.raw, freeze=True, work=tiny.work)):
        if (tiny.raw / MANIFEST).exists():
            assert json.loads((tiny.raw / MANIFEST).read_text())["files"][0]["path"] == "referrals.csv"
            find_sources(office, tiny.raw, freeze=True, work=tiny.work)
            (tiny.raw / MANIFEST).unlink()


def test_a_key_that_was_being_made_when_the_run_was_killed_is_made_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IIU_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for _ in killed_at_every_step(lambda: office_key("tiny", "secret")):
        key = office_key("tiny", "secret")
        assert len(key) == 32 and office_key("tiny", "secret") == key
        assert (tmp_path / "iiu" / "tiny.key").stat().st_mode & 0o777 == 0o600
        (tmp_path / "iiu" / "tiny.key").unlink()


def test_a_release_killed_at_any_step_is_there_with_its_line_in_the_ledger_or_not_at_all(tmp_path: Path) -> None:
    to, building = tmp_path / "releases", tmp_path / "releases" / ".2024-Q4.building"
    line = '{"release":"2024-Q4","measure_id":"CHG-01","cells":[],"previous":"' + "0" * 64 + '"}'
    ledger = Ledger(lines=(line,), cells={})

    class Record(pd.DataFrame):
        """Written by Python alone, whose steps can be counted."""

        def to_parquet(self, path: Path, **options: object) -> None:  # type: ignore[override]
            path.write_text("record")

    def enter() -> None:
        building.mkdir(parents=True, exist_ok=True)
        write_ledger(ledger, building / "ledger.jsonl")
        _enter(building, to, "2024-Q4", Record(), ledger)

    for _ in killed_at_every_step(enter):
        known = _whole_ledger(to).releases if to.exists() else ()
        is_there = (to / "2024-Q4").is_dir()
        assert known == (("2024-Q4",) if is_there else ())
        if is_there:
            assert (to / "restricted" / "2024-Q4.parquet").read_text() == "record"
            (to / "2024-Q4").rename(building)
            (to / "ledger.jsonl").unlink(missing_ok=True)


def test_releases_whose_ledgers_contradict_each_other_are_refused(tmp_path: Path) -> None:
    for name, measure in (("a", "CHG-01"), ("b", "CHG-02")):
        (tmp_path / name).mkdir()
        line = json.dumps({"release": name, "measure_id": measure, "cells": [], "previous": "0" * 64})
        (tmp_path / name / "ledger.jsonl").write_text(line + "\n")
    with pytest.raises(AuditError, match=r"IIU612 .*contradict"):
        _whole_ledger(tmp_path)


# --- what the machine does ----------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the command says when it refuses."""
    assert main(list(map(str, arguments))) == 1
    return capsys.readouterr().err


def as_nobody(act: Callable[[], object]) -> None:
    """Run something as a user who may not do everything, as root may."""
    if os.geteuid() != 0:
        act()
        return
    os.seteuid(65534)
    try:
        act()
    finally:
        os.seteuid(0)


def test_two_runs_into_one_folder_are_one_too_many(tiny: TinyOffice, capsys: pytest.CaptureFixture[str]) -> None:
    out = tiny.work / "audit"
    with alone(out):
        text = said(capsys, "audit", tiny.office, "--raw", tiny.raw, "--out", out)
    assert f"IIU140 {out}: another run is writing there. Expected one at a time." in text
    assert not out.exists()


def test_a_place_where_nobody_may_write_is_refused_before_anything_is_read(tiny: TinyOffice) -> None:
    tiny.work.chmod(0o555)

    def refused() -> None:
        with pytest.raises(AuditError, match=r"IIU140 .*cannot be written \(Permission denied\)"):
            write_audit(tiny.work / "audit", "new")

    as_nobody(refused)


@pytest.mark.parametrize(
    ("closed", "told"),
    [
        ("referrals.csv", "IIU115 referrals.csv: cannot be read (permission denied)"),
        ("older", "IIU115 older: cannot be read (Permission denied)"),
        (".", "permission denied"),
    ],
)
def test_what_may_not_be_read_is_named_and_never_passed_over(closed: str, told: str, tiny: TinyOffice) -> None:
    (tiny.raw / "older").mkdir()
    (tiny.raw / closed).chmod(0)
    office = load_office(tiny.office, load_contract())

    def refused() -> None:
        with pytest.raises((AuditError, OSError)) as caught:
            find_sources(office, tiny.raw, freeze=False, work=tiny.work)
        assert told.casefold() in str(caught.value).casefold()

    try:
        as_nobody(refused)
    finally:
        (tiny.raw / closed).chmod(0o755)


def link(tiny: TinyOffice) -> None:
    (tiny.raw.parent / "elsewhere").mkdir()
    (tiny.raw / "more").symlink_to(tiny.raw.parent / "elsewhere")


@pytest.mark.parametrize(
    ("put", "told"),
    [
        (link, "IIU115 more: is a link to a folder, to nothing, or out of the exports"),
        (lambda tiny: (tiny.raw / "gone.csv").symlink_to("nowhere"), "IIU115 gone.csv: is a link to .* nothing"),
        (lambda tiny: os.mkfifo(tiny.raw / "pipe.csv"), "IIU115 pipe.csv: is neither a file nor a folder"),
    ],
)
def test_what_is_no_plain_file_is_named_and_never_passed_over(
    put: Callable[[TinyOffice], object], told: str, tiny: TinyOffice
) -> None:
    put(tiny)
    with pytest.raises(AuditError, match=told):
        tiny.land()


def test_exports_that_are_only_read_are_the_same_afterwards(tiny: TinyOffice) -> None:
    """Not a byte, a name or a time of change; and a folder in which nothing can be written is as good."""

    def state() -> dict[str, tuple[int, ...]]:
        return {
            str(p): (p.stat().st_mtime_ns, p.stat().st_ctime_ns, p.stat().st_size)
            for p in (tiny.raw, *tiny.raw.rglob("*"))
        }

    for path in (tiny.raw / "referrals.csv", tiny.raw):
        path.chmod(0o555)
    tiny.work.chmod(0o777)
    before, content = state(), tree(tiny.raw)
    as_nobody(tiny.land)
    assert (state(), tree(tiny.raw)) == (before, content)


def test_an_office_with_a_secret_key_and_no_place_for_one_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "IIU_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AuditError, match=r"IIU120 .*no key and no place for one"):
        office_key("tiny", "secret")


def test_a_full_disk_is_told_as_one(tiny: TinyOffice) -> None:
    """No file may grow beyond 300 kB, which is how a full disk looks to a program."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    tiny.write_export((tiny.raw / "referrals.csv").read_bytes() + b"".join(
        b"R1%06d,P%06d,Ann Example,F,01/02/2024,Filed,01/05/2024\n" % (n, n) for n in range(20_000)
    ))  # fmt: skip
    command = [sys.executable, "-m", "pipeline.cli", "check", str(tiny.office), "--raw", str(tiny.raw)]
    done = subprocess.run(command, preexec_fn=limited, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr[-2000:]
    assert "IIU142" in done.stderr and "file too large" in done.stderr


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Disks of a given size, in memory, of a user who may mount them."""
    mounted: list[Path] = []

    def of(size: str) -> Path:
        place = tmp_path / size
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
        if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("nothing may be mounted here")
        mounted.append(place)
        return place

    yield of
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(
    "size",
    ["1m", *(pytest.param(size, marks=pytest.mark.slow) for size in ("4m", "10m", "18m"))],
)
def test_an_audit_that_fills_the_disk_says_so_and_leaves_the_last_one_whole(
    size: str, disk: Callable[[str], Path], tiny: TinyOffice
) -> None:
    """Of 1 MB it fills the disk while it lands; of the others while it builds the marts, and later."""
    out = disk(size) / "audit"
    write_audit(out, "old")
    before = tree(out)
    command = [
        sys.executable,
        "-m",
        "pipeline.cli",
        "audit",
        str(tiny.office),
        "--raw",
        str(tiny.raw),
        "--out",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr[-2000:]
    assert "IIU142" in done.stderr and "no space left on device" in done.stderr
    assert tree(out) == before
    assert {path.name for path in out.parent.iterdir()} == {"audit", ".audit.lock"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.parquet"), "IIU142 a.parquet: no space left on device"),
        (OSError(errno.ENOSPC, "No space left on device", "from.js", None, "to.js"), "IIU142 to.js: no space"),
        (OSError(errno.EROFS, "Read-only file system", "b"), "IIU142 b: read-only file system"),
        (duckdb.OutOfMemoryException("failed"), "IIU142 (a file of the run): cannot allocate memory"),
        (
            RuntimeError("IO Error: Could not write file: No space left on device"),
            "IIU142 (a file of the run): no space",
        ),
    ],
)
def test_an_error_of_the_machine_is_told_in_its_words_and_a_defect_is_not_hidden(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(options: object) -> int:
        raise ValueError("wrapped") from error

    def has_a_defect(options: object) -> int:
        raise FileNotFoundError(errno.ENOENT, "No such file", "c")

    monkeypatch.setitem(main.__globals__["COMMANDS"], "check", fails)
    assert told in said(capsys, "check", "x")
    monkeypatch.setitem(main.__globals__["COMMANDS"], "check", has_a_defect)
    with pytest.raises(FileNotFoundError):
        main(["check", "x"])


@pytest.mark.parametrize(
    "reached", ["audit.duckdb", "dbt", "dbt/duckdb/run"], ids=["landing", "starting dbt", "building the marts"]
)
def test_ctrl_c_leaves_the_last_audit_and_nothing_half_made(reached: str, tiny: TinyOffice, tmp_path: Path) -> None:
    target, temporary = tmp_path / "audit", tmp_path / "temporary"
    temporary.mkdir()
    write_audit(target, "old")
    before = tree(target)
    ended, told = interrupted(
        ["audit", str(tiny.office), "--raw", str(tiny.raw), "--out", str(target)],
        once=tmp_path / ".audit.building" / "work" / reached,
        temporary=temporary,
    )
    assert (ended, told) == (130, "Stopped. The last good audit is untouched.")
    assert tree(target) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".audit.lock", "audit", "temporary"]
    assert not list(temporary.iterdir())


def interrupted(arguments: list[str], *, once: Path, temporary: Path) -> tuple[int, str]:
    """Run the command and press Ctrl-C as soon as a file is there; how it ended, and the last line that it said."""
    command = [sys.executable, "-m", "pipeline.cli", *arguments]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(temporary)}
    ) as process:
        while process.poll() is None and not once.exists():
            time.sleep(0.01)
        assert process.poll() is None, f"it ended before it had made {once.name}"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    return process.returncode, told.strip().splitlines()[-1]

"""Pieces of work side by side: the same results as one after the other, and no process that outlives its reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import parent_process
from pathlib import Path

import pandas as pd
import pytest

from pipeline import cores
from pipeline.cores import on_several_cores
from pipeline.disclose import HIDDEN, Published, publish
from pipeline.disclose.challenge import challenge
from pipeline.errors import AuditError, Problem, ReleaseRefused
from pipeline.measures import measure_table
from tests.test_disclose import NO_COMPARISONS, UNCOARSENED, long_table
from tests.test_disclose_attacks import naive
from tests.test_measures import CELLS, NO_VALUES, SETTINGS, SUPPLIED, catalogue


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has."""
    monkeypatch.setattr(cores, "_cores", lambda: 2)


def squared_where(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def refused(number: int) -> int:
    raise ReleaseRefused([Problem(code="IIU605", where=f"cell {number}", what="exposed")])


def dies_elsewhere(number: int) -> int:
    if parent_process():
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def in_here(number: int) -> bool:
    return parent_process() is None


def test_results_are_in_the_order_of_the_pieces_and_come_from_other_processes() -> None:
    found = on_several_cores(squared_where, [3, 1, 2], [1, 2, 3], least=0)
    assert [square for square, _ in found] == [9, 1, 4]
    assert os.getpid() not in {process for _, process in found}


def test_little_work_and_a_single_piece_start_no_process() -> None:
    assert on_several_cores(in_here, [1, 2], [5, 4], least=10) == [True, True]
    assert on_several_cores(in_here, [1], [50], least=10) == [True]
    assert on_several_cores(in_here, [1, 2], [5, 5], least=10) == [False, False]


def test_what_is_raised_there_arrives_here_with_its_problems() -> None:
    with pytest.raises(ReleaseRefused) as raised:
        on_several_cores(refused, [1, 2], [1, 1], least=0)
    assert raised.value.problems == (Problem(code="IIU605", where="cell 1", what="exposed"),)


def test_the_pieces_of_a_process_that_dies_are_worked_on_here() -> None:
    assert on_several_cores(dies_elsewhere, [1, 2, 3], [1, 1, 1], least=0) == [1, 2, 3]


BEGINS = """
from pipeline import cores
from waits import wait
cores._cores = lambda: 2
if __name__ == "__main__":
    cores.on_several_cores(wait, [1, 2], [1, 1], least=0)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_other_processes_end_with_the_one_that_began_them(how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "waits.py").write_text(
        "import os, time\nfrom pathlib import Path\n"
        f"def wait(n):\n    (Path({str(tmp_path)!r}) / f'{{n}}.pid').write_text(str(os.getpid()))\n    time.sleep(600)\n"
    )
    (tmp_path / "begins.py").write_text(BEGINS)
    began = subprocess.Popen([sys.executable, tmp_path / "begins.py"], stderr=subprocess.DEVNULL)
    children = [int(written(tmp_path / f"{n}.pid")) for n in (1, 2)]
    began.send_signal(how)
    assert began.wait(timeout=60) != 0
    for _ in range(600):
        if not any(map(lives, children)):
            return
        time.sleep(0.1)
    pytest.fail("a process lives on")


def written(path: Path) -> str:
    for _ in range(600):
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.1)
    pytest.fail(f"{path.name} was never written")


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_measures_are_the_same_in_their_order_on_one_core_and_on_two(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pd.concat([catalogue(), catalogue(needs="plea.offered"), catalogue()], ignore_index=True)
    asked["measure_id"] = ["M-1", "M-2", "M-3"]
    cells = pd.concat([CELLS, CELLS.assign(measure_id="M-3", numerator=1)], ignore_index=True)

    def table() -> pd.DataFrame:
        return measure_table(cells, NO_VALUES, asked, SUPPLIED, SETTINGS)

    on_one = table()
    assert list(on_one["measure_id"].unique()) == ["M-1", "M-2", "M-3"]
    monkeypatch.setattr("pipeline.measures._WORTH_PROCESSES", 0)
    monkeypatch.setattr("pipeline.measures._LOT", 1)
    pd.testing.assert_frame_equal(table(), on_one)


def test_the_gate_and_the_last_look_find_the_same_on_one_core_and_on_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = long_table(
        {("white", "citizen"): (200, 400), ("black", "citizen"): (100, 300), ("asian", "citizen"): (4, 90)}
    )
    other = long_table(
        {("white", "citizen"): (90, 700), ("black", "citizen"): (5, 500), ("asian", "citizen"): (60, 80)}
    )
    rows = pd.concat([one, other.assign(measure_id="declined")], ignore_index=True)
    naive(rows).to_csv(tmp_path / "measures.csv", index=False)

    def published_and_exposed() -> tuple[Published, tuple[Problem, ...]]:
        with pytest.raises(ReleaseRefused) as raised:
            challenge(tmp_path, rows)
        return publish(rows, NO_COMPARISONS, registry=UNCOARSENED), raised.value.problems

    on_one, found_on_one = published_and_exposed()
    monkeypatch.setattr("pipeline.disclose.system._WORTH_PROCESSES", 0)
    on_two, found_on_two = published_and_exposed()
    for frame in ("measures", "tables", "record"):
        pd.testing.assert_frame_equal(getattr(on_one, frame), getattr(on_two, frame))
    assert set(on_one.measures["status"]) == {"ok", HIDDEN}
    assert on_one.proof == on_two.proof
    assert found_on_one == found_on_two
    assert {p.where.split()[0] for p in found_on_two} == {"filed", "declined"}


def test_what_is_wrong_with_two_families_is_told_together_on_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.disclose.system._WORTH_PROCESSES", 0)
    rows = long_table({("white", "citizen"): (200, 400), ("black", "citizen"): (100, 300)})
    whole = rows["race"].eq("all") & rows["citizenship"].eq("all")
    wrong = rows.assign(denominator=rows["denominator"] + whole)
    other = wrong.assign(measure_id="declined", **{c: wrong[c] * 2 for c in ("numerator", "denominator")})
    with pytest.raises(AuditError) as raised:
        publish(pd.concat([wrong, other], ignore_index=True), NO_COMPARISONS)
    assert {problem.where[1:].split()[0] for problem in raised.value.problems} == {"filed", "declined"}

"""Whoever waits sees which step runs, how long it has, and by the last audit how long it may still take."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.progress import Progress, estimate


@pytest.mark.parametrize(
    ("elapsed", "last", "said"),
    [
        (3.2, None, "3 s"),
        (0.4, 1.9, "0 s"),
        (3.2, 60.0, "3 s, about 57 s to go"),
        (75.0, 60.0, "75 s, last time 60 s"),
    ],
    ids=["a first audit", "a short step", "in time", "longer than last time"],
)
def test_a_step_is_estimated_by_what_it_took_last_time(elapsed: float, last: float | None, said: str) -> None:
    assert estimate(elapsed, last) == said


def on_a_terminal(record: Path) -> str:
    screen = io.StringIO()
    progress = Progress(console=Console(file=screen, force_terminal=True, width=100))
    progress.expect(record)
    with progress.step("land", "Landing the exports"):
        pass
    return screen.getvalue()


def test_the_terminal_shows_the_estimate_while_a_step_runs(tmp_path: Path) -> None:
    record = tmp_path / "run.json"
    record.write_text(json.dumps({"steps": [{"name": "land", "seconds": 90.0}]}), encoding="utf-8")
    assert "about 90 s to go" in on_a_terminal(record)


@pytest.mark.parametrize("text", [None, "half a rec", "[]", '{"steps": [{"name": "land"}]}'])
def test_without_a_record_that_can_be_read_there_is_no_estimate(text: str | None, tmp_path: Path) -> None:
    record = tmp_path / "run.json"
    if text is not None:
        record.write_text(text, encoding="utf-8")
    assert "Landing the exports" in on_a_terminal(record)
    assert "to go" not in on_a_terminal(record)


def test_each_step_records_its_seconds_what_all_cores_worked_and_the_most_memory_so_far() -> None:
    progress = Progress(quiet=True)
    for name in ("first", "second"):
        with progress.step(name, name):
            pass
    assert [step["name"] for step in progress.steps] == ["first", "second"]
    assert all(set(step) == {"name", "seconds", "cpu_seconds", "peak_memory_mb"} for step in progress.steps)
    assert 0 < int(str(progress.steps[0]["peak_memory_mb"])) <= int(str(progress.steps[1]["peak_memory_mb"]))

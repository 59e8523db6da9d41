"""Progress on a terminal, plain lines elsewhere; and how long each step took and how much memory it needed."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Waiting
from rich.progress import ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

#: A step that took less time needs no estimate, in seconds.
SHORT = 2.0


class Progress:
    """Times named steps. `steps` holds `{name, seconds, cpu_seconds, peak_memory_mb}` in order, the memory being the most so
    far; seconds of all cores tell what a step costs where something else ran beside. With `quiet` nothing is printed.
    """

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self.steps: list[dict[str, object]] = []
        self._quiet = quiet
        self._console = console or Console(stderr=True, highlight=False)
        self._last: dict[str, float] = {}

    def expect(self, record: Path) -> None:
        """Estimate each step by what it took in the audit of this run record; without one there is no estimate."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            steps = json.loads(record.read_text(encoding="utf-8"))["steps"]
            self._last = {str(step["name"]): float(step["seconds"]) for step in steps}

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[None]:
        """Time one step, under a stable name for the run record and a text for the person who waits."""
        begun, worked = time.perf_counter(), cpu_seconds()
        if self._quiet or not self._console.is_terminal:
            yield
        else:
            columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), _Estimate(self._last.get(name))
            with Waiting(*columns, console=self._console, transient=True) as waiting:
                waiting.add_task(text, total=None)
                yield
        seconds = time.perf_counter() - begun
        cost = {"seconds": round(seconds, 3), "cpu_seconds": round(cpu_seconds() - worked, 3)}
        self.steps.append({"name": name, **cost, "peak_memory_mb": peak_memory_mb()})
        self.say(f"{text} ({seconds:.1f} s)")

    def say(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text, markup=False, soft_wrap=True)


class _Estimate(ProgressColumn):
    """How long a step has taken, and how long it may still take."""

    def __init__(self, last: float | None) -> None:
        super().__init__()
        self._last = last

    def render(self, task: Task) -> Text:
        return Text(estimate(task.elapsed or 0.0, self._last))


def estimate(elapsed: float, last: float | None) -> str:
    """What is said of a step that has taken so many seconds, and last time took so many in all."""
    if last is None or last < SHORT:
        return f"{elapsed:.0f} s"
    if elapsed < last:
        return f"{elapsed:.0f} s, about {last - elapsed:.0f} s to go"
    return f"{elapsed:.0f} s, last time {last:.0f} s"


def cpu_seconds() -> float:
    """What this process has worked so far on all cores, and those of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def peak_memory_mb() -> int:
    """The most memory this process and its children held at one time, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return int(max(own, children) * unit // (1 << 20))

"""Progress on a terminal, plain lines elsewhere; and how long each step took and how much memory it needed."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """Times named steps. `steps` holds `{name, seconds}` in order; with `quiet` nothing is printed."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.steps: list[dict[str, object]] = []
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[None]:
        """Time one step, under a stable name for the run record and a text for the person who waits."""
        begun = time.perf_counter()
        if self._quiet:
            yield
        elif self._console.is_terminal:
            with self._console.status(text):
                yield
        else:
            yield
        seconds = time.perf_counter() - begun
        self.steps.append({"name": name, "seconds": round(seconds, 3)})
        self.say(f"{text} ({seconds:.1f} s)")

    def say(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text, markup=False, soft_wrap=True)


def peak_memory_mb() -> int:
    """The most memory this process and its children held at one time, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return int(max(own, children) * unit // (1 << 20))

"""Pieces of work that do not depend on each other, side by side on several cores of the machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

#: Each process needs memory of its own, and the largest piece decides when all are done.
_MOST = 4


def on_several_cores(
    work: Callable[[Piece], Result], pieces: Sequence[Piece], sizes: Sequence[int], *, least: int
) -> list[Result]:
    """What `work` makes of each piece, in their order: the same as one after the other, and sooner.

    The largest pieces are begun first, since the last to end decides. Other processes need a second to start, so pieces
    that are together smaller than `least` are worked on here; and so are all if a process dies, as where memory runs short.
    `work` is a function of a module, or a `partial` of one; it, pieces and results can be pickled. What it raises is raised. A script that comes here
    does so under `if __name__ == "__main__"`, since the processes read it again.
    """
    processes = min(_cores(), _MOST, len(pieces))
    if processes < 2 or sum(sizes) < least:
        return [work(piece) for piece in pieces]
    largest_first = sorted(range(len(pieces)), key=lambda i: -sizes[i])
    try:
        # A fork would copy the locks of threads that it does not copy.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
            runs = {i: pool.submit(work, pieces[i]) for i in largest_first}
            try:
                return [runs[i].result() for i in range(len(pieces))]
            except BaseException:  # nobody waits for the others any more
                pool.shutdown(wait=False, cancel_futures=True)
                for child in active_children():
                    child.terminate()
                raise
    except BrokenProcessPool:
        return [work(piece) for piece in pieces]


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end_with_parent() -> None:
    """Ctrl-C is the parent's to answer; and where it is killed, its children must not go on for nobody."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    if parent := parent_process():
        parent.join()
    os._exit(1)

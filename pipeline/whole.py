"""What is written whole or not at all, so that a process killed at any instant leaves the old or the new and no part.

A killed process loses nothing that it had written: the kernel has it. Against a machine that loses its power there is
only the copy elsewhere.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import AuditError, Problem, place

#: What the machine, and not the input, is to blame for (errno(3)).
_OF_THE_MACHINE = {
    errno.EACCES: "Ask who owns it, or choose another place",
    errno.EPERM: "Ask who owns it, or choose another place",
    errno.EROFS: "Choose another place",
    errno.ENOSPC: "Make room, or choose another disk with --out; TMPDIR says where temporary files go",
    errno.EDQUOT: "Make room, or choose another disk with --out; TMPDIR says where temporary files go",
    errno.EFBIG: "Raise the limit (ulimit -f), or choose another disk",
    errno.EIO: "The disk fails: copy what is on it",
    errno.ENOMEM: "Close other programs, or take a machine with more memory",
    errno.EMFILE: "Raise the limit (ulimit -n)",
}


def write_whole(path: Path, text: str) -> None:
    """A text file, which bears its name once all of it is there."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new folder beside `target` that takes its place when the block ends well, and is removed when it does not.

    Raises `AuditError` (IIU140) where another process writes there, or this one may not.
    """
    building, old = leftovers(target)
    with alone(target):
        if old.exists() and not target.exists():
            old.replace(target)  # a run was stopped between the two moves below
        for leftover in (building, old):
            shutil.rmtree(leftover, ignore_errors=True)
        building.mkdir()
        try:
            yield building
            if target.exists() and not _exchanged(building, target):
                target.replace(old)
            if not target.exists():
                building.replace(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


def leftovers(target: Path) -> tuple[Path, Path]:
    """Where a run that was killed has left what it was building, and what it was about to remove."""
    return target.with_name(f".{target.name}.building"), target.with_name(f".{target.name}.old")


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """No other process is in such a block over the same folder. Raises `AuditError` where one is, or nobody may write."""
    target = target.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_name(f".{target.name}.lock").open("w")
    except OSError as error:
        raise _refused(target, f"cannot be written ({error.strerror})", "a folder you may write to") from error
    with lock:  # the kernel opens it when the process ends, however it ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _refused(target, "another run is writing there", "one at a time") from error
        yield


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step of the kernel: renameat2(2) of Linux, renamex_np(2) of macOS. False where there is none."""
    library = ctypes.CDLL(None)
    a, b = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        return bool(library.renamex_np(a, b, 2) == 0)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return hasattr(library, "renameat2") and bool(library.renameat2(here, a, here, b, exchange) == 0)


def _refused(target: Path, what: str, expected: str) -> AuditError:
    fix = "Wait for it, or choose another --out"
    return AuditError([Problem(code="IIU140", where=place(file=str(target)), what=what, expected=expected, fix=fix)])


def of_the_machine(error: BaseException | None) -> Problem | None:
    """What to tell of an error that neither the input nor the program is to blame for; None of any other.

    Libraries wrap what the system says, so all causes are looked at, and their words where they carry no number.
    """
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if number not in _OF_THE_MACHINE:
            number = next((n for n in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if os.strerror(n) in str(error)), None)
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":  # DuckDB's
            number = errno.ENOMEM
        if number is not None:
            file = (error.filename2 or error.filename) if isinstance(error, OSError) else None  # of a copy, where to
            return Problem(
                code="IIU142",
                where=place(file=str(file) if file else "(a file of the run)"),
                what=os.strerror(number).lower(),
                expected="room, and leave to read the exports and to write the audit",
                fix=_OF_THE_MACHINE[number],
            )
        error = error.__cause__ or error.__context__
    return None

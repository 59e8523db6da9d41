"""What a killed process leaves behind.

`killed_at_every_step` kills a small act at each thing that it asks of the file system, one after another.
`python -m tests.crash 100` looks at a whole audit of a tiny office: it is stopped at that many random instants, what lies
on the disk then, which is what `kill -9` would have left, is copied, the audit before it must be there whole, and a next
run must start from the copy. Then some audits are killed indeed.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.whole import replacing
from tests.tiny_office import TinyOffice

KILLED = 5
_OF_FILES = ("posix", "_io", "io", "fcntl")


def killed_at_every_step(act: Callable[[], object]) -> Iterator[int]:
    """Run `act` in a process of its own that is killed before its first call of the file system, then before its second,
    and so on until it ends by itself. Yields the number of the call each time, to look at what is left."""
    step = 0
    while True:
        step += 1
        child = os.fork()
        if child == 0:
            try:
                _killed_at(step, act)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the act itself fails"
            return
        yield step


def _killed_at(step: int, act: Callable[[], object]) -> None:
    calls = 0

    def watch(frame: object, event: str, called: Any) -> None:
        nonlocal calls
        of = getattr(called, "__self__", None)
        if event == "c_call" and (isinstance(of, io.IOBase) or getattr(called, "__module__", None) in _OF_FILES):
            calls += 1
            if calls == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    act()
    sys.setprofile(None)
    os._exit(0)


def tree(folder: Path) -> dict[str, str]:
    """File -> hash, of all files below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _audit(tiny: TinyOffice, out: Path, as_of: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline.cli", "audit", str(tiny.office), "--raw", str(tiny.raw)]
    command += ["--out", str(out), "--as-of", as_of]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _is_whole(out: Path, before: dict[str, str]) -> bool:
    """Whether the audit before is there as it was, or the new one is."""
    found = tree(out)
    return found == before or (found.keys() == before.keys() and '"as_of_date": "2024-12-30"' in (out / "run.json").read_text())  # fmt: skip


def _next_run_starts(parent: Path, name: str) -> bool:
    """Whether a next run finds an empty place to build in, and leaves nothing beside the audit when it ends."""
    with replacing(parent / name) as building:
        was_empty = not any(building.iterdir())
        shutil.copytree(parent / name, building, dirs_exist_ok=True)
    return was_empty and {p.name for p in parent.iterdir()} == {name, f".{name}.lock"}


def main() -> int:
    instants = int(sys.argv[1])
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    wrong = 0
    with TemporaryDirectory(prefix="iiu-crash-") as folder:
        tiny = TinyOffice(Path(folder))
        out = Path(folder) / "audits" / "tiny"
        begun = time.monotonic()
        assert _audit(tiny, out, "2024-12-31").wait() == 0
        lasted = time.monotonic() - begun
        before = tree(out)
        print(f"an audit of {lasted:.0f} s, {len(before)} files", flush=True)

        looked = 0
        while looked < instants:
            running, at = _audit(tiny, out, "2024-12-30"), 0.0
            for wait in sorted(rng.uniform(0, lasted) for _ in range(instants - looked)):
                time.sleep(max(0.0, wait - at))
                at = max(at, wait)
                if running.poll() is not None:
                    break  # it was quicker than the first
                running.send_signal(signal.SIGSTOP)
                copy = Path(folder) / "copy"
                shutil.copytree(out.parent, copy)
                if not (_is_whole(copy / out.name, before) and _next_run_starts(copy, out.name)):
                    wrong += 1
                    print(f"after {wait:.1f} s of running: the audit before is not whole", flush=True)
                shutil.rmtree(copy)
                looked += 1
                running.send_signal(signal.SIGCONT)
            assert running.wait() == 0
        print(f"stopped at {looked} instants while it ran; {wrong} wrong", flush=True)

        before = tree(out)
        for _ in range(KILLED):
            killed = _audit(tiny, out, "2024-12-30")
            time.sleep(rng.uniform(0.1, 0.9) * lasted)
            killed.kill()
            killed.wait()
            wrong += not (_is_whole(out, before) and _next_run_starts(out.parent, out.name))
        print(f"killed {KILLED} times; {wrong} wrong in all", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

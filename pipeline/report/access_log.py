"""Who looked at which cases, when and why: one line after the other, in a file that no audit replaces."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path


def access_log(audit: Path) -> Path:
    """Where it stands who looked at cases: beside the audit's folder, which the next audit replaces."""
    return audit.with_name(f"{audit.name}-access.jsonl")


def write_access(log: Path, event: str, **what: object) -> None:
    """One more line at the end of the log, on the disk before this returns. The one place where a clock is right."""
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "account": getpass.getuser(), "event": event, **what}
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, (json.dumps(line, ensure_ascii=False) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)

"""Zip archives, opened with suspicion: what lies in them is written under names of ours, and never more than there is room for."""

from __future__ import annotations

import hashlib
import shutil
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from pipeline.errors import Problem, place
from pipeline.ingest.content import is_archive

#: Text of records packs 5 to 50 times; a bomb, a thousand times. Small files may be anything.
MOST_EXPANSION, SMALL = 250, 1 << 26
MOST_FILES, MOST_LEVELS = 10_000, 3
_CHUNK = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file of an archive: the name it has in it, and where it was unpacked."""

    name: str
    path: Path


def is_bomb(*, packed: int, unpacked: int) -> bool:
    """Whether so few bytes say that they hold so many that nobody's records could be meant."""
    return unpacked > SMALL and unpacked > MOST_EXPANSION * max(packed, 1)


def unpack(archive: Path, shown: str, into: Path, problems: list[Problem], *, level: int = 1) -> Iterator[Member]:
    """The files of an archive and of the archives in it, unpacked below `into`; what is wrong with it goes to `problems`."""

    def report(what: str, expected: str, fix: str) -> None:
        problems.append(Problem(code="IIU113", where=place(file=shown), what=what, expected=expected, fix=fix))

    try:
        with ZipFile(archive) as opened:
            infos = [info for info in opened.infolist() if not info.is_dir() and not _is_litter(info.filename)]
            total = sum(info.file_size for info in infos)
            into.mkdir(parents=True, exist_ok=True)
            wrong = _objection(infos, total, archive.stat().st_size, shutil.disk_usage(into).free, level)
            if wrong is not None:
                report(*wrong)
                return
            for number, info in enumerate(infos):
                target = into / f"{number}{hashlib.sha256(info.filename.encode()).hexdigest()[:8]}"
                with opened.open(info) as stream, target.open("wb") as out:
                    shutil.copyfileobj(stream, out, _CHUNK)
                if is_archive(target):
                    inner = into / f"{target.name}.files"
                    for member in unpack(target, f"{shown}/{info.filename}", inner, problems, level=level + 1):
                        yield Member(name=f"{info.filename}/{member.name}", path=member.path)
                else:
                    yield Member(name=info.filename, path=target)
    except (BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error) as error:
        report(
            f"breaks off or is damaged ({type(error).__name__})",
            "a whole zip archive",
            "Ask for the file again: part of it is missing",
        )


def _objection(infos: list[ZipInfo], total: int, packed: int, free: int, level: int) -> tuple[str, str, str] | None:
    """Why an archive is not opened, what was expected, and the way out."""
    by_hand = "Unpack it yourself, look at what it holds, and give the files"
    if any(info.flag_bits & 0x1 for info in infos):
        return "is encrypted", "an archive without a password", "Unpack it with its password and give the files"
    if level > MOST_LEVELS:
        return f"holds archives in archives, {level} deep", f"at most {MOST_LEVELS}", by_hand
    if len(infos) > MOST_FILES:
        return f"holds {len(infos)} files", f"at most {MOST_FILES}", by_hand
    if is_bomb(packed=packed, unpacked=total):
        return (
            f"would grow {total // max(packed, 1)} times as it is unpacked",
            f"at most {MOST_EXPANSION} times",
            by_hand,
        )
    if total > 0.9 * free:
        return f"needs {total >> 20} MB of room to unpack", f"less than the {free >> 20} MB that are free", "Make room"
    for info in infos:
        if _leads_outside(info):
            return "holds a name that leads out of the archive, or a link", "plain files below one folder", by_hand
    names = [info.filename for info in infos]
    if len(set(names)) < len(names):
        return "holds two files of one name", "each name once", by_hand
    return None


def _leads_outside(info: ZipInfo) -> bool:
    name = info.filename.replace("\\", "/")
    return (
        name.startswith("/")
        or ".." in name.split("/")
        or ":" in name
        or not name.isprintable()
        or stat.S_ISLNK(info.external_attr >> 16)
    )


def _is_litter(name: str) -> bool:
    """What operating systems leave in archives, and what they hide from people."""
    return any(
        part.startswith(".") or part == "__MACOSX" for part in name.replace("\\", "/").split("/") if part != ".."
    )

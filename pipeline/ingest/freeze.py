"""A batch is what arrived together: its files, their hashes and sizes, written down once and never changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from pipeline.errors import AuditError, Problem, place
from pipeline.ingest.archive import unpack
from pipeline.ingest.content import HEAD, is_archive, recognise
from pipeline.ingest.office import FileMapping, Office, nearest
from pipeline.whole import write_whole

MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file of one batch, and which file mapping reads it.

    `shown` is its name to people: `2024/export.zip/cases.xlsx#Cases` for a sheet of a workbook in an archive of a batch.
    `stamp` is what the file system said of it before it was hashed. `is_accounted` says of a sheet's name whether some
    mapping reads it or lists it under `not_read`.
    """

    batch: str
    path: Path
    shown: str
    sha256: str
    bytes: int
    mapping: FileMapping
    stamp: tuple[int, ...]
    is_accounted: Callable[[str], bool]

    @property
    def has_changed(self) -> bool:
        """Whether it is another file now than it was when it was hashed."""
        return not self.path.is_file() or _stamp(self.path) != self.stamp


def find_sources(office: Office, raw: Path, *, freeze: bool, work: Path) -> tuple[SourceFile, ...]:
    """All files to read, in order of batch and name. `raw` holds files (one batch) or a folder per batch.

    With `freeze` the manifest is written into each batch; a batch that has one must still match it. Without, the
    folder is only read. Zip archives are unpacked into `work`. Raises `AuditError` for files that are missing, unknown
    or changed since they were frozen, and for archives that cannot be opened.
    """
    if not raw.is_dir():
        raise AuditError(
            [
                Problem(
                    code="IIU110",
                    where=place(file=str(raw)),
                    what="is no folder",
                    expected="the folder of the exports (--raw DIR)",
                )
            ]
        )
    problems: list[Problem] = []
    sources: list[SourceFile] = []
    for batch, folder in _batches(raw):
        prefix = "" if folder == raw else f"{batch}/"
        listed = _listed(folder, prefix, problems)
        stamps = {name: _stamp(path) for name, path in listed.items()}
        hashes = {name: _sha256(path) for name, path in listed.items()}
        problems += _frozen_problems(folder, prefix, hashes, freeze=freeze)
        for name, path in listed.items():
            read_whole = any(fnmatch(name, m.path) and m.format["type"] == "xlsx" for m in office.files.values())
            left_out = any(fnmatch(name, pattern) for pattern, _ in office.not_read)
            if read_whole or left_out or not is_archive(path):
                sources += _matched(office, batch, prefix, (name,), path, hashes[name], stamps[name], problems)
                continue
            into = work / "unpacked" / hashes[name][:16]
            members = list(unpack(path, prefix + name, into, problems))
            for member in members:
                names: tuple[str, ...] = (f"{name}/{member.name}", member.name, Path(member.name).name)
                if len(members) == 1:
                    names += (name,)
                sources += _matched(
                    office, batch, prefix, names, member.path, _sha256(member.path), _stamp(member.path), problems
                )
    found = {source.mapping.name for source in sources}
    for mapping in office.files.values():
        if mapping.name not in found and not mapping.optional:
            problems.append(
                Problem(
                    code="IIU110",
                    where=mapping.where,
                    what=f"no file matches [{mapping.path}]",
                    expected=f"at least one file of [{mapping.name}] in the exports",
                    fix="Ask for it, correct `path`, or set `optional: true`",
                )
            )
    if problems:
        raise AuditError(problems)
    return tuple(sources)


def _listed(folder: Path, prefix: str, problems: list[Problem]) -> dict[str, Path]:
    """The plain files of a batch by their names below it. What is neither a file nor a folder, or is closed, is a problem."""

    def refuse(path: Path, what: str, expected: str, fix: str = "Rename or replace it") -> None:
        shown = prefix + ascii(path.relative_to(folder).as_posix())[1:-1]
        problems.append(Problem(code="IIU115", where=place(file=shown), what=what, expected=expected, fix=fix))

    def closed(error: OSError) -> None:
        refuse(Path(error.filename), f"cannot be read ({error.strerror})", "a folder you may read", "Ask who owns it")

    listed: dict[str, Path] = {}
    for parent, folders, files in os.walk(folder, onerror=closed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        for path in (Path(parent, name) for name in (*linked, *files) if not name.startswith(".")):
            name = path.relative_to(folder).as_posix()
            if not name.isprintable():
                refuse(path, "has a name that cannot be printed", "letters, digits and signs")
            elif path.is_symlink() and not (path.is_file() and path.resolve().is_relative_to(folder.resolve())):
                refuse(path, "is a link to a folder, to nothing, or out of the exports", "the file itself")
            elif not path.is_file():
                refuse(path, "is neither a file nor a folder", "a file")
            elif not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
                refuse(path, "cannot be read (permission denied)", "a file you may read", "Ask who owns it")
            else:
                listed[name] = path
    listed.pop(MANIFEST, None)
    return dict(sorted(listed.items(), key=lambda item: item[1]))


def _matched(
    office: Office,
    batch: str,
    prefix: str,
    names: tuple[str, ...],
    path: Path,
    sha256: str,
    stamp: tuple[int, ...],
    problems: list[Problem],
) -> list[SourceFile]:
    """The one mapping that reads a file; several, where each reads another sheet of a workbook. `names[0]` is shown."""
    shown = prefix + names[0]
    mappings = [m for m in office.files.values() if any(fnmatch(name, m.path) for name in names)]
    sheets = [str(m.format["sheet"]) for m in mappings if m.format["type"] == "xlsx" and "sheet" in m.format]
    unread = [pattern for pattern, _ in office.not_read]

    def is_accounted(sheet: str) -> bool:
        return sheet in sheets or any(fnmatch(f"{name}#{sheet}", pattern) for name in names for pattern in unread)

    if len(mappings) == 1 or (mappings and len(set(sheets)) == len(mappings)):
        return [
            SourceFile(
                batch=batch,
                path=path,
                shown=shown if len(mappings) == 1 else f"{shown}#{mapping.format['sheet']}",
                sha256=sha256,
                bytes=path.stat().st_size,
                mapping=mapping,
                stamp=stamp,
                is_accounted=is_accounted,
            )
            for mapping in mappings
        ]
    if mappings:
        problems.append(
            Problem(
                code="IIU115",
                where=place(file=shown),
                what=f"matches {len(mappings)} files of office.yml: {', '.join(m.name for m in mappings)}",
                expected="exactly one, or another `sheet` of a workbook for each",
                fix="Make their `path` narrower",
            )
        )
    elif not any(fnmatch(name, pattern) for name in names for pattern in unread):
        with path.open("rb") as stream:
            content = recognise(stream.read(HEAD), path)
        kind = "" if content is None else f" and is {content.name}"
        problems.append(
            Problem(
                code="IIU115",
                where=place(file=shown),
                what=f"is not named in office.yml{kind}{nearest(names[0], [m.path for m in office.files.values()])}",
                expected="a file under `files`, or under `not_read` with a reason",
                fix="Add it to one of the two: nothing is ignored by accident"
                if content is None or content.format
                else content.fix,
            )
        )
    return []


def _stamp(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _batches(raw: Path) -> list[tuple[str, Path]]:
    entries = [path for path in sorted(raw.iterdir()) if not path.name.startswith(".")]
    folders = [path for path in entries if path.is_dir()]
    if folders and len(folders) == len(entries):
        return [(path.name, path) for path in folders]
    return [("batch", raw)]


def _frozen_problems(folder: Path, prefix: str, hashes: dict[str, str], *, freeze: bool) -> list[Problem]:
    manifest = folder / MANIFEST
    entries = [{"path": name, "sha256": sha, "bytes": (folder / name).stat().st_size} for name, sha in hashes.items()]
    if not manifest.is_file():
        if freeze:
            write_whole(manifest, json.dumps({"files": entries}, indent=1) + "\n")
        return []
    try:
        frozen = {entry["path"]: entry["sha256"] for entry in json.loads(manifest.read_text(encoding="utf-8"))["files"]}
    except (ValueError, KeyError, TypeError):
        return [
            Problem(
                code="IIU118",
                where=place(file=prefix + MANIFEST),
                what="is no manifest of this program",
                expected='{"files": [{"path", "sha256", "bytes"}]}',
                fix="Restore it, or delete it to freeze the batch anew",
            )
        ]
    return [
        Problem(
            code="IIU118",
            where=place(file=prefix + name),
            what="has changed since the batch was frozen"
            if name in hashes and name in frozen
            else "was added or removed since the batch was frozen",
            expected=f"the files listed in {prefix}{MANIFEST}",
            fix="Restore it, or put the new export into a batch folder of its own",
        )
        for name in sorted(hashes.keys() | frozen.keys())
        if hashes.get(name) != frozen.get(name)
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

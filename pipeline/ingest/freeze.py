"""A batch is what arrived together: its files, their hashes and sizes, written down once and never changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from pipeline.errors import AuditError, Problem, place
from pipeline.ingest.office import FileMapping, Office, nearest

MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file of one batch, and which file mapping reads it."""

    batch: str
    path: Path
    shown: str
    sha256: str
    bytes: int
    mapping: FileMapping


def find_sources(office: Office, raw: Path, *, freeze: bool) -> tuple[SourceFile, ...]:
    """All files to read, in order of batch and name. `raw` holds files (one batch) or a folder per batch.

    With `freeze` the manifest is written into each batch; a batch that has one must still match it. Without, the
    folder is only read. Raises `AuditError` for files that are missing, unknown or changed since they were frozen.
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
        listed = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        }
        listed.pop(MANIFEST, None)
        hashes = {name: _sha256(path) for name, path in listed.items()}
        problems += _frozen_problems(folder, prefix, hashes, freeze=freeze)
        for name, path in listed.items():
            mappings = [m for m in office.files.values() if fnmatch(name, m.path)]
            if len(mappings) == 1:
                sources.append(
                    SourceFile(
                        batch=batch,
                        path=path,
                        shown=prefix + name,
                        sha256=hashes[name],
                        bytes=path.stat().st_size,
                        mapping=mappings[0],
                    )
                )
            elif mappings:
                problems.append(
                    Problem(
                        code="IIU115",
                        where=place(file=prefix + name),
                        what=f"matches {len(mappings)} files of office.yml: {', '.join(m.name for m in mappings)}",
                        expected="exactly one",
                        fix="Make their `path` narrower",
                    )
                )
            elif not any(fnmatch(name, pattern) for pattern, _ in office.not_read):
                problems.append(
                    Problem(
                        code="IIU115",
                        where=place(file=prefix + name),
                        what=f"is not named in office.yml{nearest(name, [m.path for m in office.files.values()])}",
                        expected="a file under `files`, or under `not_read` with a reason",
                        fix="Add it to one of the two: nothing is ignored by accident",
                    )
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
            manifest.write_text(json.dumps({"files": entries}, indent=1) + "\n", encoding="utf-8")
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

"""The folder `restricted` of an audit: sealed where its records are real, opened for a while, and its persons forgotten.

Sealed is every file by itself, with AES-256 in Galois/Counter mode (NIST SP 800-38D) under a key of this audit alone that
is derived from the office's key. DuckDB's own encryption would cover Parquet and no workbook, and writing it needs an
extension that its package does not carry.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.disclose.leaks import key_like
from pipeline.errors import AuditError, Problem, place
from pipeline.ingest.keys import audit_key, office_key
from pipeline.whole import alone, leftovers, write_whole

FOLDER, SEALED, RECEIPT = "restricted", ".sealed", "forgotten.json"
_MARK, _NONCE = b"iiu sealed 1\n", 12
#: In memory where there is such a place: what is opened for a while should not come to rest on a disk.
_MEMORY = Path("/dev/shm")  # noqa: S108


def seal(folder: Path, *, office: str, as_of: date) -> None:
    """Encrypt every file of a folder, each bound to its name, so that none can stand in for another."""
    cipher = AESGCM(_key(office, as_of))
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != SEALED):
        nonce = secrets.token_bytes(_NONCE)
        name = path.relative_to(folder).as_posix().encode()
        sealed = path.with_name(path.name + SEALED)
        sealed.write_bytes(_MARK + nonce + cipher.encrypt(nonce, path.read_bytes(), name))
        path.unlink()


def unseal(audit: Path, to: Path) -> None:
    """Write the restricted files of an audit in the clear into an empty folder. Raises `AuditError` without the right key."""
    run = _run(audit)
    if any(to.iterdir()):
        raise _problem("IIU140", str(to), "holds something already", "an empty folder", "Choose another one after --to")
    cipher = AESGCM(_key(run["office"], date.fromisoformat(run["as_of_date"])))
    folder = audit / FOLDER
    sealed = sorted(folder.rglob(f"*{SEALED}"))
    if not sealed:
        fix = "Read its files where they are: they are in the clear, as of an office whose records are published"
        raise _problem("IIU144", str(folder), "holds nothing sealed", "the restricted files of a sealed audit", fix)
    for path in sealed:
        name = path.relative_to(folder).as_posix().removesuffix(SEALED)
        content = path.read_bytes().removeprefix(_MARK)
        try:
            plain = cipher.decrypt(content[:_NONCE], content[_NONCE:], name.encode())
        except InvalidTag as error:
            what = "cannot be opened: it was sealed with another key, or was changed"
            expected = "the key that the audit was made with (IIU_KEY, or the key file of the user who made it)"
            fix = "Ask whoever made the audit; without the key nobody can open it"
            raise _problem("IIU121", f"{FOLDER}/{name}{SEALED}", what, expected, fix) from error
        (to / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (to / name).write_bytes(plain)


@contextmanager
def opened(audit: Path) -> Iterator[Path]:
    """The folder `restricted` of an audit, to be read: itself, or where it is sealed a copy that is gone afterwards."""
    if not any((audit / FOLDER).rglob(f"*{SEALED}")):
        yield audit / FOLDER
        return
    with TemporaryDirectory(prefix="iiu-opened-", dir=_MEMORY if _MEMORY.is_dir() else None) as copy:
        unseal(audit, Path(copy))
        yield Path(copy)


def _key(office: str, as_of: date) -> bytes:
    return audit_key(office_key(office, "secret"), "restricted", as_of)


def keys_of(path: Path) -> Iterator[pa.Array]:
    """The keyed identifiers in a Parquet file, a column at a time."""
    file = pq.ParquetFile(path)
    for name in file.schema_arrow.names:
        if name.endswith("_id") and name not in ("measure_id", "check_id"):
            values = file.read(columns=[name]).column(0)
            if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
                yield values


def among(texts: Collection[str], keys: pa.Array) -> set[str]:
    """Those of some texts that are among the keys."""
    alike = pc.is_in(keys, value_set=pa.array(sorted(texts), keys.type))
    return set(keys.filter(alike).to_pylist())


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What was forgotten: the files that were removed, with the hash and the rows they had, and how it was looked for after.

    `keys` counts the different identifiers of persons, cases and events that the removed files held; `searched` the files
    that are left in the audit, in all of whose text they were looked for; `found` names those that hold one.
    """

    office: str
    as_of_date: str
    removed: tuple[dict[str, str | int], ...]
    keys: int
    searched: int
    found: tuple[str, ...]


def forget(audit: Path) -> Receipt:
    """Remove every table and list with a row a person, a case or an event, look for their keys in all that is left, and
    leave a receipt. Counts stay, so the audit can still be released.

    Raises `AuditError` where there is no audit; where a table cannot be read, whose keys nobody could look for, and then
    nothing is removed; or where a key is still found, and then the receipt says in which files.
    """
    run = _run(audit)
    with alone(audit):
        for leftover in leftovers(audit):
            shutil.rmtree(leftover, ignore_errors=True)
        keys, removed, damaged = [], [], []
        with opened(audit) as plain:
            for path in sorted(p for p in plain.rglob("*") if p.is_file()):
                rows = None
                name = path.relative_to(plain).as_posix()
                if path.suffix == ".parquet":
                    try:
                        rows = pq.read_metadata(path).num_rows
                        columns = list(keys_of(path))
                    except (OSError, pa.ArrowException):
                        damaged.append(name)
                        continue
                    if not columns and "_source_row" not in pq.read_schema(path).names:
                        continue
                    keys += [pc.unique(column) for column in columns]
                elif path.suffix != ".xlsx":
                    continue
                entry: dict[str, str | int] = {"file": name, "sha256": sha256(path.read_bytes()).hexdigest()}
                removed.append(entry if rows is None else entry | {"rows": rows})
        if damaged:
            what, expected = "cannot be read, so nobody could look for its keys", "a table as `iiu audit` wrote it"
            fix = "Delete the whole folder of the audit, or run `iiu audit` again and then forget"
            raise _problem("IIU148", ", ".join(damaged), what, expected, fix)
        if not removed and (audit / RECEIPT).is_file():
            return _receipt(json.loads((audit / RECEIPT).read_text(encoding="utf-8")))
        for entry in removed:
            for name in (str(entry["file"]), f"{entry['file']}{SEALED}"):
                (audit / FOLDER / name).unlink(missing_ok=True)
        forgotten = pc.unique(pa.chunked_array([c.cast(pa.string()) for c in keys], pa.string())).drop_null()
        with opened(audit) as plain:
            files = {p.relative_to(audit).as_posix(): p for p in audit.rglob("*") if p.suffix != SEALED}
            files |= {f"{FOLDER}/{p.relative_to(plain).as_posix()}": p for p in plain.rglob("*")}
            left = {name: p for name, p in sorted(files.items()) if p.is_file()}
            found = [name for name, path in left.items() if among({*key_like(path), path.stem}, forgotten)]
        receipt = Receipt(
            office=run["office"], as_of_date=run["as_of_date"], removed=tuple(removed), keys=len(forgotten),
            searched=len(left), found=tuple(found),
        )  # fmt: skip
        write_whole(audit / RECEIPT, json.dumps(asdict(receipt), indent=1) + "\n")
    if found:
        what, expected = "still holds a key of a person, a case or an event", "counts alone, once persons are forgotten"
        fix = "Delete this file by hand, and please report it: it is a defect of the program"
        raise _problem("IIU143", ", ".join(found), what, expected, fix)
    return receipt


def _run(audit: Path) -> dict[str, str]:
    """Of which office the audit is, and of which day."""
    try:
        run = json.loads((audit / "run.json").read_text(encoding="utf-8"))
        return {"office": run["office"], "as_of_date": date.fromisoformat(run["as_of_date"]).isoformat()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = "Name the folder of an audit after --audit"
        raise _problem("IIU141", str(audit), "holds no audit", "a folder with a run.json", fix) from error


def _problem(code: str, where: str, what: str, expected: str, fix: str) -> AuditError:
    return AuditError([Problem(code=code, where=place(file=where), what=what, expected=expected, fix=fix)])


def _receipt(read: dict[str, object]) -> Receipt:
    return Receipt(**{k: tuple(v) if isinstance(v, list) else v for k, v in read.items()})  # type: ignore[arg-type]

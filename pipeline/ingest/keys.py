"""The key with which identifiers are hashed. It never lies beside the data and is never printed."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb

from pipeline.errors import AuditError, Problem, place

_BLOCK = 64  # bytes; SHA-256's block, as RFC 2104 pads the key to


def office_key(office: str, identifiers: str) -> bytes:
    """The 32-byte key of an office.

    `published`: made from the office's name, for public or synthetic records, whose identifiers protect nobody.
    `secret`: hexadecimal in the environment variable IIU_KEY, else in a file of the user's own configuration folder,
    made on first use and readable by the user alone.
    """
    if identifiers == "published":
        return hashlib.sha256(f"published records of {office}".encode()).digest()
    text = os.environ.get("IIU_KEY")
    where = "the environment variable IIU_KEY"
    if text is None:
        configuration = os.environ.get("XDG_CONFIG_HOME") or (
            os.environ.get("HOME") and os.path.join(os.environ["HOME"], ".config")
        )
        if not configuration:
            raise AuditError(
                [_problem("no key and no place for one", "the environment variable IIU_KEY: 64 hexadecimal digits")]
            )
        path = Path(configuration) / "iiu" / f"{office}.key"
        where = str(path)
        try:
            if not path.exists():
                _make(path)
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise AuditError(
                [_problem(f"the key file cannot be used ({type(error).__name__})", f"a readable {where}")]
            ) from error
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise AuditError([_problem(f"{where} holds no key", "64 hexadecimal digits")])
    return key


def audit_key(root: bytes, use: str, as_of: date) -> bytes:
    """The key of one audit for one use, derived from the office's: HMAC-SHA256 as a pseudorandom function (RFC 2104).

    Whoever holds two audits cannot join them by their identifiers, and whoever destroys the office's key destroys all.
    """
    return hmac.digest(root, f"{use}|{as_of.isoformat()}".encode(), "sha256")


def identifier_key(office: str, identifiers: str, as_of: date) -> bytes:
    """What identifiers are hashed with in one audit. Those of published records are the same in every audit."""
    root = office_key(office, identifiers)
    return root if identifiers == "published" else audit_key(root, "identifiers", as_of)


def _make(path: Path) -> None:
    """A new key, under its name once it is whole; of two runs that make one at once, the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(secrets.token_hex(32) + "\n")
        with suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _problem(what: str, expected: str) -> Problem:
    return Problem(
        code="IIU120",
        where=place(file="identifiers: secret"),
        what=what,
        expected=expected,
        fix="See pipeline/report/guides/en/privacy_and_threats.md",
    )


def install_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give this session the macro `keyed(namespace, text)`: 12 characters (72 bits) of HMAC-SHA256 in base64url.

    Twelve characters, because DuckDB holds them without a pointer; with 10 million identifiers the chance of one
    collision is 1e-8. The padded keys (RFC 2104) live in session variables, so they are in no file.
    """
    padded = key.ljust(_BLOCK, b"\0")
    connection.execute("set variable inner_key = ?", [bytes(b ^ 0x36 for b in padded)])
    connection.execute("set variable outer_key = ?", [bytes(b ^ 0x5C for b in padded)])
    connection.execute(
        """create or replace temp macro keyed(namespace, value) as translate(left(to_base64(unhex(sha256(
            getvariable('outer_key') || unhex(sha256(getvariable('inner_key') || encode(namespace || '|' || value)))
        ))), 12), '+/', '-_')"""
    )

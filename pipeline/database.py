"""The database of an audit, opened alike in every step."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
import yaml

from pipeline.contract import ROOT


@cache
def memory_limit() -> str:
    """How much DuckDB may hold at a time; the models' own profile states it."""
    profile = yaml.safe_load((ROOT / "pipeline" / "dbt" / "profiles.yml").read_text(encoding="utf-8"))
    return str(profile["immigration_integrity_audit"]["outputs"]["duckdb"]["settings"]["memory_limit"])


def _bytes_of_memory() -> int:
    return int(memory_limit().removesuffix("GB")) * 10**9


def outgrows_memory(database: Path) -> bool:
    """Whether it is larger than what may be held of it at a time."""
    return database.stat().st_size > _bytes_of_memory()


def open_database(
    database: Path, *, read_only: bool = True, with_files: bool = False, memory_share: float = 1.0
) -> duckdb.DuckDBPyConnection:
    """What does not fit into `memory_limit`, or this share of it, waits in a folder beside the database.

    Unless `with_files`, nothing else of the machine can be read or written, whatever SQL an office brings.
    """
    return duckdb.connect(
        str(database),
        read_only=read_only,
        config={
            "memory_limit": f"{memory_share * _bytes_of_memory():.0f}B",
            "enable_external_access": "true" if with_files else "false",
        },
    )

"""The canonical input tables, read from `models/contract/*.yml`, where alone they are written.

Mapping checks, landing, validation, the synthetic county and the data dictionary all read this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

ROOT = Path(__file__).resolve().parent.parent
CONTRACT_FOLDER = ROOT / "models" / "contract"

#: Unknown is a value, and there are four of it. Every column of kind `code` may hold them.
UNKNOWNS: Mapping[str, str] = {
    "not_recorded": "The source left it blank.",
    "recorded_unknown": "The source says that it is unknown.",
    "redacted": "The source withheld it.",
    "unmapped": "The source holds a value that the office's code table does not know.",
}

#: What lineage every landed row carries.
LINEAGE = ("_batch_id", "_source_file", "_source_row")

Kind = Literal["id", "text", "code", "boolean", "date", "timestamp", "integer", "money", "number"]
Need = Literal["required", "measures", "optional"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. `values` holds what the source may be mapped to, without the four unknowns; () if it is no code."""

    table: str
    name: str
    kind: Kind
    data_type: str
    need: Need
    description: str
    values: tuple[str, ...]
    restricted: bool
    references: tuple[str, str] | None
    unit: str | None

    @property
    def allowed(self) -> tuple[str, ...]:
        """All that a landed code may be: its values and the four unknowns."""
        return (*self.values, *UNKNOWNS)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its grain in a sentence, its key, its columns in order."""

    name: str
    description: str
    grain: str
    key: tuple[str, ...]
    restricted: bool
    columns: Mapping[str, Column]


Contract = Mapping[str, Table]


@cache
def load_contract(folder: Path = CONTRACT_FOLDER) -> Contract:
    """All tables by name, in the order of the files and of the tables in them."""
    raw: dict[str, dict[str, object]] = {}
    for path in sorted(folder.glob("*.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            raw.update({table["name"]: table for table in source["tables"]})
    return {name: _table(raw, name) for name in raw}


def _table(raw: dict[str, dict], name: str) -> Table:  # type: ignore[type-arg]
    entry = raw[name]
    meta = entry["config"]["meta"]
    restricted = bool(meta.get("restricted", False))
    return Table(
        name=name,
        description=entry["description"],
        grain=meta["grain"],
        key=tuple(meta["key"]),
        restricted=restricted,
        columns={c["name"]: _column(raw, name, c, restricted) for c in entry["columns"]},
    )


def _column(raw: dict[str, dict], table: str, entry: dict, restricted: bool) -> Column:  # type: ignore[type-arg]
    meta = entry["config"]["meta"]
    values = meta.get("values", ())
    if "values_from" in meta:
        other_table, other_column = meta["values_from"].split(".")
        values = next(c for c in raw[other_table]["columns"] if c["name"] == other_column)["config"]["meta"]["values"]
    references = meta.get("references")
    return Column(
        table=table,
        name=entry["name"],
        kind=meta["kind"],
        data_type=entry["data_type"],
        need=meta["need"],
        description=entry["description"],
        values=tuple(values),
        restricted=restricted or bool(meta.get("restricted", False)),
        references=tuple(references.split(".")) if references else None,
        unit=meta.get("unit"),
    )

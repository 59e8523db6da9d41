"""What must not be in a public file whatever the counts say: keys, names, dates, restricted columns, planted canaries.

The whole of each file is searched: a workbook's inner files, a Parquet file's metadata, a picture's attributes.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
from babel import Locale

from pipeline.contract import Contract, load_contract
from pipeline.disclose.read import Table, names_cells, tables_of
from pipeline.disclose.registry import BREAKDOWNS, CELL, Registry, load_registry
from pipeline.errors import Problem

#: What an `id` column of the database holds: a keyed hash in base64url.
_KEY = re.compile(r"(?<![\w-])[\w-]{12}(?![\w-])", re.ASCII)
_LONG_NUMBER = re.compile(r"\d*\.\d{12,}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CODE = re.compile(r"[\w:.<>=+\-/ ]{0,80}")
#: A number of a hidden row counts as found when so many of its decimals are. Of fewer, some of the hundreds of thousands
#: of numbers of a county's audit have nine in common by chance; and files write all that there are.
DECIMALS = 12


def leaks(
    *folders: Path,
    keys: Callable[[Collection[str]], Collection[str]] = lambda _: (),
    canaries: Collection[str] = (),
    hidden_numbers: Collection[float] = (),
    registry: Registry | None = None,
    contract: Contract | None = None,
) -> list[Problem]:
    """Everything in the files of these folders that is no count and still must not leave.

    `keys` says which of some texts are hashed identifiers of the database (of which there can be more than fit in memory);
    `canaries` are texts that must be nowhere (names and numbers of cases, planted or real), `hidden_numbers` the
    estimates and limits of hidden rows.
    """
    registry, contract = registry or load_registry(), contract or load_contract()
    canaries = tuple(canaries)
    hidden = {round(number, DECIMALS) for number in hidden_numbers if round(number, 3) != number}
    problems: list[Problem] = []
    like_keys: dict[str, set[str]] = {}
    searched: set[bytes] = set()
    for folder, path in ((f, p) for f in folders for p in sorted(f.rglob("*")) if p.is_file()):
        file = path.relative_to(folder).as_posix()
        content = hashlib.sha256(path.read_bytes()).digest()
        texts = [file] if content in searched else [file, *_texts(path)]  # the folders hold many files twice and thrice
        for text in texts:
            like_keys.setdefault(file, set()).update(_KEY.findall(text))
            problems += _in_text(file, text, canaries, hidden)
        for table in () if content in searched else tables_of(path, file):
            if not {path.name, table.place} & set(registry.reference_tables):
                problems += _in_table(table, contract)
        searched.add(content)
    found = frozenset(keys(set().union(*like_keys.values())))
    problems += [
        _leak("IIU621", file, f"{len(alike & found)} keys of the database", "no key of a person, a case or an event")
        for file, alike in like_keys.items()
        if alike & found
    ]
    return list(dict.fromkeys(problems))


def key_like(path: Path) -> set[str]:
    """The texts in a file that have the form of a key of the database."""
    return {text for part in _texts(path) for text in _KEY.findall(part)}


def _texts(path: Path) -> Iterator[str]:
    """All the text in a file, unpacked."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as parts:
            yield from (parts.read(name).decode("utf-8", "replace") for name in sorted(parts.namelist()))
    elif path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        yield str(file.metadata.metadata) + str(file.schema_arrow.metadata)
        yield from ("\n".join(map(str, column.to_pylist())) for column in file.read().columns)
    else:
        yield path.read_bytes().decode("utf-8", "replace")


def _in_text(file: str, text: str, canaries: Iterable[str], hidden: Collection[float]) -> Iterator[Problem]:
    planted = sum(1 for canary in canaries if canary in text)
    if planted:
        yield _leak("IIU622", file, f"{planted} texts that must be nowhere", "no name, number of a case or free text")
    if hidden and any(round(float(n), DECIMALS) in hidden for n in _LONG_NUMBER.findall(text)):
        yield _leak("IIU623", file, "a number of a hidden row", "numbers of shown rows alone")


def _in_table(table: Table, contract: Contract) -> Iterator[Problem]:
    place = f"{table.file} {table.place}".strip()
    for column in table.rows:
        if column in _restricted(tuple(contract.values())) and column not in (*CELL, "citizenship"):
            yield _leak("IIU624", f"{place} column [{column}]", "a restricted column", "columns of the long tables")
    for column in (c for c in ("period", *BREAKDOWNS) if c in table.rows and names_cells(table.rows)):
        values = set(table.rows[column])
        if any(_DATE.search(value) for value in values):
            yield _leak("IIU625", f"{place} column [{column}]", "an exact date", "quarters and years")
        if not all(_CODE.fullmatch(value) for value in values):
            yield _leak("IIU626", f"{place} column [{column}]", "free text", "the codes of the contract")
        if any(value.lower().replace("_", " ") in _countries() for value in values):
            yield _leak("IIU627", f"{place} column [{column}]", "a country", "no country, and no language, of anybody")


def _restricted(tables: tuple[object, ...]) -> frozenset[str]:
    """Names of columns that hold a key or something restricted, and that no public table may have."""
    return frozenset(
        column.name
        for table in tables
        for column in table.columns.values()  # type: ignore[attr-defined]
        if column.restricted or column.kind == "id"
    )


@cache
def _countries() -> frozenset[str]:
    """Countries by their English names, without the United States and what is also the name of one of its states."""
    names = Locale("en").territories
    return frozenset(name.lower() for code, name in names.items() if code.isalpha() and code not in ("US", "GE"))


def _leak(code: str, where: str, what: str, expected: str) -> Problem:
    return Problem(code=code, where=where, what=what, expected=expected, fix="Write the file from the gate's frames.")

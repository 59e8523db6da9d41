"""How much of a committed mapping the draft of `iiu new-office` gets right, unaided, from the exports alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.contract import load_contract
from pipeline.ingest.draft import draft_office
from pipeline.ingest.office import Office, load_office

Pair = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Score:
    """`columns`: source columns mapped to the contract, of which `right` go to a column of the contract that the
    committed mapping also feeds from them. `pairs`: every use of them, and how many of these the draft has."""

    columns: int
    right: int
    pairs: int
    pairs_right: int
    wrong: tuple[str, ...]

    @property
    def share(self) -> float:
        return self.right / self.columns


def uses(office: Office) -> set[Pair]:
    """(source column, table, column) for every value that is read; parts of a key that is put together are left out."""
    return {
        (name.split(".", 1)[-1] if entry.each else name, entry.table, column.name)
        for entry in office.entries
        for column in entry.columns
        if column.contract is not None and "concat" not in column.spec
        for name in column.reads
    }


def score(*, committed: Path, exports: Path, folder: Path) -> Score:
    draft_office(folder=folder, exports=exports, contract=load_contract())
    ours, theirs = uses(load_office(folder, load_contract())), uses(load_office(committed, load_contract()))
    columns = sorted({name for name, _, _ in theirs})
    wrong = tuple(name for name in columns if not any(use in theirs for use in ours if use[0] == name))
    return Score(
        columns=len(columns), right=len(columns) - len(wrong), pairs=len(theirs), pairs_right=len(theirs & ours), wrong=wrong
    )  # fmt: skip

"""What is different in a new batch is said before anything is built on it, and what is the same is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.contract import load_contract
from pipeline.ingest.drift import Drift, find_drift
from tests.tiny_office import OFFICE_YML, TinyOffice

HEADER = "Ref,Pid,Name,Sex,Received,Decision,Decided"
Row = list[str]


def quarter(seed: int, month: int, *, rows: int = 400) -> list[Row]:
    rng = random.Random(seed)
    return [
        [f"R{month}-{i}", f"P{seed}-{i}", "Ann", rng.choice("FM"), f"{month:02}/{rng.randrange(1, 29):02}/2024",
         rng.choice(("Filed", "Filed", "Rejected", "Pending")), f"{month:02}/28/2024"]
        for i in range(rows)
    ]  # fmt: skip


def drift_between(tiny: TinyOffice, first: list[Row], second: list[Row], *, header: str = HEADER) -> tuple[Drift, ...]:
    (tiny.raw / "referrals.csv").unlink(missing_ok=True)
    for batch, head, rows in (("2024-Q1", HEADER, first), ("2024-Q2", header, second)):
        (tiny.raw / batch).mkdir(exist_ok=True)
        text = "\n".join([head, *(",".join(row) for row in rows)]) + "\n"
        (tiny.raw / batch / "referrals.csv").write_text(text, encoding="utf-8")
    tiny.land()
    return find_drift(database=tiny.database, contract=load_contract())


@pytest.fixture
def tiny(tmp_path: Path) -> TinyOffice:
    return TinyOffice(tmp_path)


def test_two_quarters_of_the_same_world_do_not_drift(tiny: TinyOffice) -> None:
    assert drift_between(tiny, quarter(1, 1), quarter(2, 4)) == ()


def blanked(rows: list[Row]) -> list[Row]:
    return [[*row[:6], "" if i % 3 == 0 else row[6]] for i, row in enumerate(rows)]


def declined_more(rows: list[Row]) -> list[Row]:
    return [[*row[:5], "Rejected" if i % 2 else row[5], row[6]] for i, row in enumerate(rows)]


def respelled(rows: list[Row]) -> list[Row]:
    return [[*row[:3], row[3].lower() + "em" if row[3] == "F" and i < 30 else row[3], *row[4:]] for i, row in enumerate(rows)]  # fmt: skip


CHANGES: dict[str, tuple[Callable[[list[Row]], list[Row]], str]] = {
    "volume": (lambda rows: rows[:100], "referral: 11"),
    "missing": (blanked, "referral.decision_date: 34% are not recorded, 0% before"),
    "mix": (declined_more, "referral.decision: other codes are common: declined"),
    "new_codes": (respelled, "person.sex: 1 texts that were never sent before, on"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_of_the_export_is_named_with_its_size(kind: str, tiny: TinyOffice) -> None:
    change, said = CHANGES[kind]
    found = drift_between(tiny, quarter(1, 1), change(quarter(2, 4)))
    assert any(d.kind == kind and str(d).startswith(said) for d in found), [str(d) for d in found]


def test_a_quarter_sent_again_with_corrections_says_how_many_rows_and_in_which_columns(tiny: TinyOffice) -> None:
    first = quarter(1, 1)
    again = [[*row[:5], "Filed" if i < 7 else row[5], row[6]] for i, row in enumerate(first)]
    changed = sum(1 for a, b in zip(first, again, strict=True) if a != b)
    said = [str(d) for d in drift_between(tiny, first, again)]
    assert f"referral: 400 rows were sent before, {changed} of them with other values" in said
    assert f"referral.decision: is another in {changed} rows that were sent before" in said
    assert "person: 400 rows were sent before, 0 of them with other values" in said


def test_the_largest_difference_is_told_first(tiny: TinyOffice) -> None:
    found = drift_between(tiny, quarter(1, 1), blanked(respelled(quarter(2, 4)))[:100])
    assert [d.size for d in found] == sorted((d.size for d in found), reverse=True)
    assert found[0].kind == "volume"
    assert {"missing", "new_codes"} <= {d.kind for d in found}
    assert all(0 < d.size <= 1 for d in found)


def test_rows_of_days_that_were_covered_before_are_late(tiny: TinyOffice) -> None:
    late = [[f"L{row[0]}", f"L{row[1]}", *row[2:]] for row in quarter(3, 1, rows=60)]
    found = drift_between(tiny, quarter(1, 1), quarter(2, 4) + late)
    assert any(d.kind == "late" and d.column == "received_at" for d in found), [str(d) for d in found]


def test_columns_that_came_went_or_were_renamed_are_named_beside_the_batch_before(tiny: TinyOffice) -> None:
    tiny.write_office(
        OFFICE_YML.replace("unused: {Name: identifies a person}", "unused: {Name: a name, Full Name: a name}")
    )
    drift_between(tiny, quarter(1, 1), quarter(2, 4), header=HEADER.replace("Name", "Full Name"))
    warnings = "\n".join(map(str, tiny.land().warnings))
    assert "IIU304 2024-Q2/referrals.csv:1: has other columns than 2024-Q1/referrals.csv; gone: Name; new: Full Name; perhaps renamed: Name to Full Name" in warnings  # fmt: skip


def test_one_batch_is_compared_with_nothing(tiny: TinyOffice) -> None:
    tiny.land()
    assert find_drift(database=tiny.database, contract=load_contract()) == ()

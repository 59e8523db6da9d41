"""The ledger: what was said stays said, and a changed line shows."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.disclose.ledger import Ledger, corrections_in, extended, read_ledger, write_ledger
from pipeline.errors import AuditError

EMPTY = Ledger(lines=(), cells={})


def measures(**periods: tuple[int, int]) -> pd.DataFrame:
    rows = [
        {"measure_id": "CHG-01", "period": p.replace("_", "-").removeprefix("y"), "race": "all", "citizenship": "all",
         "offence_group": "all", "stratum": "all", "numerator": k, "denominator": n}
        for p, (k, n) in periods.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


FIRST = measures(y2024_Q1=(50, 100), y2024_Q2=(60, 100), all=(110, 200))


def test_a_number_that_stands_is_written_once() -> None:
    first = extended(EMPTY, FIRST, window="2024-Q1/2024-Q2", release="2024-08-01", corrections={})
    more = measures(y2024_Q1=(50, 100), y2024_Q2=(60, 100), y2024_Q3=(70, 100), all=(180, 300))
    second = extended(first, more, window="2024-Q1/2024-Q3", release="2024-11-01", corrections={})
    assert [cell[0] for cell in json.loads(second.lines[1])["cells"]] == ["2024-Q1/2024-Q3", "2024-Q3"]
    assert second.releases == ("2024-08-01", "2024-11-01")


def test_a_changed_number_needs_a_correction_and_is_kept_with_what_it_was() -> None:
    first = extended(EMPTY, FIRST, window="2024-Q1/2024-Q2", release="2024-08-01", corrections={})
    revised = measures(y2024_Q1=(80, 100), y2024_Q2=(60, 100), all=(140, 200))
    with pytest.raises(AuditError, match="IIU611 CHG-01, 2024-Q1"):
        extended(first, revised, window="2024-Q1/2024-Q2", release="2024-09-01", corrections={})
    second = extended(
        first,
        revised,
        window="2024-Q1/2024-Q2",
        release="2024-09-01",
        corrections={"CHG-01": "a batch had been left out"},
    )
    found = {c["period"]: (c["numerator_before"], c["numerator"], c["reason"]) for c in corrections_in(second)}
    assert found["2024-Q1"] == (50, 80, "a batch had been left out")


@pytest.mark.parametrize("harm", ["changed", "removed", "rewritten"])
def test_a_changed_removed_or_rewritten_line_breaks_the_chain(harm: str, tmp_path: Path) -> None:
    first = extended(EMPTY, FIRST, window="2024-Q1/2024-Q2", release="2024-08-01", corrections={})
    more = measures(y2024_Q3=(70, 100))
    ledger = extended(first, more, window="2024-Q1/2024-Q3", release="2024-11-01", corrections={})
    write_ledger(ledger, tmp_path / "ledger.jsonl")
    assert read_ledger(tmp_path / "ledger.jsonl") == ledger
    lines = list(ledger.lines)
    if harm == "changed":
        lines[0] = lines[0].replace("50,100", "51,100")
    elif harm == "removed":
        lines = lines[1:]
    else:
        lines[1] = json.dumps(json.loads(lines[1]) | {"previous": "0" * 64})
    (tmp_path / "ledger.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(AuditError, match="IIU612"):
        read_ledger(tmp_path / "ledger.jsonl")

"""What an office would have published so far: `python -m tests.releases AUDIT quarter|year MEASURE ...`.

From the restricted cells of a finished audit, one release for each quarter or year of its period, each judged together with all
before it. Closed quarters do not change. Then an attacker who has every release and no memory of how they were made
looks for a hidden count that he can bound more narrowly than its threshold; some are solved for by linear programming as well.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.audit import CATALOGUE
from pipeline.config import AuditSettings
from pipeline.contract import load_contract
from pipeline.disclose import load_registry, publish
from pipeline.disclose.attack import Witnesses, explain, propagate, unproved
from pipeline.disclose.coarsen import needed
from pipeline.disclose.history import stack
from pipeline.disclose.suppress import make_gate
from pipeline.disclose.system import build_system
from pipeline.ingest.office import load_office, office_folder
from pipeline.measures import COMPARISON_COLUMNS, measure_table, periods

#: So many hidden counts are solved for one by one.
SOLVED = 40


def counts_until(quarter: str, cells: pd.DataFrame, catalogue: pd.DataFrame, settings: AuditSettings) -> pd.DataFrame:
    """The long table of the cells that were closed when this quarter was."""
    last = pd.Period(quarter.replace("-", ""), freq="Q").end_time.date()
    needs = {n for need in catalogue["required_columns"] for n in need.replace("|", " ").split()}
    supplied = [tuple(need.split(".")) for need in needs | {"citizenship_assertion.value"}]
    nothing = cells.iloc[:0].assign(value=0, outcome="", cases=0)
    until = cells[cells["quarter"] <= quarter]
    return measure_table(until, nothing, catalogue, supplied, replace(settings, period_to=last))


def attacked(last: pd.DataFrame, records: Sequence[pd.DataFrame]) -> tuple[int, list[str]]:
    """How many counts are hidden in all releases put together, and those of them that are exposed."""
    registry = load_registry()
    people = last[registry.declares(last) & registry.protects(last) & last["numerator"].notna()]
    whole = stack(people.reset_index(drop=True), records, ())
    whole = whole.only(needed(whole.rows, whole.was_listed, registry))
    gate = make_gate(build_system(whole.rows, registry, whole.ties), whole.rows, registry)
    known = gate.known(whole.fixed)
    hidden = gate.protected(whole.was_listed, whole.fixed, known)
    bounds = propagate(gate.system, known)
    found = unproved(gate.system, bounds, hidden, gate.node_threshold, Witnesses(gate.system))
    named = [gate.system.name(int(node)) for node in np.flatnonzero(found)]
    for node in np.random.default_rng(0).permutation(np.flatnonzero(hidden))[:SOLVED]:
        low, high, _ = explain(gate.system, known, int(node))
        if high - low < gate.node_threshold[node]:
            named.append(f"{gate.system.name(int(node))}: {low} to {high}")
    return int(hidden.sum()), named


def main(audit: Path, every: str, measures: Sequence[str]) -> int:
    """Prints a line a release, and what the attacker finds at the end. Returns 1 if he finds anything."""
    catalogue = pd.read_csv(CATALOGUE, dtype=str, keep_default_na=False)
    catalogue = catalogue[catalogue["measure_id"].isin(measures)]
    settings = load_office(office_folder("example_county"), load_contract()).settings
    parts = [pd.read_parquet(path) for path in sorted((audit / "restricted").glob("mart_*__cells.parquet"))]
    cells = pd.concat(parts, ignore_index=True)
    cells = cells[cells["measure_id"].isin(measures) & cells["quarter"].notna()]
    no_comparisons = pd.DataFrame(columns=COMPARISON_COLUMNS)
    records: list[pd.DataFrame] = []
    for quarter in periods(settings)[0]:
        if every == "year" and not quarter.endswith("Q4"):
            continue
        begun = time.process_time()
        rows = counts_until(quarter, cells, catalogue, settings)
        published = publish(rows, no_comparisons, earlier=records)
        records.append(published.record)
        listed = published.record[published.record["listed"]]
        proof = published.proof
        print(
            f"{quarter}: {listed['shown'].sum()} of {len(listed)} listed rows shown; {proof['counts_proved']} of "
            f"{proof['counts_protected']} hidden counts proved; {time.process_time() - begun:.1f} CPU s",
            flush=True,
        )
    begun = time.process_time()
    hidden, found = attacked(rows, records)
    print(f"{len(records)} releases together: {hidden} hidden counts, {len(found)} exposed, "
          f"{time.process_time() - begun:.1f} CPU s", *found, sep="\n")  # fmt: skip
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))

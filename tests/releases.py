"""What an office would have published quarter by quarter, and what an attacker makes of it: written to `tests/releases.md`.

    python -m tests.releases AUDIT [PROCESSES]

AUDIT is a finished audit. From its restricted counts one release is made for each of its quarters;
totals end with finished years (`totals` in office.yml), and each release is judged together with all before it. Then the
attacker takes the last release alone, and all of them put together: bounds by propagation, then linear programming. What
this finds, and the narrowest of what it does not, another programme solves for one by one.

Of the audit's own release, all quarters at once, it is told how much of each cube can be shown.

One family of measures at a time in each process, since no line joins the counts of two: first those about citizenship and
ICE, the smallest first, then the others, those of one measure first, in a drawn order, and a huge one last. All takes some
eight hours of a core. What is done stands in `tests/releases.jsonl`, a line a family, with a hash of the gate that did it: a
run that was stopped goes on, what another gate released is released once more, and the report says how far that came.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize

from pipeline.disclose import Registry, load_registry, publish
from pipeline.disclose.attack import Witnesses, propagate, unproved
from pipeline.disclose.challenge import challenge
from pipeline.disclose.history import stack
from pipeline.disclose.registry import CELL, REGISTRY_FILE
from pipeline.disclose.suppress import make_gate
from pipeline.disclose.system import UNBOUNDED, System, build_system, families, same_counts
from pipeline.errors import ReleaseRefused
from pipeline.measures import COMPARISON_COLUMNS

SEED = 20_250_331
#: So many hidden counts of each family are solved for one by one: those whose bounds look narrowest.
SOLVED = 10
#: A family of more measures than this takes as long as many others.
HUGE = 6
REPORT = Path(__file__).with_suffix(".md")
STATE = REPORT.with_suffix(".jsonl")
#: From here on the report is written by hand: what was measured before there was a file of what is done.
BEFORE = "## Before"
NO_COMPARISONS = pd.DataFrame(columns=COMPARISON_COLUMNS)


class County(Registry):
    """The registry of a county in which every group has somebody, if not in every family of measures."""

    def of_nobody(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        return np.zeros(len(rows), dtype=bool)


def counted(measures: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """The rows that count people."""
    return measures[measures[["numerator", "denominator"]].notna().any(axis=1) & registry.protects(measures)]


def ordered(measures: pd.DataFrame, registry: Registry) -> list[list[str]]:
    """The families: about citizenship and ICE the smallest first, then the others, of one measure first; what is huge last."""
    people = counted(measures, registry)
    family = families(same_counts(people, registry))
    size = people.groupby(people["measure_id"].map(family)).size()
    names = [sorted(family.index[family.eq(number)]) for number in np.random.default_rng(SEED).permutation(size.index)]
    delicate = {*registry.restricted["measure_id"], *measures.loc[measures["mart"].eq("ice_contact"), "measure_id"]}

    def place(members: list[str]) -> tuple[bool, bool, int]:
        first = bool(delicate.intersection(members))
        return len(members) > HUGE, not first, size[family[members[0]]] if first else len(members)

    return sorted(names, key=place)


def releases(measures: pd.DataFrame, registry: Registry) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each quarter, and the long table as it was: what was over, and sums of finished years.

    Tables that are told by year alone are released once a year, and so is a huge family; those without a period once.
    """
    period = measures["period"]
    years, quarters = (sorted(period[period.str.fullmatch(form)].unique()) for form in (r"\d+", r"\d+-Q\d"))
    is_huge = measures["measure_id"].nunique() > HUGE
    by_quarter = (registry.declares(measures) & period.isin(quarters)).any() and not is_huge
    # Of a sum nothing but the counts is judged.
    total = measures[period.eq("all")].drop(columns=["numerator", "denominator"])
    place = ["measure_id", *CELL[2:]]
    if not years:
        yield "all", measures
    for end in quarters if by_quarter else [f"{year}-Q4" for year in years]:
        ended = [year for year in years if f"{year}-Q4" <= end]
        sums = measures[period.isin(ended)].groupby(place)[["numerator", "denominator"]].sum(min_count=1)
        over = period.isin([*ended, *(quarter for quarter in quarters if quarter <= end)])
        begun = _begun(pd.concat([measures[over], *([total.join(sums, on=place)] if ended else [])], ignore_index=True))
        if len(begun):
            yield end, begun


def _begun(measures: pd.DataFrame) -> pd.DataFrame:
    """Without the strata that have no case so far: an audit has no rows of a programme that has not begun."""
    return measures[measures.groupby(["measure_id", "stratum"])["denominator"].transform("max").ne(0)]


def history(measures: pd.DataFrame, registry: Registry) -> dict[str, Any]:
    """All releases of a family, and the attacks at their end. A release that is refused ends them."""
    begun = time.process_time()
    records: list[pd.DataFrame] = []
    found: dict[str, Any] = {
        "measures": sorted(set(measures["measure_id"])),
        "gate": gate_hash(),
        "releases": 0,
        "refused": [],
        "tables": [],
        "proof": {"counts_protected": 0, "counts_proved": 0},
        "alone": [],
        "hidden": 0,
        "solved": 0,
        "conceded": 0,
        "exposed": [],
        "narrowest": [],
    }
    for end, rows in releases(measures, registry):
        try:
            published = publish(rows, NO_COMPARISONS, registry=registry, earlier=records)
        except ReleaseRefused as refused:
            found["refused"] = [f"{end}: {problem.code} {problem.where}" for problem in refused.problems]
            break
        records.append(published.record)
        last = rows
    found["releases"] = len(records)
    found["seconds"] = round(time.process_time() - begun, 1)
    if records:
        found["proof"] = {key: published.proof[key] for key in found["proof"]}
        found |= {"alone": alone(last, published.measures, records[:-1], registry)}
        found["tables"] = cubes(published.tables).reset_index().to_dict("records")
        found |= together(last, records, registry)
    found["attack_seconds"] = round(time.process_time() - begun - found["seconds"], 1)
    return found


def alone(rows: pd.DataFrame, public: pd.DataFrame, earlier: Sequence[pd.DataFrame], registry: Registry) -> list[str]:
    """What the attacker finds who reads the published file, less what the earlier releases had given away."""
    with TemporaryDirectory(prefix="iiu-releases-") as name:
        public.to_csv(Path(name) / "measures.csv", index=False)
        try:
            challenge(Path(name), rows, registry=registry, earlier=earlier)
        except ReleaseRefused as refused:
            return [f"{problem.code} {problem.where}" for problem in refused.problems]
    return []


def together(last: pd.DataFrame, records: Sequence[pd.DataFrame], registry: Registry) -> dict[str, Any]:
    """What he finds who has kept every release: how many counts are hidden, which are exposed, how narrow bounds get.

    Two names of one count are one to him, in every table and release.
    """
    people = counted(last, registry)
    same = same_counts(people, registry)
    whole = stack(people[registry.declares(people)].reset_index(drop=True), records, ())
    told = frozenset(whole.rows["measure_id"])
    gate = make_gate(build_system(whole.rows, registry, whole.ties, same), whole.rows, registry, told=told)
    known = gate.known(whole.fixed)
    hidden = gate.protected(whole.was_listed, whole.fixed, known)
    low, high = propagate(gate.system, known)
    width = (high - low) / gate.node_threshold
    witnesses = Witnesses(gate.system, whole=False)
    narrow = left = hidden & (width >= 1)
    while narrow.any():  # not all that is narrow is named at once
        narrow = unproved(gate.system, (low, high), left, gate.node_threshold, witnesses)
        left = left & ~narrow
    bounds = {n: int(high[n] - low[n]) for n in np.flatnonzero(hidden & (width < 1)).tolist()}
    nodes = np.flatnonzero(left)
    narrowest = nodes[np.argsort(width[nodes], kind="stable")][:SOLVED]
    programme = Programme(gate.system, known)
    for node in np.union1d(narrowest, np.flatnonzero(hidden & (width >= 1) & ~left)).tolist():
        bounds[node] = programme.width(node)
    need = gate.node_threshold
    conceded = {node for node, wide in bounds.items() if wide < need[node] and gate.may_be_conceded[node]}
    told_of = [(wide, int(need[n]), gate.system.name(n)) for n, wide in bounds.items() if n not in conceded]
    told_of.sort(key=lambda bound: (bound[0] / bound[1], bound))
    return {
        "hidden": int(hidden.sum()) - len(conceded),
        "solved": len(told_of),
        "conceded": len(conceded),
        "exposed": [f"{name}: {wide} wide" for wide, least_wide, name in told_of if wide < least_wide],
        "narrowest": told_of[:3],
    }


class Programme:
    """All that is known, as lines between the finest counts that are not: what an attacker solves."""

    def __init__(self, system: System, known: NDArray[np.bool_]) -> None:
        free = system.finest[~known[system.finest]]
        self.of, lines = system.of_free(known)
        self.lines = lines[np.flatnonzero(np.diff(lines.indptr))]
        self.true, self.floor = system.value[free], system.floor[free]

    def width(self, node: int) -> int:
        """How far apart the least and the most of a count are, over the rational numbers."""
        goal = self.of[[node]].toarray().ravel().astype(np.float64)
        within, known = np.column_stack([self.floor, np.full(len(self.true), np.inf)]), self.lines @ self.true
        ends = [
            # Of the largest families three times as quick as the simplex method.
            optimize.linprog(way * goal, A_eq=self.lines, b_eq=known, bounds=within, method="highs-ipm")  # type: ignore[call-overload]
            for way in (1, -1)
        ]
        least, most = (
            way * end.fun if end.status == 0 else way * -UNBOUNDED for way, end in zip((1, -1), ends, strict=True)
        )
        return int(np.floor(most + 1e-6) - np.ceil(least - 1e-6))


def gate_hash() -> str:
    """Which gate this is: a hash of its modules and of the registry."""
    folder = REGISTRY_FILE.parent
    files = sorted([*folder.glob("*.py"), *folder.glob("*.yml")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def cubes(tables: pd.DataFrame) -> pd.DataFrame:
    """By breakdown how many tables a release has, how many are withheld whole, their cells, those of listed tables, those shown.

    `tables` is its `hidden.csv`: one stands with the cells of the period at which it is told, a withheld one with its sums.
    """
    withheld = tables["finest_period"].eq("withheld")
    named = tables.assign(
        breakdown=tables["breakdown"].fillna(""), withheld=withheld, listed=tables["cells"].mask(withheld, 0)
    )
    return named.groupby("breakdown").agg(
        tables=("cells", "size"), **{column: (column, "sum") for column in ("withheld", "cells", "listed", "shown")}
    )


def report(done: Sequence[dict[str, Any]], order: Sequence[list[str]], single: pd.DataFrame) -> str:
    """The report, from what is done of all families, and the cubes of the one release of all quarters."""
    by_cube = pd.DataFrame([table for family in done for table in family["tables"]]).groupby("breakdown").sum()
    lines = [
        f"| {_words(name)} | {cube['tables']} | {cube['withheld']} | {cube['listed']:,} "
        f"| {1 - cube['shown'] / max(cube['listed'], 1):.0%} |"
        for name, cube in by_cube.iterrows()
    ]

    def total(key: str) -> int:
        return sum(len(family[key]) if isinstance(family[key], list) else round(family[key]) for family in done)

    narrow = sorted((n for family in done for n in family["narrowest"]), key=lambda n: n[0] / n[1])
    proved, protected = (sum(f["proof"][k] for f in done) for k in ("counts_proved", "counts_protected"))
    now = gate_hash()
    present = sum(family["gate"] == now for family in done)
    times = pd.Series([family["releases"] for family in done]).value_counts().sort_index(ascending=False)
    missing = [members for members in order if members not in [family["measures"] for family in done]]
    left = f" Not done: {'; '.join(', '.join(members) for members in missing)}." if missing else ""
    how_many = ", ".join(f"{count} with {number}" for number, count in times.items())
    text = [
        "# Quarter after quarter of releases",
        "",
        "Written by `python -m tests.releases`, from the audit of a synthetic county of 120,000 cases and 40 quarters: a "
        "release for each quarter (where tables are told by year alone, and of more than "
        f"{HUGE} measures that share counts, for each year), each judged together with all before it. Totals end with finished years.",
        "",
        "Families of measures that share counts were taken one after the other: first those about citizenship and ICE, "
        f"the smallest first, then the others, those of one measure first, in an order drawn with seed {SEED}, and a huge "
        f"one last. **{len(done)} of {len(order)} families** are done, {total('measures')} of {sum(map(len, order))} measures: "
        f"{how_many} releases. The gate as it is now ({now}) released {present} of these families, an earlier one {len(done) - present}."
        f"{left}",
        "",
        f"- **The last release with all before it**: {total('hidden'):,} hidden counts, {total('exposed')} exposed. For "
        f"all of them two tables were seen in which they differ by their threshold, or their bounds were solved for one by "
        f"one by linear programming, as for {total('solved'):,}. {total('conceded'):,} further ones follow from several "
        "releases: each is nobody's, or no small count and hidden in front of others alone, who are among the above.",
        f"- **The last release alone**, read from its file: {total('alone')} exposed. The gate had proved {proved:,} of "
        f"{protected:,} hidden counts beside all before it.",
        f"- **Tightest bounds** by linear programming, of {total('solved'):,} counts ({SOLVED} a family): "
        + "; ".join(f"{width:,} wide where {need} are needed ({name})" for width, need, name in narrow[:3])
        + ".",
        f"- **Refused**: {sum(bool(family['refused']) for family in done)} families.",
        f"- **Time**: {total('seconds'):,} CPU seconds for the releases, {total('attack_seconds'):,} for the attacks.",
        *(
            f"- {kind}: {', '.join(family['measures'])}: {one}"
            for kind in ("refused", "alone", "exposed")
            for family in done
            for one in family[kind]
        ),
        "",
        "## What one release of all quarters shows",
        "",
        "| cube | tables | withheld whole | cells, of these too | of all these shown |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {_words(name)} | {cube['tables']} | {cube['withheld']} | {cube['cells']:,} | {cube['shown'] / cube['cells']:.0%} |"
            for name, cube in single.iterrows()
        ),
        "",
        "## What the last release hides",
        "",
        "| cube | tables | withheld whole | cells listed | of these hidden |",
        "|---|---:|---:|---:|---:|",
        *lines,
        "",
    ]
    return "\n".join(text)


def _words(breakdown: object) -> str:
    return str(breakdown).replace("+", " x ") or "no breakdown"


def main(audit: Path, processes: int = 1) -> int:
    """Goes on where the last run ended. Returns 1 if anything is exposed or refused, or too little of a cube can be shown."""
    registry = County(**vars(load_registry()))
    measures = pd.read_parquet(audit / "restricted" / "measures.parquet")
    single = cubes(pd.read_csv(audit / "public" / "hidden.csv"))
    order = ordered(measures, registry)
    lines = STATE.read_text(encoding="utf-8").splitlines() if STATE.exists() else []
    done = {tuple(family["measures"]): family for family in map(json.loads, lines)}
    now = gate_hash()
    left = [members for members in order if done.get(tuple(members), {}).get("gate") != now]
    with ProcessPoolExecutor(processes) as pool:
        runs = [pool.submit(history, measures[measures["measure_id"].isin(members)], registry) for members in left]
        for run in as_completed(runs):
            family = run.result()
            done[tuple(family["measures"])] = family
            in_order = [done[tuple(members)] for members in order if tuple(members) in done]
            STATE.write_text("".join(json.dumps(one) + "\n" for one in in_order), encoding="utf-8")
            _, before, by_hand = REPORT.read_text(encoding="utf-8").partition(BEFORE)
            REPORT.write_text("\n".join([report(in_order, order, single), before + by_hand]), encoding="utf-8")
            print({key: family[key] for key in family if key not in {"tables", "narrowest"}}, flush=True)
    exposed = any(family[key] for family in done.values() for key in ("refused", "alone", "exposed"))
    return int(exposed or (single["shown"] / single["cells"]).min() < registry.shown_share)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))

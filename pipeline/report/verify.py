"""Checks a release with nothing but the release: what was changed, and whether each number follows from the counts.

Six looks, all taken, whatever the first finds: the files against their hashes, and the hashes against the signature if
there is one; the tables against their description; each file against the others; every rate, interval, bound and comparison against its counts, and wholes against their
parts; every sentence of the findings against the tables. Curves and medians are not re-derived: that takes the records.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.config import AuditSettings
from pipeline.disclose import HIDDEN, load_registry
from pipeline.disclose.ledger import FILE as LEDGER
from pipeline.disclose.ledger import Ledger, extended, read_ledger
from pipeline.disclose.read import tables_in
from pipeline.disclose.registry import CELL
from pipeline.errors import AuditError, Problem
from pipeline.findings import find, judge
from pipeline.measures import comparison_table
from pipeline.report.release import (
    APPROVALS,
    FINDINGS,
    KEYS,
    NAMESPACE,
    PACKAGE,
    PROVENANCE,
    SIGNATURE,
    SIGNERS,
    SUMS,
    file_hashes,
)
from pipeline.report.tables import PublicData, counted, sha256, write_tables
from pipeline.report.words import told
from pipeline.stats import bounds, intervals

#: So many rows are named for one kind of problem; the others are counted.
_NAMED = 3


def verify(folder: Path, signers: Path | None = None) -> list[Problem]:
    """Every problem of a release; none if it is as it was published and its numbers follow from its counts.

    `signers` is the office's list of signers, had from elsewhere: without it a signature is held against the release's
    own list, which shows that nothing was altered since, but not by whom it was signed.
    """

    @cache
    def table(name: str) -> pd.DataFrame:
        return counted(pd.read_parquet(folder / "data" / f"{name}.parquet"))

    @cache
    def settings() -> AuditSettings:
        return settings_of(folder)

    looks: tuple[Callable[[], Iterable[Problem]], ...] = (
        lambda: altered(folder),
        lambda: _signature(folder, signers),
        lambda: _schema(folder),
        lambda: _copies(folder, settings(), table("measures"), table("comparisons")),
        lambda: _rates(table("measures")),
        lambda: _sums(table("measures")),
        lambda: _comparisons(settings(), table("measures"), table("comparisons")),
        lambda: _sentences(folder, table("measures"), table("comparisons")),
        lambda: _ledger(folder, table("measures")),
    )
    problems: list[Problem] = []
    for look in looks:
        try:
            problems.extend(look())
        except Exception as error:  # what somebody altered may fail anywhere, and stops no other look
            what = f"cannot be read: {type(error).__name__}: {error}"
            problems.append(_problem("IIU641", str(folder), what, "a whole release"))
    return list(dict.fromkeys(problems))


def altered(folder: Path) -> Iterator[Problem]:
    """The files that are not those whose hashes were approved: the first look, which reads no table."""
    sums = folder / SUMS
    if not sums.is_file():
        yield _problem("IIU642", SUMS, "missing", "the hash of every file")
        return
    said = {}
    for line in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, file = line.partition("  ")
        said[file] = digest
    true = file_hashes(folder)
    for file in sorted({*said, *true}):
        if file not in true:
            yield _problem("IIU642", file, "missing", "a file that SHA256SUMS names")
        elif file not in said:
            yield _problem("IIU642", file, "not among the hashes", "only files that SHA256SUMS names")
        elif said[file] != true[file]:
            yield _problem("IIU642", file, f"its hash is {true[file]}", said[file])
    if (folder / APPROVALS).is_file():
        try:
            approved = json.loads((folder / APPROVALS).read_text(encoding="utf-8"))["approved"]
        except (ValueError, KeyError, TypeError):
            yield _problem("IIU643", APPROVALS, "says of no hash that it was approved", "who approved which hash")
            return
        if approved != sha256(sums):
            yield _problem("IIU643", SUMS, "not what was approved", f"the hash {approved}")


def _signature(folder: Path, signers: Path | None) -> Iterator[Problem]:
    """A signature is by one of the signers; and where signers are named, there is one."""
    named = signers or folder / SIGNERS
    if not (folder / SIGNATURE).is_file():
        if signers is not None or named.is_file():
            yield _problem("IIU651", SIGNATURE, "missing", f"a signature by one of {named.name}")
        return
    try:
        lines = named.read_text(encoding="utf-8").splitlines()
        names = [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]
        accepted = any(_signed_by(name, folder, named) for name in dict.fromkeys(names))
    except OSError as error:  # no list of signers, or no ssh-keygen
        yield _problem("IIU651", SIGNATURE, f"cannot be checked: {error}", f"{SIGNERS} and the program ssh-keygen")
        return
    if not accepted:
        yield _problem("IIU651", SIGNATURE, "no signature of these hashes", f"one by a signer in {named.name}")


def _signed_by(name: str, folder: Path, signers: Path) -> bool:
    command = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", name, "-n", NAMESPACE]
    command += ["-s", str(folder / SIGNATURE)]
    sums = (folder / SUMS).read_bytes()
    return subprocess.run(command, input=sums, capture_output=True, check=False).returncode == 0  # noqa: S603, as above


def _schema(folder: Path) -> Iterator[Problem]:
    for resource in json.loads((folder / PACKAGE).read_text(encoding="utf-8"))["resources"]:
        file = resource["path"]
        if not (folder / file).is_file() or folder.resolve() not in (folder / file).resolve().parents:
            yield _problem("IIU644", file, "missing", "a table that datapackage.json describes, in the release itself")
            continue
        rows = pd.read_csv(folder / file, dtype=str, keep_default_na=False)
        fields = resource["schema"]["fields"]
        if list(rows.columns) != [field["name"] for field in fields]:
            yield _problem("IIU644", file, "other columns", ", ".join(field["name"] for field in fields))
            continue
        if len(rows) != resource["rows"] or sha256(folder / file) != resource["hash"].removeprefix("sha256:"):
            yield _problem("IIU644", file, f"{len(rows)} rows, or other bytes", f"{resource['rows']} rows as described")
        for field in fields:
            text = rows[field["name"]]
            wrong = pd.Series(False, index=rows.index)
            if field["type"] in ("integer", "number"):
                number = pd.to_numeric(text, errors="coerce")
                wrong = text.ne("") & (number.isna() | (field["type"] == "integer") & number.mod(1).ne(0))
            constraints = field.get("constraints", {})
            if "enum" in constraints:
                wrong |= ~text.isin(constraints["enum"])
            if constraints.get("required"):
                wrong |= text.eq("")
            if wrong.any():
                where = f"{file} column [{field['name']}]"
                yield _problem("IIU644", where, f"{int(wrong.sum())} wrong values", field["type"])
        key = resource["schema"].get("primaryKey")
        if key and rows.duplicated(key).any():
            yield _problem("IIU644", file, "a row is there twice", "one row for each " + ", ".join(key))


def _copies(folder: Path, settings: AuditSettings, measures: pd.DataFrame, comparisons: pd.DataFrame) -> list[Problem]:
    """CSV and workbooks say what Parquet says: they are written again from it and compared."""
    catalogue = pd.read_csv(folder / "data" / "catalogue.csv", dtype=str, keep_default_na=False)
    adjusted = folder / "data" / "adjusted.parquet"
    public = PublicData(
        measures=measures,
        comparisons=comparisons,
        adjusted=pd.read_parquet(adjusted) if adjusted.is_file() else pd.DataFrame(),
        catalogue=catalogue,
        settings=settings,
        run={"files": []},
    )
    problems = []
    with TemporaryDirectory(prefix="iiu-verify-") as work:
        write_tables(out=Path(work), public=public)
        again, there = ({(t.file, t.place): t.rows for t in tables_in(f)} for f in (Path(work), folder / "data"))
        for file, place in sorted({*again, *there} - {("hidden.csv", "")}):
            one, other = again.get((file, place)), there.get((file, place))
            if one is None or other is None or not one.equals(other):
                where = f"data/{file} {place}".strip()
                problems.append(_problem("IIU645", where, "not what measures.parquet says", "the same numbers"))
    return problems


def _rates(measures: pd.DataFrame) -> Iterator[Problem]:
    shown = measures[measures["status"].isin(["ok", "unreliable", "not_estimable"])]
    rates = shown[shown["ci_method"].eq("wilson")]
    k, n = (rates[c].to_numpy(dtype=float, na_value=np.nan) for c in ("numerator", "denominator"))
    limits = intervals.wilson(k, n)
    yield from _differing(rates, {"estimate": intervals.proportion(k, n), "ci_low": limits.low, "ci_high": limits.high})
    lone = shown[shown["ci_method"].eq("") & shown["denominator"].isna() & shown["numerator"].notna()]
    yield from _differing(lone, {"estimate": lone["numerator"].to_numpy(dtype=float, na_value=np.nan)})
    bounded = rates[rates["bound_low"].notna() | rates["bound_high"].notna()]
    unknown = measures.set_index(list(CELL)).reindex(
        pd.MultiIndex.from_frame(bounded.assign(citizenship="unknown")[list(CELL)])
    )
    k, n = (bounded[c].to_numpy(dtype=float, na_value=np.nan) for c in ("numerator", "denominator"))
    e, u = (unknown[c].to_numpy(dtype=float, na_value=np.nan) for c in ("numerator", "denominator"))
    worst = bounds.rate_bounds(k, n, e, u)
    yield from _differing(bounded, {"bound_low": worst.low, "bound_high": worst.high})
    order = shown[(shown["estimate"] < shown["ci_low"] - 1e-9) | (shown["estimate"] > shown["ci_high"] + 1e-9)]
    order = order[order["ci_method"].str.contains("log_log")]
    if len(order):
        yield _rows("IIU646", order, "an estimate outside its interval", "low, estimate, high in this order")
    hidden = measures[measures["status"].eq(HIDDEN)]
    said = hidden[["numerator", "denominator", "estimate", "ci_low", "ci_high", "bound_low", "bound_high"]].notna()
    if said.any(axis=None):
        yield _rows("IIU646", hidden[said.any(axis=1)], "a number in a hidden row", "no number")


def _differing(rows: pd.DataFrame, derived: dict[str, npt.NDArray[np.float64]]) -> Iterator[Problem]:
    for column, value in derived.items():
        said = rows[column].to_numpy(dtype=float, na_value=np.nan)
        wrong = ~np.isclose(said, value, rtol=1e-9, atol=1e-12, equal_nan=True)
        if wrong.any():
            expected = f"{value[wrong][0]:.6g} by the counts, where {said[wrong][0]:.6g} is said"
            yield _rows("IIU646", rows[wrong], f"{column} does not follow from the counts", expected)


def _sums(measures: pd.DataFrame) -> Iterator[Problem]:
    """A whole is the sum of its parts where all are shown, and no less than the parts that are shown elsewhere."""
    registry = load_registry()
    whole = {"race": "all", "citizenship": "all", "offence_group": "all", "period": "all"}
    for axis in whole:
        others = [c for c in CELL if c != axis]
        parts = measures[measures[axis].ne("all")]
        for pool, members in registry.pools.get(axis, {}).items():
            pooled = parts[parts[axis].eq(pool)].set_index(others).index
            in_pool = pd.MultiIndex.from_frame(parts[others]).isin(pooled) & parts[axis].isin(members)
            parts = parts[~in_pool]
        if axis == "period":
            yield from _wrong_sums(measures, parts[parts["period"].str.len().eq(4)], others, axis, "all")
            quarters = parts[parts["period"].str.contains("-Q")]
            for year, of_year in quarters.groupby(quarters["period"].str[:4]):
                yield from _wrong_sums(measures, of_year, others, axis, str(year))
        else:
            yield from _wrong_sums(measures, parts, others, axis, "all")


def _wrong_sums(
    measures: pd.DataFrame, parts: pd.DataFrame, others: list[str], axis: str, whole: str
) -> Iterator[Problem]:
    margins = measures[measures[axis].eq(whole) & measures["status"].ne(HIDDEN)].set_index(others)
    margins = margins[~margins.index.duplicated()]
    # Years that are not finished are in the whole and in no table: there the sum is a lower limit alone.
    counted = parts.groupby(others)[axis].nunique()
    complete = counted.index[counted.eq(parts[axis].nunique()) | (axis != "period")]
    for column in ("numerator", "denominator"):
        known = parts.assign(open=parts[column].isna()).groupby(others).agg(sum=(column, "sum"), open=("open", "any"))
        both = known.join(margins[[column]], how="inner").dropna(subset=[column])
        exact = ~both["open"] & both.index.isin(complete) & (axis != "period" or whole != "all")
        wrong = both[(both["sum"] > both[column]) | (exact & both["sum"].ne(both[column]))]
        if len(wrong):
            rows = wrong.reset_index().assign(**{axis: whole})
            yield _rows("IIU647", rows, f"{column}: the whole is not the sum of its parts by {axis}", "one sum")


def _comparisons(settings: AuditSettings, measures: pd.DataFrame, comparisons: pd.DataFrame) -> Iterator[Problem]:
    """Each comparison is derived again from the rows of its two groups."""
    key = [*KEYS["comparisons"], "reference_race", "reference_citizenship"]
    shown = comparisons[comparisons["status"].isin(["ok", "unreliable", "not_estimable"])].set_index(key)
    # The p-value counts persons, whom the public tables do not; what was made of it is derived again.
    verdicts = judge(comparisons).set_index(key)[["q_value", "detectable_gap", "verdict"]]
    again = comparison_table(measures, settings).set_index(key).join(verdicts).reindex(shown.index)
    differs = shown["verdict"].ne(again["verdict"])
    if differs.any():
        rows = shown[differs].reset_index().assign(offence_group="all")
        yield _rows("IIU648", rows, "comparisons: not what the declared rule says", "the rule's verdict")
    numbers = [c for c in shown if pd.api.types.is_numeric_dtype(shown[c]) and c != "p_value"]
    for column in numbers:
        said, value = (f[column].to_numpy(dtype=float, na_value=np.nan) for f in (shown, again))
        blank = np.isnan(said) & np.array(column in ("unknown_citizenship", "bound_low", "bound_high"))
        wrong = ~blank & ~np.isclose(said, value, rtol=1e-9, atol=1e-12, equal_nan=True)
        if wrong.any():
            rows = shown[wrong].reset_index().assign(offence_group="all")
            yield _rows("IIU648", rows, f"comparisons: {column} does not follow from the two groups", "one number")


def _sentences(folder: Path, measures: pd.DataFrame, comparisons: pd.DataFrame) -> Iterator[Problem]:
    """The findings are found again in the tables, number by number and word by word."""
    catalogue = pd.read_csv(folder / "data" / "catalogue.csv", dtype=str, keep_default_na=False)
    said = json.loads((folder / FINDINGS).read_text(encoding="utf-8"))
    again = json.loads(
        json.dumps(told(find(measures, comparisons, catalogue, as_of=settings_of(folder).as_of_date), catalogue))
    )
    found = {finding["id"]: finding for finding in again}
    for finding in said:
        if found.pop(finding["id"], None) != finding:
            yield _problem("IIU649", f"{FINDINGS} {finding['id']}", "not what the tables say", "the tables' numbers")
    for missing in found:
        yield _problem("IIU649", f"{FINDINGS} {missing}", "left out", "every finding that the rules make")


def _ledger(folder: Path, measures: pd.DataFrame) -> Iterator[Problem]:
    """The ledger's chain holds, and the release shows what the ledger says that it shows."""
    if not (folder / LEDGER).is_file():
        return
    try:
        ledger: Ledger = read_ledger(folder / LEDGER)
        again = extended(ledger, measures, window=settings_of(folder).window, release="again", corrections={})
    except AuditError as error:
        yield from error.problems
        return
    if len(again.lines) > len(ledger.lines):
        yield _problem("IIU650", LEDGER, "numbers of this release are not in it", "every number ever published")


def settings_of(folder: Path) -> AuditSettings:
    """The settings of the audit that a release was made of. Raises OSError, KeyError or ValueError where it says none."""
    said: dict[str, Any] = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))["settings"]
    days = {day: date.fromisoformat(said[day]) for day in ("as_of_date", "period_from", "period_to")}
    return AuditSettings(**{**said, **days, "cannot_answer": ()})


def _rows(code: str, rows: pd.DataFrame, what: str, expected: str) -> Problem:
    named = ["|".join(str(row[c]) for c in CELL) for row in rows.head(_NAMED).to_dict("records")]
    where = "; ".join(named) + (f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else "")
    return _problem(code, where, what, expected)


def _problem(code: str, where: str, what: str, expected: str) -> Problem:
    fix = "Take the release from where it was published, and ask the office if it is like this there."
    return Problem(code=code, where=where, what=what, expected=expected, fix=fix)

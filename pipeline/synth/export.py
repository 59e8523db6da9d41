"""The exports of the invented office: two batches of files in its own words, with the dirt that real exports have.

Each `exports/<name>.sql` is a template for one kind of file. It selects `_k` (a row number that orders the file),
`_created` (the day from which the office's system shows the row) and the cells, as text, under the office's own
headers; and it ends with `book()`. What the system did not know on the day of an export is blank in it; a row that has
changed since comes again in the next batch.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import xlsxwriter
import yaml

from pipeline.synth.sql import literal, pick

HERE = Path(__file__).resolve().parent
#: Below this size a garbled cell or an unknown code would be more than an office's tolerance of one row in a hundred.
SMALLEST_DIRTY_COUNTY = 5_000
DUPLICATED = 0.002
RETYPED = 0.008
#: What each kind of dirt makes of a clean cell.
DIRT: Mapping[str, str] = {
    "unmapped": "'ZZ9'",
    "redacted": "'[REDACTED]'",
    "garbled": "'##/##/####'",
    "unknown": "'UNK'",
    "missing": "NULL",
    "lower case": "lower({cell})",
    "white space": "'  ' || {cell} || ' '",
}


@dataclass(frozen=True, kw_only=True)
class Export:
    """One kind of file. `{year}` in `path` splits the first batch; `renamed` holds the headers of the first batch."""

    name: str
    path: str
    delimiter: str = ","
    compression: str = "none"
    renamed: Mapping[str, str] = field(default_factory=dict)


EXPORTS = (
    Export(name="person_index", path="PERSON_INDEX.csv", renamed={"RACE_BY": "RACE_SRC", "INTERP": "INTERPRETER"}),
    Export(name="citizenship_log", path="citizenship_log.csv"),
    Export(name="arrests", path="arrests/ARRESTS_{year}.csv"),
    Export(name="matters", path="matters.txt", delimiter="|"),
    Export(name="cases", path="CASES.csv", renamed={"DEFENSE": "DEF_TYPE"}),
    Export(name="charges", path="charge_ledger.csv.gz", compression="gzip"),
    Export(name="court_calendar", path="calendar/calendar_{year}.csv"),
    Export(
        name="bail", path="BAIL.csv", renamed={"PEOPLE_ASK": "DA_REQ", "PEOPLE_AMT": "DA_AMT", "ORDERED": "CT_ORDER"}
    ),
    Export(name="plea_offers", path="plea_offers.csv"),
    Export(name="diversion", path="Diversion Referrals.csv"),
    Export(name="jail_stays", path="jail/stays.csv", delimiter=";"),
    Export(name="ice_log", path="ice_log.csv"),
    Export(name="memos", path="sentence_memos.csv"),
    Export(name="warrants", path="warrants.csv"),
    Export(name="policy_checks", path="policy_checks.csv"),
    Export(name="pcr_motions", path="unit/pcr_motions.csv"),
    Export(name="reviews", path="unit/reviews.csv"),
    Export(name="clemency", path="unit/clemency_letters.csv"),
    Export(name="certifications", path="unit/uv_certifications.csv"),
    Export(name="point_person", path="unit/point_person.csv"),
    Export(name="unit_register", path="unit/unit_register.csv"),
    Export(name="budget", path="unit/budget.csv"),
    Export(name="quarterly_counts", path="unit/quarterly_counts.csv"),
    Export(name="hotline", path="unit/hotline.csv"),
    Export(name="annual_counts", path="unit/annual_counts.csv"),
)
NOTES = """Export of the case-management system of Example County (invented).
Rows that changed since the last export come again. Headers were renamed in 2024.
"""


@dataclass(frozen=True, kw_only=True)
class Dirt:
    """One kind of dirt in one column. `condition` says which rows have it; it is true only where a cell was to spoil."""

    kind: str
    column: str
    condition: str
    replacement: str | None


class _Sheet:
    """One template being rendered for one batch: what it may call, and what it says of its rows."""

    def __init__(self, export: Export, *, seed: int, first: date, second: date, cutoff: date, is_dirty: bool) -> None:
        self._name = export.name
        self._seed = seed
        self._first, self._second, self._cutoff = (f"TIMESTAMP '{day} 23:59:59'" for day in (first, second, cutoff))
        self._is_first = cutoff == first
        self._is_dirty = is_dirty
        self._events: list[str] = []
        self._corrections: list[str] = []
        self.dirt: list[Dirt] = []

    @property
    def vocabulary(self) -> Mapping[str, Any]:
        names = ("by", "known", "show", "code", "cell", "money", "corrected", "impossible", "book")
        return {name: getattr(self, name) for name in names} | {"pick": pick}

    def by(self, moment: str) -> str:
        """True once `moment` had come on the day of this export."""
        if moment not in self._events:
            self._events.append(moment)
        return f"coalesce({moment} <= {self._cutoff}, FALSE)"

    def known(self, moment: str) -> str:
        """`moment`, if it had come on the day of this export."""
        return f"CASE WHEN {self.by(moment)} THEN {moment} END"

    def show(self, moment: str, how: str) -> str:
        return f"strftime({moment}, '{how}')"

    def money(self, amount: str) -> str:
        return f"CASE WHEN ({amount}) IS NOT NULL THEN '$' || format('{{:,.2f}}', CAST({amount} AS DOUBLE)) END"

    def code(self, table: str, value: str, column: str, **rates: float) -> str:
        """The office's own code for a value of the contract; now and then in lower case or with stray blanks."""
        branches = []
        for meaning, (common, *others) in _codes()[table].items():
            text = literal(common)
            if others:
                spelled = self._drawn("spelling", column, 0.85)
                text = f"CASE WHEN {spelled} THEN {text} ELSE {literal(others[0])} END"
            branches.append(f"WHEN {literal(meaning)} THEN {text}")
        self._soil(column, {**rates, "lower case": RETYPED, "white space": RETYPED})
        return f"CASE {value} {' '.join(branches)} END"

    def cell(self, text: str, column: str, *, required: bool = False, **rates: float) -> str:
        """A cell, dirty at the given rates by kind. A garbled cell of a required column costs the audit the whole row."""
        self._soil(column, {f"{kind}, row lost" if required else kind: rate for kind, rate in rates.items()})
        return text

    def _soil(self, column: str, rates: Mapping[str, float]) -> None:
        low = 0.0
        for kind, rate in rates.items():
            if kind.startswith(("unmapped", "garbled")) and not self._is_dirty:
                continue
            high = low + rate
            self.dirt.append(
                Dirt(
                    kind=kind,
                    column=column,
                    # One draw decides between all kinds of dirt of a cell.
                    condition=f'{self._drawn("dirt", column, high, low)} AND "{column}" IS NOT NULL',
                    replacement=DIRT[kind.removesuffix(", row lost")].format(cell=f'"{column}"'),
                )
            )
            low = high

    def corrected(self, right: str, wrong: str, column: str, rate: float) -> str:
        """Wrong in the first batch; the row comes again, mended, in the second."""
        condition = self._drawn("corrected", column, rate)
        self._corrections.append(condition)
        return f"CASE WHEN {condition} THEN {wrong} ELSE {right} END" if self._is_first else right

    def impossible(self, moment: str, instead: str, column: str, rate: float) -> str:
        """Now and then a date that cannot be."""
        drawn = self._drawn("impossible", column, rate)
        condition = f'{drawn} AND "{column}" IS NOT NULL'
        self.dirt.append(Dirt(kind="impossible date", column=column, condition=condition, replacement=None))
        return f"CASE WHEN {drawn} AND {moment} IS NOT NULL THEN {instead} ELSE {moment} END"

    def book(self) -> str:
        """The columns behind the cells: whether a row has changed between the two exports, or was corrected."""
        changed = " OR ".join(f"coalesce({e} > {self._first} AND {e} <= {self._second}, FALSE)" for e in self._events)
        return f""",
            ({changed or "FALSE"}) AS _changed,
            ({" OR ".join(self._corrections) or "FALSE"}) AS _corrected"""

    def soiled(self, rows: str, columns: Sequence[str]) -> str:
        """`rows` with their dirt, and a flag `_dirt_<n>` per kind of dirt."""
        cells = []
        for column in columns:
            branches = [
                f"WHEN {d.condition} THEN {d.replacement}" for d in self.dirt if d.column == column and d.replacement
            ]
            cells.append(f'CASE {" ".join(branches)} ELSE "{column}" END AS "{column}"' if branches else f'"{column}"')
        flags = [f"{dirt.condition} AS _dirt_{i}" for i, dirt in enumerate(self.dirt)]
        copied = f"{self._drawn('copied', '', DUPLICATED)} AS _copied"
        return f"SELECT _k, _created, _changed, _corrected, {', '.join([copied, *flags, *cells])} FROM ({rows})"

    def _drawn(self, use: str, column: str, below: float, above: float = 0.0) -> str:
        """True for a share of the rows: those whose draw lies from `above` to `below`. As short as SQL can be, for a
        template has some hundreds of them, and planning them would take longer than running them.
        """
        salt = hashlib.sha256(f"{self._seed} {self._name} {use} {column}".encode()).digest()
        draw = f"hash(xor(_k, {int.from_bytes(salt[:7])}))"
        if above:
            return f"{draw} BETWEEN {int(above * 2**64)} AND {int(below * 2**64) - 1}"
        return f"{draw} < {int(below * 2**64)}"


def _write_workbook(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.set_properties({"created": datetime(2025, 3, 31)})
        sheet = workbook.add_worksheet("Registry")
        sheet.write_string(0, 0, "Policy registry of the District Attorney of Example County")
        for number, row in enumerate(rows, start=2):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, cell)
        sheet.write_string(len(rows) + 2, 0, "Printed on 31 March 2025")


@cache
def _codes() -> Mapping[str, Mapping[str, Sequence[str]]]:
    codes: Mapping[str, Mapping[str, Sequence[str]]] = yaml.safe_load((HERE / "codes.yml").read_text(encoding="utf-8"))
    return codes


class Exporter:
    """Writes both batches from the tables of the world."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        folder: Path,
        seed: int,
        first: date,
        second: date,
        sizes: Mapping[str, object],
        cases: int,
    ) -> None:
        self._db = connection
        self._seed = seed
        self._folder = folder
        self._first, self._second = first, second
        self._sizes = sizes
        self._is_dirty = cases >= SMALLEST_DIRTY_COUNTY
        self._columns: dict[str, list[str]] = {}

    def write_all(self) -> list[dict[str, object]]:
        """Write every file; returns one record per file: its rows and how many of them have which dirt."""
        records = [
            record
            for cutoff in (self._first, self._second)
            for export in EXPORTS
            for record in self._write(export, cutoff)
        ]
        latest = self._folder / f"through_{self._second}"
        (latest / "READ ME FIRST.txt").write_text(NOTES, encoding="utf-8")
        return records + list(self._write_registry(latest))

    def _write(self, export: Export, cutoff: date) -> Iterator[dict[str, object]]:
        sheet = _Sheet(
            export, seed=self._seed, first=self._first, second=self._second, cutoff=cutoff, is_dirty=self._is_dirty
        )
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        environment.globals.update(self._sizes, **sheet.vocabulary)
        template = (HERE / "exports" / f"{export.name}.sql").read_text(encoding="utf-8")
        rows = environment.from_string(template).render()
        if cutoff == self._first:
            chosen = f"_created <= DATE '{self._first}'"
        else:
            chosen = (
                f"_created <= DATE '{self._second}' AND (_created > DATE '{self._first}' OR _changed OR _corrected)"
            )
        if export.name not in self._columns:
            described = self._db.execute(f"DESCRIBE {rows}").fetchall()
            self._columns[export.name] = [name for name, *_ in described if not name.startswith("_")]
        columns = self._columns[export.name]
        self._db.execute(f"CREATE TABLE sheet AS {sheet.soiled(f'SELECT * FROM ({rows}) WHERE {chosen}', columns)}")
        headers = export.renamed if cutoff == self._first else {}
        selected = ", ".join(f'"{name}" AS "{headers.get(name, name)}"' for name in columns)
        batch = f"through_{cutoff}"
        for path, period in self._parts(export, cutoff):
            target = self._folder / batch / path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._db.execute(
                f"""COPY (SELECT {selected} FROM (
                    SELECT *, 0 AS _copy FROM sheet WHERE {period}
                    UNION ALL SELECT *, 1 AS _copy FROM sheet WHERE {period} AND _copied
                ) ORDER BY _k, _copy) TO {literal(str(target))}
                (FORMAT csv, HEADER, DELIMITER {literal(export.delimiter)}, COMPRESSION {literal(export.compression)})"""
            )
            yield self._record(f"{batch}/{path}", f"(SELECT * FROM sheet WHERE {period})", sheet.dirt)
        self._db.execute("DROP TABLE sheet")

    def _write_registry(self, folder: Path) -> Iterator[dict[str, object]]:
        """The policies as a workbook with a title above and a note below, what hangs on them as plain files."""
        registry = yaml.safe_load((HERE / "registry.yml").read_text(encoding="utf-8"))
        (folder / "policy").mkdir()
        for name, table in registry.items():
            rows = [table["headers"], *([str(cell) for cell in row] for row in table["rows"])]
            path = f"policy/{name}.{'xlsx' if name == 'policies' else 'csv'}"
            if name == "policies":
                _write_workbook(folder / path, rows)
            else:
                with (folder / path).open("w", encoding="utf-8", newline="") as stream:
                    csv.writer(stream, lineterminator="\n").writerows(rows)
            record: dict[str, object] = {"file": f"{folder.name}/{path}", "rows": len(rows) - 1}
            yield record | {"duplicated": 0, "sent_again": 0, "corrected": 0, "rejected": 0, "dirt": []}

    def _parts(self, export: Export, cutoff: date) -> Iterator[tuple[str, str]]:
        """The files of one export in one batch, each with the condition that its rows meet."""
        if "{year}" not in export.path or cutoff != self._first:
            yield export.path.format(year=self._second.year - 1), "TRUE"
            return
        for year in range(date.fromisoformat(str(self._sizes["start"])).year, cutoff.year + 1):
            yield export.path.format(year=year), f"_created BETWEEN DATE '{year}-01-01' AND DATE '{year}-12-31'"

    def _record(self, path: str, kept: str, dirt: Sequence[Dirt]) -> dict[str, object]:
        counted = [
            "count(*) + count_if(_copied)",
            "count_if(_copied)",
            f"count_if(_created <= DATE '{self._first}')",
            "count_if(_corrected)",
            *(f"count_if(_dirt_{i}) + count_if(_dirt_{i} AND _copied)" for i in range(len(dirt))),
        ]
        unreadable = " OR ".join(f"_dirt_{i}" for i, d in enumerate(dirt) if d.kind == "garbled, row lost") or "FALSE"
        counted.append(f"count_if({unreadable}) + count_if(({unreadable}) AND _copied)")
        found = self._db.execute(f"SELECT {', '.join(counted)} FROM {kept}").fetchone()
        assert found is not None
        rows, copies, older, corrected, *kinds, rejected = (int(n or 0) for n in found)
        is_first = path.startswith(f"through_{self._first}/")
        return {
            "file": path,
            "rows": rows,
            "duplicated": copies,
            "sent_again": 0 if is_first else older,
            "corrected": 0 if is_first else corrected,
            "rejected": rejected,
            "dirt": [{"kind": d.kind, "column": d.column, "rows": n} for d, n in zip(dirt, kinds, strict=True) if n],
        }

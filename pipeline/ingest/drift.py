"""What is different in the last batch: said before anything is built on it.

Counts alone cannot tell a change of the world from a change of the export, so nothing here stops a run. Compared are
the last batch and all that came before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.contract import Column, Contract, Table
from pipeline.database import open_database
from pipeline.ingest.read import literal, quoted

#: Fewer rows than this in either say nothing about shares and medians.
ENOUGH = 50
#: New texts on fewer rows are slips of the pen.
NEW = 5
#: A batch with less than half or more than twice the rows a month of the others' median.
VOLUME = 2.0
#: Points by which a share must move, and by how many of its standard errors.
SHARE, ERRORS = 0.10, 5.0
#: Half the sum of the differences of all shares (total variation distance).
MIX = 0.15
#: A median that is multiplied or divided by more than this.
MEDIAN = 1.5


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One difference. `kind` is volume, missing, new_codes, mix, median, corrected, sent_again or late.

    `size` is the part that moved, from 0 to 1: of the rows that are of the kind or have changed, of a share the points, of
    a volume or median what is missing from the smaller to the larger.
    """

    table: str
    column: str
    kind: str
    size: float
    what: str

    def __str__(self) -> str:
        return f"{self.table}{'.' if self.column else ''}{self.column}: {self.what}"


def find_drift(*, database: Path, contract: Contract) -> tuple[Drift, ...]:
    """All differences of the last batch from those before it, the largest first; none where there is but one batch."""
    with open_database(database) as connection:
        found: list[Drift] = []
        batches = sorted(
            {
                str(batch)
                for table in contract.values()
                for (batch,) in connection.execute(
                    f"select distinct _batch_id from landed.{quoted(table.name)}"
                ).fetchall()
            }
        )
        if len(batches) > 1:
            for table in contract.values():
                found += _of_table(connection, table, batches)
    return tuple(sorted(found, key=lambda d: (-d.size, d.table, d.column, d.kind)))


def _of_table(connection: duckdb.DuckDBPyConnection, table: Table, batches: list[str]) -> Iterator[Drift]:
    last = literal(batches[-1])
    rows = f"landed.{quoted(table.name)}"
    sizes = dict(connection.execute(f"select _batch_id, count(*) from {rows} group by all").fetchall())
    if not sizes:
        return
    if batches[-1] not in sizes:
        what = f"no row in {batches[-1]}, {max(sizes.values())} before"
        yield Drift(table=table.name, column="", kind="volume", size=1.0, what=what)
    if batches[-1] not in sizes or len(sizes) == 1:
        return
    yield from _volume(connection, table, rows, batches[-1])
    columns = [c for c in table.columns.values() if c.kind != "id"]
    yield from _missing(connection, table, columns, rows, last)
    for column in columns:
        if column.kind == "code":
            yield from _codes(connection, column, rows, last)
        elif column.kind in ("integer", "number", "money"):
            yield from _median(connection, column, rows, last)
    yield from _sent_again(connection, table, columns, rows, last)
    yield from _late(connection, table, rows, last)


def _day(table: Table) -> Column | None:
    """The day that a row of the table is of."""
    days = [c for c in table.columns.values() if c.kind in ("date", "timestamp") and c.need in ("required", "measures")]
    return days[0] if days else None


def _volume(connection: duckdb.DuckDBPyConnection, table: Table, rows: str, last: str) -> Iterator[Drift]:
    """Rows a month of the days that a batch covers: a first batch of ten years has more than a quarter's."""
    day = _day(table)
    if day is None:
        return
    name = quoted(day.name)
    found = connection.execute(
        f"""select _batch_id, count({name}), date_diff('day', quantile_disc({name}, 0.02), quantile_disc({name}, 0.98)) + 1
        from {rows} where {name} is not null group by _batch_id order by _batch_id"""
    ).fetchall()
    counted = {str(batch): (int(n), 30.4 * n / days) for batch, n, days in found}
    if last not in counted or len(counted) < 2:
        return
    (n, now), others = counted.pop(last), sorted(counted.values(), key=lambda pair: pair[1])
    m, usual = others[len(others) // 2]
    if max(n, m) >= ENOUGH and min(n, m) >= 10 and not usual / VOLUME <= now <= usual * VOLUME:
        what = f"{now:.0f} rows a month in {last}, {usual:.0f} is usual"
        yield Drift(table=table.name, column="", kind="volume", size=_apart(now, usual), what=what)


def _missing(
    connection: duckdb.DuckDBPyConnection, table: Table, columns: list[Column], rows: str, last: str
) -> Iterator[Drift]:
    blank = ", ".join(
        f"count(*) filter (where {quoted(c.name)} is null or {quoted(c.name)}::varchar = 'not_recorded')"
        for c in columns
    )
    counted = {
        bool(is_last): (int(n), [int(b) for b in blanks])
        for is_last, n, *blanks in connection.execute(
            f"select _batch_id = {last}, count(*), {blank} from {rows} group by all"
        ).fetchall()
    }
    (n, now), (m, then) = counted[True], counted[False]
    for column, blank_now, blank_then in zip(columns, now, then, strict=True):
        a, b = blank_now / n, blank_then / m
        if min(n, m) >= ENOUGH and _moved(a, n, b, m):
            what = f"{a:.0%} are not recorded, {b:.0%} before"
            yield Drift(table=table.name, column=column.name, kind="missing", size=_rounded(abs(a - b)), what=what)


def _apart(a: float, b: float) -> float:
    """The part of the larger of two numbers of one sign that the smaller lacks."""
    small, large = sorted((abs(a), abs(b)))
    return _rounded(1 - small / large) if large else 0.0


def _rounded(share: float) -> float:
    return round(float(share), 4)


def _moved(a: float, n: int, b: float, m: int) -> bool:
    pooled = (a * n + b * m) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n + 1 / m)) ** 0.5
    return abs(a - b) >= SHARE and abs(a - b) >= ERRORS * error


def _codes(connection: duckdb.DuckDBPyConnection, column: Column, rows: str, last: str) -> Iterator[Drift]:
    raw = quoted(f"{column.name}_raw")
    found = connection.execute(
        f"""select count(*), sum(n) from (select {raw}, count(*) as n, bool_and(_batch_id = {last}) as is_new
            from {rows} where {raw} is not null group by {raw}) where is_new"""
    ).fetchone()
    if found and found[0] and found[1] >= NEW:
        known = connection.execute(
            f"""select count(*) filter (where _batch_id <> {last}), count(*) filter (where _batch_id = {last}) from {rows}
            where {raw} is not null"""
        ).fetchone()
        if known and known[0]:
            yield Drift(
                table=column.table, column=column.name, kind="new_codes", size=_rounded(found[1] / known[1]),
                what=f"{found[0]} texts that were never sent before, on {found[1]} rows",
            )  # fmt: skip
    shares = connection.execute(
        f"""with counted as (select _batch_id = {last} as is_last, {quoted(column.name)} as code, count(*) as n from {rows}
            where {quoted(column.name)} <> 'not_recorded' group by all),
        shares as (select is_last, code, n, sum(n) over (partition by is_last) as of_all from counted)
        select code, coalesce(max(n / of_all) filter (where is_last), 0), coalesce(max(n / of_all) filter (where not is_last), 0),
            max(of_all) filter (where is_last), max(of_all) filter (where not is_last)
        from shares group by code order by code"""
    ).fetchall()
    n, m = (max((int(row[i] or 0) for row in shares), default=0) for i in (3, 4))
    distance = sum(abs(row[1] - row[2]) for row in shares) / 2
    # Of few rows, chance alone moves the shares of many codes.
    chance = sum((row[2] * (1 - row[2]) * (1 / n + 1 / m)) ** 0.5 for row in shares) / 2 if n and m else 1.0
    if min(n, m) >= ENOUGH and distance >= MIX and distance >= 2 * chance:
        code, a, b, *_ = max(shares, key=lambda row: abs(row[1] - row[2]))
        yield Drift(
            table=column.table,
            column=column.name,
            kind="mix",
            size=_rounded(distance),
            what=f"other codes are common: {code} {a:.0%}, {b:.0%} before",
        )


def _median(connection: duckdb.DuckDBPyConnection, column: Column, rows: str, last: str) -> Iterator[Drift]:
    name = quoted(column.name)
    found = connection.execute(
        f"""select median({name}) filter (where _batch_id = {last}), median({name}) filter (where _batch_id <> {last}),
            count({name}) filter (where _batch_id = {last}), count({name}) filter (where _batch_id <> {last}) from {rows}"""
    ).fetchone()
    if not found or min(found[2], found[3]) < ENOUGH:
        return
    now, then = float(found[0]), float(found[1])
    if now * then < 0 or not abs(then) / MEDIAN <= abs(now) <= abs(then) * MEDIAN:
        size = _apart(now, then) if now * then >= 0 else 1.0
        what = f"the median is {now:g}, {then:g} before"
        yield Drift(table=column.table, column=column.name, kind="median", size=size, what=what)


def _sent_again(
    connection: duckdb.DuckDBPyConnection, table: Table, columns: list[Column], rows: str, last: str
) -> Iterator[Drift]:
    """Rows whose key came in an earlier batch: the same again, or corrected, and in which columns."""
    key = ", ".join(quoted(name) for name in table.key)
    same = " and ".join(f"n.{quoted(name)} is not distinct from t.{quoted(name)}" for name in table.key)
    changed = [f"n.{quoted(c.name)} is distinct from t.{quoted(c.name)}" for c in columns if c.name not in table.key]
    counts = "".join(f", count(*) filter (where {c})" for c in changed)
    found = connection.execute(
        f"""with sent as (select *, row_number() over (partition by {key}, _batch_id order by _source_file desc, _source_row desc) as copy
            -- what the last batch does not speak of would be sorted in vain
            from {rows} as n semi join (select {key} from {rows} where _batch_id = {last}) as t on {same}),
        n as (select * from sent where _batch_id = {last} and copy = 1),
        -- The last word of the batches before.
        t as (select * from sent where _batch_id <> {last} and copy = 1
            qualify row_number() over (partition by {key} order by _batch_id desc) = 1)
        select count(*), count(*) filter (where {" or ".join(changed) or "false"}){counts}
        from n join t on {same}"""
    ).fetchone()
    if not found or not found[0]:
        return
    again, corrected, *by_column = found
    yield Drift(
        table=table.name,
        column="",
        kind="sent_again",
        size=_rounded(corrected / again),
        what=f"{again} rows were sent before, {corrected} of them with other values",
    )
    names = [c.name for c in columns if c.name not in table.key]
    for name, n in zip(names, by_column, strict=True):
        if n:
            what = f"is another in {n} rows that were sent before"
            yield Drift(table=table.name, column=name, kind="corrected", size=_rounded(n / again), what=what)


def _late(connection: duckdb.DuckDBPyConnection, table: Table, rows: str, last: str) -> Iterator[Drift]:
    """Rows that are new, yet of days that an earlier batch had covered already: history changes by them."""
    day = _day(table)
    if day is None:
        return
    same = " and ".join(f"n.{quoted(name)} = t.{quoted(name)}" for name in table.key)
    found = connection.execute(
        f"""with t as (select * from {rows} where _batch_id <> {last}),
        covered as (select quantile_disc({quoted(day.name)}, 0.99) as until from t),
        n as (select {quoted(day.name)} as day from {rows} as n anti join t on {same} where n._batch_id = {last})
        select count(*) filter (where day < until), count(day) from n, covered"""
    ).fetchone()
    if found and found[0] and found[1] >= ENOUGH and found[0] / found[1] >= 0.01:
        yield Drift(
            table=day.table, column=day.name, kind="late", size=_rounded(found[0] / found[1]),
            what=f"{found[0]} of {found[1]} rows are of days that earlier batches had covered",
        )  # fmt: skip

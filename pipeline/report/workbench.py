"""The unit's workbench: the pages over the restricted tables, and from each number to the cases behind it.

For the unit alone. A server that only this machine reaches, under an address that only whoever started it knows. It
keeps no copy of anything; all that it writes is the log of who looked at which cases, and why.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import duckdb
import jinja2
import numpy as np
import pandas as pd

from pipeline.errors import AuditError, Problem, place
from pipeline.findings import declared_worklists, judge
from pipeline.for_the_unit.worklists import (
    ABOUT,
    ALL_ROWS,
    Part,
    rows_behind,
    rows_of,
    rows_of_cell,
    who_answers,
    workbook,
)
from pipeline.ingest.read import literal, quoted
from pipeline.report import figures
from pipeline.report.access_log import access_log, write_access
from pipeline.report.language import ENGLISH
from pipeline.report.release import code_hash, program_of
from pipeline.report.site import HERE, Edition
from pipeline.report.tables import (
    ALL,
    SHOWN,
    PublicData,
    counted,
    headline,
    read_tables,
    records,
    unreadable,
)
from pipeline.restricted import opened
from pipeline.stats.intervals import Interval, mover

GROUPS = {"race": "Race", "citizenship": "Citizenship", "offence_group": "Offence", "stratum": "Part"}
CELL = ("period", *GROUPS)
PART_NAMES: Mapping[Part, str] = {
    "counted": "All that is counted",
    "happened": "It happened",
    "otherwise": "It did not happen",
}
#: What names a list of cases: a finding, a declared list, or a cell of a measure and which of its cases.
LIST = ("finding", "list", "measure", "part", *CELL)
ROWS_A_PAGE = 100
LONGEST_FORM = 10_000
HTML, SVG, XLSX = (
    "text/html; charset=utf-8",
    "image/svg+xml",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2"}
#: Nothing is kept by the browser, shown in another page, sent elsewhere or fetched from elsewhere.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
#: How tables fail that lack what this version of the program asks of them.
LACKING = (LookupError, ValueError, TypeError, AttributeError, duckdb.ProgrammingError, jinja2.UndefinedError)
Query = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the browser gets."""

    body: bytes
    kind: str = HTML
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Cases:
    """A list of cases: what it is in words, where its rows are, and the fields that name it in an address."""

    name: Query
    title: str
    told: Sequence[str]
    fact: str
    where: str


def read_restricted(audit: Path, restricted: Path) -> PublicData:
    """The audit before the gate, as the pages read it: all offences together, races and comparisons over the whole period.

    Raises AuditError if the folder holds no audit of this version of the program.
    """
    measures, comparisons = (restricted / f"{name}.parquet" for name in ("measures", "comparisons"))
    findings = [restricted / name for name in ("findings_since.json", "findings.json")]
    if not (measures.is_file() and comparisons.is_file() and findings[1].is_file()):
        raise AuditError([Problem(
            code="IIU145", where=place(file=str(audit)), what="holds no restricted tables",
            expected="the folder of an audit as `iiu audit` wrote it", fix="Run `iiu audit`, or name the folder after --audit",
        )])  # fmt: skip
    public = read_tables(audit / "public")
    rows = duckdb.execute(
        f"select * from {literal(str(measures))} where offence_group = 'all' and (period = 'all' or race = 'all')"
    ).fetchdf()
    gaps = duckdb.execute(f"select * from {literal(str(comparisons))} where period = 'all'").fetchdf()
    found = json.loads(next(file for file in findings if file.is_file()).read_text(encoding="utf-8"))
    return replace(public, measures=counted(rows), comparisons=judge(counted(gaps)), findings=found)


class Workbench:
    """What is shown at which address, and what is asked and logged before it is. `restricted` is that folder in the clear."""

    def __init__(self, audit: Path, restricted: Path, log: Path) -> None:
        self.log = log
        self.public = read_restricted(audit, restricted)
        self.measures = {m.measure_id: m for mart in self.public.marts for m in self.public.of_mart(mart)}
        self.findings = {finding["id"]: finding for finding in self.public.findings if finding.get("status") not in ("closed", "not_told")}  # fmt: skip
        self.confirmed: dict[Query | tuple[Any, ...], tuple[str, str]] = {}
        self.who = ""
        digest = hashlib.sha256((restricted / "measures.parquet").read_bytes()).hexdigest()
        self.edition = Edition(self.public, ENGLISH, {}, {"measures.parquet": digest})
        self.story = self.edition.story
        self.connection = duckdb.connect()
        self.connection.execute("create schema marts")
        self.facts = {path.stem for path in restricted.glob("mart_*.parquet")}
        declared = declared_worklists(self.public.settings.as_of_date)
        self.lists = {listed["id"]: listed for listed in declared if listed["fact"] in self.facts}
        for fact in sorted(self.facts):
            file = literal(str(restricted / f"{fact}.parquet"))
            self.connection.execute(f"create view marts.{quoted(fact)} as from read_parquet({file})")
        self.connection.execute(f"create view measures as from read_parquet({literal(str(restricted / 'measures.parquet'))})")  # fmt: skip
        moved = restricted / "linkage_measures.parquet"
        self.linked = counted(pd.read_parquet(moved)) if moved.is_file() else None
        self.periods = sorted({r.period for r in records(self.public.measures[["period"]].drop_duplicates())} - {ALL})
        self.quarters = [p for p in self.periods if "-Q" in p] or self.periods
        self.static = {path.name: path for path in (HERE / "static").iterdir() if path.suffix in KINDS}
        self.lock = threading.Lock()
        self.of_this_version = program_of(audit) == code_hash()

    def answer(self, path: Sequence[str], query: Query, form: Query | None = None) -> Answer:
        """The page at `path`; `form` is what was filled in on it, or None if it is only looked at.

        Of an audit by another version of the program what can be read is shown: one whose persons are forgotten cannot
        be made again.
        """
        with self.lock:
            try:
                return self._answer(path, query, form)
            except LACKING:
                if self.of_this_version:
                    raise
                return self._by_another_version()

    def _answer(self, path: Sequence[str], query: Query, form: Query | None) -> Answer:
        match list(path):
            case ["static", name] if name in self.static:
                return Answer(body=self.static[name].read_bytes(), kind=KINDS[self.static[name].suffix])
            case ["figures", name]:
                return self._figure(name)
            case ["en", "index.html"]:
                return self._page("index.html", "findings", self._findings(query))
            case ["en", "quarters.html"]:
                return self._page("quarters.html", "quarters", self._quarters(query))
            case ["en", "measure.html"] if query.get("measure") in self.measures:
                return self._page("measure.html", "measure", self._measure(query))
            case ["en", "cases.html" | "cases.xlsx" as page]:
                cases = self._cases(query)
                return self._nothing() if cases is None else self._listed(page, cases, query, form)
            case ["en", page]:
                marts = {href: mart for mart, href in self.edition.links().items()}
                if page in marts:
                    words = self.edition.mart_page(marts[page])
                    return self._page(page, "mart", words, folder="")
        return self._nothing()

    # ---- pages -------------------------------------------------------------------------------------------------

    def _page(self, page: str, template: str, words: Mapping[str, Any], *, folder: str = "workbench/") -> Answer:
        marts = [
            (self.story.mart_name(mart), href)
            for mart, href in self.edition.links().items()
            if mart not in self.edition.untold
        ]
        ours = {
            "restricted": True, "languages": (), "bench": self,
            "navigation": [
                ("The unit", [("Findings and their cases", "index.html"), ("Quarter against quarter", "quarters.html")]),
                ("Decisions, nothing hidden", marts),
            ],
        }  # fmt: skip
        return Answer(body=self.edition.render(page, f"{folder}{template}", {**words, **ours}).encode())

    def _nothing(self) -> Answer:
        words = {
            "title": "There is no such page",
            "text": "The address may be of another audit, or its persons were forgotten.",
        }
        return replace(self._page("", "said", words), status=HTTPStatus.NOT_FOUND)

    def _by_another_version(self) -> Answer:
        words = {
            "title": "Another version of the program made this audit",
            "text": "Its tables lack what this page shows. Run `iiu audit` again, or open it with the version that made it.",
        }
        return replace(self._page("", "said", words), status=HTTPStatus.CONFLICT)

    def _figure(self, name: str) -> Answer:
        id_, _, rest = name.partition(".")
        width = rest.removeprefix("en.").removesuffix(".svg")
        drawn = {w: figure for w, figure in self.edition.drawings.get(id_, {}).items() if w == width}
        if not drawn:
            return self._nothing()
        return Answer(body=figures.picture(*drawn.values(), title=id_).encode(), kind=SVG)

    def _findings(self, query: Query) -> dict[str, Any]:
        fields = {"mart": "Theme", "rule": "Rule", "severity": "Weight", "owner": "Who answers", "status": "Since the earlier audit"}  # fmt: skip
        all_of = [f for f in self.findings.values() if not f["same_as"]]
        chosen = {field: query.get(field, "") for field in fields}
        choices = [
            (field, label, [(value, self.say_of(field, value)) for value in sorted({str(f[field]) for f in all_of if field in f})], "All")
            for field, label in fields.items()
        ]  # fmt: skip
        shown = [f for f in all_of if all(not value or f.get(field) == value for field, value in chosen.items())]
        also: dict[str, list[str]] = {}
        for finding in self.findings.values():
            if finding["same_as"]:
                also.setdefault(finding["same_as"], []).append(finding["measure"])
        return {
            "title": "Findings and their cases", "shown": shown, "count": len(all_of), "chosen": chosen, "also": also,
            "choices": [choice for choice in choices if len(choice[2]) > 1], "lists": self.lists.values(),
            "who_answers": who_answers,
        }  # fmt: skip

    def _quarters(self, query: Query) -> dict[str, Any]:
        first, second = self._two(query, self.quarters)
        cell = {name: query.get(name, ALL) for name in ("race", "citizenship")}
        mart = query.get("mart", "")
        found = self._rows(where={**cell, "offence_group": ALL}, periods=(first, second))
        rows = []
        for measure in self.measures.values():
            if mart and measure.mart != mart:
                continue
            stratum = headline(measure)
            before, after = (found.get((measure.measure_id, p, *cell.values(), ALL, stratum)) for p in (first, second))
            if before is None and after is None:
                continue
            change, interval, moved = self._change(before, after)
            if moved or not query.get("moved"):
                rows.append((measure, before, after, change, interval, moved))
        return {
            "title": "Quarter against quarter", "rows": rows, "first": first, "second": second, "chosen": {**query, **cell},
            "choices": [
                ("mart", "Theme", [(mart, self.story.mart_name(mart)) for mart in self.public.marts], "All"),
                *self._period_choices(self.periods),
                *((name, GROUPS[name], [(v, self.say_of(name, v)) for v in self._values(name)], "Everyone") for name in cell),
            ],
        }  # fmt: skip

    def _measure(self, query: Query) -> dict[str, Any]:
        measure = self.measures[query["measure"]]
        rows = self._rows(where={"measure_id": measure.measure_id})
        of: dict[str, list[str]] = {name: sorted({key[at] for key in rows} - {ALL}) for at, name in enumerate(CELL, start=1)}  # fmt: skip
        first, second = self._two(query, [p for p in of["period"] if "-Q" in p] or of["period"])
        by = query["by"] if query.get("by") in GROUPS else "citizenship"
        start = dict.fromkeys(GROUPS, ALL) | {"stratum": headline(measure)}
        cell = {name: query.get(name) or start[name] for name in GROUPS}
        groups = [start[by], *(value for value in of[by] if value != start[by])]
        table = []
        for value in groups:
            group = {**cell, by: value}
            before, after = (rows.get((measure.measure_id, p, *group.values())) for p in (first, second))
            if before is not None or after is not None:
                table.append((self.say_of(by, value), before, after, *self._change(before, after)[:2]))
        of_all = [rows.get((measure.measure_id, p, *cell.values())) for p in (ALL, *of["period"])]
        return {
            "title": self.story.say(measure.title), "measure": measure, "table": table, "by": GROUPS[by],
            "series": [row for row in of_all if row is not None],
            "linked": self._at_thresholds(measure.measure_id, headline(measure)),
            "first": first, "second": second, "chosen": {**query, **cell, "by": by, "first": first, "second": second},
            "choices": [
                *self._period_choices(of["period"]),
                ("by", "A line for each", [(name, label) for name, label in GROUPS.items() if of[name]], None),
                *(
                    (name, f"Only this {label.lower()}", [(v, self.say_of(name, v)) for v in of[name]], "All" if start[name] == ALL else None)
                    for name, label in GROUPS.items() if of[name] and name != by
                ),
            ],
        }  # fmt: skip

    def _at_thresholds(self, measure_id: str, stratum: str) -> dict[str, Any] | None:
        """By group the rows of a measure at each threshold from which persons are taken for one; None where nobody is."""
        if self.linked is None:
            return None
        rows = self.linked[self.linked["measure_id"].eq(measure_id) & self.linked["stratum"].eq(stratum)]
        used = {row.threshold: row.is_used for row in records(self.linked)}
        of = {((row.race, row.citizenship), row.threshold): row for row in records(rows)}
        groups = dict.fromkeys(sorted((key for key, _ in of), key=lambda key: (key != (ALL, ALL), key[0] != ALL, key)))
        names = {
            key: self.say_of("race", key[0]) if key[0] != ALL else self.say_of("citizenship", key[1]) for key in groups
        }
        return {"thresholds": sorted(used.items()), "rows": [(names[key], [of.get((key, t)) for t in sorted(used)]) for key in groups]}  # fmt: skip

    def _period_choices(self, periods: Sequence[str]) -> Iterator[tuple[str, str, list[tuple[str, str]], None]]:
        options = [(p, self.story.say.period(p)) for p in reversed(periods)]
        yield "first", "Before", options, None
        yield "second", "After", options, None

    def _two(self, query: Query, periods: Sequence[str]) -> tuple[str, str]:
        """The two periods to compare: those asked for, or the last one and the same a year before."""
        asked = [query[name] if query.get(name) in self.periods else "" for name in ("first", "second")]
        second = asked[1] or (periods[-1] if periods else ALL)
        year_before = "" if second == ALL else f"{int(second[:4]) - 1}{second[4:]}"
        return asked[0] or (year_before if year_before in self.periods else second), second

    def _rows(self, *, where: Query, periods: Sequence[str] = ()) -> dict[tuple[str, ...], Any]:
        """Rows of the unsuppressed table by (measure, *CELL)."""
        conditions = [f"{column} = {literal(value)}" for column, value in where.items()]
        conditions += [f"period in ({', '.join(map(literal, periods))})"] if periods else []
        found = counted(self.connection.execute(f"from measures where {' and '.join(conditions)}").fetchdf())
        return {tuple(getattr(row, name) for name in ("measure_id", *CELL)): row for row in records(found)}

    def _change(self, before: Any, after: Any) -> tuple[str, str, bool]:
        """From one period to another: the change, its 95% interval, and whether that leaves zero out."""
        if before is None or after is None or before.status not in SHOWN or after.status not in SHOWN:
            return "–", "–", False
        say, unit = self.story.say, after.unit
        limits = [Interval(low=np.asarray(row.ci_low), high=np.asarray(row.ci_high)) for row in (after, before)]
        between = mover(after.estimate, limits[0], before.estimate, limits[1])
        low, high = float(between.low), float(between.high)
        return say.gap(after.estimate - before.estimate, unit), say.interval(low, high, unit, signed=True), low > 0 or high < 0  # fmt: skip

    def _values(self, column: str) -> list[str]:
        return sorted(set(self.public.measures[column]) - {ALL})

    # ---- cases -------------------------------------------------------------------------------------------------

    def _cases(self, query: Query) -> Cases | None:
        """The list that an address names; None if there is no such list."""
        name = {key: query[key] for key in LIST if query.get(key)}
        if (finding := self.findings.get(name.get("finding", ""))) is not None:
            measure = self.measures[finding["measure_id"]]
            where = rows_behind(finding, measure._asdict())
            told = [finding["text"], who_answers(finding)]
            return self._named(name, finding["title"], told, measure.fact, where)
        if (listed := self.lists.get(name.get("list", ""))) is not None:
            return self._named(name, listed["title"], [listed["text"], who_answers(listed)], listed["fact"], listed["condition"])  # fmt: skip
        measure = self.measures.get(name.get("measure", ""))
        part = next((part for part in PART_NAMES if part == name.get("part", "counted")), None)
        if measure is None or part is None:
            return None
        cell = {key: name.get(key, ALL) for key in CELL}
        where = rows_of_cell(measure._asdict(), part=part, **cell)
        told = [self.story.say(measure.definition), ", ".join([PART_NAMES[part], *(self.say_of(k, v) for k, v in cell.items() if v != ALL)]) + "."]  # fmt: skip
        return self._named(name, self.story.say(measure.title), told, measure.fact, where)

    def _named(self, name: Query, title: str, told: Sequence[str], fact: str, where: str) -> Cases | None:
        return Cases(name=name, title=title, told=told, fact=fact, where=where) if fact in self.facts else None

    def _listed(self, page: str, cases: Cases, query: Query, form: Query | None) -> Answer:
        """The rows of a list, once somebody has said who looks and why; each look is logged before it is answered."""
        key = tuple(sorted(cases.name.items()))
        _, count = rows_of(self.connection, cases.fact, cases.where, most=0)
        words = {"title": cases.title, "cases": cases, "count": count, "address": urlencode(cases.name)}
        if form is not None:
            who, why = (" ".join(form.get(name, "").split()) for name in ("who", "why"))
            if who and why:
                self._logged("confirmed", cases, who=who, why=why, rows=count)
                self.confirmed[key], self.who = (who, why), who
                return Answer(body=b"", status=HTTPStatus.SEE_OTHER, headers={"Location": f"cases.html?{urlencode(cases.name)}"})  # fmt: skip
        if key not in self.confirmed:
            return self._page("cases.html", "confirm", words | {"who": self.who, "asked": form is not None})
        who, why = self.confirmed[key]
        columns = [c[0] for c in self.connection.execute(f"from marts.{quoted(cases.fact)} limit 0").description]
        column, holds = query.get("column", ""), query.get("holds", "").strip()
        where, narrowed = cases.where, column in columns and bool(holds)
        if narrowed:
            where += f" and contains(lower(cast({quoted(column)} as varchar)), {literal(holds.lower())})"
        whole = page == "cases.xlsx"
        _, found = rows_of(self.connection, cases.fact, where, most=0)
        pages = max(-(-found // ROWS_A_PAGE), 1)
        asked = query.get("page", "")[:9]
        number = min(max(int(asked), 1), pages) if asked.isdecimal() else 1
        most, after = (ALL_ROWS, 0) if whole else (ROWS_A_PAGE, (number - 1) * ROWS_A_PAGE)
        rows, _ = rows_of(self.connection, cases.fact, where, most=most, after=after)
        only = {"column": column, "holds": holds} if narrowed else {}
        self._logged("saved" if whole else "shown", cases, who=who, why=why, rows=len(rows), **only)
        if whole:
            file = io.BytesIO()
            notes = [cases.title, *cases.told, f"Rows: {len(rows):,}.", ABOUT]
            workbook(file, title=cases.title, notes=notes, rows=rows, as_of=self.public.settings.as_of_date)
            return Answer(body=file.getvalue(), kind=XLSX, headers={"Content-Disposition": 'attachment; filename="cases.xlsx"'})  # fmt: skip
        return self._page("cases.html", "cases", words | {
            "rows": [[_shown(value) for value in row] for row in rows.astype(object).itertuples(index=False)],
            "columns": [(c, c.replace("_", " ")) for c in rows.columns], "found": found, "number": number,
            "pages": pages, "column": column, "holds": holds, "who": who, "why": why,
            "only": urlencode(only), "about": ABOUT.splitlines()[0],
        })  # fmt: skip

    def _logged(self, event: str, cases: Cases, **what: object) -> None:
        settings = self.public.settings
        audit = {"office": settings.office, "as_of": settings.as_of_date.isoformat()}
        write_access(self.log, event, list=dict(cases.name), **what, **audit)

    # ---- words -------------------------------------------------------------------------------------------------

    def say_of(self, column: str, value: str) -> str:
        """A value of a filter or a group as it is read."""
        rules = {"zero_tolerance": "One is too many", "target": "A target missed", "part": "Parts that differ", "gap": "A gap"}  # fmt: skip
        by_column: Mapping[str, Callable[[str], str]] = {
            "mart": self.story.mart_name, "owner": str, "rule": lambda v: rules.get(v, v),
            "race": lambda v: self.story.race_name.get(v, self.story.label(v)),
            "citizenship": lambda v: self.story.citizenship_name.get(v, v), "period": self.story.say.period,
        }  # fmt: skip
        if value == ALL and column in GROUPS:
            return "Everyone" if column in ("race", "citizenship") else "All"
        text = by_column[column](value) if column in by_column else self.story.label(value)
        return text[:1].upper() + text[1:]

    def address(self, row: Any, part: str) -> str:
        """Where the cases of a number are; '' where no table holds them."""
        if self.measures[row.measure_id].fact not in self.facts:
            return ""
        named = {"measure": row.measure_id, "part": part} | {name: getattr(row, name) for name in CELL}
        return f"cases.html?{urlencode({key: value for key, value in named.items() if value != ALL})}"

    def counts(self, row: Any) -> tuple[int | None, int | None]:
        """How many it happened to, and of how many."""
        happened, of = (None if pd.isna(n) else int(n) for n in (row.numerator, row.denominator))
        return happened, of

    def told(self, row: Any) -> str:
        """The value of a row."""
        return self.story.value(row, digits=1)


def _shown(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return str(value.date()) if isinstance(value, datetime) and value.time() == datetime.min.time() else str(value)


class Server(ThreadingHTTPServer):
    """Bound to this machine's own address; `host` is the only name under which it answers."""

    daemon_threads = True

    def __init__(self, bench: Workbench) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bench = bench
        self.token = secrets.token_urlsafe(32)
        self.host = f"127.0.0.1:{self.server_port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}/{self.token}/en/index.html"


class _Handler(BaseHTTPRequestHandler):
    """One request. A page of another site that had its name point at this machine is refused by its Host header."""

    server: Server
    server_version, sys_version = "iiu", ""
    timeout = 60

    def do_GET(self) -> None:
        self._send(self._answered(None))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_FORM:
            return self._send(_plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        filled = self.rfile.read(int(length)).decode("utf-8", "replace")
        if self.headers.get("Origin") != f"http://{self.server.host}":
            return self._send(_plain(HTTPStatus.FORBIDDEN))
        return self._send(self._answered(dict(parse_qsl(filled))))

    def _answered(self, form: Query | None) -> Answer:
        if self.headers.get("Host") != self.server.host:
            return _plain(HTTPStatus.MISDIRECTED_REQUEST)
        address = urlsplit(self.path)
        token, *path = unquote(address.path).lstrip("/").split("/")
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            return _plain(HTTPStatus.NOT_FOUND)
        try:
            return self.server.bench.answer(path, dict(parse_qsl(address.query)), form)
        except OSError as error:  # the log is all that is written
            why = f"The access log cannot be written ({error.strerror}), so no case is shown."
            return replace(_plain(HTTPStatus.INTERNAL_SERVER_ERROR), body=why.encode())
        except duckdb.IOException:
            why = "The audit that was opened is gone; perhaps a new one took its place. Start the workbench again."
            return replace(_plain(HTTPStatus.GONE), body=why.encode())

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {**HEADERS, "Content-Type": answer.kind, "Content-Length": str(len(answer.body)), **answer.headers}.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the address holds the token, and what was looked at stands in the access log."""


def _plain(status: HTTPStatus) -> Answer:
    return Answer(body=status.phrase.encode(), kind="text/plain; charset=utf-8", status=status)


@contextmanager
def serving(audit: Path) -> Iterator[Server]:
    """The server, not yet serving, with its opening in the log; what was sealed is open until the block ends.

    Raises AuditError if there is nothing to show, or no log can be written.
    """
    audit = audit.resolve()
    log = access_log(audit)
    with opened(audit) as restricted:
        try:
            bench = Workbench(audit, restricted, log)
        except LACKING as error:
            raise unreadable(audit, error) from error
        settings = bench.public.settings
        try:
            write_access(log, "opened", office=settings.office, as_of=settings.as_of_date.isoformat())
        except OSError as error:
            raise AuditError([Problem(
                code="IIU146", where=place(file=str(log)), what=f"the access log cannot be written ({error.strerror})",
                expected="a file that can be appended to", fix="Nothing about a person is shown without it",
            )]) from error  # fmt: skip
        with Server(bench) as server:
            yield server

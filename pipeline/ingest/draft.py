"""A first `office.yml` and code tables for exports that nobody has mapped yet, with questions where it is unsure.

Files are read as they would be landed. A column is matched to the contract by its name, against the names that exports
use (`synonyms.csv`), and by what it holds: days, amounts, words of a code (`code_words.csv`), numbers that are unique.
Nothing is decided for the analyst: every doubt is a line that begins with `# QUESTION`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import openpyxl
from rapidfuzz import fuzz

from pipeline.contract import Column, Contract, Table
from pipeline.errors import AuditError, Problem, place
from pipeline.ingest.archive import unpack
from pipeline.ingest.content import HEAD, is_archive, recognise
from pipeline.ingest.freeze import SourceFile
from pipeline.ingest.office import FileMapping, normalise
from pipeline.ingest.read import literal, quoted, read_file
from pipeline.ingest.text import decompressed
from pipeline.whole import write_whole

HERE = Path(__file__).parent
#: A name this alike is taken; above the second, without a question.
TAKEN, SURE = 70.0, 88.0
MOST_TEXTS = 400
_ABBREVIATIONS = dict(
    pair.split("=")
    for pair in """dt=date cd=code desc=description descr=description dispo=disposition disp=disposition no=number num=number
    nbr=number amt=amount ofc=offense offence=offense chg=charge def=defendant dob=birth yob=birth crt=court sent=sentence
    rel=release bk=booking ct=court lang=language cit=citizenship doc=document fy=fiscal fiscalyr=fiscal yr=year cnt=count qty=count
    addr=address""".split()
)
_NOISE = frozenset("of the a an and in c pv id2 2 raw dim at".split())
_FORMATS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d", "%d-%b-%Y", "%Y-%m-%d %H:%M:%S.%g", "%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M %p",
    "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%Y-%m-%dT%H:%M", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%m-%d-%Y", "%d-%b-%y", "%m/%d/%y", "%m/%d/%y %I:%M %p", "%m/%d/%y %H:%M",
)  # fmt: skip
#: Texts that stand for no value, wherever they are. NA is not among them: it is a label in some exports.
_NOTHING = ("NULL", "null", "(null)", "N/A", "n/a", "#N/A", "None", "none", "NaN", "nan", "-", "--", "\\N")
_IDENTIFYING = re.compile(
    r"\b(name|first|last|middle|address|street|phone|email|ssn|alien number|a number|judge|officer)\b"
)


@dataclass(kw_only=True)
class Profile:
    """What a column of a file holds. `texts` are its most frequent values with their counts."""

    name: str
    filled: int
    distinct: int
    texts: list[tuple[str, int]]
    date_format: str | None
    is_number: bool
    is_money: bool
    is_unique: bool
    items: tuple[Profile, ...] = ()

    @property
    def kind(self) -> str:
        if self.items:
            return "json"
        if self.date_format:
            return "date"
        if self.is_number or self.is_money:
            return "number"
        return "text"

    @property
    def form(self) -> str | None:
        """The form of numbers that letters begin or stand in, as P99999999, where nearly all texts have it."""
        if self.kind != "text" or self.distinct < 2:
            return None
        forms = Counter(re.sub(r"\d", "9", text) for text, _ in self.texts)
        form, times = forms.most_common(1)[0]
        fits = times >= 0.95 * len(self.texts) and re.fullmatch(r"[A-Za-z9./-]*", form)
        return form if fits and form.count("9") >= 4 and re.search("[A-Za-z]", form) else None


@dataclass(kw_only=True)
class Drafted:
    """One file of the exports: how it is read, what its columns hold, and what they were matched to."""

    key: str
    pattern: str
    format: dict[str, Any]
    rows: int
    columns: list[Profile]
    null_markers: list[str]
    entries: list[tuple[str, dict[str, Any], list[str]]] = field(default_factory=list)

    def column(self, name: str) -> Profile:
        return next(c for c in self.columns if c.name == name)


def draft_office(*, folder: Path, exports: Path, contract: Contract) -> list[str]:
    """Write `office.yml` and `codes/` into `folder`, which must not hold an office. Returns what was done, in lines."""
    if (folder / "office.yml").exists():
        raise _refusal(folder, "holds an office already", "a new folder")
    name = re.sub(r"[^a-z0-9_]+", "_", folder.resolve().name.lower()).strip("_") or "office"
    name = name if name[0].isalpha() else f"office_{name}"
    with TemporaryDirectory(prefix="iiu-draft-") as work:
        unread: list[str] = []
        files = list(_files(exports, Path(work), unread))
    if not any(file.entries or file.columns for file in files):
        raise _refusal(
            exports, "holds no file that can be read as a table", "CSV, text, .xlsx, JSON or Parquet, zipped or not"
        )
    codes: dict[str, list[tuple[str, str, str]]] = {}
    owners = _owners(files, contract)
    for file in files:
        _match(file, contract, codes, owners)
    (folder / "codes").mkdir(parents=True, exist_ok=True)
    text = "\n".join(_yaml(name, files, contract)) + "\n"
    for table, rows in codes.items():
        with (folder / "codes" / f"{table}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerows([("source", "target", "note"), *rows])
    write_whole(folder / "office.yml", text)  # last: a folder with one is an office
    mapped = sum(len({c for _, columns, _ in f.entries for c in _reads(columns)}) for f in files)
    return [
        *(f"{f.pattern}: {f.rows} rows; feeds {', '.join(dict.fromkeys(t for t, _, _ in f.entries)) or 'nothing yet'}" for f in files),
        *(f"{name}: nothing could be read in it; list it under `not_read`, or describe it under `files` and `iiu check` says why" for name in unread),
        f"{mapped} columns are mapped, {len(codes)} code tables proposed, {text.count('# QUESTION')} questions asked in {folder / 'office.yml'}.",
        f"Next: answer them, then `iiu check {folder} --raw {exports}`.",
    ]  # fmt: skip


def _refusal(path: Path, what: str, expected: str) -> AuditError:
    return AuditError([Problem(code="IIU150", where=place(file=str(path)), what=what, expected=expected)])


# --- reading what nobody described --------------------------------------------------------------------------------


def _files(exports: Path, work: Path, unread: list[str]) -> Iterator[Drafted]:
    """Every table of the exports; files that share their columns (two batches of one export) are one.

    `unread` gets the names of the files of which nothing could be read.
    """
    found: list[tuple[str, Path]] = []
    problems: list[Problem] = []
    if exports.is_dir():
        found = [
            (p.relative_to(exports).as_posix(), p)
            for p in sorted(exports.rglob("*"))
            if p.is_file() and not p.name.startswith(".")
        ]
    elif exports.is_file():
        found = [(exports.name, exports)]
    else:
        raise _refusal(exports, "is neither a folder nor a file", "the folder or zip of the exports")
    listed: list[tuple[str, Path]] = []
    for n, (name, path) in enumerate(found):
        if is_archive(path):
            listed += [(m.name, m.path) for m in unpack(path, name, work / f"zip{n}", problems)]
        elif name != "manifest.json":
            listed.append((name, path))
    if problems:
        raise AuditError(problems)
    seen: dict[tuple[str, ...], Drafted] = {}
    keys: set[str] = set()
    connection = duckdb.connect(config={"temp_directory": str(work / "spill")})
    for n, (name, path) in enumerate(listed):
        is_read = False
        for layout in _layouts(path):
            file = _profiled(connection, name, path, layout, work, f"t{n}", keys)
            if file is None:
                continue
            is_read = True
            same = tuple(c.name for c in file.columns)
            if same in seen and layout["type"] == seen[same].format["type"]:
                seen[same].pattern = _common(seen[same].pattern, name)
                continue
            seen[same] = file
            keys.add(file.key)
            yield file
        if not is_read:
            unread.append(name)
    connection.close()


def _common(one: str, other: str) -> str:
    """A pattern for both names: their last parts, with a star where they differ."""
    a, b = one.rsplit("/", 1)[-1], other.rsplit("/", 1)[-1]
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start] and a[start] != "*":
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end] and a[-1 - end] != "*":
        end += 1
    return a if a == b else f"{a[:start]}*{a[len(a) - end :]}"


def _layouts(path: Path) -> Iterator[dict[str, Any]]:
    """How a file can be read, by what it holds; a workbook, once for each sheet that holds anything."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    source = _source(path, {"type": "csv"}, "x")
    try:
        with decompressed(source) as unpacked:
            sample = unpacked.read(1 << 18)
    except (OSError, EOFError):
        return
    content = recognise(sample if not head.startswith(b"PK") else head, path)
    if content is not None:
        if content.format == "xlsx":
            with path.open("rb") as stream:
                book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
                for sheet in book.worksheets:
                    rows = [
                        [str(v or "").strip() for v in row] for row in sheet.iter_rows(max_row=30, values_only=True)
                    ]
                    if any(any(row) for row in rows):
                        yield {"type": "xlsx", "sheet": sheet.title} | _header(rows)
        elif content.format:
            yield {"type": content.format}
        return
    layout: dict[str, Any] = {"type": "csv"}
    for encoding in ("utf-16",) if sample[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8", "windows-1252"):
        try:
            text = sample[: len(sample) - 4 if len(sample) == 1 << 18 else None].decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8":
            layout["encoding"] = encoding
        break
    else:
        return
    lines = text.lstrip("\ufeff").splitlines()[:200]
    best = max(
        ",|;\t",
        key=lambda d: (
            (Counter(len(r) for r in csv.reader(lines, delimiter=d) if len(r) > 1).most_common(1) or [(0, 0)])[0][1]
            if d in text
            else -1
        ),
    )
    if best != ",":
        layout["delimiter"] = best
    yield layout | _header([[cell.strip() for cell in row] for row in csv.reader(lines[:30], delimiter=best)])


def _header(rows: list[list[str]]) -> dict[str, int]:
    """Which line is the header: the first that is as wide as the table and names each column once."""
    width = max((sum(1 for cell in row if cell) for row in rows), default=0)
    for number, row in enumerate(rows, start=1):
        named = [cell for cell in row if cell]
        if (
            len(named) >= 0.6 * width
            and len(set(named)) >= 0.9 * len(named)
            and not all(c.replace(".", "").isdigit() for c in named)
        ):
            return {"header_row": number} if number > 1 else {}
    return {}


def _source(path: Path, layout: Mapping[str, Any], name: str) -> SourceFile:
    mapping = FileMapping(
        name="drafted", path=name, format=layout, null_markers=(), renames={}, optional=False, filters=(), unused={}, where=name
    )  # fmt: skip
    stat = path.stat()
    return SourceFile(
        batch="", path=path, shown=name, sha256=hashlib.sha256(f"{path} {layout}".encode()).hexdigest(), bytes=stat.st_size, mapping=mapping,
        stamp=(stat.st_size, stat.st_mtime_ns, stat.st_ino), is_accounted=lambda sheet: True,
    )  # fmt: skip


def _profiled(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    path: Path,
    layout: dict[str, Any],
    work: Path,
    table: str,
    keys: set[str],
) -> Drafted | None:
    try:
        raw = read_file(connection, _source(path, layout, name), table=table, work=work)
    except AuditError:
        return None
    stem = re.sub(r"[^a-z0-9]+", "_", Path(name).name.split(".")[0].lower()).strip("_") or "file"
    stem = stem if stem[0].isalpha() else f"file_{stem}"
    if layout["type"] == "xlsx":
        stem += "_" + (re.sub(r"[^a-z0-9]+", "_", str(layout["sheet"]).lower()).strip("_") or "sheet")
    key, copy = stem, 2
    while key in keys:
        key, copy = f"{stem}_{copy}", copy + 1
    columns = [_profile(connection, table, column) for column in raw.columns]
    found = {
        marker
        for column in raw.columns
        for (marker,) in connection.execute(
            f"select distinct trim({quoted(column)}) from {quoted(table)} where list_contains(?::varchar[], trim({quoted(column)}))",
            [list(_NOTHING)],
        ).fetchall()
    }
    return Drafted(
        null_markers=sorted(found), key=key, pattern=Path(name).name, format=layout, rows=raw.records, columns=columns
    )


def _profile(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> Profile:
    nothing = ", ".join(literal(marker) for marker in ("", *_NOTHING))
    cell = f"(case when trim({quoted(name)}) not in ({nothing}) then trim({quoted(name)}) end)"
    formats = ", ".join(f"count(try_strptime(text, {literal(f)}))" for f in _FORMATS)
    row = connection.execute(
        f"""with texts as (select {cell} as text, count(*) as n from {quoted(table)} where {cell} is not null group by text),
        picked as (select text from texts order by hash(text) limit 2000)
        select (select coalesce(sum(n), 0) from texts), (select count(*) from texts),
            (select list([text, n::varchar]) from (select text, n from texts order by n desc, text limit {MOST_TEXTS})),
            count(*), count(try_cast(text as double)), count(*) filter (where regexp_full_match(text, '[(]?-?[$]?[0-9,]+([.][0-9]{{2}})?[)]?')
                and regexp_matches(text, '[$,]')), {formats}, count(*) filter (where text[1:2] = '[{{' and json_valid(text))
        from picked"""
    ).fetchone()
    assert row is not None
    filled, distinct, texts, sampled, numbers, money, *dates, objects = row
    threshold = max(1, 0.97 * sampled)
    best = max(range(len(_FORMATS)), key=lambda i: (dates[i], -i))
    items: tuple[Profile, ...] = ()
    if sampled and objects >= 0.8 * sampled:
        whole = f"{table}_items"
        connection.execute(
            f"""create or replace table {quoted(whole)} as select unnest(json_extract({cell}, '$[*]')) as item
            from {quoted(table)} where json_valid({cell}) limit 20000"""
        )
        keys = connection.execute(
            f"select distinct unnest(json_keys(item)) as key from {quoted(whole)} order by key"
        ).fetchall()
        parts = ", ".join(f"item ->> {literal('$.' + json.dumps(key))} as {quoted(key)}" for (key,) in keys)
        connection.execute(f"create or replace table {quoted(whole + '_cells')} as select {parts} from {quoted(whole)}")
        items = tuple(_profile(connection, whole + "_cells", key) for (key,) in keys)
    return Profile(
        name=name, filled=int(filled), distinct=int(distinct), texts=[(t, int(n)) for t, n in texts or []],
        date_format=_FORMATS[best] if sampled and dates[best] >= threshold else None,
        is_number=bool(sampled) and numbers >= threshold, is_money=bool(money) and money + numbers >= threshold,
        is_unique=filled == distinct and filled > 1, items=items,
    )  # fmt: skip


# --- what a name means --------------------------------------------------------------------------------------------


def words(name: str) -> tuple[str, ...]:
    """A header as words: parted at signs and at capitals, abbreviations written out."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    parted = [part for part in re.split(r"[^a-z0-9]+", spaced.lower()) if part]
    return tuple(word for part in parted if (word := _ABBREVIATIONS.get(part, part)) not in _NOISE) or tuple(parted)


@cache
def _synonyms() -> dict[tuple[str, str], tuple[tuple[str, ...], ...]]:
    with (HERE / "synonyms.csv").open(encoding="utf-8", newline="") as stream:
        return {
            (row["table"], row["column"]): tuple(words(name) for name in row["name"].split("|"))
            for row in csv.DictReader(stream)
        }


@cache
def _code_words() -> dict[str, tuple[tuple[re.Pattern[str], str], ...]]:
    found: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    with (HERE / "code_words.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["column"], []).append((re.compile(row["pattern"], re.IGNORECASE), row["target"]))
    return {column: tuple(rows) for column, rows in found.items()}


@cache
def likeness(name: tuple[str, ...], table: str, column: str) -> float:
    """How well a header fits a column of the contract, 0 to 100."""
    best = 0.0
    for synonym in (*_synonyms().get((table, column), ()), words(f"{column}")):
        if set(synonym) == set(name):
            return 100.0
        if set(synonym) <= set(name):
            # A part of a name says the more, the more of the name it is.
            best = max(best, 96 - 9 * (len(set(name)) - len(set(synonym))) - (6 if len(synonym) == 1 else 0))
        elif all(len(short) > 2 and any(long.startswith(short) for long in synonym) for short in name):
            # A header is cut short: IMM_RAISED is what the contract calls imm_raised_by_defence.
            best = max(best, 92 - 9 * abs(len(set(synonym)) - len(set(name))) - (6 if len(name) == 1 else 0))
        else:
            best = max(best, 0.85 * fuzz.token_sort_ratio(" ".join(synonym), " ".join(name)))
    return best


def propose(column: Column, text: str) -> tuple[str, float]:
    """The value of the contract that a source text most likely means, and a confidence; `unmapped` if none is likely."""
    plain = normalise(text)
    if plain in ("unknown", "unk", "u", "not known"):
        return "recorded_unknown", 0.95
    for value in column.values:
        if plain.replace("-", " ") == value.replace("_", " "):
            return value, 1.0
    for pattern, target in _code_words().get(column.name, ()):
        if target in column.values and pattern.search(plain):
            return target, 0.8
    alike = [(fuzz.ratio(plain, value.replace("_", " ")), value) for value in column.values]
    score, value = max(alike, default=(0.0, ""))
    return (value, round(score / 100, 2)) if score >= 85 else ("unmapped", 0.0)


def _recognised(column: Column, profile: Profile) -> float:
    """The share of a column's rows whose text the words of a code know."""
    total = sum(n for _, n in profile.texts)
    known = sum(n for text, n in profile.texts if propose(column, text)[1] > 0)
    return known / total if total else 0.0


def _could_be_birth(profile: Profile) -> bool:
    """A day, a year of birth, or an age."""
    if profile.date_format or "age" in words(profile.name):
        return True
    years = sum(n for text, n in profile.texts if re.fullmatch(r"(19|20)\d\d(\.0)?", text))
    return years >= 0.9 * sum(n for _, n in profile.texts)


def _fit(profile: Profile, column: Column, hinted: Sequence[str], named: Sequence[str] = ()) -> float:
    """How well a source column fits a column of the contract: by its name, and not against what it holds."""
    score = likeness(words(profile.name), column.table, column.name)
    if column.table == "arrest_charge":
        score = max(score, likeness(words(profile.name), "charge", column.name))
    kind, holds = column.kind, profile.kind
    if holds == "json" or not profile.filled:
        return 0.0
    if kind in ("date", "timestamp") and holds != "date":
        return 0.0
    if kind in ("money", "number", "integer") and holds != "number" and column.name != "birth_year":
        return 0.0
    if column.name == "birth_year" and not _could_be_birth(profile):
        return 0.0
    if column.name.startswith("description") and holds == "number":
        return 0.0
    if kind in ("code", "boolean", "text") and (holds == "date" or profile.is_unique):
        return 0.0
    if kind == "boolean" and profile.distinct > 3:
        return 0.0
    if kind == "code":
        if column.table in named and 1 < profile.distinct <= 30:
            # A header of three letters says little, the words of its codes say what they are.
            recognised = _recognised(column, profile)
            score = max(score, 55 + 35 * recognised) if recognised > 0.6 else score
        if column.name in ("sex", "race_code") and profile.distinct <= 30:
            # These two are known by what they hold, and a number says nothing.
            recognised = _recognised(column, profile)
            score = max(score, 60 + 40 * recognised) if recognised > 0.8 and len(profile.texts) > 1 else score - 20
        if profile.distinct > 40 and column.name not in (
            "offence_category",
            "value",
            "type",
            "location_type",
            "initiator",
        ):
            return 0.0
    return score + (6 if column.table in hinted and score else 0)


# --- from columns to tables ---------------------------------------------------------------------------------------

#: What identifies what, in the order in which a file that has no number of its own borrows one.
_ROLES = {"person": ("person", "person_id"), "case": ("case_", "case_id"), "charge": ("charge", "charge_id"),
          "stay": ("custody_stay", "stay_id"), "arrest": ("arrest", "arrest_id")}  # fmt: skip
_KEY_ROLE = {"person_id": "person", "case_id": "case", "charge_id": "charge", "stay_id": "stay", "arrest_id": "arrest"}
_CONSTANTS = {"version_no": "1"}
#: Last words that several tables end with, and that say nothing alone.
#: Words in the name of a file that say that it is one.
_LISTS = frozenset("list log ledger index register table file export report data history extract sheet".split())
_VAGUE = frozenset("event total line aggregate person race".split())


def _hints(file: Drafted, contract: Contract) -> tuple[list[str], list[str]]:
    """The tables that a file's name speaks of: all of them, and those that it is named after, by their own last word."""
    of_file = {word for w in words(file.key) for word in (w, _singular(w))}
    spoken = [t for (t, c), names in _synonyms().items() if not c and any(set(n) <= of_file for n in names)]
    named = [t for t in contract if words(t)[-1] in of_file and not (len(words(t)) > 1 and words(t)[-1] in _VAGUE)]
    named += [t for t in contract if set(words(t)) <= of_file and t not in named]
    bare = {_singular(word) for word in words(file.key) if not word.isdigit() and word not in _LISTS}
    named += [t for (t, c), names in _synonyms().items() if not c and any(set(n) == bare for n in names) and t not in named]  # fmt: skip
    return list(dict.fromkeys((*spoken, *named))), named


def _singular(word: str) -> str:
    return re.sub(r"ies$", "y", word) if word.endswith("ies") else word.removesuffix("s")


def _owners(files: Sequence[Drafted], contract: Contract) -> dict[str, str]:
    """Which table's rows the identifiers of a form number, as P99999999 does persons': the form of the first unique column
    of a file that is named after the table, where no two tables claim it.
    """
    claims: dict[str, set[str]] = {}
    for file in files:
        _, named = _hints(file, contract)
        own = next((p for p in file.columns if p.is_unique and p.form), None)
        if own and named:
            claims.setdefault(str(own.form), set()).add(named[0])
    return {form: tables.pop() for form, tables in claims.items() if len(tables) == 1}


def _match(
    file: Drafted, contract: Contract, codes: dict[str, list[tuple[str, str, str]]], owners: Mapping[str, str]
) -> None:
    """Decide which tables a file feeds, and write one entry for each."""
    hinted, named = _hints(file, contract)
    numbered = {owners[form]: p.name for p in reversed(file.columns) if (form := p.form) and form in owners}
    matched: dict[str, dict[str, tuple[Profile, float]]] = {}
    for profile in file.columns:
        fits = [
            (_fit(profile, c, hinted, named), c)
            for t in contract.values()
            for c in t.columns.values()
            if c.kind != "id" and ((t.name, c.name) in _synonyms() or t.name in named)
        ]
        top = max((score for score, _ in fits), default=0.0)
        for score, column in fits:
            if score >= max(TAKEN, top - 10):
                held = matched.setdefault(column.table, {}).get(column.name)
                if held is None or held[1] < score:
                    matched[column.table][column.name] = (profile, score)
    roles = {role: numbered[table] for role, (table, _) in _ROLES.items() if table in numbered} | _roles(file)
    totals = matched.get("reporting_total", {})
    if "total" in totals and totals["total"][1] >= SURE and not roles and not any(p.is_unique for p in file.columns):
        matched = {"reporting_total": totals}  # the file is counted already: its rows are nobody
    wanted = [t for t in contract if t in matched and _is_worth(t, matched, hinted)]
    of_persons = {("person", "person_id")}
    if "case" not in roles:  # a case stands for its person
        of_persons.add(("case_", "case_id"))
    if roles and any(c.references in of_persons for t in wanted for c in contract[t].columns.values()):
        wanted = list(dict.fromkeys(("person", *wanted)))
    if "case" in roles and {"charge", "disposition", "sentence", "hearing", "bail_event", "diversion_referral"} & set(
        wanted
    ):
        wanted = list(dict.fromkeys(("case_", *wanted)))
    for name in sorted(wanted, key=list(contract).index):
        _entry(file, contract[name], matched.get(name, {}), roles, wanted, codes, numbered)
    for profile in file.columns:
        if profile.items:
            loose = "arrest" in wanted and "case" not in roles and "criminal" not in words(profile.name)
            _entry_of_items(file, profile, contract["arrest_charge" if loose else "charge"], codes)


def _is_worth(table: str, matched: Mapping[str, Mapping[str, tuple[Profile, float]]], hinted: Sequence[str]) -> bool:
    """Whether enough of a table was found: what says which table it is, and not a day or a court that many have.

    A column that is as much like one of a table that the file is named after says nothing of any other.
    """
    if table in hinted or table in ("person", "person_race"):
        return True
    claimed: dict[str, float] = {}
    for one in hinted:
        for profile, score in matched.get(one, {}).values():
            claimed[profile.name] = max(score, claimed.get(profile.name, 0.0))
    own = [score for profile, score in matched[table].values() if score > claimed.get(profile.name, 0.0)]
    return max(own, default=0.0) >= 85 or len(own) >= 3


def _roles(file: Drafted) -> dict[str, str]:
    """Which column identifies persons, cases, charges, stays and arrests."""
    roles: dict[str, str] = {}
    for role, (table, column) in _ROLES.items():
        best = max(
            ((likeness(words(p.name), table, column), p.filled, p.name) for p in file.columns
             if p.kind in ("text", "number") and p.filled >= 0.9 * file.rows and p.distinct > 1 and not p.is_money),
            default=(0.0, 0, ""),
        )  # fmt: skip
        if best[0] >= 80:
            roles[role] = best[2]
    return roles


def _entry(
    file: Drafted, table: Table, matched: Mapping[str, tuple[Profile, float]], roles: Mapping[str, str], wanted: Sequence[str],
    codes: dict[str, list[tuple[str, str, str]]], numbered: Mapping[str, str],
) -> None:  # fmt: skip
    columns: dict[str, Any] = {}
    questions: list[str] = []
    dates = [p for p in file.columns if p.date_format and p.filled >= 0.5 * file.rows]
    for name, column in table.columns.items():
        if column.kind == "id":
            spec = _identifier(file, table, column, roles, wanted, questions, numbered)
            if spec is not None:
                columns[name] = spec
        elif name in matched:
            profile, score = matched[name]
            columns[name] = _spec(file, profile, column, codes, questions)
            if score < SURE:
                questions.append(f"is [{profile.name}] {table.name}.{name}? {column.description}")
        elif column.need == "required":
            if name in _CONSTANTS:
                columns[name] = {"constant": _CONSTANTS[name]}
            elif column.kind == "code":
                columns[name] = {"constant": "not_recorded"}
                questions.append(f"what is {table.name}.{name} here? One of {', '.join(column.values)}")
            elif column.kind in ("date", "timestamp") and (year := _year(file)) and not dates:
                columns[name] = {"column": year.name, "date": "%Y"}
                questions.append(
                    f"nothing but the year [{year.name}] was found for {table.name}.{name}. {column.description}"
                )
            elif column.kind in ("date", "timestamp") and dates:
                columns[name] = _spec(file, dates[0], column, codes, questions)
                questions.append(
                    f"no column was found for {table.name}.{name}; is [{dates[0].name}] it? {column.description}"
                )
            else:
                questions.append(f"{table.name} is left out: nothing was found for {name}. {column.description}")
    days: dict[str, str] = {}
    for name, spec in columns.items():
        if isinstance(spec, dict) and "date" in spec:
            other = days.setdefault(spec["column"], name)
            if other != name:
                questions.append(
                    f"[{spec['column']}] is both {other} and {name}: which rows are which? Use sql with a case"
                )
    complete = all(n in columns for n, c in table.columns.items() if c.need == "required")
    if complete:
        file.entries.append((table.name, columns, questions))
    elif questions:
        file.entries.append((f"# {table.name}", {}, questions))


def _year(file: Drafted) -> Profile | None:
    return next((p for p in file.columns if {"year", "fiscal"} & set(words(p.name)) and p.is_number), None)


def _identifier(
    file: Drafted, table: Table, column: Column, roles: Mapping[str, str], wanted: Sequence[str], questions: list[str],
    numbered: Mapping[str, str],
) -> Any:  # fmt: skip
    own = column.name in table.key
    of = table.name if own and column.references is None else column.references[0] if column.references else ""
    if of in numbered and (not own or file.column(numbered[of]).is_unique):
        return numbered[of]
    if column.name == "court_no":
        return roles.get("case")
    if not own and column.references is None:
        return None
    role = _KEY_ROLE.get(column.name) or _KEY_ROLE.get(column.references[1] if column.references else "")
    if role in ("person", "case"):
        found = roles.get(role) or roles.get("case" if role == "person" else "person") or roles.get("stay")
        if found is not None:
            if role not in roles:
                questions.append(f"there is no number of a {role}; does [{found}] stand for one?")
            return found
        if own or column.need == "required":
            questions.append(f"there is no number of a {role}: each row stands for one. Is that so?")
            return {"row": True}
        return None
    named = roles.get(role or "")
    if own:
        if named is not None and file.column(named).is_unique:
            return named
        unique = [
            p.name for p in file.columns if p.is_unique and likeness(words(p.name), table.name, column.name) >= 80
        ]
        if unique:
            return unique[0]
        return named if role == "stay" and named else {"row": True}
    target = column.references[0] if column.references else ""
    if named is not None and target in wanted:
        return named if file.column(named).is_unique or role == "stay" else {"row": True}
    return {"row": True} if target in wanted else None


def _spec(
    file: Drafted, profile: Profile, column: Column, codes: dict[str, list[tuple[str, str, str]]], questions: list[str]
) -> Any:
    """How one source column is read, as the mapping language says it."""
    if column.kind in ("date", "timestamp"):
        spec: dict[str, Any] = {"column": profile.name, "date": profile.date_format}
        if "%y" in str(profile.date_format):
            spec["two_digit_year_pivot"] = 30
            questions.append(f"[{profile.name}] has years of two digits; is 30 the last that can mean this century?")
        twin = str(profile.date_format).replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
        if (
            twin in _FORMATS
            and twin != profile.date_format
            and all(int(p) <= 12 for t, _ in profile.texts[:200] for p in re.findall(r"\d+", t)[:2])
        ):
            questions.append(f"[{profile.name}] could be read with the day first as well; which is it?")
        return spec
    if column.kind == "money" and profile.is_money:
        return {"column": profile.name, "number": {"currency": "$", "thousands": ","}}
    if column.name == "birth_year":
        if profile.date_format:
            return {"sql": f"year(try_strptime({quoted(profile.name)}, {literal(profile.date_format)}))"}
        if "age" in words(profile.name):
            day = next((p for p in file.columns if p.date_format and p.filled >= 0.9 * file.rows), None)
            fiscal = _year(file)
            base = (
                f"year(try_strptime({quoted(day.name)}, {literal(str(day.date_format))}))"
                if day
                else f"try_cast({quoted(fiscal.name)} as integer)"
                if fiscal
                else None
            )
            if base:
                questions.append(f"[{profile.name}] is taken as the age on the day of [{(day or fiscal).name}]. Is it?")  # type: ignore[union-attr]
                return {"sql": f"{base} - try_cast({quoted(profile.name)} as integer)"}
        return profile.name
    if column.kind == "code":
        return {"column": profile.name, "codes": _code_table(file.key, profile, column, codes)}
    return profile.name


def _code_table(key: str, profile: Profile, column: Column, codes: dict[str, list[tuple[str, str, str]]]) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", f"{key}_{profile.name}_{column.table}_{column.name}".lower()).strip("_")
    rows = []
    seen: set[str] = set()
    for text, n in profile.texts:
        if normalise(text) in seen:
            continue
        seen.add(normalise(text))
        target, confidence = propose(column, text)
        doubt = "QUESTION: what is it?" if target == "unmapped" else f"proposed, confidence {confidence:.2f}"
        rows.append((text, target, f"{n} rows; {doubt}"))
    codes[name] = rows
    return name


def _entry_of_items(
    file: Drafted, profile: Profile, table: Table, codes: dict[str, list[tuple[str, str, str]]]
) -> None:
    """A JSON cell: each item is a charge, as far as its keys say so; of an arrest where the file has no case."""
    columns: dict[str, Any] = {" each": {"column": profile.name, "as": "item"}, f"{table.name}_id": {"row": True}}
    if table.name == "charge":
        columns |= {"version_no": {"constant": "1"}, "stage": {"constant": "not_recorded"}}
    else:
        columns |= {"arrest_id": {"record": True}}
    for name, column in table.columns.items():
        best = max(((_fit(item, column, ()), item.name) for item in profile.items), default=(0.0, ""))
        if (
            best[0] < TAKEN
            or column.kind == "id"
            or ((table.name, name) not in _synonyms() and ("charge", name) not in _synonyms())
        ):
            continue
        item = next(i for i in profile.items if i.name == best[1])
        spec = _spec(file, item, column, codes, [])
        columns[name] = {**spec, "column": f"item.{item.name}"} if isinstance(spec, dict) else f"item.{item.name}"
    file.entries.append(
        (table.name, columns, [f"what are the items of [{profile.name}], and at which stage are they?"])
    )


def _reads(columns: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for name, spec in columns.items():
        if name == " each":
            found.add(spec["column"])
        elif isinstance(spec, str):
            found.add(spec)
        elif "column" in spec:
            found.add(spec["column"])
        elif "sql" in spec:
            found |= {name.replace('""', '"') for name in re.findall(r'"((?:[^"]|"")+)"', spec["sql"])}
    return found


# --- the file -----------------------------------------------------------------------------------------------------


def _yaml(name: str, files: Sequence[Drafted], contract: Contract) -> Iterator[str]:
    years = _years(files, contract) or ["2020", "2024"]
    yield "# A draft. Lines that begin with `# QUESTION` are what it is unsure of; delete each once it is answered."
    yield "mapping_language: 1"
    yield f"office: {name}"
    yield f"title: {json.dumps(name.replace('_', ' ').title() + ': a draft')}"
    yield "# QUESTION: which state, on which day was this exported, and which period does it cover?"
    yield "jurisdiction: US"
    yield f"as_of_date: {years[-1]}-12-31"
    yield f"period: {{from: {years[0]}-01-01, to: {years[-1]}-12-31}}"
    yield "reference: {race: white, citizenship: citizen}"
    yield "seed: 1"
    yield "# secret: identifiers are hashed with a key that lies outside of the data."
    yield "identifiers: secret"
    yield "# A draft tolerates what it does not know. QUESTION: lower both to 0.01 once the code tables are read through."
    yield "unmapped_tolerance: 1"
    yield "rejected_tolerance: 0.2"
    yield 'source: {publisher: "the office\'s own export"}'
    yield "files:"
    fed = [f for f in files if any(not t.startswith("#") for t, _, _ in f.entries)]
    for file in fed:
        yield f"  {file.key}:   # {file.rows} rows"
        yield f"    path: {json.dumps(file.pattern)}"
        yield f"    format: {json.dumps(file.format, ensure_ascii=False)}"
        if file.null_markers:
            yield f"    null_markers: {json.dumps(file.null_markers)}"
        used = {c.casefold() for _, columns, _ in file.entries for c in _reads(columns)}
        unused = [p for p in file.columns if p.name.casefold() not in used]
        items = [
            f"item.{key}"
            for p in file.columns
            for key in (i.name for i in p.items)
            if f"item.{key}".casefold() not in used
        ]
        if unused or items:
            yield "    unused:"
        for profile in unused:
            reason = (
                "may identify a person: not read"
                if _IDENTIFYING.search(" ".join(words(profile.name)))
                else "QUESTION: is it needed?"
            )
            yield f"      {json.dumps(profile.name, ensure_ascii=False)}: {json.dumps(f'{reason} {_holds(profile)}', ensure_ascii=False)}"
        for key in dict.fromkeys(items):
            yield f'      {json.dumps(key, ensure_ascii=False)}: "QUESTION: is it needed?"'
    left = [f for f in files if f not in fed]
    if left:
        yield "# QUESTION: nothing was recognised in these files; do they hold anything that is audited?"
        yield "not_read:"
        for file in left:
            yield f'  - {{path: {json.dumps(file.pattern)}, reason: "QUESTION: what is it? {file.rows} rows"}}'
    yield "tables:"
    for table in contract:
        entries = [(f, columns, q) for f in files for t, columns, q in f.entries if t == table]
        if entries:
            yield f"  {table}:"
        for file, columns, questions in entries:
            yield from (f"    # QUESTION: {' '.join(question.split())}" for question in questions)
            yield f"    - from: {file.key}"
            if " each" in columns:
                yield f"      each: {json.dumps(columns[' each'], ensure_ascii=False)}"
            yield "      columns:"
            for column, spec in columns.items():
                if column != " each":
                    yield f"        {column}: {json.dumps(spec, ensure_ascii=False)}"
    for file in files:
        for table, _, questions in file.entries:
            if table.startswith("#"):
                yield from (f"# QUESTION: {file.key}: {' '.join(question.split())}" for question in questions)


def _years(files: Sequence[Drafted], contract: Contract) -> list[str]:
    """The years of the dates that are matched to a day of the contract, none of which is of a birth; nothing finer, since a
    mapping holds no word of the records.
    """
    found = set()
    for file in files:
        days = {
            column
            for table, columns, _ in file.entries
            if table in contract
            for target, spec in columns.items()
            if target in contract[table].columns and contract[table].columns[target].kind in ("date", "timestamp")
            for column in _reads({target: spec})
        }
        texts = [text for profile in file.columns if profile.name in days for text, _ in profile.texts]
        found |= {text[:4] for text in texts if re.fullmatch(r"\d{4}-\d{2}-\d{2}( .*)?", text)}
    return sorted(found)


def _holds(profile: Profile) -> str:
    """What a column holds, without a word of it."""
    if not profile.filled:
        return "(blank on every row)"
    if profile.date_format:
        return f"(dates, {profile.distinct} different)"
    return f"({'numbers' if profile.is_number else 'texts'}, {profile.distinct} different)"

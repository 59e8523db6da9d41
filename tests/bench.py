"""What the audit costs beside bare SQL, pandas and polars: `make bench`, or `python -m tests.bench CASES ...`.

For each size a synthetic county is made once, outside git. Then four processes run over the same exports, one after the
other: three scripts that load every CSV file and count the cells of some headline measures, one in DuckDB's SQL, written as
well as we can, one in pandas and one in polars (`tests/rivals.py`); and the whole audit. All cells must be identical, or the
bench fails: so each script is a second opinion of landing, models and grouping, too.

    python -m tests.bench --audited CASES EXPORTS AUDIT

does the same with an audit that has run already. Either way `tests/bench.md` and `tests/bench.svg` are written anew, from
all sizes that this version of the program was measured at on this machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib.metadata import version
from math import log
from pathlib import Path

import duckdb
import numpy as np
import yaml

from pipeline.contract import ROOT
from pipeline.ingest.keys import install_key, office_key

REPORT = Path(__file__).with_suffix(".md")
CACHE = ROOT / ".cache" / "bench"
CASES = (120_000, 1_000_000)
SEED = 20_241_231
OFFICE = ROOT / "pipeline" / "offices" / "example_county"
MEASURES = ("BAIL-03", "BAIL-13", "CHG-01", "CHG-02")
CELL = "measure_id, quarter, race, citizenship, offence_group, numerator, denominator"


SCRIPTS = {"bare": "DuckDB", "pandas": "pandas", "polars": "polars"}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Wall seconds, seconds of all cores, and the peak memory of the process in MB."""

    seconds: float
    cpu_seconds: float
    megabytes: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """Of one county: what each script cost, and the audit (None where it had run before); the cells that all agree on."""

    cases: int
    exports: int
    scripts: dict[str, Cost]
    audit: Cost | None
    run: dict[str, object]
    written: dict[str, int]
    same: int
    different: dict[str, int]


def run(module: str, *arguments: str | Path, log: Path) -> Cost:
    """Run a module to its end; what it says goes into `log`. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", module, *(str(argument) for argument in arguments)]
    log.parent.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise subprocess.CalledProcessError(code, command)
    return Cost(
        seconds=time.perf_counter() - begun,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        megabytes=usage.ru_maxrss // 1024,
    )


def main(sizes: Sequence[int]) -> int:
    results = []
    for cases in sizes:
        county = CACHE / f"{cases}-{_made_by()}"
        exports, out = county / "exports", county / "audit"
        if not (county / "truth" / "rates.parquet").is_file():
            sizes_and_seed = ("--cases", str(cases), "--seed", str(SEED))
            run("pipeline.cli", "synth", *sizes_and_seed, "--out", county, log=CACHE / f"{cases}.log")
        audit = run("pipeline.cli", "audit", "example_county", "--raw", exports, "--out", out, log=county / "audit.log")
        results.append(measure(cases, exports, out, county, audit))
        write()
    return int(any(result.same == 0 or any(result.different.values()) for result in results))


def measure(cases: int, exports: Path, out: Path, work: Path, audit: Cost | None) -> Result:
    """Run the scripts over exports that were audited, and compare their cells with the audit's."""
    scripts, different, same = {}, {}, 0
    for script, name in SCRIPTS.items():
        cells = work / f"{script}.parquet"
        scripts[name] = run("tests.bench", f"--{script}", exports, cells, log=work / f"{script}.log")
        same, different[name] = compare(cells, out / "restricted")
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    result = Result(
        cases=cases,
        exports=_bytes(exports),
        scripts=scripts,
        audit=audit,
        run={key: record[key] for key in ("steps", "peak_memory_mb")},
        written={folder.name: _bytes(folder) for folder in sorted(out.iterdir()) if folder.is_dir()},
        same=same,
        different=different,
    )
    kept = _measured_here() / f"{cases}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(asdict(result), indent=1), encoding="utf-8")
    return result


def _measured_here() -> Path:
    """Where this version's figures are kept: a line through those of two versions would be neither's."""
    from pipeline.report.release import code_hash  # the scripts' processes are not to pay for its imports

    return CACHE / "measured" / code_hash()[:8]


def measured() -> list[Result]:
    """What this version was measured at, the smallest county first."""
    found = []
    for path in _measured_here().glob("*.json"):
        saved = json.loads(path.read_text(encoding="utf-8"))
        saved["scripts"] = {name: Cost(**cost) for name, cost in saved["scripts"].items()}
        saved["audit"] = saved["audit"] and Cost(**saved["audit"])
        found.append(Result(**saved))
    return sorted(found, key=lambda result: result.cases)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def compare(ours: Path, restricted: Path) -> tuple[int, int]:
    """The number of cells that are in both, and the number that are in one alone."""
    with duckdb.connect() as connection:
        connection.execute(f"create table script as select {CELL} from '{ours}'")
        connection.execute(
            f"create table audit as select {CELL} from '{restricted}/mart_*__cells.parquet' where measure_id in {MEASURES}"
        )
        counts = connection.execute(
            """select (select count(*) from (from script intersect from audit)),
                (select count(*) from (from script except from audit)) + (select count(*) from (from audit except from script))"""
        ).fetchall()
    return counts[0][0], counts[0][1]


# --- the report -------------------------------------------------------------------------------------------------------


def write() -> None:
    """The tables of all that was measured, and beside them the ratios as a picture."""
    results = measured()
    REPORT.write_text("\n".join(_report(results)) + "\n", encoding="utf-8")
    REPORT.with_suffix(".svg").write_text(_picture(results), encoding="utf-8")
    print(REPORT.read_text(encoding="utf-8"), flush=True)


def _report(results: Sequence[Result]) -> Iterator[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "pandas", "polars", "pyarrow"))
    yield "# What the audit costs beside bare SQL, pandas and polars"
    yield ""
    yield (
        f"Written by `python -m tests.bench`. The machine: {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {packages}. Only ratios travel to another machine; seconds of all cores (CPU) "
        "tell more than seconds on the clock where something else ran beside."
    )
    yield ""
    yield (
        f"A script loads every CSV file of the exports and counts the cells of {len(MEASURES)} measures ({', '.join(MEASURES)}): "
        "a part of what the audit counts, and the same part in DuckDB, pandas and polars. Ratios are to DuckDB's CPU."
    )
    yield ""
    yield "![Ratios](bench.svg)"
    yield ""
    yield "| cases | exports MB | | s | CPU s | ratio | peak MB | cells as the audit's |"
    yield "|---:|---:|---|---:|---:|---:|---:|---:|"
    for result in results:
        bare = result.scripts["DuckDB"].cpu_seconds
        for name, cost in (result.scripts | ({"the whole audit": result.audit} if result.audit else {})).items():
            cells = f"{result.same:,}{f', {n:,} not' if (n := result.different.get(name, 0)) else ''}"
            yield (
                f"| {result.cases:,} | {result.exports / 1e6:,.0f} | {name} | {cost.seconds:.1f} | {cost.cpu_seconds:.1f} | "
                f"{cost.cpu_seconds / bare:.1f} | {cost.megabytes:,} | {cells if name in result.scripts else ''} |"
            )
    yield from _budget([result for result in results if result.audit])
    for result in results:
        total = sum(step["seconds"] for step in result.run["steps"])
        yield ""
        yield f"## The steps of the audit of {result.cases:,} cases"
        yield ""
        if result.audit is None:
            yield "It had run before, so its seconds are of what the machine did then; its memory is the most of all steps."
            yield ""
        yield "| step | s | CPU s | share of s | peak memory so far, MB |"
        yield "|---|---:|---:|---:|---:|"
        for step in result.run["steps"]:
            peak = f"{step['peak_memory_mb']:,}" if "peak_memory_mb" in step else ""
            cpu = f"{step['cpu_seconds']:.1f}" if "cpu_seconds" in step else ""
            yield f"| {step['name']} | {step['seconds']:.1f} | {cpu} | {step['seconds'] / total:.0%} | {peak} |"
        yield f"| all | {total:.1f} | | | {result.run['peak_memory_mb']:,} |"
        yield ""
        yield "Written, in MB: " + ", ".join(f"{name} {size / 1e6:,.1f}" for name, size in result.written.items()) + "."


def _budget(results: Sequence[Result]) -> Iterator[str]:
    """What the audit was to cost at most, and what it costs."""
    if len(results) < 2:
        return
    cases = [result.cases for result in results]
    audits = [result.audit.cpu_seconds for result in results if result.audit]
    bare, pandas = ([r.scripts[name].cpu_seconds for r in results] for name in ("DuckDB", "pandas"))
    (each, start), (each_bare, _) = (line(cases, seconds) for seconds in (audits, bare))
    largest = results[-1]
    memory = largest.audit.megabytes / 1024 if largest.audit else 0.0
    growth = log(audits[-1] / audits[0]) / log(cases[-1] / cases[0])
    yield ""
    yield "## The budget"
    yield ""
    yield (
        f"CPU seconds as a straight line over {', '.join(f'{n:,}' for n in cases)} cases: {start:.0f} and {1e6 * each:,.0f} more "
        f"for each million cases. The scripts count {len(MEASURES)} measures, the audit all, with their statistics, checks, proof "
        "and pages: what it costs beside a script says what all that costs, not how well it counts those."
    )
    yield ""
    yield "| | at most | found |"
    yield "|---|---:|---:|"
    yield f"| a further case, beside the script in DuckDB | 1.5 times | {each / each_bare:.1f} times |"
    yield f"| what any audit costs, CPU s | 120 | {start:.0f} |"
    yield f"| growth of the cost with the cases, as their power | 1.05 | {growth:.2f} |"
    yield f"| peak memory at {largest.cases:,} cases, GiB | 8 at 10,000,000 | {memory:.1f} |"
    yield f"| cost beside the script in pandas at {largest.cases:,} cases | a third | {audits[-1] / pandas[-1]:.1f} times |"


def line(cases: Sequence[int], seconds: Sequence[float]) -> tuple[float, float]:
    """The slope and the start of the straight line through these points that is nearest by least squares."""
    slope, start = np.polyfit(cases, seconds, 1)
    return float(slope), float(start)


def _picture(results: Sequence[Result]) -> str:
    """Bars of CPU seconds and of peak memory, as many times those of the script in DuckDB."""
    rows = []
    for result in results:
        bare = result.scripts["DuckDB"]
        for name, cost in result.scripts.items():
            told = f"{name}, {result.cases:,} cases"
            rows += [
                (told, "CPU", cost.cpu_seconds / bare.cpu_seconds),
                ("", "memory", cost.megabytes / bare.megabytes),
            ]
    widest = max(ratio for *_, ratio in rows)
    drawn = []
    for place, (told, what, ratio) in enumerate(rows):
        y = 16 + 20 * place + 8 * (place // 2)
        drawn.append(
            f'<text x="196" y="{y + 12}" text-anchor="end">{escape(told)}</text><rect x="204" y="{y}" height="16" '
            f'width="{300 * ratio / widest:.1f}" fill="{"#1f5f8b" if what == "CPU" else "#9bb8cc"}"/>'
            f'<text x="{210 + 300 * ratio / widest:.1f}" y="{y + 12}">{what} x {ratio:.1f}</text>'
        )
    height = 32 + 20 * len(rows) + 8 * (len(rows) // 2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 {height}" width="620" height="{height}" role="img" '
        'font-family="sans-serif" font-size="12"><title>CPU seconds and peak memory, as multiples of the script in DuckDB'
        f'</title><rect width="620" height="{height}" fill="#fff"/>{"".join(drawn)}</svg>\n'
    )


def _made_by() -> str:
    """What makes a county, in eight characters: exports that an earlier version made have other columns."""
    files = [*sorted((ROOT / "pipeline" / "synth").rglob("*.*")), OFFICE / "effects.yml"]
    sources = (path.read_bytes() for path in files if path.suffix in (".py", ".sql", ".yml", ".csv"))
    return hashlib.sha256(b"".join(sources)).hexdigest()[:8]


# --- the bare script --------------------------------------------------------------------------------------------------

#: How the files of the Example County are to be read that are not plain CSV.
DELIMITERS = {"matters.txt": "|", "jail/stays.csv": ";"}

CELLS = """
-- A cell as landing sees it: trimmed, blanks as nothing; codes without regard to case and runs of blanks.
create macro told(cell) as nullif(trim(cell, ' ' || chr(9) || chr(10) || chr(13) || chr(160)), '');
create macro code(cell) as lower(regexp_replace(told(cell), '\\s+', ' ', 'g'));

create table offence as
from (values ('hom', 'violent'), ('sex', 'violent'), ('rob', 'violent'), ('aslt', 'violent'), ('dv', 'violent'),
    ('burg', 'property'), ('thft', 'property'), ('theft', 'property'), ('frd', 'property'), ('prop', 'property'),
    ('drgp', 'drug'), ('drgs', 'drug'), ('dui', 'driving'), ('traf', 'driving'), ('wpn', 'public_order'),
    ('pubo', 'public_order'), ('pros', 'public_order'), ('just', 'public_order'), ('othr', 'other')) as v(text, offence_group);

-- What is said of the kind of offence, if anything.
create macro kind(cell) as case when code(cell) in (select text from offence) then code(cell) end;

create table race as
select told(PERSON_NO) as person, case
    when bool_or(race = 'hispanic_latino') then 'hispanic_latino'
    when count(distinct race) = 1 then min(race) else 'multiracial' end as race
from (
    select PERSON_NO, unnest([RACE, RACE_2]) as source from person_index
    union all select PERSON_NO, '(hispanic)' from person_index where code(HISP) = 'y'
) join (
    from (values ('w', 'white'), ('white', 'white'), ('b', 'black'), ('black', 'black'), ('h', 'hispanic_latino'),
        ('hisp', 'hispanic_latino'), ('(hispanic)', 'hispanic_latino'), ('a', 'asian'), ('i', 'aian'), ('me', 'mena'),
        ('p', 'nhpi'), ('mx', 'multiracial'), ('o', 'other')) as v(text, race)
) on code(source) = text
where told(PERSON_NO) is not null
group by all;

-- Each entry as it was sent last.
create table statement as
select arg_max_null(told(PERSON_NO), rowid) as person, arg_max_null(code(STMT), rowid) as statement,
    arg_max_null(code(LEARNED), rowid) as learned, arg_max_null(code(PERM), rowid) as permission,
    arg_max_null(try_strptime(told(ENTERED), '%Y%m%d')::date, rowid) as day
from citizenship_log
where told(ENTRY_NO) is not null and told(PERSON_NO) is not null and try_strptime(told(ENTERED), '%Y%m%d') is not null
group by told(ENTRY_NO);

create table citizenship as
select person, min(day) filter (where statement in ('usc', 'usn')) as citizen_on,
    min(day) filter (where statement = 'nonc') as noncitizen_on
from statement
where statement in ('usc', 'usn', 'nonc') and coalesce(permission, '') <> 'wh'
    and learned in ('bkself', 'consul', 'detnr', 'icerec', 'def', 'ctrec', 'volform')
group by person;

create table matter as
select told(MATTER_NO) as matter, arg_max_null(told(PERSON_NO), rowid) as person, arg_max_null(told(ARREST_NO), rowid) as arrest,
    arg_max_null(code(DECN), rowid) as decision, arg_max_null(try_strptime(told(DECN_DT), '%Y-%m-%d')::date, rowid) as day,
    arg_max_null(kind(LEAD_OFF), rowid) as category
from matters
where told(MATTER_NO) is not null and told(PERSON_NO) is not null and try_strptime(told(RECD), '%Y-%m-%d') is not null
group by told(MATTER_NO);

-- Few matters lack their own category; only for these the arrest is asked, and ties go by the key.
update matter set category = arrested.category from (
    select arrest, arg_min_null(category, (-gravity, category is null, tie)) as category from (
        select arrest, kind(category) as category,
            case when code(class) in ('f', 'fel', 'wf') then 3 when code(class) in ('m', 'misd', 'wm') then 2
                when code(class) in ('i', 'inf') then 1 else 0 end as gravity,
            keyed('arrest_charge.arrest_charge_id', arrest || '|' || place || '|' || statute) as tie
        from (
            select told(ARREST_NO) as arrest, unnest([1, 2, 3]) as place,
                unnest([told(CHG1_STATUTE), told(CHG2_STATUTE), told(CHG3_STATUTE)]) as statute,
                unnest([CHG1_CAT, CHG2_CAT, CHG3_CAT]) as category, unnest([CHG1_CLASS, CHG2_CLASS, CHG3_CLASS]) as class
            from arrests where told(ARREST_NO) in (select arrest from matter where category is null)
                and try_strptime(told(ARREST_DTTM), '%m/%d/%Y %H:%M') is not null  -- else the arrest is rejected
        ) where statute is not null
    ) group by arrest
) as arrested where matter.arrest = arrested.arrest and matter.category is null;

-- A case is of the kind of its top charge as filed, else of its matter.
create table top_charge as
select told(CASE_NO) as case_no, arg_max_null(kind(CAT), rowid) as category from charges
where told(CASE_NO) is not null and code(TOP) = 'y' group by told(CASE_NO);

create table court_case as
select told(CASE_NO) as case_no, arg_max_null(told(PERSON_NO), rowid) as person, arg_max_null(told(MATTER_NO), rowid) as matter
from cases where told(CASE_NO) is not null and told(PERSON_NO) is not null group by told(CASE_NO);

create table asked as
select arg_max_null(told(CASE_NO), rowid) as case_no, arg_max_null(code(coalesce(PEOPLE_ASK, DA_REQ)), rowid) as asked,
    arg_max_null(try_strptime(told(HEARD), '%m/%d/%Y %I:%M:%S %p')::date, rowid) as day
from bail
where told(BAIL_NO) is not null and told(CASE_NO) is not null and try_strptime(told(HEARD), '%m/%d/%Y %I:%M:%S %p') is not null
group by told(BAIL_NO);

create table decided as
select person, day, category, decision in ('file', 'reject', 'divert') as is_decided, decision = 'file' as is_filed,
    decision = 'reject' as is_declined, null::boolean as is_detention, null::boolean as is_cash_or_detention
from matter
union all
select court_case.person, asked.day, coalesce(top_charge.category, matter.category), false, false, false,
    asked = 'nobail', asked in ('nobail', 'cash')
from asked left join court_case using (case_no) left join top_charge using (case_no)
left join matter on court_case.matter = matter.matter
where asked in ('or', 'sor', 'ncc', 'cash', 'nobail', 'submit');

create table cells as
with counted as (
    select year(day) || '-Q' || quarter(day) as quarter, coalesce(race, 'unknown') as race, case
        when citizen_on <= day and noncitizen_on <= day then 'unknown' when citizen_on <= day then 'citizen'
        when noncitizen_on <= day then 'noncitizen' else 'unknown' end as citizenship,
        coalesce(offence_group, 'unknown') as offence_group,
        count(*) filter (where is_decided and is_filed) as filed, count(*) filter (where is_decided) as all_decided,
        count(*) filter (where is_decided and is_declined) as declined,
        count(*) filter (where is_detention) as detention, count(is_detention) as all_asked,
        count(*) filter (where is_cash_or_detention) as cash_or_detention
    from decided left join race using (person) left join citizenship using (person)
    left join offence on category = text
    where day between date '2015-01-01' and date '2024-12-31'
    group by all
)
select unnest(['CHG-01', 'CHG-02', 'BAIL-03', 'BAIL-13']) as measure_id, quarter, race, citizenship, offence_group,
    unnest([filed, declined, detention, cash_or_detention]) as numerator,
    unnest([all_decided, all_decided, all_asked, all_asked]) as denominator
from counted;
"""


def csv_files(exports: Path) -> dict[str, tuple[list[Path], str]]:
    """The CSV files of each kind, in the order of the batches and so of when they were sent, and their delimiter."""
    office = yaml.safe_load((OFFICE / "office.yml").read_text(encoding="utf-8"))
    found = {
        name: (
            [path for batch in sorted(exports.iterdir()) for path in sorted(batch.glob(file["path"]))],
            DELIMITERS.get(file["path"], ","),
        )
        for name, file in office["files"].items()
        if file["format"]["type"] == "csv"
    }
    return {name: (paths, delimiter) for name, (paths, delimiter) in found.items() if paths}


def bare(files: dict[str, tuple[list[Path], str]], key: bytes, target: Path) -> None:
    """Load the files as text, then count the cells of the headline measures into a Parquet file."""
    connection = duckdb.connect()  # in memory: to write a file costs half as much again, and nobody would read it
    connection.execute(f"set temp_directory = '{target.with_suffix('.spill')}'")
    install_key(connection, key)
    for name, (paths, delimiter) in files.items():
        # In the order of the batches: the row id then says what was sent last.
        connection.execute(
            f"""create table {name} as from read_csv($paths, delim = $delimiter, header = true, all_varchar = true,
                quote = '"', escape = '"', union_by_name = true, strict_mode = true, ignore_errors = true)""",
            {"paths": [str(path) for path in paths], "delimiter": delimiter},
        )
    connection.execute(CELLS)
    connection.execute(f"copy (select {CELL} from cells where denominator > 0) to '{target}'")
    connection.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--audited", cases, exports, audit]:
            result = measure(int(cases), Path(exports), Path(audit), CACHE / "audited", None)
            write()
            sys.exit(int(result.same == 0 or any(result.different.values())))
        case [("--bare" | "--pandas" | "--polars") as script, exports, target]:
            if script == "--bare":
                count = bare
            else:
                from tests import rivals  # SQL is not to pay for their start

                count = rivals.with_pandas if script == "--pandas" else rivals.with_polars
            count(csv_files(Path(exports)), office_key("example_county", "published"), Path(target))
        case sizes:
            sys.exit(main([int(size) for size in sizes] or CASES))

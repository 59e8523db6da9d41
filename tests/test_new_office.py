"""A first mapping, drafted from the exports alone: what it gets right, what it asks, and that it can be checked at once."""

from __future__ import annotations

import ast
import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipeline.audit import check_office
from pipeline.cli import main
from pipeline.contract import ROOT, load_contract
from pipeline.errors import AuditError
from pipeline.ingest.draft import Profile, _files, _fit, draft_office, likeness, propose, words
from pipeline.ingest.land import land
from pipeline.ingest.office import OFFICES_FOLDER, load_office
from pipeline.progress import Progress
from pipeline.synth import write_county
from tests.draft_score import score
from tests.test_export_accidents import archive, workbook
from tests.tiny_office import EXPORT

DATA = ROOT.parent / "shared" / "data"
#: The share of mapped columns that the draft of each office gets right, at the least.
LEAST = {"broward_fl": 0.8, "cook_il": 0.8, "middlesex_ma": 0.8, "pierce_wa": 0.8, "seattle_i213": 0.8, "ussc": 0.8}
WIDE = EXPORT.replace("Ref,Pid,Name,Sex,Received,Decision,Decided", "Referral No,Defendant ID,Last Name,Gender,Received Date,Decision,Decision Date")  # fmt: skip


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the public records are not in {DATA}")
@pytest.mark.parametrize(
    "office", [pytest.param(o, marks=pytest.mark.slow if o in ("middlesex_ma", "ussc") else ()) for o in LEAST]
)
def test_the_draft_of_a_real_office_gets_most_mapped_columns_right(office: str, tmp_path: Path) -> None:
    found = score(committed=OFFICES_FOLDER / office, exports=DATA / office, folder=tmp_path / office)
    print(
        f"{office}: {found.right} of {found.columns} columns ({found.share:.0%}), "
        f"{found.pairs_right} of {found.pairs} uses; not: {', '.join(found.wrong)}"
    )
    assert found.share >= LEAST[office]


@pytest.mark.slow
def test_headers_of_three_letters_are_matched_by_what_their_columns_hold(tmp_path: Path) -> None:
    """The synthetic county was mapped by hand and its headers are terse: what a draft gets right there, nobody wrote for it."""
    write_county(out=tmp_path, cases=400, seed=3)
    found = score(
        committed=OFFICES_FOLDER / "example_county", exports=tmp_path / "exports", folder=tmp_path / "example_county"
    )
    print(f"{found.right} of {found.columns} columns ({found.share:.0%}), {found.pairs_right} of {found.pairs} uses")
    assert found.share >= 0.38


def test_the_draft_does_not_look_at_the_offices_that_are_there() -> None:
    source = (ROOT / "pipeline" / "ingest" / "draft.py").read_text(encoding="utf-8")
    names = {alias.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) for alias in node.names}  # fmt: skip
    assert "OFFICES_FOLDER" not in names and "load_office" not in names and "offices" not in source


def test_every_synonym_and_code_word_belongs_to_the_contract() -> None:
    contract = load_contract()
    folder = ROOT / "pipeline" / "ingest"
    with (folder / "synonyms.csv").open(encoding="utf-8", newline="") as stream:
        synonyms = list(csv.DictReader(stream))
    assert [r for r in synonyms if r["table"] not in contract or (r["column"] and r["column"] not in contract[r["table"]].columns)] == []  # fmt: skip
    with (folder / "code_words.csv").open(encoding="utf-8", newline="") as stream:
        wrong = [
            row for row in csv.DictReader(stream)
            if not any(row["target"] in c.values for t in contract.values() for c in t.columns.values() if c.name == row["column"])
        ]  # fmt: skip
    assert wrong == []


def test_a_header_is_read_as_words_with_its_abbreviations_written_out() -> None:
    assert words("CASE_PARTICIPANT_ID") == ("case", "participant", "id")
    assert words("bookingDt") == ("booking", "date")
    assert likeness(words("Disp Dt"), "disposition", "disposed_on") == 100
    assert likeness(words("Height"), "disposition", "disposed_on") < 60
    assert likeness(words("IMM_RAISED"), "plea_offer", "imm_raised_by_defence") > 70


def columns_of(text: str) -> dict[str, Profile]:
    """The profiles of a small CSV's columns, by name."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "raw").mkdir()
        (Path(folder) / "raw" / "x.csv").write_text(text, encoding="utf-8")
        (file,) = _files(Path(folder) / "raw", Path(folder), [])
    return {column.name: column for column in file.columns}


def test_numbers_of_a_form_are_known_in_every_file_that_has_them() -> None:
    people = "\n".join(f"P{i:06},{'FM'[i % 2]}" for i in range(40))
    bail = "\n".join(f"B-{i:05},P{i % 9:06},01/02/2024" for i in range(40))
    with TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        raw.mkdir()
        (raw / "persons.csv").write_text(f"NO,SX\n{people}\n", encoding="utf-8")
        (raw / "bail.csv").write_text(f"NO,WHO,AT\n{bail}\n", encoding="utf-8")
        draft_office(folder=Path(folder) / "o", exports=raw, contract=load_contract())
        office = load_office(Path(folder) / "o", load_contract())
    used = {(e.file, e.table, c.name, *c.reads) for e in office.entries for c in e.columns if c.kind == "id"}
    assert {("persons", "person", "person_id", "NO"), ("bail", "bail_event", "bail_event_id", "NO")} <= used
    assert ("bail", "person", "person_id", "WHO") in used


def test_a_column_of_the_table_that_a_file_is_named_after_makes_no_other_table() -> None:
    """A fine stands in `sentence.fine`; in a file of bail it is what was posted, and an offence of its own is still one."""

    def drafted(name: str, header: str) -> set[str]:
        rows = "\n".join(f"B{i:05},P{i % 9:06},01/0{i % 9 + 1}/2024,{i * 50}.00,Theft {i % 3}" for i in range(40))
        with TemporaryDirectory() as folder:
            (Path(folder) / "raw").mkdir()
            (Path(folder) / "raw" / name).write_text(f"{header}\n{rows}\n", encoding="utf-8")
            draft_office(folder=Path(folder) / "o", exports=Path(folder) / "raw", contract=load_contract())
            return {entry.table for entry in load_office(Path(folder) / "o", load_contract()).entries}

    header = "receipt_no,person_id,bail_receipt_dt,fine_amt,booking_charge_desc"
    assert drafted("bail_receipts.csv", header) & {"bail_event", "charge", "sentence"} == {"bail_event", "charge"}
    assert "sentence" in drafted("amounts.csv", header)


def test_a_place_of_birth_is_no_year_of_birth() -> None:
    born = columns_of("place_of_birth,year_of_birth,age\n" + "Mexico,1990,31\nPeru,1980.0,41\n" * 5)
    fits = {name: _fit(profile, load_contract()["person"].columns["birth_year"], ()) for name, profile in born.items()}
    assert fits["place_of_birth"] == 0 and fits["year_of_birth"] > 80


@pytest.mark.parametrize(
    ("column", "text", "target"),
    [
        ("person.sex", "F", "female"),
        ("person_race.race_code", "White [Hispanic or Latino]", "hispanic_latino"),
        ("person_race.race_code", "UNKNOWN", "recorded_unknown"),
        ("referral.decision", "Rejected", "declined"),
        ("charge.severity", "(M1)", "misdemeanor"),
        ("person_race.race_code", "Zyx", "unmapped"),
        ("person_race.race_code", "Insufficient", "unmapped"),
        ("person_race.race_code", "I", "aian"),
    ],
)
def test_a_code_is_proposed_or_left_open(column: str, text: str, target: str) -> None:
    table, name = column.split(".")
    assert propose(load_contract()[table].columns[name], text)[0] == target


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("referrals 2024.csv", WIDE.encode()),
        ("referrals.txt", WIDE.replace(",", ";").encode("utf-16")),
        ("export.zip", archive(("in/referrals.csv", WIDE.encode()))),
        ("referrals.csv", ("Referrals of the county\n\nprinted by hand\n" + WIDE).encode()),
        ("referrals.xlsx", workbook(*(row.split(",") for row in ["Title", *WIDE.splitlines()]))),
    ],
)
def test_a_draft_can_be_landed_as_it_is_whatever_the_export_looks_like(
    name: str, content: bytes, tmp_path: Path
) -> None:
    raw, folder, work = tmp_path / "raw", tmp_path / "my_office", tmp_path / "work"
    raw.mkdir()
    work.mkdir()
    (raw / name).write_bytes(content)
    draft_office(folder=folder, exports=raw, contract=load_contract())
    text = (folder / "office.yml").read_text(encoding="utf-8")
    # The key would be looked for in the user's own folder.
    (folder / "office.yml").write_text(text.replace("identifiers: secret", "identifiers: published"), encoding="utf-8")
    office = load_office(folder, load_contract())
    supplied = {f"{table}.{column}" for table, column in office.supplied}
    assert {"person.sex", "referral.received_at", "referral.decision", "referral.decision_date"} <= supplied
    (count,) = land(office=office, contract=load_contract(), raw=raw, database=work / "audit.duckdb", work=work).files
    assert (count.read, count.landed) == (3, 3)
    (file,) = office.files.values()
    assert "may identify a person" in file.unused["Last Name"]
    assert "Example" not in text, "a draft holds no cell of an identifying column"


def test_what_it_is_unsure_of_is_asked_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "r.csv").write_text(WIDE.replace("Decision,", "Outcome of it,", 1), encoding="utf-8")
    assert main(["new-office", str(tmp_path / "o"), "--from", str(tmp_path / "raw")]) == 0
    told = capsys.readouterr().out
    assert "questions asked" in told and "iiu check" in told
    assert "# QUESTION" in (tmp_path / "o" / "office.yml").read_text(encoding="utf-8")


def test_no_day_of_a_person_stands_in_a_draft_and_no_file_is_left_out_without_a_word(tmp_path: Path) -> None:
    rows = "".join(f"R{i},P{i},{1950 + i}-03-07,{2015 + i % 8}-05-0{1 + i % 9}\n" for i in range(40))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "r.csv").write_text(f"Referral No,Defendant ID,Date of Birth,Received Date\n{rows}")
    (tmp_path / "raw" / "torn.csv").write_bytes(b"Case,Filed\nC1,2020-01-01\n\0\0\n")
    told = draft_office(folder=tmp_path / "o", exports=tmp_path / "raw", contract=load_contract())
    text = (tmp_path / "o" / "office.yml").read_text(encoding="utf-8")
    assert "as_of_date: 2022-12-31" in text and "period: {from: 2015-01-01, to: 2022-12-31}" in text
    assert "-03-07" not in text
    assert [line.split(":")[0] for line in told if "nothing could be read" in line] == ["torn.csv"]


def test_an_office_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "office.yml").write_text("mine", encoding="utf-8")
    with pytest.raises(AuditError, match=r"IIU150 .*holds an office already"):
        draft_office(folder=tmp_path, exports=tmp_path, contract=load_contract())
    assert (tmp_path / "office.yml").read_text(encoding="utf-8") == "mine"


def test_check_says_which_marts_can_be_had_and_what_the_others_need(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "referrals.csv").write_text(WIDE, encoding="utf-8")
    draft_office(folder=tmp_path / "o", exports=tmp_path / "raw", contract=load_contract())
    path = tmp_path / "o" / "office.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("identifiers: secret", "identifiers: published"))
    lines = list(check_office(office=str(tmp_path / "o"), raw=tmp_path / "raw", progress=Progress(quiet=True)))
    custody = next(line for line in lines if line.startswith("custody: "))
    assert custody.startswith("custody: 0 of ") and "custody_stay.booked_at" in custody
    assert any(line.startswith("data_quality: ") for line in lines)
    assert lines[-1].endswith("the exports fit the mapping.")

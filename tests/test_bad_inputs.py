"""What an analyst gets to read when an export or a mapping is wrong: a code, a place, what was expected, what to do."""

from __future__ import annotations

import gzip
import lzma
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.cli import main
from pipeline.errors import AuditError
from tests.tiny_office import EXPORT, OFFICE_YML, TinyOffice

Change = Callable[[TinyOffice], None]


def export(old: str, new: str) -> Change:
    assert old in EXPORT
    return lambda tiny: tiny.write_export(EXPORT.replace(old, new).encode())


def mapping(old: str, new: str) -> Change:
    assert old in OFFICE_YML
    return lambda tiny: tiny.write_office(OFFICE_YML.replace(old, new))


def bytes_of(content: bytes, name: str = "referrals.csv") -> Change:
    return lambda tiny: tiny.write_export(content, name)


REFUSED: dict[str, tuple[Change, str]] = {
    # the export
    "a column is dropped": (
        lambda tiny: tiny.write_export(
            b"Ref,Pid,Name,Received,Decision,Decided\nR1,P1,Ann,01/02/2024,Filed,01/05/2024\n"
        ),
        r"IIU201 referrals.csv:1 column \[Sex\]: the column is missing; office.yml:\d+ reads it",
    ),
    "a column is renamed": (
        export("Decision,", "Decision Code,"),
        r"IIU201 referrals.csv:1 column \[Decision\].*nearest \[Decision Code\].*renames",
    ),
    "a column is new": (
        export("Ref,Pid,Name,Sex,Received,Decision,Decided\n", "Ref,Pid,Name,Sex,Received,Decision,Decided,Notes\n"),
        r"IIU202 referrals.csv:1 column \[Notes\].*unused",
    ),
    "most codes are renamed": (
        lambda tiny: tiny.write_export(EXPORT.replace("Filed", "Fild").replace("Rejected", "Rejct").encode()),
        r"IIU205 referrals.csv column \[Decision\]: value \[Fild\] \(1 rows, first in row 2\) is not mapped; nearest \[filed\]",
    ),
    "most dates are garbled": (
        lambda tiny: tiny.write_export(
            EXPORT.replace("01/02/2024", "soon").replace("01/03/2024", "2024-01-03").encode()
        ),
        r"IIU302 referrals.csv:2 column \[Received\]: the value is no date as %m/%d/%Y \(2 rows, 66.7%.*first in row 2",
    ),
    "the encoding is another one": (
        bytes_of(EXPORT.replace("Bob", "Zoë").encode("windows-1252")),
        r"IIU111 referrals.csv:3: a byte on this line is not utf-8 \(byte 0xeb\).*windows-1252",
    ),
    "the file is in UTF-16": (
        bytes_of(EXPORT.encode("utf-16")),
        r"IIU111 referrals.csv: is in UTF-16.*encoding: utf-16",
    ),
    "a gzip is cut off": (
        bytes_of(gzip.compress(EXPORT.encode() * 50)[:-20]),
        r"IIU113 referrals.csv: breaks off or is damaged",
    ),
    "an xz is cut off": (
        bytes_of(lzma.compress(EXPORT.encode() * 50)[:-20]),
        r"IIU113 referrals.csv: breaks off or is damaged",
    ),
    "the first bytes of a gzip are damaged": (
        lambda tiny: (
            (tiny.raw / "referrals.csv").unlink(),
            tiny.write_export(b"\x00" + gzip.compress(EXPORT.encode() * 50)[1:], "referrals.csv.gz"),
            tiny.write_office(OFFICE_YML.replace("referrals*.csv", "referrals*.csv*")),
        ),
        r"IIU113 referrals.csv.gz: is no text, nor anything that its first bytes tell.*Ask for the file again: it is damaged",
    ),
    "a damaged gzip is called a text": (
        bytes_of(b"\x00" + gzip.compress(EXPORT.encode() * 50)[1:]),
        r"IIU113 referrals.csv: is no text, nor anything that its first bytes tell.*Ask for the file again: it is damaged",
    ),
    "a quote never closes": (
        export("R2,P2,Bob Example", 'R2,P2,"Bob Example'),
        r'IIU112 referrals.csv:3: a \["\] is opened and never closed',
    ),
    "the file is empty": (bytes_of(b""), r"IIU117 referrals.csv: has 0 lines"),
    "the delimiter is another one": (
        bytes_of(EXPORT.replace(",", ";").encode()),
        r"IIU201 referrals.csv:1 column \[Decided\]",
    ),
    "the file is missing": (
        lambda tiny: (tiny.raw / "referrals.csv").unlink(),
        r"IIU110 office.yml:\d+: no file matches \[referrals\*\.csv\]",
    ),
    "a file is not named": (
        bytes_of(b"a\n1\n", "refferals_2.csv"),
        r"IIU115 refferals_2.csv: is not named in office.yml; nearest \[referrals\*.csv\]",
    ),
    "zero bytes": (bytes_of(EXPORT.replace("Ann", "A\0n").encode()), r"IIU114 referrals.csv: holds zero bytes"),
    # the mapping
    "the YAML is broken": (
        mapping("source: {publisher: nobody}", "source: {publisher: nobody"),
        r"IIU101 office.yml:\d+",
    ),
    "a key is misspelled": (
        mapping("unused:", "unusd:"),
        r"IIU102 office.yml:18: \[unusd\] is no key.*nearest \[unused\]",
    ),
    "a key stands twice": (mapping("seed: 7", "seed: 7\nseed: 8"), r"IIU101 office.yml:9: \[seed\] stands twice"),
    "an alias is used": (mapping("seed: 7", "seed: &a 7\nsource: *a"), r"IIU101 office.yml: an alias"),
    "a table is no table": (
        mapping("  referral:", "  refferal:"),
        r"IIU103 office.yml:\d+: \[refferal\] is no table of the contract; nearest \[referral\]",
    ),
    "a column is no column": (
        mapping("received_at:", "recieved_at:"),
        r"IIU103 office.yml:\d+: \[recieved_at\] is no column of \[referral\]; nearest \[received_at\]",
    ),
    "a required column is not mapped": (
        mapping('        received_at: {column: Received, date: "%m/%d/%Y"}\n', ""),
        r"IIU107 office.yml:\d+: the required column \[referral.received_at\] is not mapped",
    ),
    "a code table is missing": (
        mapping("codes: sex", "codes: sexx"),
        r"IIU104 office.yml:\d+: there is no codes/sexx.csv; nearest \[sex\]",
    ),
    "a target is no value of the contract": (
        lambda tiny: tiny.write_codes("sex", "source,target,note\nF,femal,\nM,male,\n"),
        r"IIU104 codes/sex.csv:2 column \[target\]: \[femal\] is no value of person.sex; nearest \[female\]",
    ),
    "a source text is mapped twice": (
        lambda tiny: tiny.write_codes("sex", "source,target,note\nF,female,\nf ,male,\n"),
        r"IIU105 codes/sex.csv:3: \[f\] is mapped twice, also on line 2",
    ),
    "an expression reads a file": (
        mapping("referral_id: Ref", "referral_id: {sql: \"(select content from read_text('/etc/passwd'))\"}"),
        r"IIU106 office.yml:\d+: the expression cannot be used: subquery is not allowed",
    ),
    "an expression reads the clock": (
        mapping("referral_id: Ref", "referral_id: {sql: \"strftime(now(), '%Y')\"}"),
        r"IIU106 office.yml:\d+: the expression cannot be used: the function now is not allowed",
    ),
    "a file feeds no table": (
        mapping("files:\n", "files:\n  others:\n    path: others.csv\n    format: {type: csv}\n"),
        r"IIU108 office.yml:\d+: the file \[others\] feeds no table.*not_read",
    ),
    "a column is both read and listed unused": (
        mapping("unused: {Name: identifies a person}", "unused: {Name: identifies a person, Sex: not needed}"),
        r"IIU109 office.yml:\d+: \[Sex\] is listed unused",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_export_or_mapping_is_refused_with_its_place_and_a_way_out(case: str, tmp_path: Path) -> None:
    change, expected = REFUSED[case]
    tiny = TinyOffice(tmp_path)
    change(tiny)
    with pytest.raises(AuditError) as caught:
        tiny.land()
    assert re.search(expected, str(caught.value)), str(caught.value)


LOADED_WITH_A_WARNING: dict[str, tuple[Change, str, int, int]] = {
    # change, warning, landed, rejected
    "one code is renamed": (
        export("Rejected", "Rejectd"),
        r"IIU204 .*\[Rejectd\] \(1 rows, first in row 3\).*nearest \[rejected\]",
        3,
        0,
    ),
    "one required date is garbled": (
        export("01/03/2024", "33/44/2024"),
        r"IIU301 referrals.csv:3 column \[Received\].*the rows are rejected",
        2,
        1,
    ),
    "one other date is garbled": (
        export("01/09/2024", "0x/09/2024"),
        r"IIU301 referrals.csv:3 column \[Decided\].*loaded without it",
        3,
        0,
    ),
    "the file ends in the middle of a row": (
        bytes_of(EXPORT.encode()[:-26]),
        r"IIU301 referrals.csv:4: the row has fewer cells",
        2,
        1,
    ),
    "a row has a cell too many": (
        export("01/05/2024", "01/05/2024,x"),
        r"IIU301 referrals.csv:2: the row has more cells",
        2,
        1,
    ),
    "a key is blank": (export("R2,", ","), r"IIU301 referrals.csv:3 column \[Ref\]: the value is blank", 2, 1),
}


@pytest.mark.parametrize("case", LOADED_WITH_A_WARNING)
def test_a_small_defect_is_counted_and_named_and_the_rest_is_loaded(case: str, tmp_path: Path) -> None:
    change, expected, landed, rejected = LOADED_WITH_A_WARNING[case]
    tiny = TinyOffice(tmp_path)
    change(tiny)
    landing = tiny.land()
    assert re.search(expected, "\n".join(map(str, landing.warnings)))
    (count,) = landing.files
    assert (count.read, count.landed, count.rejected) == (3, landed, rejected)


READ_ALL_THE_SAME: dict[str, Change] = {
    "a byte order mark": bytes_of(b"\xef\xbb\xbf" + EXPORT.encode()),
    "CRLF line ends": bytes_of(EXPORT.replace("\n", "\r\n").encode()),
    "CR line ends": bytes_of(EXPORT.replace("\n", "\r").encode()),
    "mixed line ends": bytes_of(EXPORT.replace("Decided\n", "Decided\r\n").encode()),
    "gzip under a .csv name": bytes_of(gzip.compress(EXPORT.encode(), mtime=0)),
    "xz under a .csv name": bytes_of(lzma.compress(EXPORT.encode())),
    "no line end at the end": bytes_of(EXPORT.rstrip("\n").encode()),
    "padded headers and cells": bytes_of(EXPORT.replace(",", " , ").encode()),
    "codes in other case": bytes_of(EXPORT.replace("Filed", "FILED").encode()),
}


@pytest.mark.parametrize("case", READ_ALL_THE_SAME)
def test_forms_that_mean_the_same_are_read_the_same(case: str, tmp_path: Path) -> None:
    tiny = TinyOffice(tmp_path)
    READ_ALL_THE_SAME[case](tiny)
    landing = tiny.land()
    assert not landing.warnings
    rows = duckdb.connect(str(tiny.database)).execute(
        "select _source_row, decision, received_at::varchar, decision_date::varchar from landed.referral order by 1"
    )
    assert rows.fetchall() == [
        (2, "filed", "2024-01-02", "2024-01-05"),
        (3, "declined", "2024-01-03", "2024-01-09"),
        (4, "pending", "2024-02-01", None),
    ]


def test_rows_keep_the_number_they_have_in_the_file_when_others_are_rejected_or_blank(tmp_path: Path) -> None:
    tiny = TinyOffice(tmp_path)
    lines = EXPORT.splitlines()
    tiny.write_export("\n".join([lines[0], lines[1], "", "R9,P9", lines[2], lines[3], ""]).encode())
    landing = tiny.land()
    rows = duckdb.connect(str(tiny.database)).execute("select _source_row from landed.referral order by 1").fetchall()
    assert [row for (row,) in rows] == [2, 5, 6]
    assert [(c.read, c.landed, c.rejected) for c in landing.files] == [(4, 3, 1)]


def test_headers_that_are_words_of_ours_are_columns_of_the_export(tmp_path: Path) -> None:
    office = TinyOffice(tmp_path)
    for ours, theirs in (("Pid", "id"), ("Ref", "source"), ("Sex", "target")):
        office.write_office((office.office / "office.yml").read_text(encoding="utf-8").replace(ours, theirs))
        office.write_export((office.raw / "referrals.csv").read_bytes().replace(ours.encode(), theirs.encode(), 1))
    office.land()
    with duckdb.connect(str(office.database), read_only=True) as connection:
        sexes = connection.execute("select sex from landed.person order by _source_row").fetchall()
    assert sexes == [("female",), ("male",), ("female",)]


def test_all_problems_of_a_run_are_reported_together(tmp_path: Path) -> None:
    tiny = TinyOffice(tmp_path)
    tiny.write_office(OFFICE_YML.replace("received_at:", "recieved_at:").replace("codes: sex", "codes: sexx"))
    with pytest.raises(AuditError) as caught:
        tiny.land()
    assert [p.code for p in caught.value.problems] == ["IIU104", "IIU107", "IIU103"]


def test_a_missing_column_is_told_once_with_every_place_that_reads_it(tmp_path: Path) -> None:
    tiny = TinyOffice(tmp_path)
    tiny.write_export(EXPORT.replace("Pid,", "Person,").encode())
    with pytest.raises(AuditError) as caught:
        tiny.land()
    (told,) = [p.what for p in caught.value.problems if p.code == "IIU201"]
    assert re.fullmatch(
        r"the column is missing; office.yml:\d+ reads it, as do office.yml:\d+", told.split("; nearest")[0]
    )


def test_what_must_be_mended_stands_last_on_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = TinyOffice(tmp_path)
    for batch, header in (("1", "Ref,"), ("2", "Reference,")):
        (tiny.raw / batch).mkdir()
        (tiny.raw / batch / "referrals.csv").write_text(EXPORT.replace("Ref,", header).replace("Rejected", "Rejectd"))
    (tiny.raw / "referrals.csv").unlink()
    assert main(["check", str(tiny.office), f"--raw={tiny.raw}"]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line]
    assert [line.split()[0] for line in said[:-1]] == ["IIU204", "IIU304", "IIU201", "IIU202"]
    assert said[-1] == "2 to mend, 2 to know. Nothing was written."


@pytest.mark.parametrize("name", ["Maria Fuentes", "Smith", "Li"])
def test_a_name_that_slipped_into_a_column_of_codes_is_told_by_its_shape(name: str, tmp_path: Path) -> None:
    tiny = TinyOffice(tmp_path)
    tiny.write_export(EXPORT.replace("Bob Example,M,", f"Bob Example,{name},").encode())
    (told,) = [problem for problem in tiny.land().warnings if problem.code == "IIU204"]
    assert name not in str(told)
    assert "first in row 3" in told.what


def test_a_day_of_export_within_the_period_is_refused_from_the_command_as_from_the_mapping(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = TinyOffice(tmp_path)
    options = ["audit", str(tiny.office), f"--raw={tiny.raw}", f"--out={tmp_path / 'audit'}"]
    assert main([*options, "--as-of=2024-12-30"]) == 1
    assert "IIU102 --as-of: the period ends on 2024-12-31" in capsys.readouterr().err
    assert not (tmp_path / "audit").exists()


@pytest.mark.parametrize(("key", "twice"), [("Ref", False), ("{row: true}", True)], ids=["keyed", "by row"])
def test_a_file_that_came_twice_is_refused_where_its_rows_would_count_twice(
    key: str, twice: bool, tmp_path: Path
) -> None:
    tiny = TinyOffice(tmp_path)
    tiny.write_office(OFFICE_YML.replace("referral_id: Ref", f"referral_id: {key}").replace("unused: {Name", "unused: {Ref: a number, Name" if twice else "unused: {Name"))  # fmt: skip
    tiny.write_export(EXPORT.encode(), "referrals_copy.csv")
    if twice:
        with pytest.raises(AuditError, match=r"IIU123 referrals_copy.csv: holds the same bytes as referrals.csv"):
            tiny.land()
    else:
        tiny.land()


def test_a_rejected_row_is_kept_by_its_shape_and_never_by_what_it_says(tmp_path: Path) -> None:
    tiny = TinyOffice(tmp_path)
    tiny.write_export(EXPORT.replace("01/03/2024", "Bob Example").encode())
    tiny.land()
    connection = duckdb.connect(str(tiny.database))
    ((row, shape, kept),) = connection.execute(
        "select _source_row, value_shape, row_shape from landed.rejects where kind = 'row'"
    ).fetchall()
    assert (row, shape) == (3, "aaa aaaaaaa")
    assert '"Name":"***"' in kept and '"Decided":"99/99/9999"' in kept
    assert "Example" not in kept


def test_a_batch_that_changed_since_it_was_frozen_is_refused(tmp_path: Path) -> None:
    from pipeline.contract import load_contract
    from pipeline.ingest.freeze import find_sources
    from pipeline.ingest.office import load_office

    tiny = TinyOffice(tmp_path)
    office = load_office(tiny.office, load_contract())
    find_sources(office, tiny.raw, freeze=True, work=tiny.work)
    find_sources(office, tiny.raw, freeze=True, work=tiny.work)
    tiny.write_export(EXPORT.replace("R3", "R4").encode())
    with pytest.raises(AuditError, match=r"IIU118 referrals\.csv: has changed since the batch was frozen"):
        find_sources(office, tiny.raw, freeze=True, work=tiny.work)


def test_the_raw_folder_is_only_read(tmp_path: Path) -> None:
    tiny = TinyOffice(tmp_path)
    tiny.land()
    assert [path.name for path in tiny.raw.iterdir()] == ["referrals.csv"]

"""The unit's workbench: each number leads to its cases, which nobody sees unnamed, from elsewhere, or without a line in the log."""

from __future__ import annotations

import http.client
import io
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pytest

from pipeline.audit import inert_labels
from pipeline.cli import main
from pipeline.findings import find
from pipeline.for_the_unit.worklists import rows_of
from pipeline.measures import comparison_table, measure_table
from pipeline.report import workbench
from pipeline.report.pdf import find_chrome
from pipeline.report.release import PROVENANCE, code_hash
from pipeline.report.story import query as counting_query
from pipeline.report.tables import PublicData, records, write_tables
from pipeline.report.words import told
from pipeline.report.workbench import Workbench, access_log, serving
from pipeline.restricted import seal
from tests.axe import barriers, needs_axe
from tests.report_example import QUARTERS, RACES, SETTINGS, catalogue, example

ROWS = 600
NAMED = {"who": "A. Alvarez", "why": "Review of the finding"}
ARGUED = {"finding": "zero|BAIL-04"}


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit of 600 bail hearings: the fact about each, the tables that count them, and what the public has of it."""
    out = tmp_path_factory.mktemp("bench") / "county"
    (out / "restricted").mkdir(parents=True)
    draw = np.random.default_rng(7)
    facts = pd.DataFrame(
        {
            "bail_event_id": [f"event-{n:03d}" for n in range(ROWS)],
            "quarter": draw.choice([*QUARTERS[-8:], None], ROWS),  # None: on no day of the period
            "race": draw.choice(list(RACES), ROWS),
            "citizenship": draw.choice(["citizen", "noncitizen", "unknown"], ROWS),
            "offence_group": draw.choice(["violent", "property", "public_order", "other"], ROWS),
            "request": draw.choice(["cash", "detention", "=1+1", None], ROWS),
            "is_coded": draw.choice([True, False], ROWS),
            "is_argued": draw.choice([True, False, None], ROWS, p=[0.2, 0.6, 0.2]),
            "amount": draw.choice([500, 1000, 5000], ROWS),
        }
    )
    facts.loc[facts["citizenship"].eq("noncitizen") & facts.index.to_series().mod(2).eq(0), "is_argued"] = True  # a gap
    bail = catalogue()[lambda rows: rows["measure_id"].isin(["BAIL-01", "BAIL-02", "BAIL-03", "BAIL-04"])]
    of = {
        "BAIL-01": {"stratum": "request"}, "BAIL-02": {"value": "amount", "stratum": "request"},
        "BAIL-03": {"numerator": "request = 'detention'", "stratum": "offence_group"},
        "BAIL-04": {"numerator": "is_argued", "denominator": "is_coded"},
    }  # fmt: skip
    blank = {"numerator": "", "denominator": "true", "value": "", "stratum": "", "required_columns": "bail_event.at"}
    measures = pd.DataFrame([row | blank | of[row["measure_id"]] for row in bail.to_dict("records")])
    connection = duckdb.connect()
    connection.execute("create schema marts; create table marts.mart_bail as from facts")
    connection.execute(f"copy marts.mart_bail to '{out}/restricted/mart_bail.parquet'")
    counts = {m.measure_id: connection.execute(counting_query(m)).fetchdf() for m in records(measures)}
    counts = {name: frame.assign(measure_id=name, stratum=frame.get("stratum", "")) for name, frame in counts.items()}
    counts["BAIL-01"]["denominator"] = counts["BAIL-01"]["numerator"]
    values = counts.pop("BAIL-02").assign(outcome="event")
    cells = pd.concat(counts.values())
    both = [inert_labels(frame.fillna({"stratum": "not_recorded"})) for frame in (cells, values)]
    supplied = [("bail_event", "at"), ("citizenship_assertion", "value")]
    found = measure_table(both[0], both[1], measures, supplied, SETTINGS)
    compared = comparison_table(found, SETTINGS)
    found.to_parquet(out / "restricted" / "measures.parquet")
    compared.to_parquet(out / "restricted" / "comparisons.parquet")
    findings = told(find(found, compared, measures, as_of=SETTINGS.as_of_date), measures)
    (out / "restricted" / "findings.json").write_text(json.dumps(findings), encoding="utf-8")
    hidden = found[found["race"].eq("all") & found["citizenship"].eq("all")]
    public = PublicData(
        measures=hidden, comparisons=compared[:0].assign(q_value=np.nan, verdict=""), catalogue=measures,
        settings=SETTINGS, run=example().run, synthetic=True,
    )  # fmt: skip
    write_tables(out=out / "public", public=public)
    (out / "release").mkdir()
    (out / "release" / PROVENANCE).write_text(json.dumps({"program": {"sha256": code_hash()}}), encoding="utf-8")
    return out


@pytest.fixture
def bench(audit: Path, tmp_path: Path) -> Workbench:
    return Workbench(audit, audit / "restricted", tmp_path / "access.jsonl")


@pytest.fixture
def server(audit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[workbench.Server]:
    monkeypatch.setattr(workbench, "access_log", lambda _: tmp_path / "access.jsonl")
    with serving(audit) as started:
        serve = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.02})
        serve.start()
        yield started
        started.shutdown()
        serve.join()


def page(bench: Workbench, name: str, **query: str) -> str:
    return bench.answer(["en", name], query).body.decode()


def duckdb_folder(bench: Workbench) -> Path:
    """Where the tables lie that the workbench reads."""
    said = bench.connection.execute("select sql from duckdb_views() where view_name = 'measures'").fetchone()
    return Path(str(said).split("'")[1]).parent


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.is_file() else []


def ask(
    server: workbench.Server, path: str, *, form: dict[str, str] | None = None, **headers: str
) -> http.client.HTTPResponse:
    """A real request, with the headers of a browser that was led here, unless others are given."""
    connection = http.client.HTTPConnection(server.host)
    given = {"Host": server.host, "Origin": f"http://{server.host}"} | headers
    body = None if form is None else urlencode(form)
    connection.request("GET" if form is None else "POST", path, body=body, headers=given)
    return connection.getresponse()


def test_every_number_leads_to_as_many_cases_as_it_counts(bench: Workbench) -> None:
    every = bench._rows(where={"offence_group": "all"}) | bench._rows(where={"period": "all", "race": "all"})
    found = dict(list(every.items())[::29])
    seen = 0
    for row in found.values():
        happened, of = bench.counts(row)
        for part, count in {"happened": happened, "counted": of}.items():
            if count is not None:
                cases = bench._cases(dict(parse_qsl(urlsplit(bench.address(row, part)).query)))
                assert cases is not None
                assert rows_of(bench.connection, cases.fact, cases.where, most=0)[1] == count, (row, part)
                seen += 1
    assert seen > 150
    assert {"another_group", "another_offence"} <= {value for key in found for value in key}
    assert any(key[-1].startswith("'=1+1") for key in found)


def test_a_number_that_the_public_does_not_get_stands_here(bench: Workbench, audit: Path) -> None:
    published = pd.read_parquet(audit / "public" / "bail.parquet")
    assert not published["citizenship"].eq("noncitizen").any()
    row = bench._rows(where={"measure_id": "BAIL-04", "citizenship": "noncitizen", "period": QUARTERS[-1]})
    count = next(iter(row.values())).numerator
    shown = page(bench, "measure.html", measure="BAIL-04", second=QUARTERS[-1])
    assert f">{count}</a>" in shown
    assert "Restricted: for the unit alone." in shown


def test_a_change_between_two_quarters_has_the_interval_of_newcombe(bench: Workbench) -> None:
    """Newcombe 1998, table II, example (a): 56/70 less 48/80 is 0.2, from 0.0524 to 0.3339."""
    before, after = (
        pd.Series({"status": "ok", "unit": "share", "estimate": k / n, "ci_low": low, "ci_high": high})
        for k, n, low, high in ((48, 80, 0.490440, 0.700456), (56, 70, 0.691710, 0.876961))
    )
    change, interval, moved = bench._change(before, after)
    assert (change, interval, moved) == ("+20 points", "+5.2 to +33 points", True)
    assert bench._change(before, before)[2] is False


def test_no_case_is_shown_before_somebody_said_who_looks_and_why(bench: Workbench) -> None:
    for form in (None, {}, {"who": "A. Alvarez"}, {"who": " ", "why": "\t"}):
        answer = bench.answer(["en", "cases.html"], ARGUED, form)
        assert b"event-" not in answer.body
        assert b"rows about single cases" in answer.body
    assert bench.answer(["en", "cases.xlsx"], ARGUED).kind == workbench.HTML
    assert lines(bench.log) == []
    answer = bench.answer(["en", "cases.html"], ARGUED, NAMED)
    assert answer.status == 303
    assert "event-" in page(bench, "cases.html", **ARGUED)
    another = page(bench, "cases.html", measure="BAIL-04", part="happened")
    assert "event-" not in another  # another list is asked for anew
    assert 'value="A. Alvarez"' in another


def test_each_look_is_a_line_in_the_log(bench: Workbench) -> None:
    bench.answer(["en", "cases.html"], ARGUED, NAMED)
    page(bench, "cases.html", **ARGUED)
    page(bench, "cases.html", **ARGUED, column="bail_event_id", holds="EVENT-00")
    bench.answer(["en", "cases.xlsx"], ARGUED)
    confirmed, shown, searched, saved = lines(bench.log)
    assert [line["event"] for line in (confirmed, shown, searched, saved)] == ["confirmed", "shown", "shown", "saved"]
    assert all(NAMED.items() <= line.items() and line["list"] == ARGUED for line in lines(bench.log))
    assert (searched["column"], searched["holds"]) == ("bail_event_id", "EVENT-00")
    assert searched["rows"] < shown["rows"] == confirmed["rows"] == saved["rows"]
    assert bench.log.stat().st_mode & 0o777 == 0o600


def test_a_saved_list_is_the_list_that_was_shown(bench: Workbench) -> None:
    bench.answer(["en", "cases.html"], ARGUED, NAMED)
    only = {"column": "request", "holds": "cash"}
    book = openpyxl.load_workbook(io.BytesIO(bench.answer(["en", "cases.xlsx"], ARGUED | only).body))
    events = [row[0] for row in book["Cases"].values][1:]
    shown = page(bench, "cases.html", **ARGUED, **only)
    assert events
    assert all(event in shown for event in events)
    assert shown.count(">event-") == len(events)


def test_a_long_list_is_leafed_through(bench: Workbench) -> None:
    everything = {"measure": "BAIL-01", "part": "counted"}
    bench.answer(["en", "cases.html"], everything, NAMED)
    leaves = [page(bench, "cases.html", **everything, page=str(n)).split("<tbody>")[1] for n in range(1, 7)]
    events = [event for leaf in leaves for event in leaf.split('<th scope="row" class="text">')[1:]]
    assert len(events) == len({event[:9] for event in events}) > 500
    for beyond in ("0", "-1", "77", "9" * 5000, "x"):
        assert "event-" in page(bench, "cases.html", **everything, page=beyond)


def test_without_its_log_no_case_is_shown(audit: Path, tmp_path: Path, server: workbench.Server) -> None:
    (tmp_path / "access.jsonl").unlink()
    (tmp_path / "access.jsonl").mkdir()
    path = f"/{server.token}/en/cases.html?{urlencode(ARGUED)}"
    answer = ask(server, path, form=NAMED)
    assert answer.status == 500
    assert b"so no case is shown" in answer.read()
    assert b"event-" not in ask(server, path).read()


def test_a_workbench_that_cannot_log_does_not_start(audit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    access_log(audit).mkdir()
    try:
        assert main(["open", "--restricted", "--audit", str(audit)]) == 1
    finally:
        access_log(audit).rmdir()
    assert "IIU146" in capsys.readouterr().err


def test_only_who_knows_the_address_gets_an_answer_and_no_copy_is_kept(server: workbench.Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    home = f"/{server.token}/en/index.html"
    answer = ask(server, home)
    assert (answer.status, answer.getheader("Cache-Control")) == (200, "no-store")
    assert "default-src 'none'" in str(answer.getheader("Content-Security-Policy"))
    assert b"Findings and their cases" in answer.read()
    for path in (
        "/",
        "/en/index.html",
        home.replace(server.token, server.token[:-1]),
        f"/{server.token}/../en/index.html",
    ):
        assert ask(server, path).status == 404


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "127.0.0.1"])
def test_a_name_that_was_made_to_point_here_is_refused(server: workbench.Server, host: str) -> None:
    answer = ask(server, f"/{server.token}/en/index.html", Host=host)
    assert answer.status == 421
    assert b"Findings" not in answer.read()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_form_of_another_site_confirms_nothing(server: workbench.Server, origin: str) -> None:
    path = f"/{server.token}/en/cases.html?{urlencode(ARGUED)}"
    assert ask(server, path, form=NAMED, Origin=origin).status == 403
    assert b"event-" not in ask(server, path).read()
    assert ask(server, path, form=NAMED).status == 303
    assert b"event-" in ask(server, path).read()


@pytest.mark.parametrize(
    "query",
    [
        {"measure": "BAIL-04", "race": "' or true --"},
        {"measure": "BAIL-04", "period": "2024-Q1' or '1'='1"},
        {"measure": "BAIL-04", "stratum": "x", "part": "happened"},
    ],
)
def test_an_address_is_words_and_never_a_query(bench: Workbench, query: dict[str, str]) -> None:
    assert "0 rows about single cases" in page(bench, "cases.html", **query)
    bench.answer(["en", "cases.html"], ARGUED, NAMED)
    for column in ("bail_event_id", "1) or (1", "nothing"):
        shown = page(bench, "cases.html", **ARGUED, column=column, holds="') or true or ('")
        assert ("event-" in shown) == (column != "bail_event_id")  # no such column narrows nothing


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("measure.html", {"measure": "NONE"}), ("cases.html", {"finding": "none"}), ("cases.html", {}),
        ("cases.html", {"measure": "BAIL-04", "part": "x"}), ("../site.css", {}), ("nothing.html", {}),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_to_be_so(bench: Workbench, name: str, query: dict[str, str]) -> None:
    assert bench.answer(["en", name], query).status == 404


def test_of_linked_persons_each_measure_says_what_other_thresholds_make_of_it(audit: Path, tmp_path: Path) -> None:
    assert "told apart more strictly" not in page(Workbench(audit, audit / "restricted", tmp_path / "log"), "measure.html", measure="BAIL-04")  # fmt: skip
    restricted = shutil.copytree(audit / "restricted", tmp_path / "restricted")
    whole = pd.read_parquet(restricted / "measures.parquet").query("period == 'all' and offence_group == 'all' and race == 'all'")  # fmt: skip
    tables = [whole.assign(threshold=t, is_used=t == 0.9, numerator=whole["numerator"] - less, estimate=0.25)
              for less, t in enumerate((0.9, 0.99, 0.5))]  # fmt: skip
    pd.concat(tables).to_parquet(restricted / "linkage_measures.parquet")
    pd.DataFrame({"person_id": ["key-1"], "births": [2]}).to_parquet(restricted / "mart_linkage__doubtful.parquet")  # fmt: skip
    bench = Workbench(audit, restricted, tmp_path / "log")
    shown = page(bench, "measure.html", measure="BAIL-04").split('id="linked"')[1]
    assert shown.index(">0.5<") < shown.index(">0.9 (used)<") < shown.index(">0.99<")
    row = whole[whole["measure_id"].eq("BAIL-04") & whole["citizenship"].eq("noncitizen")].iloc[0]
    of_noncitizens = shown.split(f'<th scope="row">{bench.say_of("citizenship", "noncitizen")}')[1]
    places = [
        of_noncitizens.index(f"{int(row['numerator']) - less} of {int(row['denominator'])}<") for less in (2, 0, 1)
    ]
    assert places == sorted(places)
    assert "Persons who may be two" in page(bench, "index.html")
    listed = {"list": "persons_to_tell_apart"}
    bench.answer(["en", "cases.html"], listed, NAMED)
    assert "key-1" in page(bench, "cases.html", **listed)


def test_filters_leave_what_was_asked_for(bench: Workbench) -> None:
    all_of, gaps = page(bench, "index.html"), page(bench, "index.html", rule="zero_tolerance")
    assert 0 < gaps.count('class="noted"') < all_of.count('class="noted"')
    assert page(bench, "index.html", owner="nobody").count("No finding is like that.") == 1
    for nonsense in ({"first": "x", "second": "9999"}, {"by": "person"}, {"race": "martian"}):
        assert "All periods" in page(bench, "measure.html", measure="BAIL-04", **nonsense)
        assert "Quarter against quarter" in page(bench, "quarters.html", **nonsense)


def test_looking_writes_nothing_but_the_log(audit: Path, bench: Workbench) -> None:
    before = {path: path.stat().st_mtime_ns for path in audit.parent.rglob("*")}
    bench.answer(["en", "cases.html"], ARGUED, NAMED)
    for name in ("index.html", "quarters.html", "bail.html", "cases.html"):
        page(bench, name, **ARGUED)
    assert {path: path.stat().st_mtime_ns for path in audit.parent.rglob("*")} == before
    assert bench.log.is_file()


def test_the_command_says_the_address_and_where_it_logs(
    audit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []

    def stopped(self: workbench.Server) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(workbench.Server, "serve_forever", stopped)
    assert main(["open", "--restricted", "--audit", str(audit)]) == 0
    said = capsys.readouterr().out
    assert opened[0] in said
    assert str(access_log(audit)) in said
    assert [line["event"] for line in lines(access_log(audit))] == ["opened"]
    access_log(audit).unlink()


def test_what_was_sealed_is_open_as_long_as_the_workbench_is(
    audit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IIU_KEY", "5a" * 32)
    sealed = tmp_path / "county"
    shutil.copytree(audit, sealed)
    run = {"office": SETTINGS.office, "as_of_date": SETTINGS.as_of_date.isoformat()}
    (sealed / "run.json").write_text(json.dumps(run), encoding="utf-8")
    seal(sealed / "restricted", office=SETTINGS.office, as_of=SETTINGS.as_of_date)
    assert list((sealed / "restricted").rglob("*.parquet")) == []
    with serving(sealed) as server:
        plain = duckdb_folder(server.bench)
        assert plain.is_dir()
        assert server.bench.answer(["en", "cases.html"], ARGUED, NAMED).status == 303
        assert "event-" in page(server.bench, "cases.html", **ARGUED)
    assert not plain.exists()


def test_of_an_audit_whose_persons_are_forgotten_the_numbers_are_left(audit: Path, tmp_path: Path) -> None:
    shutil.copytree(audit, tmp_path / "county")
    (tmp_path / "county" / "restricted" / "mart_bail.parquet").unlink()
    bench = Workbench(tmp_path / "county", tmp_path / "county" / "restricted", tmp_path / "log")
    assert "All periods" in page(bench, "measure.html", measure="BAIL-04")
    assert "cases.html" not in page(bench, "measure.html", measure="BAIL-04")
    answer = bench.answer(["en", "cases.html"], ARGUED, NAMED)
    assert answer.status == 404
    assert b"its persons were forgotten" in answer.body


def of_another_version(audit: Path, folder: Path) -> Path:
    older = Path(shutil.copytree(audit, folder))
    (older / "release" / PROVENANCE).write_text(json.dumps({"program": {"sha256": "00" * 32}}), encoding="utf-8")
    return older


@pytest.mark.parametrize(("table", "lacking"), [("measures", "reason"), ("comparisons", "bound_low")])
def test_a_page_that_an_audit_by_another_version_does_not_fill_says_so(
    audit: Path, tmp_path: Path, table: str, lacking: str
) -> None:
    older = of_another_version(audit, tmp_path / "older")
    file = older / "restricted" / f"{table}.parquet"
    pd.read_parquet(file).drop(columns=lacking).to_parquet(file)
    bench = Workbench(older, older / "restricted", tmp_path / "log")
    answer = bench.answer(["en", "bail.html"], {})
    assert answer.status == 409
    assert b"Another version of the program made this audit" in answer.body
    assert bench.answer(["en", "measure.html"], {"measure": "BAIL-04"}).status == 200
    bench.of_this_version = True  # then it is our own mistake, and is not covered up
    with pytest.raises((AttributeError, KeyError)):
        bench.answer(["en", "bail.html"], {})


@pytest.mark.parametrize("table", ["measures", "comparisons"])
def test_tables_that_cannot_be_read_at_all_are_refused_before_a_page_is_shown(
    audit: Path, tmp_path: Path, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    older = of_another_version(audit, tmp_path / "older")
    pd.DataFrame({"measure": ["BAIL-04"]}).to_parquet(older / "restricted" / f"{table}.parquet")
    assert main(["open", "--restricted", "--audit", str(older)]) == 1
    assert "IIU147" in capsys.readouterr().err


def test_a_folder_without_restricted_tables_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open", "--restricted", "--audit", str(tmp_path)]) == 1
    assert "IIU145" in capsys.readouterr().err


@pytest.mark.skipif(find_chrome() is None, reason="needs a Chrome")
def test_an_analyst_comes_from_a_finding_to_its_cases_with_the_keyboard_alone(server: workbench.Server) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    refused: list[str] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=find_chrome(), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 320, "height": 900})
        tab.on("console", lambda message: refused.append(message.text))
        tab.goto(server.address)
        tab.get_by_role("link", name="The cases").first.press("Enter")
        tab.get_by_label("Your name").fill("A. Alvarez")
        tab.get_by_label("Why you look").fill("Review")
        tab.keyboard.press("Enter")
        tab.get_by_role("table").wait_for()
        cases = tab.get_by_role("rowheader").count()
        wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        tab.go_back()
        browser.close()
    assert cases > 10
    assert wide <= 0
    assert refused == []


@needs_axe
@pytest.mark.skipif(find_chrome() is None, reason="needs a Chrome")
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_no_barrier_on_any_page_of_the_unit(server: workbench.Server, width: int) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    asked = f"cases.html?{urlencode(ARGUED)}"
    found: list[tuple[object, ...]] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=find_chrome(), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": 900})
        for name in (
            "index.html",
            "quarters.html",
            "measure.html?measure=BAIL-04",
            "bail.html",
            "none.html",
            asked,
            "shown",
        ):
            if name == "shown":
                tab.get_by_label("Your name").fill("A. Alvarez")
                tab.get_by_label("Why you look").fill("Review")
                tab.keyboard.press("Enter")
                tab.get_by_role("table").wait_for()
            else:
                tab.goto(server.address.replace("index.html", name))
            found += [(name, *barrier) for barrier in barriers(tab)]
            wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
            found += [(name, "wider than the screen", wide)] if wide > 0 else []
        browser.close()
    assert found == []

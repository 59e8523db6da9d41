"""The pages: complete, the same each time, self-contained, and honest about what is hidden or not recorded."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest

from pipeline.contract import load_contract
from pipeline.errors import AuditError
from pipeline.findings import find
from pipeline.report import figures, gate, pdf, site, words
from pipeline.report.figures import Mark, Row
from pipeline.report.guides import FOLDER
from pipeline.report.language import ENGLISH, LANGUAGES, Language
from pipeline.report.notebooks import NOTEBOOKS
from pipeline.report.story import Check, Story
from pipeline.report.tables import PublicData, read_tables, write_tables
from tests.report_example import MISSING, example

SPANISH = Language("es")


@pytest.fixture(scope="session")
def public() -> PublicData:
    made = example()
    return PublicData(
        measures=made.measures, comparisons=made.comparisons, catalogue=made.catalogue,
        settings=made.settings, run=made.run, source={"publisher": "Example County"}, synthetic=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def pages(public: PublicData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("pages") / "site", public)


def built(out: Path, public: PublicData) -> Path:
    """The pages without their prints, which take a browser: tests/browser has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "find_chrome", lambda: None)
        made = site.build_site(out=out, public=public)
    assert "BROWSER_PATH" in made.notices[0]
    return out


def html_of(pages: Path) -> dict[str, str]:
    return {str(p.relative_to(pages)): p.read_text(encoding="utf-8") for p in sorted(pages.glob("*/*.html"))}


def test_two_builds_have_the_same_bytes(pages: Path, public: PublicData, tmp_path: Path) -> None:
    again = built(tmp_path / "again", public)
    first = {p.relative_to(pages): p.read_bytes() for p in pages.rglob("*") if p.is_file()}
    second = {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}
    assert [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)] == []


@pytest.mark.parametrize(
    ("was", "becomes", "wrong"),
    [
        ('href="methods.html"', 'href="method.html"', "no file method.html"),
        ('href="#main"', 'href="#mian"', "no place #mian"),
        (' alt="', ' data-alt="', "a picture without alternative text"),
        ("<table>", "<div>", "has no table"),
        ("<figcaption>", "<div>", "has no figcaption"),
        ('id="main"', 'id="menu"', "two places #menu"),
    ],
)
def test_a_page_that_is_not_whole_stops_the_build(pages: Path, was: str, becomes: str, wrong: str) -> None:
    page = pages / "en" / "charging.html"
    whole = page.read_text(encoding="utf-8")
    assert was in whole
    gate.check_pages(pages)
    page.write_text(whole.replace(was, becomes), encoding="utf-8")
    try:
        with pytest.raises(AuditError, match=f"IIU661 en/charging.html: .*{re.escape(wrong)}"):
            gate.check_pages(pages)
    finally:
        page.write_text(whole, encoding="utf-8")


def test_a_changed_table_stops_the_build(public: PublicData, pages: Path, tmp_path: Path) -> None:
    picture = next(p for p in Story(public, ENGLISH).pictures("charging") if p.check is not None)
    assert picture.check is not None
    file = f"{picture.check.table}.parquet"
    rows = pd.read_parquet(pages / "data" / file)
    site._reproduce([picture], pages / "data")
    rows.assign(numerator=rows["numerator"] + 1).to_parquet(tmp_path / file)
    with pytest.raises(AuditError, match=f"IIU663 figure {picture.id}"):
        site._reproduce([picture], tmp_path)


def test_every_figure_has_a_program_its_files_and_its_definition(public: PublicData, pages: Path) -> None:
    story = Story(public, ENGLISH)
    pictures = [p for mart in public.marts for p in story.pictures(mart)]
    assert len(pictures) >= 12
    assert [
        p.id for p in pictures if p.check is None or not (p.title and p.alt and p.notes and p.table and p.measures)
    ] == []
    files = [f"{p.id}.{kind}" for p in pictures for kind in ("csv", "parquet", "xlsx")]
    assert [name for name in files if not (pages / "data" / "figures" / name).is_file()] == []


def test_a_print_keeps_its_length_when_its_clock_is_taken_out() -> None:
    printed = b"<</CreationDate (D:20261128133405+00'00')\n/ModDate (D:20261128133405+00'00')>>"
    settled = pdf.settled(printed, date(2026, 6, 30))
    assert len(settled) == len(printed)
    assert settled.count(b"(D:20260630000000+00'00')") == 2


def test_a_print_is_the_same_whatever_numbers_the_browser_gave_its_elements() -> None:
    prints = [b"/ID (node00000%d) /ID (node00000%d) [(node00000%d)]" % n for n in ((198, 196, 198), (203, 196, 203))]
    assert {pdf.settled(one, date(2026, 6, 30)) for one in prints} == {
        b"/ID (node00000002) /ID (node00000001) [(node00000002)]"
    }


def test_a_print_names_no_folder_of_this_machine() -> None:
    page = '<a class="x" href="methods.html">Methods</a> <a href="#top">up</a>'
    assert site._without_ways_out(page) == 'Methods <a href="#top">up</a>'


def test_no_page_asks_for_anything_from_elsewhere(pages: Path) -> None:
    own = [p for p in pages.rglob("*") if p.suffix in (".html", ".css", ".js") and p.name != "plotly.min.js"]
    assert [p.name for p in own if re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", p.read_text(encoding="utf-8"))] == []


def test_the_first_load_of_a_page_is_at_most_60_kb(pages: Path) -> None:
    shared = sum(len(gzip.compress((pages / "static" / n).read_bytes())) for n in ("site.js", "source-serif-4.woff2"))
    heavy = {n: shared + len(gzip.compress(t.encode())) for n, t in html_of(pages).items()}
    assert {name: size for name, size in heavy.items() if size > 60_000} == {}


def test_each_language_has_the_same_pages(pages: Path) -> None:
    names = [{p.name for p in (pages / say.code).iterdir()} for say in LANGUAGES]
    assert names[0] == names[1]
    assert {"index.html", "charging.html", "ice-contact.html", "proposals.html", "glossary.html"} <= names[0]


def test_a_mart_nobody_wrote_words_for_gets_its_page(public: PublicData, tmp_path: Path) -> None:
    def moved(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(mart=frame["mart"].replace("bail", "street_lights"))

    data = replace(
        public,
        measures=moved(public.measures),
        comparisons=moved(public.comparisons),
        catalogue=moved(public.catalogue),
    )
    out = built(tmp_path / "site", data)
    assert "<h1>Street lights</h1>" in (out / "en" / "street-lights.html").read_text(encoding="utf-8")


def test_where_no_number_can_be_shown_no_empty_table_explains_its_signs(
    public: PublicData, pages: Path, tmp_path: Path
) -> None:
    def hidden(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(status=frame["status"].mask(frame["mart"].eq("bail"), "suppressed"))

    out = built(
        tmp_path / "site", replace(public, measures=hidden(public.measures), comparisons=hidden(public.comparisons))
    )
    shown, untold = ((folder / "en" / "bail.html").read_text(encoding="utf-8") for folder in (pages, out))
    assert "Measures of which no number can be shown" in untold
    assert 'class="glance"' in shown and 'class="glance"' not in untold
    assert "Diamond: the gap" in shown and "Diamond: the gap" not in untold


def test_what_the_office_does_not_record_is_named_with_its_columns(pages: Path) -> None:
    findings = (pages / "en" / "findings.html").read_text(encoding="utf-8")
    for columns in MISSING.values():
        assert all(column in findings for column in columns.split())


def test_of_what_an_office_does_not_record_no_page_stands_in_the_menu_and_each_is_listed_once(
    public: PublicData, tmp_path: Path
) -> None:
    silent = public.measures["mart"].eq("bail")
    measures = public.measures.assign(status=public.measures["status"].mask(silent, "not_computable"), reason="x: y.")
    out = built(tmp_path / "site", replace(public, measures=measures))
    for language, left_out in (("en", "Nothing can be counted"), ("es", "no se puede contar nada")):
        text = (out / language / "index.html").read_text(encoding="utf-8")
        menu, main = re.split(r"<main", text)
        assert 'href="charging.html"' in menu
        assert 'href="bail.html"' not in menu
        assert 'href="findings.html#missing"' in menu
        assert re.findall(r'href="(bail\.html)"', main) == ["bail.html"]
        assert left_out in main
        assert (out / language / "bail.html").is_file()
    assert "findings.html#missing" not in (out / "en" / "index.html").read_text(encoding="utf-8").split("<main")[1]


@pytest.mark.parametrize(
    ("reason", "english", "spanish"),
    [
        ("Not supplied by this office: charge.at or hearing.at; bail.amount.", "charge.at or hearing.at; bail.amount", "charge.at o hearing.at; bail.amount"),
        ("The forms are arrests, and hold no writ", "The forms are arrests, and hold no writ", "Los formularios son arrestos, y no contienen órdenes de traslado"),
        ("Sealed: by <law>", "Sealed: by <law>", '<span lang="en">Sealed: by &lt;law&gt;</span>'),
    ],
)  # fmt: skip
def test_why_a_measure_is_missing_is_told_in_spanish_or_marked_as_english(
    reason: str, english: str, spanish: str, public: PublicData
) -> None:
    rows = public.measures.assign(status="not_computable", reason=reason)
    told = [Story(replace(public, measures=rows), say).missing(public.of_mart("charging")[0]) for say in LANGUAGES]
    assert told == [english, spanish]


def test_the_title_of_an_office_s_own_measure_that_is_missing_is_marked_as_english(
    public: PublicData, tmp_path: Path
) -> None:
    silent = public.measures.assign(status="not_computable", reason="Not supplied by this office: bail.amount.")
    own = replace(public, measures=silent, catalogue=public.catalogue.assign(title="Cases with <two> writs"))
    out = built(tmp_path / "site", own)
    for page in ("findings.html", "charging.html"):
        html = (out / "es" / page).read_text(encoding="utf-8").split('id="missing"')[1]
        assert '<span lang="en">Cases with &lt;two&gt; writs</span>' in html


def test_how_often_citizenship_is_not_on_file_is_said_of_what(public: PublicData) -> None:
    story = Story(public, ENGLISH)
    told = " ".join(said.text for said in story.overview(public.marts))
    shares = {m.title: story.unknown_share(m) for mart in public.marts for m in public.of_mart(mart)}
    most = max((share, title) for title, share in shares.items() if share)
    assert f"{ENGLISH.share(most[0])} in “{most[1]}”, where it was most often missing." in told
    assert "up to" not in told


def test_every_figure_says_that_citizenship_is_not_immigration_status(pages: Path) -> None:
    text = (pages / "en" / "charging.html").read_text(encoding="utf-8")
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, flags=re.DOTALL)
    assert len(captions) >= 3
    assert all("Citizenship is not immigration status." in caption for caption in captions)


def test_a_program_that_finds_another_number_stops_the_build(pages: Path, public: PublicData) -> None:
    picture = Story(public, ENGLISH).pictures("charging")[0]
    site._reproduce([picture], pages / "data")
    assert picture.check is not None
    wrong = replace(picture.check, expected=(1, *picture.check.expected[1:]))
    with pytest.raises(AuditError, match="IIU663"):
        site._reproduce([replace(picture, check=wrong)], pages / "data")


def test_a_program_names_its_file_and_every_condition() -> None:
    check = Check(
        table="bail", where={"measure_id": "B-1", "race": "all"}, columns=("numerator", "estimate"), expected=(3, 0.5)
    )
    assert "select numerator, round(estimate, 4)" in check.snippet
    assert "from 'bail.parquet'" in check.snippet
    assert "measure_id = 'B-1'\n      and race = 'all'" in check.snippet


def marks_and_words(figure: dict[str, object]) -> tuple[list[float], list[str]]:
    traces = figure["data"]
    assert isinstance(traces, list)
    at = [x for t in traces if t["mode"] == "markers" and "line-" not in str(t["marker"]["symbol"]) for x in t["x"]]
    return at, [word for t in traces if t["mode"] == "text" for word in t["text"]]


def test_a_hidden_number_is_drawn_as_hidden_and_never_as_zero() -> None:
    rows = [
        Row(label="White", marks=[Mark(series="citizen", status="ok", estimate=0.4, low=0.3, high=0.5, text="40%")]),
        Row(label="Asian", marks=[Mark(series="citizen", status="suppressed")]),
        Row(label="Other", marks=[Mark(series="citizen", status="not_estimable")]),
    ]
    at, words = marks_and_words(
        figures.dots(rows, series={"citizen": "Citizen"}, unit="share", say=ENGLISH, width="wide")
    )
    assert at == [0.4]
    assert {"hidden to protect people", "no cases"} <= set(words)


def test_a_figure_of_one_value_alone_has_an_axis() -> None:
    rows = [Row(label="White", marks=[Mark(series="citizen", status="ok", estimate=1.0, text="100%")])]
    figure = figures.dots(rows, series={"citizen": "Citizen"}, unit="share", say=ENGLISH, width="wide")
    assert ">100%</text>" in figures.picture(figure, title="All")


def test_a_line_over_time_breaks_off_at_a_hidden_period() -> None:
    def mark(estimate: float | None) -> Mark:
        return Mark(series="citizen", status="suppressed" if estimate is None else "ok", estimate=estimate)

    series = [mark(v) for v in (0.1, 0.2, None, 0.3, 0.4)]
    periods = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "2025-Q1"]
    drawn = figures.trend([("Citizen", series)], periods=periods, unit="share", say=ENGLISH, width="wide")
    lines = [t["x"] for t in drawn["data"] if t["mode"] == "lines" and t["line"]["width"] == 1.6]
    assert lines == [[0, 1, None, 3, 4]]


def test_a_picture_says_what_it_shows_and_changes_its_colours_on_a_dark_page() -> None:
    rows = [
        Row(label="White <b>", marks=[Mark(series="citizen", status="ok", estimate=0.4, low=0.3, high=0.5, text="40%")])
    ]
    figure = figures.dots(rows, series={"citizen": "Citizen"}, unit="share", say=ENGLISH, width="narrow")
    drawn = ElementTree.fromstring(figures.picture(figure, title="40% & more"))
    name = "{http://www.w3.org/2000/svg}"
    assert drawn.findtext(f"{name}title") == "40% & more"
    assert "prefers-color-scheme:dark" in (drawn.findtext(f"{name}style") or "")
    assert {"White <b>", "40%"} <= {text.text for text in drawn.iter(f"{name}text")}


def test_records_without_citizenship_are_told_by_what_they_hold(public: PublicData) -> None:
    of_everyone = public.measures[public.measures["citizenship"].eq("all")]
    races = public.comparisons[public.comparisons["contrast"].eq("race")]
    story = Story(replace(public, measures=of_everyone, comparisons=races), ENGLISH)
    told = story.overview(story.public.marts)
    assert told[0].text.startswith(story.mart_name(story.public.marts[0]))
    (measure,) = [m for m in story.public.of_mart("charging") if m.measure_id == "CHG-01"]
    picture = story.groups(measure)
    assert picture is not None
    assert "Noncitizen" not in json.dumps(picture.figure("wide"))
    assert picture.table[0][:2] == [story.race_name["all"], story.citizenship_name["all"]]


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"mode": "lines+markers"}, "mode"),
        ({"mode": "markers", "marker": {"symbol": "star", "size": 9, "color": figures.INK}}, "symbol"),
    ],
)
def test_a_picture_leaves_nothing_out_silently(change: dict[str, object], lost: str) -> None:
    figure = figures.bars([("Cases", 3.0, "3")], width="wide")
    with pytest.raises(ValueError, match=lost):
        figures.picture(figure | {"data": [figure["data"][0] | change]}, title="Cases")


GAP = {
    "status": "ok", "difference": 0.07, "difference_low": 0.04, "difference_high": 0.1, "bound_low": 0.01,
    "bound_high": 0.2, "estimate": 0.7, "reference_estimate": 0.63, "unit": "share", "verdict": "clear",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "higher for noncitizens"),
        ({"difference": -0.07, "bound_high": -0.01}, "lower for noncitizens"),
        ({"verdict": "no_clear_difference"}, "no clear difference"),
        ({"verdict": "not_judged"}, "not judged"),
        ({"bound_low": -0.05}, "higher for noncitizens †"),
        ({"status": "unreliable", "verdict": ""}, "few cases"),
        ({"status": "suppressed", "verdict": ""}, ""),
    ],
)
def test_a_table_says_of_a_gap_what_the_rule_decided(change: dict[str, object], verdict: str) -> None:
    assert words.verdict(SimpleNamespace(**(GAP | change)), ENGLISH) == verdict


@pytest.mark.parametrize("mirrored", [False, True], ids=["the same outcome", "the other outcome"])
def test_one_gap_under_two_names_is_drawn_once_and_the_other_name_is_told(public: PublicData, mirrored: bool) -> None:
    measures = [m for mart in public.marts for m in public.of_mart(mart)]
    whole = Story(public, ENGLISH).gaps("all", measures, most=99)
    assert whole is not None
    first, second = sorted(whole.measures[:2], key=lambda m: m.measure_id)  # as measures of one gap are sorted
    rows = public.comparisons
    columns = [c for c in rows if c not in ("measure_id", "mart")]
    theirs = [rows["measure_id"].eq(m.measure_id) & rows["contrast"].eq("citizenship") & rows["stratum"].eq("all") & rows["period"].eq("all") for m in (first, second)]  # fmt: skip
    same = rows.copy()
    same.loc[theirs[1], columns] = rows.loc[theirs[0], columns].to_numpy()
    if mirrored:
        for side in ("", "reference_"):
            same.loc[theirs[1], f"{side}numerator"] = same[f"{side}denominator"] - same[f"{side}numerator"]
        same.loc[theirs[1], "difference"] *= -1
    once = Story(replace(public, comparisons=same), ENGLISH).gaps("all", measures, most=99)
    assert once is not None
    assert len(once.table) == len(whole.table) - 1
    assert [note for note in once.notes if "the same people" in note] == [f"Not drawn, since one that is says the same of the same people: {second.title}."]  # fmt: skip
    assert not [note for note in whole.notes if "the same people" in note]


def test_the_pages_call_clear_what_the_findings_call_clear(public: PublicData) -> None:
    """One place decides: the gaps by citizenship among the findings are those of the page of findings."""
    found = {f["measure_id"] for f in find(public.measures, public.comparisons, public.catalogue, as_of=public.settings.as_of_date) if f.get("contrast") == "citizenship" and f["stratum"] == "all"}  # fmt: skip
    story = Story(public, ENGLISH)
    shown = {g.measure.measure_id for mart in public.marts for g in story.glance(mart) if g.clear}
    assert shown == found != set()


def test_a_time_that_most_still_wait_for_is_not_called_no_cases(public: PublicData) -> None:
    story, waiting = Story(public, ENGLISH), {"status": "not_estimable", "estimate": None, "unit": "days"}
    assert story.value(SimpleNamespace(**waiting, denominator=40)) == "cannot be told"
    assert story.value(SimpleNamespace(**waiting, denominator=0)) == "no cases"


def test_most_often_is_said_only_if_no_hidden_part_can_be_larger(public: PublicData) -> None:
    measure = next(m for m in public.of_mart("charging") if m.kind == "mix")
    shown = Story(public, ENGLISH).mix(measure)
    assert shown is not None
    assert "most often “insufficient evidence” (44%)" in shown.title
    rows = public.measures.copy()
    largest = rows["measure_id"].eq(measure.measure_id) & rows["stratum"].eq("insufficient_evidence")
    rows.loc[largest, "status"] = "suppressed"
    numbers = ["numerator", "denominator", "estimate", "ci_low", "ci_high"]
    rows[numbers] = rows[numbers].mask(largest)
    hidden = Story(replace(public, measures=rows), ENGLISH).mix(measure)
    assert hidden is not None
    assert hidden.title.endswith("a larger part may be hidden")


def test_a_title_says_when_unknown_citizenship_could_undo_the_finding(public: PublicData) -> None:
    story, measure = Story(public, ENGLISH), SimpleNamespace(title="Filing rate")
    everyone = public.cell("CHG-01")
    gap = SimpleNamespace(**(GAP | {"bound_low": -0.05}))
    assert story.finding(measure, everyone, gap).startswith(
        "Filing rate: 70% for noncitizens, 63% for citizens; unknown"
    )
    hidden = SimpleNamespace(**(GAP | {"status": "suppressed"}))
    assert story.finding(measure, everyone, hidden).endswith("hidden to protect people")


def test_tables_come_back_as_they_were_published(public: PublicData, tmp_path: Path) -> None:
    write_tables(out=tmp_path, public=public)
    back = read_tables(tmp_path)
    pd.testing.assert_frame_equal(back.measures, public.measures, check_dtype=False)
    assert back.settings == public.settings


def test_a_hidden_cell_of_a_workbook_is_empty(public: PublicData, tmp_path: Path) -> None:
    write_tables(out=tmp_path, public=public)
    book = openpyxl.load_workbook(tmp_path / "charging.xlsx")
    assert book.sheetnames[:3] == ["About", "Acerca de", "Whole period"]
    assert "nunca es un cero" in "".join(str(cell.value) for cell in book["Acerca de"]["A"])
    sheet = book["Whole period"]
    assert (sheet.freeze_panes, sheet.print_title_rows, sheet.page_setup.orientation) == ("C2", "$1:$1", "landscape")
    header, *rows = sheet.iter_rows(values_only=True)
    at = {name: i for i, name in enumerate(header)}
    hidden = [row for row in rows if row[at["status"]] == "suppressed"]
    assert hidden
    assert all(
        row[at[c]] is None for row in hidden for c in ("numerator", "denominator", "estimate", "ci low", "bound high")
    )


@pytest.mark.parametrize(
    ("say", "written"),
    [
        (ENGLISH, ["71%", "0.4%", "+7 points", "+0.7 points", "−$1,500", "33 hours", "Q1 2024"]),
        (SPANISH, ["71%", "0.4%", "+7 puntos", "+0.7 puntos", "−$1,500", "33 horas", "T1 de 2024"]),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(say: Language, written: list[str]) -> None:
    got = [
        say.share(0.714), say.share(0.004), say.gap(0.0704, "share").replace(".0 ", " "), say.gap(0.007, "share"),
        say.gap(-1500, "usd"), say.value(33.0, "hours"), say.period("2024-Q1"),
    ]  # fmt: skip
    assert got == written


def cells(path: Path) -> Iterator[dict[str, object]]:
    yield from json.loads(path.read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs_and_takes_its_data_as_a_parameter(path: Path) -> None:
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert [cell["source"] for cell in code if "parameters" in cell["metadata"].get("tags", [])]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_prose_of_a_notebook_holds_no_number(path: Path) -> None:
    prose = "".join("".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "markdown")  # type: ignore[arg-type]
    assert re.findall(r"\d", prose) == []


@pytest.mark.parametrize("say", LANGUAGES, ids=lambda say: say.code)
def test_whoever_follows_the_guide_finds_every_number_again(
    pages: Path, say: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of "Check a number", run beside the files that the pages offer; a changed share stops them."""
    monkeypatch.chdir(pages / "data")
    guide = (FOLDER / say.code / "check_a_number.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", guide, flags=re.MULTILINE | re.DOTALL)
    exec(compile(snippet, "guide", "exec"), {})
    with pytest.raises(AssertionError):
        exec(compile(snippet.replace("k / n - share", "k / n - share - 1e-5"), "guide", "exec"), {})
    (command,) = re.findall(r"^sha256sum .*$", guide, flags=re.MULTILINE)
    assert subprocess.run(command.split(), capture_output=True, check=False).returncode == 0


def test_the_catalogue_lists_every_measure(pages: Path, public: PublicData) -> None:
    for say in LANGUAGES:
        text = (pages / say.code / "measures.html").read_text(encoding="utf-8")
        assert [m for m in public.catalogue["measure_id"] if f"<dt>{m} " not in text] == []


def test_the_dictionary_lists_every_column_of_the_contract(pages: Path) -> None:
    text = (pages / "es" / "dictionary.html").read_text(encoding="utf-8")
    assert [c for t in load_contract().values() for c in t.columns if f"<code>{c}</code>" not in text] == []


def test_how_sure_a_gap_of_the_first_page_is_and_what_is_missing_stands_one_click_away(pages: Path) -> None:
    page = (pages / "en" / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"#]+)#([^"]+)"[^>]*>How sure is this, and what is missing', page)
    assert links
    for file, place in links:
        there = (pages / "en" / file).read_text(encoding="utf-8")
        box = there[there.index(f'<details class="measure" id="{place}"') :].partition("</details>")[0]
        assert "95% interval" in box
        assert "Whatever the citizenship of those without any on file" in box

"""The pages in a browser: nothing asked of another place, light, no sideways scroll, no barrier, no letters over letters.

Needs a Chrome; axe-core also the package that carries it. One page of each kind, in all of its states.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.report import pdf, site
from pipeline.report.pdf import find_chrome
from tests.axe import barriers, needs_axe, start, violated
from tests.report_example import SETTINGS, every_kind_of_page
from tests.served import first_load, served

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(find_chrome() is None, reason="needs a Chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
#: One page of each kind: everything but the pages of further marts and guides.
KINDS = (
    "index", "handout", "findings", "proposals", "charging", "pipeline", "policy", "methods", "data-quality", "downloads",
    "corrections", "check-a-number", "contributing", "measures", "dictionary", "glossary",
)  # fmt: skip
#: Which texts of a picture run into each other or over its edge, in one font.
COLLISIONS = """font => {
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    svg.style.fontFamily = font;
    const edge = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]);
    boxes.forEach(([text, a], at) => {
      if (a.left < edge.left - 1 || a.right > edge.right + 1) found.push([svg.id, text, "over the edge"]);
      for (const [other, b] of boxes.slice(at + 1))
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4)
          found.push([svg.id, text, other]);
    });
  }
  return found;
}"""

#: What can be reached is numbered in the order of the page; then how many there are.
STOPS = """() => {
  window.stops = [...document.querySelectorAll("a[href], button, summary, input, select, [tabindex='0']")]
    .filter(e => e.checkVisibility({visibilityProperty: true}));
  return stops.length;
}"""
#: Which of these has the focus, whether that shows, and whether it stands where it can be seen.
WHERE = """() => {
  const now = document.activeElement, style = getComputedStyle(now), box = now.getBoundingClientRect();
  return {
    at: stops.indexOf(now), html: now.outerHTML.slice(0, 80),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("browser") / "site"
    assert site.build_site(out=out, public=every_kind_of_page()).notices == []
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=find_chrome(), args=FLAGS)
        yield opened
        opened.close()


@needs_axe
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_no_barrier_folded_or_unfolded_in_light_or_dark(
    pages: Path, browser: Any, width: int, language: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    found: list[tuple[object, ...]] = []
    for name in KINDS:
        page.goto((pages / language / f"{name}.html").as_uri())
        found += [(name, *barrier) for barrier in barriers(page)]
    page.close()
    assert found == []


@needs_axe
def test_a_barrier_is_seen(pages: Path, browser: Any) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto((pages / "en" / "charging.html").as_uri())
    start(page)
    page.add_style_tag(content=".lede { color: #444 !important }")
    page.evaluate("document.querySelector('img').removeAttribute('alt')")
    found = {rule for rule, _ in violated(page)}
    page.close()
    assert {"color-contrast", "image-alt"} <= found


def test_each_page_keeps_to_its_folder_and_fits_a_phone(pages: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 700})
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    wide = []
    for path in sorted(pages.glob("*/*.html")):
        page.goto(path.as_uri())
        for opened in (False, True):
            page.evaluate("open => document.querySelectorAll('details').forEach(d => (d.open = open))", opened)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            wide += [(path.name, opened, over)] if over > 0 else []
    page.close()
    assert [url for url in asked if not url.startswith((pages.as_uri(), "data:"))] == []
    assert (wide, errors) == ([], [])


def test_the_list_of_pages_beside_a_page_does_not_scroll_sideways(pages: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((pages / "en" / "charging.html").as_uri())
    side = "document.querySelector('.side')"
    assert page.evaluate(f"getComputedStyle({side}).position") == "sticky", "it stands beside the page"
    assert page.evaluate(f"{side}.scrollWidth - {side}.clientWidth") == 0
    page.close()


@pytest.mark.parametrize("name", ["findings", "glossary"])
def test_a_table_of_words_alone_fits_a_phone(pages: Path, browser: Any, name: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto((pages / "es" / f"{name}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    over = "[...document.querySelectorAll('.words')].map(t => t.parentNode.scrollWidth - t.parentNode.clientWidth)"
    found = page.evaluate(over)
    assert found
    assert set(found) == {0}
    page.close()


def test_a_page_is_at_most_60_kb_over_the_wire(pages: Path, browser: Any) -> None:
    names = [f"{language}/{name}.html" for language in ("en", "es") for name in KINDS]
    with served(pages) as address:
        weights = {name: first_load(browser, f"{address}/{name}")[0] for name in names}
    assert {name: weight for name, weight in weights.items() if not 15_000 < weight <= 60_000} == {}


@pytest.mark.parametrize("name", KINDS)
def test_the_keyboard_reaches_everything_and_is_seen_where_it_is(pages: Path, browser: Any, name: str) -> None:
    """From the top to the end by Tab alone, with everything unfolded: each stop in turn, each with its outline."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((pages / "es" / f"{name}.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    expected = page.evaluate(STOPS)
    reached = []
    for _ in range(expected + 1):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(WHERE))
    page.close()
    assert [stop["at"] for stop in reached[:expected]] == list(range(expected))
    assert [stop for stop in reached[:expected] if not (stop["outlined"] and stop["seen"])] == []


def test_enter_and_space_fold_and_unfold(pages: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((pages / "en" / "charging.html").as_uri())
    page.locator("summary").first.focus()
    opened = []
    for key in ("Enter", "Enter", "Space", "Space"):
        page.keyboard.press(key)
        opened.append(page.locator("details").first.evaluate("d => d.open"))
    page.close()
    assert opened == [True, False, True, False]


def test_the_first_stop_leads_past_the_menu(pages: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((pages / "en" / "charging.html").as_uri())
    page.keyboard.press("Tab")
    skip = page.evaluate(
        "() => [document.activeElement.className, document.activeElement.getBoundingClientRect().left >= 0]"
    )
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = page.evaluate("() => document.querySelector('main').contains(document.activeElement)")
    page.close()
    assert (skip, inside) == (["skip", True], True)


def test_a_phone_opens_and_closes_its_menu_with_the_keyboard(pages: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 700})
    page.goto((pages / "es" / "charging.html").as_uri())
    menu = page.locator("#menu")
    shown = [menu.is_visible()]
    page.locator(".open").focus()
    page.keyboard.press("Enter")
    shown.append(menu.is_visible())
    page.keyboard.press("Tab")
    inside = menu.evaluate("menu => menu.contains(document.activeElement)")
    page.locator(".close").focus()
    page.keyboard.press("Enter")
    shown.append(menu.is_visible())
    page.close()
    assert (shown, inside) == ([False, True, False], True)


@pytest.mark.parametrize("font", ["DejaVu Sans", "DejaVu Serif"])
def test_no_text_of_a_picture_runs_into_another(pages: Path, browser: Any, font: str) -> None:
    page = browser.new_page(viewport={"width": 800, "height": 900})
    drawn = [
        path.read_text(encoding="utf-8").replace("<svg ", f'<svg id="{path.stem}" ', 1)
        for path in sorted((pages / "figures").glob("*.svg"))
    ]
    assert len(drawn) >= 80
    page.set_content("\n".join(drawn))
    found = page.evaluate(COLLISIONS, font)
    page.close()
    assert found == []


def test_letters_that_run_into_each_other_are_seen(browser: Any) -> None:
    page = browser.new_page()
    page.set_content('<svg id="s" width="90" height="40"><text x="2" y="20">Acusadas</text><text x="30" y="20">Fianza</text><text x="80" y="35">Desvío</text></svg>')  # fmt: skip
    found = page.evaluate(COLLISIONS, "DejaVu Sans")
    page.close()
    assert ["s", "Acusadas", "Fianza"] in found
    assert ["s", "Desvío", "over the edge"] in found


def test_an_interactive_view_shows_on_request_what_the_picture_shows(pages: Path, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((pages / "en" / "charging.html").as_uri())
    assert not [url for url in asked if "plotly" in url]
    figure = page.locator("figure").nth(1)
    picture = figure.locator("img").get_attribute("src")
    figure.locator(".draw").click()
    page.wait_for_selector(".plot .main-svg")
    where = """box => Object.fromEntries([...box.querySelectorAll("text")].filter(t => t.textContent).map(t => {
      const a = t.getBoundingClientRect(), b = box.getBoundingClientRect();
      return [t.textContent, [a.left - b.left, a.top + a.height / 2 - b.top]];
    }))"""
    by_plotly = figure.locator(".plot .svg-container").evaluate(where)
    page.set_content((pages / "en" / picture).read_text(encoding="utf-8"))
    by_us = page.locator("svg").evaluate(where)
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert by_us.keys() == by_plotly.keys()
    assert len(by_us) > 20
    assert [t for t in by_us if max(abs(a - b) for a, b in zip(by_us[t], by_plotly[t], strict=True)) > 3] == []


def test_without_javascript_the_pictures_and_tables_are_there(pages: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((pages / "es" / "charging.html").as_uri())
    assert page.locator("figure img").count() >= 3
    assert page.locator("figure table").count() >= 3
    assert not page.locator(".draw").first.is_visible()
    context.close()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_hand_out_is_one_tagged_page_and_names_no_folder(pages: Path, language: str) -> None:
    printed = (pages / language / "handout.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", printed)) == 1
    assert b"/Marked true" in printed
    assert f"/Lang ({language})".encode() in printed
    assert b"file:" not in printed
    report = (pages / language / "report.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", report)) >= 10
    assert b"/Marked true" in report
    assert b"file:" not in report


def test_two_prints_of_a_page_have_the_same_bytes(pages: Path, tmp_path: Path) -> None:
    page = pages / "es" / "handout.html"
    first, second = tmp_path / "1.pdf", tmp_path / "2.pdf"
    assert pdf.print_pages({page: first}, day=SETTINGS.as_of_date) is None
    assert pdf.print_pages({page: second}, day=SETTINGS.as_of_date) is None
    assert first.read_bytes() == second.read_bytes()
